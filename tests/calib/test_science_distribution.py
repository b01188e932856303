"""Order statistics against NumPy, and against the definition of a grouped median pixel by pixel."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from calib.science.distribution import WIDEST_HISTOGRAM, Distribution, _count, distribution

shapes = hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
integers = st.sampled_from(["int16", "uint16", "int32"]).flatmap(
    lambda dtype: hnp.arrays(dtype, shapes, elements=st.integers(0, 40) | st.integers(0, 30_000))
)
reals = hnp.arrays("float64", shapes, elements=st.floats(-1e6, 1e6), unique=True)
unhurried = settings(deadline=None)  # the first example compiles the kernel


def share_within(pixels: np.ndarray, low: float, high: float) -> float:
    """How much of the pixels lies between `low` and `high` if each integer is spread over its unit interval."""
    return float(np.clip(np.minimum(pixels + 0.5, high) - np.maximum(pixels - 0.5, low), 0, 1).sum())


@given(integers)
@unhurried
def test_half_of_the_spread_out_pixels_lie_below_the_median(pixels):
    assert share_within(pixels.astype(float), -1.0, distribution(pixels).median) == pytest.approx(pixels.size / 2)


@given(integers)
@unhurried
def test_half_of_the_spread_out_pixels_lie_within_the_mad_of_the_median(pixels):
    found = distribution(pixels)
    low, high = found.median - found.mad, found.median + found.mad
    assert share_within(pixels.astype(float), low, high) == pytest.approx(pixels.size / 2, abs=1e-6)


@given(integers)
@unhurried
def test_the_grouped_median_is_within_half_an_adu_of_numpys(pixels):
    assert distribution(pixels).median == pytest.approx(np.median(pixels), abs=0.5)


@given(integers)
@unhurried
def test_the_grouped_mad_is_within_an_adu_of_the_middle_deviations(pixels):
    deviations = np.sort(np.abs(pixels - np.median(pixels)), axis=None)
    lower, upper = deviations[(pixels.size - 1) // 2], deviations[pixels.size // 2]
    assert lower - 1 <= distribution(pixels).mad <= upper + 1


@given(integers)
@unhurried
def test_the_kernel_agrees_with_numpy(pixels):
    low, high = int(pixels.min()), int(pixels.max())
    assert (_count(pixels, low, high - low + 1) == np.bincount(pixels.ravel().astype(int) - low)).all()


@given(integers | reals)
@unhurried
def test_the_mean_is_numpys(pixels):
    assert distribution(pixels).mean == pytest.approx(pixels.mean(dtype=float), rel=1e-9, abs=1e-6)


@given(reals)
@unhurried
def test_the_median_of_real_numbers_is_numpys(pixels):
    assert distribution(pixels).median == pytest.approx(np.median(pixels), rel=1e-9, abs=1e-9)


@given(integers | reals, st.floats(-10, 30_000) | st.integers(0, 60))
@unhurried
def test_counts_beyond_a_limit_are_numpys(pixels, limit):
    found = distribution(pixels)
    assert (found.below(limit), found.above(limit)) == ((pixels < limit).sum(), (pixels > limit).sum())


@given(integers)
@unhurried
def test_a_histogram_and_a_sort_give_the_same_distribution(pixels):
    support, counts = np.unique(pixels, return_counts=True)
    found, sorted_ = distribution(pixels), Distribution(support.astype(float), counts, half_width=0.5)
    assert found.count == sorted_.count == pixels.size
    assert found.mean == pytest.approx(sorted_.mean)
    assert found.below(20) == sorted_.below(20)


def test_values_too_far_apart_for_a_histogram_are_still_counted():
    pixels = np.array([[0, 0, 0, 2 * WIDEST_HISTOGRAM]], dtype=np.int32)
    found = distribution(pixels)
    assert (found.support.size, found.above(1)) == (2, 1)
    assert abs(found.median) <= 0.5


@given(st.integers(1, 99), st.sampled_from([2, 500, 2 * WIDEST_HISTOGRAM]))
@unhurried
def test_a_gap_between_two_levels_holds_no_median(low_pixels, gap):
    pixels = np.repeat(np.array([0, gap], dtype=np.int32), [low_pixels, 100 - low_pixels])[None, :]
    nearest = gap / 2 if low_pixels == 50 else gap * (low_pixels < 50)
    assert distribution(pixels).median == pytest.approx(nearest, abs=0.5)


def test_gaussian_noise_is_told_finer_than_an_adu():
    pixels = np.random.default_rng(1).normal(25_000.3, 2.7, (512, 512)).round().astype(np.int32)
    found = distribution(pixels)
    assert found.median == pytest.approx(25_000.3, abs=0.05)
    assert found.robust_sigma == pytest.approx(2.7, rel=0.02)


def test_a_constant_image_has_its_value_and_hardly_a_width():
    found = distribution(np.full((4, 5), 7, dtype=np.uint16))
    assert [found.median, found.mean, found.mad] == pytest.approx([7.0, 7.0, 0.25])


def test_pixels_that_are_not_finite_are_left_out():
    found = distribution(np.array([[1.0, np.nan], [np.inf, 3.0]]))
    assert (found.count, found.median) == (2, 2.0)


@pytest.mark.parametrize("pixels", [np.full((3, 3), np.nan), np.empty((0, 5), dtype=np.int32)])
def test_without_pixels_every_statistic_is_nan(pixels):
    found = distribution(pixels)
    assert found.count == 0
    assert np.isnan([found.mean, found.median, found.mad, found.robust_sigma]).all()
