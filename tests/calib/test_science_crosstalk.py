"""The crosstalk of neighbouring amplifiers against NumPy, on victims that are struck themselves, and on the truth."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.science.bright_pixels import bright_pixels
from calib.science.crosstalk import LARGEST_SHARE, REACH, Crosstalk, _pair_sums, crosstalk
from calib.science.distribution import distribution
from dayops import camera
from dayops.simulator.pixels import expose
from dayops.simulator.truth import DetectorTruth, truth_for

MINICAM = camera.load("minicam")
SHAPE, LEVEL, NOISE = (200, 100), 25_000, 4.0
TRUE = 1e-3


def measured(images: list[np.ndarray]) -> Crosstalk:
    spreads = [distribution(image) for image in images]
    medians, sigmas = [each.median for each in spreads], [each.robust_sigma for each in spreads]
    limits = [median + 6 * sigma for median, sigma in zip(medians, sigmas, strict=True)]
    bright = [bright_pixels(image, limit) for image, limit in zip(images, limits, strict=True)]
    return crosstalk(images, bright, medians, sigmas)


def coupled(*hot: tuple[int, int, int], seed: int = 1, share: float = TRUE, hot_adu: int = 30_000) -> list[np.ndarray]:
    """Four amplifiers; `hot` gives amplifier, row and column of pixels of `hot_adu` that neighbours see."""
    images = np.random.default_rng(seed).normal(LEVEL, NOISE, (4, *SHAPE))
    for amplifier, y, x in hot:
        images[amplifier, y, x] += hot_adu
        for victim in {amplifier - 1, amplifier + 1} & set(range(4)):
            images[victim, y, x] += share * hot_adu
    return list(images.round().astype(np.int32))


SCATTERED = [(amplifier, 11 * k + 9, 7 * k + amplifier) for amplifier in range(4) for k in range(12)]


def sums_in_numpy(
    victim: np.ndarray, rows: np.ndarray, columns: np.ndarray, signals: np.ndarray, noise_limit: float
) -> tuple[float, float]:
    products = squares = 0.0
    for y, x, signal in zip(rows, columns, signals, strict=True):
        column = np.delete(victim[max(y - REACH, 0) : y + REACH + 1, x], min(y, REACH))
        response = victim[y, x] - np.median(column[np.isfinite(column)])
        if np.isfinite(column).sum() >= REACH and abs(response) <= noise_limit + LARGEST_SHARE * signal:
            products, squares = products + signal * response, squares + signal**2
    return products, squares


@given(st.integers(0, 2**32 - 1), st.sampled_from(["int32", "uint16", "float32"]), st.floats(5, 40))
@settings(max_examples=40, deadline=None)
def test_the_kernel_agrees_with_numpy(seed, dtype, noise_limit):
    rng = np.random.default_rng(seed)
    victim = rng.normal(LEVEL, NOISE, (40, 30)).round().astype(dtype)
    rows, columns, signals = rng.integers(0, 40, 25), rng.integers(0, 30, 25), rng.exponential(1_000, 25)
    if dtype == "float32":
        victim[5:9] = np.nan
    found = _pair_sums(victim, rows, columns, signals, noise_limit, LARGEST_SHARE)
    assert found == pytest.approx(sums_in_numpy(victim.astype(float), rows, columns, signals, noise_limit))


def test_the_share_is_recovered_within_its_error():
    found = [measured(coupled(*SCATTERED, seed=seed)) for seed in range(20)]
    pulls = [(each.coefficient - TRUE) / each.error for each in found]
    assert abs(np.mean(pulls)) < 0.8
    assert 0.5 < np.std(pulls) < 1.6


def test_amplifiers_that_do_not_couple_have_a_share_of_nought():
    found = measured(coupled(*SCATTERED, share=0.0))
    assert abs(found.coefficient) < 4 * found.error


def test_a_place_that_is_hot_in_the_victim_too_does_not_count():
    both = [*SCATTERED, *((amplifier, 150, 50) for amplifier in range(4))]
    assert measured(coupled(*both)).coefficient == pytest.approx(TRUE, abs=5e-5)


def test_a_cosmic_ray_beside_the_place_does_not_count():
    images = coupled(*SCATTERED)
    for amplifier, y, x in SCATTERED[:12]:
        images[amplifier + 1][y + 1 : y + 4, x] += 2_000
    assert measured(images).coefficient == pytest.approx(TRUE, abs=5e-5)


def test_bright_columns_are_left_out():
    columns = [(1, y, 40) for y in range(30, 200)]
    assert np.isnan(measured(coupled(*columns)).coefficient)


def test_without_bright_pixels_there_is_no_share():
    found = measured(coupled())
    assert np.isnan(found.coefficient)
    assert not found.error < 2e-4


def test_faint_pixels_alone_are_too_few_to_tell():
    found = measured(coupled(*SCATTERED, hot_adu=200))
    assert np.isnan(found.coefficient)
    assert found.error > 2e-4


def test_a_constant_amplifier_is_no_victim():
    images = coupled(*SCATTERED)
    images[3][:] = LEVEL
    assert measured(images).coefficient == pytest.approx(TRUE, abs=5e-5)


def test_an_amplifier_of_nan_is_neither_victim_nor_aggressor():
    images = [image.astype(np.float32) for image in coupled(*SCATTERED)]
    images[0][:] = np.nan
    assert measured(images).coefficient == pytest.approx(TRUE, abs=5e-5)


def test_images_of_unequal_shape_are_refused():
    images = coupled()
    images[2] = images[2][:, 1:]
    with pytest.raises(ValueError, match="in one shape"):
        measured(images)


def in_a_simulated_dark(truth: DetectorTruth, seed: int, dark_time_s: float = 181.0) -> Crosstalk:
    segments = expose(truth, np.zeros((1, 1), dtype=np.float32), dark_time_s, np.random.default_rng(seed))
    return measured([s[a.image.slices] for s, a in zip(segments, truth.detector.amplifiers, strict=True)])


def test_the_simulated_share_is_recovered_to_some_hundred_thousandths():
    share = np.float32(3e-4)
    for detector in range(4):
        truth = truth_for(MINICAM, detector, seed=1, day_obs=20261122)
        same = replace(truth, crosstalk=np.where(truth.crosstalk > 0, share, np.float32(0)), gain=truth.gain * 0 + 1.5)
        found = in_a_simulated_dark(same, detector)
        assert found.error < 4e-5
        assert found.coefficient == pytest.approx(share, abs=4 * found.error + 1e-5)


@pytest.mark.parametrize(("times", "low", "high"), [(1, 1e-4, 7e-4), (10, 1.9e-3, 7e-3)])
def test_usual_crosstalk_is_inside_the_acceptance_limit_and_ten_times_it_is_not(times, low, high):
    for detector in range(6):
        truth = truth_for(MINICAM, detector, seed=2, day_obs=20261122)
        found = in_a_simulated_dark(replace(truth, crosstalk=truth.crosstalk * np.float32(times)), detector)
        assert low < found.coefficient < high
