"""Stuck bits against a count pixel by pixel, and on biases and flats whose converters are well."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.science.distribution import WIDEST_HISTOGRAM, distribution
from calib.science.stuck_bits import stuck_bits


def pixels(level: float, sigma: float, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(level, sigma, (256, 256)).round().astype(np.int32)


def counted(image: np.ndarray) -> int:
    """By the definition, on the pixels themselves."""
    values = np.sort(image, axis=None)
    first, last = values[int(np.ceil(0.025 * values.size)) - 1], values[int(np.ceil(0.975 * values.size)) - 1]
    inner = values[(values >= first) & (values <= last)]
    shares = [((inner >> bit) & 1).mean() for bit in range(20) if last - first + 1 >= 2 * 2 ** (bit + 1)]
    return sum(not 0.001 <= share <= 0.999 for share in shares)


@given(st.integers(0, 2**32 - 1), st.floats(0, 100), st.integers(0, 7), st.sampled_from(["set", "unset", "well"]))
@settings(max_examples=60, deadline=None)
def test_it_is_what_the_pixels_themselves_say(seed, sigma, bit, state):
    image = pixels(25_000, sigma, seed)
    image = {"set": image | 1 << bit, "unset": image & ~(1 << bit), "well": image}[state]
    assert stuck_bits(distribution(image)) == counted(image)


@pytest.mark.parametrize("level", [24_990, 25_000, 25_008.5, 32_768, 65_536, 0])
@pytest.mark.parametrize("sigma", [0.0, 0.3, 1.0, 3.0, 4.0, 8.0, 150.0])
def test_a_converter_that_is_well_has_none(level, sigma):
    assert stuck_bits(distribution(pixels(level, sigma))) == 0


@pytest.mark.parametrize("bit", [0, 1, 4, 6])
def test_a_bit_that_is_always_set_or_never_is_seen_in_a_flat(bit):
    flat = pixels(30_000, 150.0)
    assert stuck_bits(distribution(flat | 1 << bit)) == 1
    assert stuck_bits(distribution(flat & ~(1 << bit))) == 1


def test_two_stuck_bits_are_two():
    assert stuck_bits(distribution(pixels(30_000, 150.0) | 0b10100)) == 2


def test_the_lowest_bit_is_seen_even_in_a_bias():
    assert stuck_bits(distribution(pixels(25_000, 4.0) | 1)) == 1


def test_a_bit_beyond_the_noise_is_not_called_stuck():
    assert stuck_bits(distribution(pixels(25_000, 4.0) | 16)) == 0


@pytest.mark.parametrize("signal", [-8_000, 8_000])
def test_a_bright_or_dark_column_does_not_widen_what_is_looked_at(signal):
    flat = pixels(30_000, 150.0)
    flat[:, 40:44] += signal
    assert stuck_bits(distribution(flat)) == 0


def test_outliers_do_not_widen_what_is_looked_at():
    bias = pixels(25_000, 4.0)
    bias[0, :100] = np.arange(100) * 2_000
    assert stuck_bits(distribution(bias)) == 0


@pytest.mark.parametrize(
    "image", [np.full((4, 4), np.nan), np.full((4, 4), 1.5), np.array([[0, 2 * WIDEST_HISTOGRAM]], dtype=np.int32)]
)
def test_without_integers_to_count_it_is_unknown(image):
    assert np.isnan(stuck_bits(distribution(image)))


class TestSaturated:
    """Full pixels differ by read noise alone, and by nothing that a converter does."""

    def test_full_pixels_are_not_looked_at(self) -> None:
        image = pixels(100_000, 150.0)
        image[:80] = 142_592  # of 256 rows: less than half, and every bit of them the same
        assert stuck_bits(distribution(image), saturation=135_000) == 0

    def test_a_stuck_bit_of_the_others_is_seen_beside_them(self) -> None:
        image = pixels(100_000, 150.0) | 16
        image[:80] = 142_592
        assert stuck_bits(distribution(image), saturation=135_000) == 1

    def test_where_most_are_full_nothing_is_called_stuck(self) -> None:
        image = pixels(142_592, 4.3) | 4
        assert stuck_bits(distribution(image), saturation=135_000) == 0

    def test_without_a_saturation_every_pixel_counts(self) -> None:
        assert stuck_bits(distribution(pixels(142_592, 150.0) | 16)) == 1
