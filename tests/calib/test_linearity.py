"""Linearity on lamps and amplifiers whose truth is known, with offsets, drifts, full pixels and too few exposures."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.science.linearity import Linearity, corrected, fit_linearity

LOST = np.array([3e-8, 1e-7, 2.3e-7])  # of each ADU, per ADU
RATES = np.array([1_300.0, 1_250.0, 1_400.0])  # ADU/s
WEEK_S = np.array([0.25, 0.5, 1, 2, 3.5, 5.5, 8, 10, 18, 26, 36, 48, 55])
DAY_S = np.array([0.25, 10.0, 15.0])
LEVELS = np.linspace(500, 75_000, 100)[:, None]


def read(electrons_adu: np.ndarray, lost: np.ndarray = LOST) -> np.ndarray:
    return np.asarray(electrons_adu * (1 - lost * electrons_adu))


def exposures(times: np.ndarray, rates: np.ndarray = RATES, offset_s: float = 0.0) -> np.ndarray:
    return read(rates * (times[:, None] + offset_s))


def worst(found: Linearity) -> np.ndarray:
    """Largest share by which corrected signals differ from the truth."""
    return np.asarray(np.abs(corrected(read(LEVELS), found.coefficients) / LEVELS - 1).max(axis=0))


def noisy(signal: np.ndarray, rng: np.random.Generator, lamp: float = 0.0) -> np.ndarray:
    light = rng.normal(1, lamp, (len(signal), 1))
    return np.asarray(signal * light + rng.normal(0, 0.1, signal.shape) + signal * rng.normal(0, 1e-4, signal.shape))


def test_what_an_amplifier_loses_is_given_back_and_tied_terms_are_enough():
    found = fit_linearity(exposures(WEEK_S), WEEK_S, ["r"] * len(WEEK_S))
    assert found.coefficients[:, 0] == pytest.approx(LOST, rel=0.02)
    assert found.coefficients[:, 1] == pytest.approx(2 * found.coefficients[:, 0] ** 2)
    assert not found.cubic_free.any()
    assert found.maximum_residual.max() < 1e-4
    assert worst(found).max() < 1e-4
    assert found.offset_s == 0


def test_one_day_with_three_exposure_times_is_enough():
    found = fit_linearity(exposures(DAY_S), DAY_S, ["r"] * 3)
    assert worst(found).max() < 1e-3
    assert found.residuals.shape == (3, 3)


def test_a_rate_is_free_for_each_day_and_filter():
    settings = [(("r", 1), WEEK_S[:4], 1.0), (("g", 1), WEEK_S[:7:2], 0.7), (("r", 2), WEEK_S[3:13:3], 1.3)]
    signal = np.concatenate([exposures(times, RATES * lamp) for _, times, lamp in settings])
    groups = [group for group, times, _ in settings for _ in times]
    times = np.concatenate([times for _, times, _ in settings])
    found = fit_linearity(signal, times, groups)
    assert worst(found).max() < 3e-4
    assert worst(fit_linearity(signal, times, ["all"] * len(times))).max() > 1e-2


def test_an_exposure_whose_lamp_setting_has_no_other_time_says_nothing():
    signal, times = np.concatenate((exposures(DAY_S), exposures(DAY_S[2:], RATES * 0.8))), np.append(DAY_S, 15.0)
    found = fit_linearity(signal, times, ["r", "r", "r", "g"])
    assert found.used.all(axis=1).tolist() == [True, True, True, False]
    assert np.isnan(found.residuals[3]).all()
    assert (found.coefficients == fit_linearity(signal[:3], times[:3], ["r"] * 3).coefficients).all()


def test_signals_above_the_turnoff_are_not_used():
    signal = np.minimum(exposures(WEEK_S), 60_000)
    found = fit_linearity(signal, WEEK_S, ["r"] * 13, largest=np.array([59_000, 59_000, np.nan]))
    assert worst(found)[:2].max() < 1e-3
    assert worst(found)[2] > 1e-2
    assert found.used.sum(axis=0).tolist() == [11, 11, 13]


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=30, deadline=None)
def test_noise_leaves_the_truth_within_a_thousandth_and_five_errors(seed):
    found = fit_linearity(noisy(exposures(WEEK_S), np.random.default_rng(seed)), WEEK_S, ["r"] * 13)
    assert worst(found).max() < 1e-3
    tied = ~found.cubic_free
    pulls = (found.coefficients[:, 0] - LOST * 1.01) / found.errors[:, 0]
    assert np.abs(pulls[tied]).max(initial=0) < 6


def test_errors_are_those_of_repetition():
    rng = np.random.default_rng(7)
    found = [fit_linearity(noisy(exposures(WEEK_S), rng), WEEK_S, ["r"] * 13) for _ in range(100)]
    spread = np.std([each.coefficients[:, 0] for each in found], axis=0)
    assert spread == pytest.approx(np.median([each.errors[:, 0] for each in found], axis=0), rel=0.35)
    assert np.mean([each.reduced_chi2 for each in found]) == pytest.approx(1, abs=0.2)


def test_a_lamp_that_flickers_makes_the_errors_larger():
    rng = np.random.default_rng(8)
    steady, flickering = (
        fit_linearity(noisy(exposures(WEEK_S), rng, lamp), WEEK_S, ["r"] * 13) for lamp in (0.0, 2e-3)
    )
    assert (flickering.errors[:, 0] > 5 * steady.errors[:, 0]).all()
    assert (flickering.reduced_chi2 > 25).all()
    assert (flickering.maximum_residual > 1e-3).all()


def test_a_shutter_that_opens_late_is_found_where_there_are_levels_enough():
    rng = np.random.default_rng(9)
    found = fit_linearity(noisy(exposures(WEEK_S, offset_s=-0.02), rng), WEEK_S, ["r"] * 13)
    assert found.offset_s == pytest.approx(-0.02, abs=0.001)
    assert worst(found).max() < 1e-3
    assert fit_linearity(noisy(exposures(WEEK_S), rng), WEEK_S, ["r"] * 13).offset_s == 0.0


def test_a_response_that_bends_otherwise_frees_the_cubic_term():
    light = RATES * WEEK_S[:, None]
    signal = light * (1 + 4e-12 * light**2)
    found = fit_linearity(signal, WEEK_S, ["r"] * 13)
    assert found.cubic_free.all()
    assert found.coefficients[:, 1] == pytest.approx(-4e-12, rel=0.2)
    assert found.maximum_residual.max() < 5e-4


def test_a_dead_amplifier_has_no_coefficients_and_spoils_no_other():
    signal = exposures(WEEK_S)
    signal[:, 1], signal[:, 2] = np.nan, -3.0
    found = fit_linearity(signal, WEEK_S, ["r"] * 13)
    assert np.isfinite(found.coefficients).all(axis=1).tolist() == [True, False, False]
    assert np.isnan(found.maximum_residual[1:]).all()
    assert np.isnan(found.reduced_chi2[1:]).all()
    assert worst(found)[0] < 1e-4


def test_two_exposures_tell_c2_without_a_goodness():
    found = fit_linearity(exposures(DAY_S[:2]), DAY_S[:2], ["r", "r"])
    assert found.coefficients[:, 0] == pytest.approx(LOST, rel=0.1)
    assert np.isnan(found.reduced_chi2).all()


@pytest.mark.parametrize(
    ("times", "groups"), [([15.0, 15.0, 15.0], "rrr"), ([1.0, 2.0, 3.0], "riz"), ([1.0, 1.0, 2.0], "rri")]
)
def test_without_two_times_of_one_lamp_setting_there_is_no_linearity(times, groups):
    with pytest.raises(ValueError, match="take flats of one filter with different times"):
        fit_linearity(np.ones((3, 2)), np.array(times), groups)


def test_shapes_that_do_not_agree_are_refused():
    with pytest.raises(ValueError, match=r"\(13, 3\), 13 and 2 came"):
        fit_linearity(exposures(WEEK_S), WEEK_S, ["r", "g"])
    with pytest.raises(ValueError, match=r"of shape \(exposures, amplifiers\)"):
        fit_linearity(WEEK_S, WEEK_S, ["r"] * 13)
