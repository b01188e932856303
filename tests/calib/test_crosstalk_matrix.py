"""The crosstalk matrix against NumPy, on victims that are struck themselves, and in the simulator's darks."""

from dataclasses import replace

import numpy as np
import pytest

from calib.science.crosstalk_matrix import (
    CrosstalkMatrix,
    CrosstalkSums,
    insignificant_after,
    left_after,
    measure_crosstalk,
    no_sums,
    solve,
)
from dayops import camera
from dayops.camera import Detector
from dayops.simulator.pixels import expose
from dayops.simulator.truth import truth_for

MINICAM = camera.load("minicam")
COUNT, LEVEL, NOISE, SPOT_ADU = 3, 25_000, 4.0, 60_000
SMALL: Detector = replace(MINICAM.detectors[0], amplifiers=MINICAM.detectors[0].amplifiers[:COUNT])
SHAPE = (SMALL.amplifiers[0].image.height, SMALL.amplifiers[0].image.width)
TRUE = np.array([[0, 4e-4, 1e-4], [-2e-4, 0, 3e-4], [5e-5, 8e-4, 0]])
OFF = ~np.eye(COUNT, dtype=bool)


def spots(rng: np.random.Generator, size: int = 12, each: int = 3) -> np.ndarray:
    """Signals of bright squares at places of their own in every amplifier."""
    signal = np.zeros((COUNT, *SHAPE))
    for amplifier in range(COUNT):
        for _ in range(each):
            y, x = rng.integers(0, SHAPE[0] - size), rng.integers(0, SHAPE[1] - size)
            signal[amplifier, y : y + size, x : x + size] = SPOT_ADU
    return signal


def frame(signal: np.ndarray, rng: np.random.Generator, shares: np.ndarray = TRUE) -> list[np.ndarray]:
    """Raw segments with levels that differ from column to column and drift along them."""
    images = LEVEL + signal + np.einsum("va,ayx->vyx", shares, signal) + rng.normal(0, NOISE, signal.shape)
    images += np.random.default_rng(0).normal(0, 0.5, (COUNT, 1, SHAPE[1])) + np.linspace(0, 2, SHAPE[0])[:, None]
    segments = []
    for amplifier, image in zip(SMALL.amplifiers, images, strict=True):
        raw = np.full((amplifier.raw_height, amplifier.raw_width), LEVEL, dtype=np.int32)
        raw[amplifier.image.slices] = image.round()
        segments.append(raw)
    return segments


def measured(seed: int, shares: np.ndarray = TRUE) -> CrosstalkMatrix:
    rng = np.random.default_rng(seed)
    return solve(measure_crosstalk(frame(spots(rng), rng, shares), SMALL))


def pulls(found: CrosstalkMatrix, shares: np.ndarray = TRUE) -> np.ndarray:
    return np.asarray(((found.coefficients - shares) / np.where(OFF, found.errors, 1.0))[OFF])


def test_shares_of_either_sign_are_recovered_within_their_errors():
    found = [measured(seed) for seed in range(30)]
    every = np.array([pulls(each) for each in found])
    assert np.std(every) == pytest.approx(1, abs=0.2)
    assert abs(np.mean(every)) < 0.3
    assert np.max([each.errors for each in found]) < 1e-5


def test_amplifiers_that_do_not_couple_have_shares_of_nought_and_none_is_applied():
    found = measured(3, 0 * TRUE)
    assert np.abs(pulls(found, 0 * TRUE)).max() < 4
    assert not found.to_apply(least=4.5).any()


def test_frames_add():
    rng = np.random.default_rng(5)
    frames = [measure_crosstalk(frame(spots(rng), rng), SMALL) for _ in range(4)]
    together = solve(sum(frames, start=no_sums(COUNT)))
    alone = solve(frames[0])
    assert (together.pixels == sum(each.pixels for each in frames)).all()
    assert together.errors[OFF] == pytest.approx(alone.errors[OFF] / 2, rel=0.3)
    assert np.abs(pulls(together)).max() < 4


