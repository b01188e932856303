"""Correlations of overscans against numpy.corrcoef."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.science.correlation import _products, strongest_correlations
from calib.science.overscan import Overscan, measure_overscan

SHAPE = (512, 32)


def noises(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 4.0, (count, *SHAPE))


def read(noise: np.ndarray) -> Overscan:
    return measure_overscan((noise + 25_000).round().astype(np.int32))


@given(st.integers(0, 2**32 - 1), st.integers(1, 50), st.integers(1, 6))
@settings(max_examples=30, deadline=None)
def test_the_kernel_agrees_with_numpy(seed, pixels, amplifiers):
    residuals = np.random.default_rng(seed).normal(0, 4, (pixels, amplifiers)).astype(np.float32)
    expected = residuals.astype(float).T @ residuals.astype(float)
    assert _products(residuals) == pytest.approx(expected, rel=1e-5, abs=1e-3)


@given(st.integers(0, 2**32 - 1), st.floats(-2, 2))
@settings(max_examples=10, deadline=None)
def test_the_strongest_correlation_is_numpys(seed, shared):
    noise = noises(4, seed)
    noise[2] += shared * noise[0]
    overscans = [read(each) for each in noise]
    residuals = [(each.pixels - each.rows[:, None] - each.columns).ravel() for each in overscans]
    expected = np.abs(np.corrcoef(residuals)) - np.eye(4)
    assert strongest_correlations(overscans) == pytest.approx(expected.max(axis=1), abs=0.005)


def test_independent_noise_is_hardly_correlated():
    assert strongest_correlations([read(noise) for noise in noises(16)]).max() < 0.05


def test_a_level_that_all_rows_share_is_no_correlation_of_noise():
    swing = 10 * np.sin(np.arange(SHAPE[0]) / 5)[:, None]
    assert strongest_correlations([read(noise + swing) for noise in noises(4)]).max() < 0.05


def test_a_cosmic_ray_in_two_overscans_does_not_correlate_them():
    noise = noises(2)
    noise[:, 100:130, 10:14] += 5_000
    assert strongest_correlations([read(each) for each in noise]).max() < 0.05


def test_an_overscan_that_does_not_vary_is_correlated_with_none():
    assert strongest_correlations([read(np.zeros(SHAPE)), *map(read, noises(2))])[0] == 0.0


def test_overscans_of_different_sizes_are_compared_where_both_have_pixels():
    noise = noises(1)[0]
    found = strongest_correlations([read(noise), read(noise[:500, :30])])
    assert found == pytest.approx([1.0, 1.0], abs=0.01)


def test_where_there_is_no_overscan_or_no_number_nothing_is_known():
    found = strongest_correlations([None, measure_overscan(np.full(SHAPE, np.nan)), *map(read, noises(2))])
    assert np.isnan(found).tolist() == [True, True, False, False]
    assert np.isnan(strongest_correlations([read(noises(1)[0]), None])).all()
