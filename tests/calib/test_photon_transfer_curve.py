"""The photon transfer curve on exact curves, on levels too few or too bright, and its pair points against NumPy."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.science.photon_transfer_curve import Curve, _neighbours, fit_curve, pair_points, prediction
from dayops import camera
from dayops.camera import Detector

GAIN, NOISE, A00 = 1.5, 14.0, -3e-7  # e⁻/ADU, ADU², 1/e⁻
WEEK = np.geomspace(300, 80_000, 14)  # ADU
PRECISION = 1e-3


def variances(signal: np.ndarray, a00: float = A00) -> np.ndarray:
    """Equation 16 of Astier et al. (2019), in ADU."""
    return NOISE + np.expm1(2 * a00 * GAIN * signal) / (2 * a00 * GAIN**2)


def of_an_amplifier_that_loses(lost: float, signal: np.ndarray) -> np.ndarray:
    """Variance where e electrons are read as e (1 - lost e)."""
    electrons = (1 - np.sqrt(1 - 4 * lost * GAIN * signal)) / (2 * lost)
    return NOISE + electrons * (1 - 2 * lost * electrons) ** 2 / GAIN**2


def curve(signal: np.ndarray, variance: np.ndarray, full: np.ndarray | None = None) -> Curve:
    return fit_curve(signal, variance, PRECISION * variance, np.full(len(signal), NOISE), full)


@given(st.floats(0.5, 5.0), st.floats(-3e-6, -1e-8), st.floats(2.0, 100.0), st.integers(2, 7))
@settings(max_examples=100, deadline=None)
def test_an_exact_curve_of_astiers_is_found_from_two_pairs_on(gain, a00, noise, count):
    signal = np.linspace(300, 40_000, count)
    variance = noise + np.expm1(2 * a00 * gain * signal) / (2 * a00 * gain**2)
    found = fit_curve(signal, variance, 0.001 * variance, np.full(count, noise))
    assert found.gain == pytest.approx(gain, rel=1e-5)
    assert found.a00 == pytest.approx(a00, rel=1e-3)
    assert found.read_noise_e == pytest.approx(gain * np.sqrt(noise), rel=1e-5)
    assert found.free == ("gain", "a00")
    assert prediction(found, signal) == pytest.approx(variance, rel=1e-5)


def test_eight_levels_free_a_third_term_for_a_response_that_bends_otherwise_than_repelling_charge():
    lost = 1.5e-7
    found = curve(WEEK, of_an_amplifier_that_loses(lost, WEEK))
    assert found.free == ("gain", "a00", "cubic")
    assert found.gain == pytest.approx(GAIN, rel=2e-4)
    assert found.a00 == pytest.approx(-3 * lost, rel=0.05)
    assert np.abs(found.residuals).max() < 5e-4


def test_few_levels_leave_what_the_exponential_cannot_follow_below_a_thousandth():
    few = np.array([3_000.0, 10_000, 15_000, 20_000, 65_000])
    assert curve(few, of_an_amplifier_that_loses(1.5e-7, few)).gain == pytest.approx(GAIN, rel=1.5e-3)


def test_levels_too_alike_tell_the_gain_alone_and_say_so():
    signal = np.array([20_000.0, 25_000, 30_000])
    found = curve(signal, variances(signal))
    assert found.free == ("gain",)
    assert np.isnan([found.a00, found.a00_error]).all()
    assert found.gain == pytest.approx(GAIN * (1 - A00 * GAIN * 25_000), rel=2e-3)
    assert "too alike to tell a00" in found.note


def test_one_pair_gives_a_gain_without_a_goodness():
    found = curve(np.array([500.0]), variances(np.array([500.0])))
    assert found.gain == pytest.approx(GAIN, rel=1e-3)
    assert found.gain_error == pytest.approx(GAIN * PRECISION, rel=0.1)
    assert np.isnan(found.reduced_chi2)


@pytest.mark.parametrize("levels", [WEEK, np.array([300.0, 13_000, 15_000, 20_000])])
def test_errors_are_those_of_repetition(levels):
    rng = np.random.default_rng(4)
    exact = variances(levels)
    found = [curve(levels, exact * rng.normal(1, PRECISION, len(levels))) for _ in range(200)]
    gains, a00s = np.array([each.gain for each in found]), np.array([each.a00 for each in found])
    assert gains.mean() == pytest.approx(GAIN, abs=4 * gains.std() / np.sqrt(200) + 2e-4)
    assert gains.std() == pytest.approx(found[0].gain_error, rel=0.2)
    assert a00s.std() == pytest.approx(found[0].a00_error, rel=0.2)
    assert np.mean([each.reduced_chi2 for each in found]) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize("share", [0.98, 1.02, 1.5])
def test_a_pair_that_lies_off_the_curve_is_left_out(share):
    variance = variances(WEEK)
    variance[5] *= share
    found = curve(WEEK, variance)
    assert np.flatnonzero(~found.used).tolist() == [5]
    assert found.gain == pytest.approx(GAIN, rel=2e-4)
    assert found.residuals[5] == pytest.approx(share - 1, abs=1e-3)


def test_the_turnoff_comes_before_two_falls_of_the_variance_in_a_row():
    variance = variances(WEEK)
    variance[-2:] = variance[-3] * np.array([0.98, 0.9])
    found = curve(WEEK, variance)
    assert found.turnoff == WEEK[-3]
    assert found.full_well_e == pytest.approx(GAIN * WEEK[-1], rel=1e-3)
    assert not found.used[-2:].any()
    assert "does not turn" not in found.note


def test_one_fall_alone_is_no_turnoff():
    variance = variances(WEEK)
    variance[-2] = variance[-3] * 0.98
    found = curve(WEEK, variance)
    assert np.isnan(found.turnoff)
    assert not found.used[-2]


@pytest.mark.parametrize("left", [3.0, 0.0, -1.0])
@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_a_pair_whose_variance_collapses_is_beyond_the_turnoff(order, left):
    variance = variances(WEEK)
    variance[-1] = NOISE + left
    found = curve(WEEK[order], variance[order])
    assert found.turnoff == WEEK[-2]
    assert found.used.sum() == 13


@pytest.mark.parametrize("share", [-0.1, 0.05, 3.0, 10.0])
def test_a_pair_that_is_far_off_between_good_ones_is_a_bad_pair_and_no_turnoff(share):
    variance = variances(WEEK)
    variance[8] = NOISE + share * (variance[8] - NOISE)
    found = curve(WEEK, variance)
    assert np.isnan(found.turnoff)
    assert np.flatnonzero(~found.used).tolist() == [8]


def test_a_pair_with_full_pixels_is_beyond_the_turnoff():
    found = curve(WEEK, variances(WEEK), np.where(np.arange(14) == 13, 2e-3, 1e-4))
    assert found.turnoff == WEEK[-2]


def test_a_curve_that_does_not_turn_says_how_far_it_goes():
    found = curve(WEEK, variances(WEEK))
    assert np.isnan([found.turnoff, found.full_well_e]).all()
    assert found.brightest == WEEK[-1]
    assert found.note == "The curve does not turn: the turnoff lies above its brightest pair, 80000 ADU."


def test_pairs_that_say_nothing_are_left_out():
    signal, variance = WEEK.copy(), variances(WEEK)
    signal[2], variance[7], variance[9] = np.nan, np.nan, 0.0
    found = curve(signal, variance)
    assert np.flatnonzero(~found.used).tolist() == [2, 7, 9]
    assert found.gain == pytest.approx(GAIN, rel=1e-3)


@pytest.mark.parametrize("count", [0, 3])
def test_a_dead_amplifier_has_no_curve_and_a_sentence(count):
    found = curve(np.full(count, np.nan), np.full(count, np.nan))
    assert np.isnan([found.gain, found.read_noise_e, found.turnoff, found.brightest]).all()
    assert len(found.used) == count
    assert not found.used.any()
    assert not found.free
    assert found.note.startswith("No pair has light below the turnoff")


def test_arrays_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="of every pair"):
        fit_curve(WEEK, variances(WEEK)[1:], variances(WEEK), np.ones(14))


MINICAM = camera.load("minicam").detectors[0]
SMALL = replace(MINICAM, amplifiers=MINICAM.amplifiers[:2])
LEVEL = 24_000


def flat(signal_e: float, rng: np.random.Generator, detector: Detector = SMALL) -> list[np.ndarray]:
    segments = []
    for a in detector.amplifiers:
        charge = np.zeros((a.raw_height, a.raw_width))
        charge[a.image.slices] = rng.poisson(signal_e, (a.image.height, a.image.width))
        segments.append((LEVEL + charge / GAIN + rng.normal(0, 3.5, charge.shape)).round().astype(np.int32))
    return segments


def test_a_pair_gives_signal_variance_noise_and_no_covariance():
    rng = np.random.default_rng(1)
    points = pair_points(flat(30_000, rng), flat(30_300, rng), SMALL)
    assert points.signal == pytest.approx(30_150 / GAIN, rel=1e-4)
    assert points.noise == pytest.approx(3.5**2 + 1 / 12, rel=0.04)
    assert np.abs(points.variance / (30_150 / GAIN**2 + 12.3) - 1).max() < 4 * np.sqrt(2 / 65_536)
    assert points.errors == pytest.approx(points.variance * np.sqrt(2 / 65_536), rel=1e-3)
    for covariance in (points.covariance_10, points.covariance_01):
        assert np.abs(covariance / points.variance).max() < 4 / np.sqrt(65_536)
    assert (points.full == 0).all()
    assert np.abs(points.late).max() < 3e-4


def test_charge_shared_with_a_neighbour_shows_as_covariance_along_that_axis():
    rng = np.random.default_rng(2)
    first, second = flat(30_000, rng), flat(30_000, rng)
    for segments in (first, second):
        for raw, a in zip(segments, SMALL.amplifiers, strict=True):
            image = raw[a.image.slices]
            image[:, 1:] += ((image[:, :-1] - image[:, :-1].mean()) * 0.05).round().astype(np.int32)
    points = pair_points(first, second, SMALL)
    assert points.covariance_10 / points.variance == pytest.approx(0.05, abs=0.015)
    assert np.abs(points.covariance_01 / points.variance).max() < 0.015


def test_master_bias_and_crosstalk_are_taken_off_the_signal():
    rng = np.random.default_rng(3)
    first, second = flat(30_000, rng), flat(30_000, rng)
    plain = pair_points(first, second, SMALL)
    bias = np.full((SMALL.height, SMALL.width), 4.0, dtype=np.float32)
    bias[0, 0] = np.nan
    freed = pair_points(first, second, SMALL, bias, np.array([[0.0, 1e-3], [np.nan, 0.0]]))
    assert freed.signal == pytest.approx([(plain.signal[0] - 4) * 0.999, plain.signal[1] - 4], abs=0.05)
    assert (freed.variance == plain.variance).all()


def test_full_pixels_are_counted():
    rng = np.random.default_rng(4)
    low = replace(SMALL, amplifiers=tuple(replace(a, saturation=LEVEL + 20_000) for a in SMALL.amplifiers))
    assert pair_points(flat(30_000, rng), flat(30_000, rng), low).full == pytest.approx(0.5, abs=0.02)


def test_a_dead_amplifier_and_one_without_overscan_say_nothing_beside_a_good_one():
    rng = np.random.default_rng(5)
    three = replace(MINICAM, amplifiers=MINICAM.amplifiers[:3])
    blind = replace(three, amplifiers=(*three.amplifiers[:2], replace(three.amplifiers[2], serial_overscan=None)))
    first, second = flat(30_000, rng, three), flat(30_000, rng, three)
    for segments in (first, second):
        segments[1][:] = LEVEL
    points = pair_points(first, second, blind)
    assert np.isfinite(points.signal).tolist() == [True, False, False]
    assert np.isnan(points.errors[1:]).all()


def test_segments_of_another_detector_are_refused():
    segments = flat(100, np.random.default_rng(6))
    with pytest.raises(ValueError, match="needs 16 segments each, one an amplifier: 2 and 2 came"):
        pair_points(segments, segments, MINICAM)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["int32", "uint16", "float32"]), st.floats(0.9, 1.1))
@settings(max_examples=40, deadline=None)
def test_the_kernel_agrees_with_numpy(seed, dtype, scale):
    rng = np.random.default_rng(seed)
    first, second = rng.normal(1_000, 30, (2, 20, 30)).round().astype(dtype)
    if dtype == "float32":
        first[3, 4:7] = np.nan
    difference = first.astype(float) - 10 - scale * (second.astype(float) - 20) - 5
    difference[~(np.abs(difference) <= 90)] = np.nan
    along_row, along_column = difference[:, 1:] * difference[:, :-1], difference[1:] * difference[:-1]
    expected = [product[np.isfinite(product)] for product in (along_row, along_column)]
    found = _neighbours(first, second, 10.0, 20.0, scale, 5.0, 90.0)
    assert found == pytest.approx([each.mean() if each.size else 0.0 for each in expected])


def test_pairs_of_one_level_whose_variances_fall_by_chance_are_no_turnoff():
    signal = np.array([300.0, 10_000, 10_010, 10_020, 10_030, 20_000, 20_010, 20_020])
    variance = signal / 1.5 + 15
    variance[1:5] *= [1.006, 1.003, 1.000, 0.997]
    variance[5:] *= [1.006, 1.000, 0.994]
    found = fit_curve(signal, variance, variance * 0.005, np.full(8, 15.0))
    assert np.isnan(found.turnoff)
    assert found.used.all()


def test_two_levels_in_a_row_that_fall_are_one():
    signal = np.array([300.0, 10_000, 20_000, 20_010, 40_000, 40_010, 60_000])
    variance = signal / 1.5 + 15
    variance[4:] = [9_000, 9_010, 8_000]
    assert fit_curve(signal, variance, variance * 0.005, np.full(7, 15.0)).turnoff == 20_010
