"""Dark current and hot pixels of a few darks, against NumPy and with cosmic rays that naive clipping leaves in."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from calib.science.dark_set import CLIP_SIGMA, DarkSet, _combined, combined, dark_set

GAIN, NOISE_ADU, TIME_S = 1.5, 4.0, 30.0
SHAPE = (200, 150)


def frames(count: int, seed: int, electrons: np.ndarray | float = 0.0) -> np.ndarray:
    """Frames above their overscan: a bias shape of some ADU, read noise, and `electrons` with shot noise."""
    rng = np.random.default_rng(seed)
    shape = 6 * np.exp(-np.arange(SHAPE[1]) / 8.0)
    caught = rng.poisson(np.broadcast_to(electrons, (count, *SHAPE)))
    return (shape + caught / GAIN + rng.normal(0, NOISE_ADU, (count, *SHAPE))).astype(np.float32)


def struck(darks: np.ndarray, tracks: int = 40) -> np.ndarray:
    """The same darks with straight tracks of 12 pixels and 1,000 ADU in every frame, each elsewhere."""
    rng, hit = np.random.default_rng(5), darks.copy()
    for frame in hit:
        for y, x in zip(rng.integers(0, SHAPE[0] - 12, tracks), rng.integers(0, SHAPE[1], tracks), strict=True):
            frame[y : y + 12, x] += 1_000
    return hit


def measured(darks: np.ndarray, biases: np.ndarray | None = None) -> DarkSet:
    return dark_set(darks, frames(5, seed=99) if biases is None else biases, TIME_S, GAIN, NOISE_ADU)


def combined_in_numpy(stack: np.ndarray, variance: float, shot: float) -> np.ndarray:
    """The definition, by masked arrays."""
    finite = np.ma.masked_invalid(stack.astype(float))
    median = np.ma.median(finite, axis=0)
    limit = CLIP_SIGMA * np.sqrt(variance + shot * np.maximum(median, 0.0))
    kept = np.ma.masked_where(np.abs(finite - median).filled(np.inf) > limit.filled(0), finite)
    return np.asarray(kept.mean(axis=0).filled(np.nan) if kept.count() else np.full(stack.shape[1:], np.nan))


def naively_clipped(stack: np.ndarray, sigma: float = 3.0) -> np.ndarray:
    """Three rounds of clipping about the mean by the standard deviation, as stacks are often combined."""
    kept = np.ma.masked_array(stack)
    for _ in range(3):
        kept = np.ma.masked_where(np.abs(kept - kept.mean(axis=0)) > sigma * kept.std(axis=0), kept)
    return np.asarray(kept.mean(axis=0))


@given(
    arrays(
        np.float32,
        st.tuples(st.integers(3, 8), st.integers(1, 4), st.integers(1, 4)),
        elements=st.one_of(st.floats(-50, 2_000, width=32), st.sampled_from([np.nan, np.inf])),
    )
)
@settings(max_examples=150, deadline=None)
def test_the_kernel_agrees_with_numpy(stack):
    found, expected = _combined(stack, 16.3, 1 / GAIN, CLIP_SIGMA), combined_in_numpy(stack, 16.3, 1 / GAIN)
    median = np.ma.median(np.ma.masked_invalid(stack.astype(float)), axis=0).filled(np.nan)
    expected = np.where(np.isnan(expected), median, expected)  # an even number of frames, all far from the middle
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("electrons", [0.3, 0.6, 6.0, 60.0])
def test_the_dark_current_is_recovered(electrons):
    found = measured(frames(5, seed=1, electrons=electrons)).current
    chance = 1.25 * np.hypot(NOISE_ADU * GAIN, np.sqrt(electrons)) * np.sqrt(2 / 5 / np.prod(SHAPE)) / TIME_S
    skewness_of_few_electrons = 1e-3 * electrons / TIME_S + 1e-4
    assert found == pytest.approx(electrons / TIME_S, abs=3 * chance + skewness_of_few_electrons)


def test_the_shape_of_the_bias_is_taken_off():
    assert abs(np.median(measured(frames(5, seed=2)).rates[:, :5])) < 0.02


@pytest.mark.parametrize("count", [3, 4, 5, 10])
def test_cosmic_rays_are_not_hot_however_few_the_frames(count):
    assert measured(struck(frames(count, seed=3), tracks=8)).hot.sum() == 0


@pytest.mark.parametrize("count", [3, 5, 10])
def test_naive_clipping_of_ten_frames_or_fewer_would_call_them_hot(count):
    naive = naively_clipped(struck(frames(count, seed=3), tracks=8)) * GAIN / TIME_S > 4.0
    assert naive.sum() > 80 * count  # of 96 pixels struck in each frame


def test_hot_pixels_are_found_among_cosmic_rays():
    electrons = np.zeros(SHAPE)
    hot = np.random.default_rng(4).random(SHAPE) < 1e-3
    electrons[hot] = np.random.default_rng(5).uniform(7, 400, hot.sum()) * TIME_S
    np.testing.assert_array_equal(measured(struck(frames(5, seed=6, electrons=electrons))).hot, hot)


def test_the_rate_of_a_hot_pixel_is_its_own():
    electrons = np.zeros(SHAPE)
    electrons[50, 60] = 100 * TIME_S
    assert measured(frames(5, seed=7, electrons=electrons)).rates[50, 60] == pytest.approx(100, abs=5)


def test_the_mean_uses_more_of_the_frames_than_the_median_does():
    stack = frames(9, seed=8)[:, :, 60:]  # beyond the shape of the bias
    assert combined(stack, NOISE_ADU, GAIN).std() == pytest.approx(NOISE_ADU / 3, rel=0.02)
    assert np.median(stack, axis=0).std() > 1.15 * NOISE_ADU / 3


def test_pixels_that_are_no_numbers_have_no_rate_and_are_not_hot():
    darks = frames(5, seed=9, electrons=3.0)
    darks[:, 10], darks[2, 20] = np.nan, np.nan
    found = measured(darks)
    assert np.isnan(found.rates[10]).all()
    assert not found.hot[10].any()
    assert np.isfinite(found.rates[20]).all()
    assert found.current == pytest.approx(0.1, abs=0.003)


def test_darks_of_nan_have_no_current():
    assert np.isnan(measured(np.full((3, *SHAPE), np.nan, dtype=np.float32)).current)


@pytest.mark.parametrize(("darks", "biases"), [(2, 5), (5, 2)])
def test_two_frames_are_too_few(darks, biases):
    with pytest.raises(ValueError, match=f"{darks} and {biases} came"):
        measured(frames(darks, seed=1), frames(biases, seed=2))


def test_frames_of_unequal_shape_are_refused():
    with pytest.raises(ValueError, match=r"\(200, 150\) and \(200, 149\) came"):
        measured(frames(3, seed=1), frames(3, seed=2)[:, :, 1:])


@pytest.mark.parametrize("seconds", [0.0, -1.0, np.nan])
def test_without_time_there_is_no_current(seconds):
    with pytest.raises(ValueError, match="the time over which charge collected"):
        dark_set(frames(3, seed=1), frames(3, seed=2), seconds, GAIN, NOISE_ADU)
