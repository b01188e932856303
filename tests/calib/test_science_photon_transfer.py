"""Photon transfer against NumPy, on simulated levels up to saturation and on too little to fit."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calib.science.photon_transfer import PhotonTransfer, pair_moments, photon_transfer

K, NOISE_ADU, OFFSET = 0.28, 3.0, 15.0
SHAPE = (200, 250)


def moments_in_numpy(first: np.ndarray, second: np.ndarray) -> tuple[float, float]:
    both = np.isfinite(first.astype(float)) & np.isfinite(second.astype(float))
    one, other = first[both].astype(float), second[both].astype(float)
    return float(np.mean([one, other])), float(np.var(one - other) / 2)


def pixels(dtype: str) -> st.SearchStrategy[np.ndarray]:
    values = st.integers(0, 4_095) if dtype != "float32" else st.one_of(st.floats(0, 4_095, width=32), st.just(np.nan))
    return arrays(dtype, (2, 6, 7), elements=values)


@given(st.sampled_from(["uint16", "int32", "float32"]).flatmap(pixels))
@settings(max_examples=100, deadline=None)
def test_the_kernel_agrees_with_numpy(pair):
    first, second = pair
    if not np.isfinite(first - second.astype(float)).any():
        assert np.isnan(pair_moments(first, second).mean)
        return
    mean, variance = moments_in_numpy(first, second)
    found = pair_moments(first, second)
    assert found.mean == pytest.approx(mean)
    assert found.variance == pytest.approx(variance, abs=1e-6)


def shots(electrons: float, rng: np.random.Generator, ceiling: float = 4_095.0) -> tuple[float, float]:
    """Mean and variance of a simulated pair, with a fixed pattern of 2 % that must not count."""
    pattern = np.random.default_rng(3).normal(1, 0.02, SHAPE)
    read = OFFSET + K * rng.poisson(electrons * pattern, (2, *SHAPE)) + rng.normal(0, NOISE_ADU, (2, *SHAPE))
    found = pair_moments(*np.clip(read.round(), 0, ceiling).astype(np.uint16))
    return found.mean, found.variance


def curve(levels: np.ndarray, seed: int = 1) -> PhotonTransfer:
    rng = np.random.default_rng(seed)
    bright, dark = np.array([shots(level, rng) for level in levels]), np.array([shots(0, rng) for _ in levels])
    return photon_transfer(bright[:, 0], bright[:, 1], dark[:, 0], dark[:, 1])


def test_gain_and_dark_noise_are_recovered():
    found = curve(np.linspace(100, 17_000, 24))
    assert found.gain == pytest.approx(K, rel=0.005)
    assert abs(found.gain - K) < 4 * found.gain_error
    assert found.dark_noise == pytest.approx(np.hypot(NOISE_ADU, 1 / np.sqrt(12)), rel=0.01)


def test_saturation_is_where_the_variance_is_largest_and_the_fit_ends_well_below():
    found = curve(np.linspace(500, 17_000, 34))
    assert found.saturation == pytest.approx(4_095 - OFFSET, rel=0.1)
    assert found.levels == sum(np.linspace(500, 17_000, 34) * K <= 0.7 * found.saturation)


def test_a_change_of_the_whole_level_between_both_images_does_not_count():
    rng = np.random.default_rng(1)
    first, second = rng.normal(1_000, 5, SHAPE), rng.normal(1_000, 5, SHAPE) + 50
    assert pair_moments(first, second).variance == pytest.approx(25, rel=0.02)


def test_a_level_that_could_not_be_measured_is_left_out():
    signal = np.linspace(100.0, 1_000.0, 10)
    variance, dark = K * signal + 9, np.full(10, 9.0)
    variance[3] = np.nan
    found = photon_transfer(signal, variance, np.zeros(10), dark)
    assert found.gain == pytest.approx(K)
    assert found.levels == 6


def test_a_perfect_line_has_no_error():
    signal = np.linspace(100.0, 1_000.0, 10)
    found = photon_transfer(signal + OFFSET, K * signal + 9, np.full(10, OFFSET), np.full(10, 9.0))
    assert found.gain == pytest.approx(K)
    assert found.gain_error == pytest.approx(0, abs=1e-12)
    assert (found.dark_noise, found.saturation, found.levels) == (3.0, 1_000.0, 7)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_too_few_levels_are_refused(count):
    values = np.linspace(1.0, 9.0, count)
    with pytest.raises(ValueError, match="needs 3 levels below 70% of saturation"):
        photon_transfer(values, values, np.zeros(count), np.zeros(count))


def test_arrays_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="for every level"):
        photon_transfer(np.ones(5), np.ones(5), np.ones(4), np.ones(5))


def test_images_of_unequal_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(4, 5\) and \(4, 6\) came"):
        pair_moments(np.ones((4, 5)), np.ones((4, 6)))