def test_sums_of_different_detectors_are_not_added():
    with pytest.raises(ValueError, match="Crosstalk of 3 and of 16 amplifiers cannot be added"):
        no_sums(3) + no_sums(16)


def test_two_aggressors_that_are_bright_at_one_place_are_told_apart():
    rng = np.random.default_rng(6)
    signal = spots(rng, size=20, each=1)
    signal[0, 100:120, 50:70] = signal[1, 105:130, 60:80] = SPOT_ADU
    found = solve(measure_crosstalk(frame(signal, rng), SMALL))
    assert np.abs(pulls(found)).max() < 4


def test_the_fit_is_that_of_numpy():
    """One spot of one aggressor: the slope of the victim's pixels with a level free in every stretch of 64 rows."""
    rng = np.random.default_rng(7)
    signal = np.zeros((COUNT, *SHAPE))
    signal[1, 80:110, 40:60] = SPOT_ADU * rng.uniform(0.5, 1, (30, 20))
    raw = frame(signal, rng)
    found = solve(measure_crosstalk(raw, SMALL))
    images = np.array([s[a.image.slices] for s, a in zip(raw, SMALL.amplifiers, strict=True)], dtype=float)
    stretch = images[:, 64:128, 40:60]
    x = np.where(stretch[1] > LEVEL + 1_000, stretch[1] - np.median(images[1]), 0.0)
    x, y = x - x.mean(axis=0), stretch[0] - stretch[0].mean(axis=0)
    assert found.coefficients[0, 1] == pytest.approx((x * y).sum() / (x * x).sum(), rel=1e-3)
    assert found.errors[0, 1] == pytest.approx(NOISE / np.sqrt((x * x).sum()), rel=0.1)
    assert found.pixels[0, 1] == 600


def test_a_place_that_is_bright_in_the_victim_too_does_not_count():
    rng = np.random.default_rng(8)
    signal = spots(rng)
    raw = frame(signal, rng)
    lit = np.argwhere(signal[1] > 0)[::10]
    raw[0][SMALL.amplifiers[0].image.slices][lit[:, 0], lit[:, 1]] += 800
    assert np.abs(pulls(solve(measure_crosstalk(raw, SMALL)))).max() < 4


def test_faint_tracks_in_the_victim_do_not_count():
    rng = np.random.default_rng(9)
    raw = frame(spots(rng), rng)
    for segment, amplifier in zip(raw, SMALL.amplifiers, strict=True):
        struck = rng.random(SHAPE) < 0.005
        segment[amplifier.image.slices][struck] += 60
    assert np.abs(pulls(solve(measure_crosstalk(raw, SMALL)))).max() < 4


def test_an_amplifier_without_bright_pixels_tells_nothing_of_its_shares():
    rng = np.random.default_rng(10)
    signal = spots(rng)
    signal[2] = 0
    found = solve(measure_crosstalk(frame(signal, rng), SMALL))
    assert np.isnan(found.coefficients[:2, 2]).all()
    assert (found.pixels[:, 2] == 0).all()
    assert np.abs((found.coefficients - TRUE)[:, :2]).max() < 4e-5
    assert not found.to_apply()[:, 2].any()


def test_a_frame_without_bright_pixels_tells_nothing():
    found = solve(measure_crosstalk(frame(np.zeros((COUNT, *SHAPE)), np.random.default_rng(11)), SMALL))
    assert np.isnan(found.coefficients[OFF]).all()
    assert (np.diag(found.coefficients) == 0).all()
    assert not found.to_apply().any()


@pytest.mark.parametrize("value", [LEVEL, 0])
def test_a_dead_amplifier_is_neither_victim_nor_aggressor(value):
    rng = np.random.default_rng(12)
    raw = frame(spots(rng), rng)
    raw[2][:] = value
    found = solve(measure_crosstalk(raw, SMALL))
    assert np.isnan([*found.coefficients[2, :2], *found.coefficients[:2, 2]]).all()
    assert found.coefficients[0, 1] == pytest.approx(TRUE[0, 1], abs=4 * found.errors[0, 1])


