"""Read noise and bias level against NumPy and astropy, on overscan that is clean, drifting, striped and struck."""

import numpy as np
import pytest
from astropy.stats import sigma_clipped_stats
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.science.overscan import CLIP_SIGMA, SKIPPED_COLUMNS, _means, _residuals, measure_overscan

NOISE_ADU, LEVEL_ADU = 4.0, 25_000.0


def overscan(seed: int = 1, shape: tuple[int, int] = (2002, 54), noise: float = NOISE_ADU) -> np.ndarray:
    return np.random.default_rng(seed).normal(LEVEL_ADU, noise, shape)


def as_read(pixels: np.ndarray) -> np.ndarray:
    return pixels.round().astype(np.int32)


def means_in_numpy(pixels: np.ndarray, centre: float, limit: float) -> tuple[np.ndarray, np.ndarray]:
    good = np.where(np.abs(pixels - centre) <= limit, pixels, np.nan)
    row = np.nanmean(good, axis=1)
    return row, np.nanmean(good - row[:, None], axis=0)


def clipped_in_numpy(residual: np.ndarray, sigma: float) -> np.ndarray:
    kept = np.abs(residual) <= CLIP_SIGMA * sigma
    while (again := np.abs(residual) <= CLIP_SIGMA * residual[kept].std()).sum() != kept.sum():
        kept = again
    return np.asarray(residual[again])


@given(st.integers(0, 2**32 - 1), st.sampled_from(["int32", "uint16", "float32"]), st.booleans())
@settings(max_examples=30, deadline=None)
def test_the_kernels_agree_with_numpy(seed, dtype, struck):
    pixels = overscan(seed, (60, 29)).round().astype(dtype)
    if struck:
        pixels[17, 5:9] = 60_000
    row, column = means_in_numpy(pixels.astype(float), LEVEL_ADU, 25.0)
    found = _means(pixels, LEVEL_ADU, 25.0)
    assert found[0] == pytest.approx(row)
    assert found[1] == pytest.approx(column)
    residual = clipped_in_numpy(pixels - row[:, None] - column, 5.0)
    total, squares, used = _residuals(pixels, row, column, 5.0, CLIP_SIGMA)
    assert used == residual.size
    assert (total, squares) == (pytest.approx(residual.sum(), abs=1e-4), pytest.approx((residual**2).sum()))


def test_clean_overscan_agrees_with_astropys_clipped_deviation():
    pixels = as_read(overscan())
    _, _, expected = sigma_clipped_stats(pixels, sigma=5, maxiters=3)
    assert measure_overscan(pixels).noise == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("noise", [0.8, 2.0, 4.0, 30.0])
def test_the_true_noise_is_recovered_within_a_percent(noise):
    expected = np.hypot(noise, 1 / np.sqrt(12))  # what rounding to whole ADU adds
    assert measure_overscan(as_read(overscan(noise=noise))).noise == pytest.approx(expected, rel=0.01)


def test_the_noise_is_not_biased_in_a_small_overscan():
    noises = [measure_overscan(overscan(seed, (16, 9))).noise ** 2 for seed in range(400)]
    assert np.sqrt(np.mean(noises)) == pytest.approx(NOISE_ADU, rel=0.02)


def test_a_cosmic_ray_that_doubles_the_plain_deviation_does_not_count():
    struck = overscan()
    struck[900:960, 30] = LEVEL_ADU + 300
    assert struck.std() > 1.9 * NOISE_ADU
    assert measure_overscan(as_read(struck)).noise == pytest.approx(NOISE_ADU, rel=0.01)


def test_a_drift_along_the_readout_does_not_count():
    drifting = overscan() + np.linspace(-10, 10, 2002)[:, None]
    assert drifting.std() > 1.5 * NOISE_ADU
    assert measure_overscan(as_read(drifting)).noise == pytest.approx(NOISE_ADU, rel=0.01)


def test_a_fixed_column_pattern_does_not_count():
    striped = overscan() + np.where(np.arange(54) % 2, 1.5, -1.5)
    assert striped.std() > 1.05 * NOISE_ADU
    assert measure_overscan(as_read(striped)).noise == pytest.approx(NOISE_ADU, rel=0.01)


def test_trailing_charge_in_the_first_columns_does_not_count():
    trailing = overscan()
    trailing[:, :SKIPPED_COLUMNS] += 200
    found = measure_overscan(as_read(trailing))
    assert found.level == pytest.approx(LEVEL_ADU, abs=0.1)
    assert found.noise == pytest.approx(NOISE_ADU, rel=0.01)


def test_its_row_and_column_means_are_given_without_those_of_a_cosmic_ray():
    struck = overscan()
    struck[900:903, 3:40] += 3_000
    found, used = measure_overscan(as_read(struck)), as_read(overscan())[:, SKIPPED_COLUMNS:]
    assert (found.pixels.shape, found.rows.shape, found.columns.shape) == (used.shape, (2002,), (51,))
    assert np.abs(found.rows - used.mean(axis=1))[900:903].max() < 1.5
    assert np.delete(found.rows, [900, 901, 902]) == pytest.approx(np.delete(used, [900, 901, 902], 0).mean(axis=1))
    assert np.abs(found.columns).max() < 4.5 * NOISE_ADU / np.sqrt(2002)


def test_the_level_is_told_finer_than_an_adu():
    assert measure_overscan(as_read(overscan() + 0.25)).level == pytest.approx(LEVEL_ADU + 0.25, abs=0.05)


def test_a_constant_overscan_has_no_noise():
    found = measure_overscan(np.full((64, 32), 1_000, dtype=np.uint16))
    assert (found.level, found.noise) == (1_000.0, 0.0)


def test_an_overscan_of_nan_has_neither_level_nor_noise():
    found = measure_overscan(np.full((64, 32), np.nan, dtype=np.float32))
    assert np.isnan([found.level, found.noise]).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1)])
def test_a_single_row_or_column_has_a_level_but_no_noise(shape):
    found = measure_overscan(np.full(shape, 9, dtype=np.int32))
    assert found.level == 9.0
    assert np.isnan(found.noise)
