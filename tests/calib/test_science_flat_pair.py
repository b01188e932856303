"""The gain of a flat pair against NumPy, on flats that differ, are struck by cosmic rays or are no pair at all."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.science.flat_pair import CLIP_SIGMA, KEPT_VARIANCE, FlatPair, clipped_pair, flat_pair, late_charge
from dayops import camera

GAIN, NOISE_ADU, LEVELS = 1.5, 4.0, (25_000.0, 25_010.0)
SHAPE = (500, 400)
CHANCE = np.sqrt(2 / (SHAPE[0] * SHAPE[1]))


def flat(level: float, signal_e: float, rng: np.random.Generator, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    """A raw flat with a fixed pattern: 5 % of tilt, 1 % from pixel to pixel, some dead pixels."""
    response = np.linspace(0.95, 1.05, shape[1]) * np.random.default_rng(7).normal(1, 0.01, shape)
    response[3:5, 7:9] = 0.1
    electrons = rng.poisson(signal_e * response)
    return (level + electrons / GAIN + rng.normal(0, NOISE_ADU, shape)).round().astype(np.int32)


def pair(signal_e: float = 15_000, ratio: float = 1.0, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return flat(LEVELS[0], signal_e, rng), flat(LEVELS[1], signal_e * ratio, rng)


def gain_of(first: np.ndarray, second: np.ndarray) -> FlatPair:
    noise = float(np.hypot(NOISE_ADU, 1 / np.sqrt(12)))
    return flat_pair(first, second, LEVELS, (noise, noise))


def clipped_in_numpy(first: np.ndarray, second: np.ndarray, scale: float, sigma: float) -> tuple[float, ...]:
    one, other = first - LEVELS[0], second - LEVELS[1]
    difference = one - scale * other
    kept, again = np.zeros(SHAPE, dtype=bool), np.abs(difference) <= CLIP_SIGMA * sigma
    while again.sum() != kept.sum():
        kept = again
        again = np.abs(difference - difference[kept].mean()) <= CLIP_SIGMA * difference[kept].std(ddof=1)
    return one[again].mean(), other[again].mean(), difference[again].var(ddof=1), again.sum()


@given(st.integers(0, 2**32 - 1), st.sampled_from(["int32", "uint16", "float32"]), st.floats(0.96, 1.04))
@settings(max_examples=20, deadline=None)
def test_the_kernel_agrees_with_numpy(seed, dtype, ratio):
    first, second = pair(15_000, ratio, seed)
    first[100:110, 50] += 5_000
    found = clipped_pair(first.astype(dtype), second.astype(dtype), *LEVELS, 1 / ratio, 160.0, CLIP_SIGMA)
    assert found == pytest.approx(clipped_in_numpy(first, second, 1 / ratio, 160.0))


def test_what_clipping_leaves_of_a_variance_is_known():
    deviates = np.random.default_rng(1).standard_normal(4_000_000)
    assert deviates[np.abs(deviates) <= CLIP_SIGMA].var() == pytest.approx(KEPT_VARIANCE, abs=2.5e-3)
    assert pytest.approx(1 - 1.07e-3, abs=1e-5) == KEPT_VARIANCE


@pytest.mark.parametrize("signal_e", [2_000, 15_000, 60_000])
def test_the_gain_is_recovered_within_chance(signal_e):
    gains = [gain_of(*pair(signal_e, seed=seed)).gain for seed in range(6)]
    assert np.mean(gains) == pytest.approx(GAIN, rel=3 * CHANCE / np.sqrt(6))
    assert np.std(gains) < 2 * CHANCE * GAIN


@pytest.mark.parametrize("ratio", [0.96, 1.04])
def test_a_small_difference_of_the_levels_does_not_count(ratio):
    found = gain_of(*pair(15_000, ratio))
    assert found.gain == pytest.approx(GAIN, rel=3 * CHANCE)
    assert found.signal == pytest.approx(15_000 * (1 + ratio) / 2 / GAIN, rel=1e-3)


def test_an_unscaled_difference_would_count():
    first, second = pair(60_000, 1.04)
    naive = (first.mean() + second.mean() - sum(LEVELS)) / (first - second).var()
    assert abs(naive / GAIN - 1) > 10 * CHANCE


def test_cosmic_rays_do_not_count():
    first, second = pair()
    second[::50, ::20] += 3_000
    assert gain_of(first, second).gain == pytest.approx(GAIN, rel=3 * CHANCE)


def test_pixels_that_are_no_numbers_do_not_count():
    first, second = (image.astype(np.float32) for image in pair())
    first[:20], second[30:40, 5] = np.nan, np.inf
    assert gain_of(first, second).gain == pytest.approx(GAIN, rel=3 * CHANCE)


def test_read_noise_is_taken_off():
    first, second = pair(300)
    assert gain_of(first, second).gain == pytest.approx(GAIN, rel=4 * CHANCE)
    assert flat_pair(first, second, LEVELS, (0.0, 0.0)).gain < 0.95 * GAIN


@pytest.mark.parametrize("ratio", [0.9, 1.1])
def test_flats_of_different_light_are_no_pair(ratio):
    found = gain_of(*pair(15_000, ratio))
    assert np.isnan([found.gain, found.signal]).all()
    assert "expected within 5 % of each other" in found.problem


def test_flats_without_light_have_no_gain():
    found = gain_of(*pair(0))
    assert np.isnan(found.gain)
    assert found.problem.startswith("The flats are too faint")


def test_a_flat_of_nan_has_no_gain():
    first, _ = pair()
    assert np.isnan(gain_of(first, np.full(SHAPE, np.nan, dtype=np.float32)).gain)


def test_a_flat_is_no_pair_with_itself():
    first, _ = pair()
    found = flat_pair(first, first, (LEVELS[0], LEVELS[0]), (4.0, 4.0))
    assert np.isnan(found.gain)
    assert "are they one frame, or saturated?" in found.problem


def test_flats_of_unequal_shape_are_refused():
    first, second = pair()
    with pytest.raises(ValueError, match=r"\(500, 400\) and \(500, 399\) came"):
        gain_of(first, second[:, 1:])


MINICAM = camera.load("minicam").detectors[0].amplifiers[0]


def lit_segment(late_serial: float = 0.0, late_parallel: float = 0.0) -> np.ndarray:
    """A raw segment of minicam with 20,000 ADU of light, a share of whose last column and row comes late."""
    raw = np.random.default_rng(2).normal(LEVELS[0], NOISE_ADU, (MINICAM.raw_height, MINICAM.raw_width))
    image = MINICAM.image
    raw[image.slices] += 20_000
    raw[image.y0 : image.y1, image.x1] += 20_000 * late_serial
    raw[image.y1, image.x0 : image.x1] += 20_000 * late_parallel
    return raw.round().astype(np.int32)


@pytest.mark.parametrize(("serial", "parallel"), [(0.0, 0.0), (1e-3, 0.0), (0.0, 2e-3), (1e-3, 2e-3)])
def test_late_charge_is_found_in_both_overscans(serial, parallel):
    assert late_charge(lit_segment(serial, parallel), MINICAM) == pytest.approx(serial + parallel, abs=1e-4)


def test_without_overscan_no_charge_is_known_to_be_late():
    bare = replace(MINICAM, serial_overscan=None, parallel_overscan=None)
    assert late_charge(lit_segment(1e-3, 1e-3), bare) == 0.0


def test_without_light_no_charge_is_late():
    assert late_charge(np.full((MINICAM.raw_height, MINICAM.raw_width), 9, dtype=np.int32), MINICAM) == 0.0


def test_late_charge_is_taken_off_the_gain():
    first, second = pair()
    noise = (NOISE_ADU, NOISE_ADU)
    usual, corrected = (flat_pair(first, second, LEVELS, noise, late).gain for late in (0.0, 0.003))
    assert corrected == pytest.approx(usual * 0.997)
