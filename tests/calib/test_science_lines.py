"""Periodic lines: sines of known amplitude in noise of known strength."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.science.distribution import distribution
from calib.science.lines import band_amplitude, line_amplitude, strongest_line
from calib.science.structure import measure_structure

NOISE_ADU = 4.0


def noise(*shape: int, seed: int = 1, sigma: float = NOISE_ADU) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, sigma, shape)


def sine(samples: int, period: float, phase: float = 0.3) -> np.ndarray:
    return np.asarray(np.sin(2 * np.pi * np.arange(samples) / period + phase))


def line_of(image: np.ndarray) -> float:
    pixels = (image + 25_000).round().astype(np.int32)
    structure = measure_structure(pixels, distribution(pixels))
    assert structure is not None
    return line_amplitude(pixels, structure)


@given(st.floats(4.0, 60.0), st.floats(0.0, 6.0), st.floats(0.1, 100.0))
@settings(max_examples=50, deadline=None)
def test_a_sine_without_noise_has_its_amplitude_less_at_most_15_percent(period, phase, amplitude):
    found = strongest_line(amplitude * sine(512, period, phase)[None, :], 3.0, 80.0)
    assert 0.84 * amplitude <= found <= 1.01 * amplitude


@given(st.integers(0, 2**32 - 1), st.integers(10, 40))
@settings(max_examples=30, deadline=None)
def test_the_spectrum_is_that_of_its_definition(seed, columns):
    series = noise(3, 4 * columns, seed=seed)
    count = next(n for n in range(4 * columns, 0, -1) if all(p in (2, 3, 5) for p in _prime_factors(n)))
    waves = np.exp(-2j * np.pi * np.outer(np.arange(count), np.arange(count)) / count)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(count) / count)
    spectrum = (np.abs((series[:, :count] * window) @ waves) ** 2).mean(axis=0)
    band = spectrum[int(np.ceil(count / 20)) : int(count / 3) + 1]
    expected = 2 * np.sqrt(band.max() - np.median(band) / (1 - 1 / 27) ** 3) / window.sum()
    assert strongest_line(series, 3.0, 20.0) == pytest.approx(expected)


def _prime_factors(number: int) -> set[int]:
    return {p for p in range(2, number + 1) if number % p == 0 and all(p % q for q in range(2, p))}


def test_a_line_outside_the_band_is_not_seen():
    assert strongest_line(10 * sine(512, 100.0)[None, :], 3.0, 30.0) < 0.05


def test_the_noises_own_power_is_taken_off():
    lines = [strongest_line(noise(64, 512, seed=seed) + sine(512, 16.0), 3.0, 30.0) for seed in range(20)]
    assert np.mean(lines) == pytest.approx(1.0, rel=0.03)


def test_a_series_too_short_for_the_band_has_no_line():
    assert np.isnan(strongest_line(noise(1, 10), 4.0, 1.0))


@pytest.mark.parametrize("period", [4.5, 16.0, 32.0, 61.0])
def test_bands_of_any_period_are_told(period):
    found = band_amplitude(3 * sine(512, period) + noise(512, sigma=0.7))
    assert found == pytest.approx(3.0, rel=0.16)


def test_even_rows_have_hardly_any_bands():
    assert max(band_amplitude(noise(512, seed=seed, sigma=0.7)) for seed in range(50)) < 0.3


def test_a_line_that_drifts_from_row_to_row_is_seen_along_the_rows():
    rows = np.stack([2 * sine(128, 7.3, phase) for phase in np.arange(512) * 0.7])
    assert 1.6 < line_of(rows + noise(512, 128)) < 2.1  # 7.3 lies midway between two frequencies


def test_a_pattern_of_fixed_columns_is_no_line():
    assert line_of(noise(512, 128) + 20 * sine(128, 7.3)) < 0.6


@pytest.mark.parametrize("hurt", ["cosmic ray", "hot pixels", "a level for each row"])
def test_what_is_not_periodic_hardly_counts(hurt):
    image = noise(512, 128)
    if hurt == "cosmic ray":
        image[100:140, 60:64] += 5_000
    elif hurt == "hot pixels":
        image[::37, ::29] += 50_000
    else:
        image += np.linspace(0, 4, 512)[:, None]
    assert line_of(image) < 0.8
    assert line_of(noise(512, 128)) < 0.6