def test_an_amplifier_that_is_lit_all_over_is_no_aggressor():
    rng = np.random.default_rng(13)
    signal = spots(rng)
    signal[0, :300] = SPOT_ADU
    found = solve(measure_crosstalk(frame(signal, rng), SMALL))
    assert np.isnan(found.coefficients[1:, 0]).all()


def test_pixels_that_are_no_numbers_do_not_count():
    rng = np.random.default_rng(14)
    raw = [segment.astype(np.float32) for segment in frame(spots(rng), rng)]
    raw[0][40:60] = np.nan
    raw[1][:, 30] = np.inf
    assert np.abs(pulls(solve(measure_crosstalk(raw, SMALL)))).max() < 4


def test_a_bias_that_is_known_changes_little():
    rng = np.random.default_rng(15)
    raw = frame(spots(rng), rng)
    bias = np.zeros((SMALL.height, SMALL.width), dtype=np.float32)
    bias[:, ::2] = 30
    stepped = [segment.copy() for segment in raw]
    for segment, a in zip(stepped, SMALL.amplifiers, strict=True):
        piece = bias[a.place.slices][:: -1 if a.flip_y else 1, :: -1 if a.flip_x else 1]
        segment[a.image.slices] += piece.astype(np.int32)
    plain, freed = (solve(measure_crosstalk(raw, SMALL)), solve(measure_crosstalk(stepped, SMALL, bias)))
    assert freed.coefficients == pytest.approx(plain.coefficients)


def test_a_right_correction_leaves_nothing_and_a_wrong_one_is_seen():
    rng = np.random.default_rng(16)
    held_out = measure_crosstalk(frame(spots(rng), rng), SMALL)
    assert insignificant_after(TRUE, held_out)
    assert not insignificant_after(np.zeros((COUNT, COUNT)), held_out)
    wrong = TRUE.copy()
    wrong[0, 1] += 2e-4
    assert not insignificant_after(wrong, held_out)
    left = left_after(wrong, held_out)
    assert np.nanargmin(left.significance) == 1
    assert left.coefficients[0, 1] == pytest.approx(-2e-4, abs=4 * left.errors[0, 1])


def test_nothing_is_significant_in_a_frame_that_tells_nothing():
    assert insignificant_after(TRUE, no_sums(COUNT))


def test_sums_say_what_they_hold():
    sums = measure_crosstalk(frame(spots(np.random.default_rng(1)), np.random.default_rng(2)), SMALL)
    assert isinstance(sums, CrosstalkSums)
    assert sums.squares.shape == (COUNT, COUNT, COUNT)
    assert (np.diagonal(sums.squares, axis1=1, axis2=2)[OFF] > 0).all()
    assert (np.diag(sums.pixels) == 0).all()


def test_segments_of_another_detector_are_refused():
    with pytest.raises(ValueError, match="needs 16 segments, one an amplifier: 3 came"):
        measure_crosstalk(frame(np.zeros((COUNT, *SHAPE)), np.random.default_rng(1)), MINICAM.detectors[0])


def test_images_of_unequal_shape_are_refused():
    first, *others = SMALL.amplifiers
    narrower = replace(first, image=replace(first.image, x1=first.image.x1 - 1))
    with pytest.raises(ValueError, match="in one shape"):
        measure_crosstalk([np.zeros((9, 9))] * COUNT, replace(SMALL, amplifiers=(narrower, *others)))


def test_a_week_of_minicams_darks_tells_each_pair_to_some_ten_thousandths():
    rng = np.random.default_rng(17)
    truth = truth_for(MINICAM, 4, seed=1, day_obs=20261122)
    darkness = np.zeros((1, 1), dtype=np.float32)
    total = no_sums(16)
    for dark_s in [16.0, 61.0, 181.0] * 5:
        total = total + measure_crosstalk(list(expose(truth, darkness, dark_s, rng)), truth.detector)
    found, off = solve(total), ~np.eye(16, dtype=bool)
    errors = (found.coefficients - truth.crosstalk * truth.gain / truth.gain[:, None])[off]
    assert np.std(errors / found.errors[off]) == pytest.approx(1, abs=0.15)
    assert np.median(found.errors[off]) < 7e-5
    assert abs(errors.mean()) < 2e-5
