"""Phase curves against scipy's least squares, the functions' own published values, and magnitudes made from them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline
from scipy.optimize import least_squares

from mops.science.detections import BANDS
from mops.science.phase_curve import (
    FIDUCIAL,
    MAG_FLOOR,
    colour,
    fit_bands,
    fit_phase_curves,
    phase_magnitude,
    predicted_magnitude,
    reduced_magnitude,
    to_v,
)

ANGLES = np.linspace(0.5, 25, 40)


def one_group(mag: np.ndarray) -> np.ndarray:
    return np.array([0, len(mag)])


def bowell(alpha: float, g: float) -> float:
    """−2.5 log10 of Bowell et al. 1989, equation A4, written out for one angle in radians."""
    phis = []
    for a, b, c in ((3.332, 0.631, 0.986), (1.862, 1.218, 0.238)):
        small = 1 - c * np.sin(alpha) / (0.119 + 1.341 * np.sin(alpha) - 0.754 * np.sin(alpha) ** 2)
        large = np.exp(-a * np.tan(alpha / 2) ** b)
        w = np.exp(-90.56 * np.tan(alpha / 2) ** 2)
        phis.append(w * small + (1 - w) * large)
    return float(-2.5 * np.log10((1 - g) * phis[0] + g * phis[1]))


def penttila(alpha: float, g12: float) -> float:
    """The same of (H, G12), through SciPy's splines of Muinonen et al. 2010."""
    knots = np.radians([7.5, 30, 60, 90, 120, 150])
    one = CubicSpline(
        knots,
        [0.75, 0.33486016, 0.13410560, 0.051104756, 0.021465687, 0.0036396989],
        bc_type=((1, -1.9098593), (1, -0.091328612)),
    )
    two = CubicSpline(
        knots,
        [0.925, 0.62884169, 0.31755495, 0.12716367, 0.022373903, 0.00016505689],
        bc_type=((1, -0.57295780), (1, -8.6573138e-8)),
    )
    three = CubicSpline(
        np.radians([0, 0.3, 1, 2, 4, 8, 12, 20, 30]),
        [1, 0.83381185, 0.57735424, 0.42144772, 0.23174230, 0.10348178, 0.061733473, 0.016107006, 0],
        bc_type=((1, -1.0630097), (1, 0)),
    )
    near, g1, g2 = alpha < knots[0], 0.84293649 * g12, 0.53513350 * (1 - g12)
    phi = g1 * (1 - 6 * alpha / np.pi if near else one(alpha)) + g2 * (
        1 - 9 * alpha / 5 / np.pi if near else two(alpha)
    )
    return float(-2.5 * np.log10(phi + (1 - g1 - g2) * (three(alpha) if alpha < np.radians(30) else 0)))


@given(st.floats(0, 140), st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_the_kernels_are_the_published_functions(angle, slope):
    assert phase_magnitude(angle, slope, "HG") == pytest.approx(bowell(np.radians(angle), slope), abs=1e-10)
    assert phase_magnitude(angle, slope, "HG12") == pytest.approx(penttila(np.radians(angle), slope), abs=1e-7)


@pytest.mark.parametrize("model", ["HG", "HG12"])
@given(slope=st.floats(0, 1), angle=st.floats(0, 120))
@settings(max_examples=50, deadline=None)
def test_nothing_is_added_at_opposition_and_more_the_farther_from_it(model, slope, angle):
    assert phase_magnitude(np.array(0.0), slope, model) == pytest.approx(0, abs=1e-12)
    assert phase_magnitude(angle + 1, slope, model) > phase_magnitude(angle, slope, model)


@pytest.mark.parametrize("model", ["HG", "HG12"])
@given(h=st.floats(0, 30), slope=st.floats(0.02, 0.98))
@settings(max_examples=50, deadline=None)
def test_a_perfect_curve_gives_its_own_h_and_slope_back(model, h, slope):
    mag = h + phase_magnitude(ANGLES, slope, model)
    fit = fit_phase_curves(one_group(mag), mag, np.full(40, 0.02), ANGLES, model)
    assert (fit.H[0], fit.G[0]) == (pytest.approx(h, abs=1e-7), pytest.approx(slope, abs=1e-7))
    assert not fit.slope_fit_failed[0]
    assert fit.Chi2[0] < 1e-9
    assert (fit.phaseAngleMin[0], fit.phaseAngleMax[0], fit.nObsUsed[0]) == (0.5, 25, 40)


@pytest.mark.parametrize("model", ["HG", "HG12"])
@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_values_errors_and_covariance_are_scipys(model, seed):
    random = np.random.default_rng(seed)
    sigma = random.uniform(0.01, 0.1, 40)
    mag = 17 + phase_magnitude(ANGLES, 0.4, model) + random.normal(0, sigma)
    weight = 1 / np.hypot(sigma, MAG_FLOOR)
    theirs = least_squares(
        lambda x: (mag - x[0] - phase_magnitude(ANGLES, x[1], model)) * weight, (17, 0.5), xtol=1e-14, ftol=1e-14
    )
    fit = fit_phase_curves(one_group(mag), mag, sigma, ANGLES, model)
    ours = np.array([[fit.HErr[0] ** 2, fit.H_G_Cov[0]], [fit.H_G_Cov[0], fit.GErr[0] ** 2]])
    assert not fit.slope_fit_failed[0]
    assert [fit.H[0], fit.G[0]] == pytest.approx(theirs.x, abs=1e-5)
    assert ours == pytest.approx(np.linalg.inv(theirs.jac.T @ theirs.jac), rel=1e-3)
    assert fit.Chi2[0] == pytest.approx(2 * theirs.cost, rel=1e-6)


def test_the_errors_cover_the_truth_as_often_as_they_say():
    random, trials = np.random.default_rng(3), 2_000
    sigma = np.full(40 * trials, 0.05)
    mag = np.tile(17 + phase_magnitude(ANGLES, 0.5), trials) + random.normal(0, np.hypot(0.05, MAG_FLOOR), 40 * trials)
    fit = fit_phase_curves(np.arange(0, 40 * trials + 1, 40), mag, sigma, np.tile(ANGLES, trials))
    assert np.mean(~fit.slope_fit_failed) > 0.99
    assert np.mean(np.abs(fit.H - 17) < fit.HErr) == pytest.approx(0.683, abs=0.03)
    assert np.nanmean(np.abs(fit.G - 0.5) < fit.GErr) == pytest.approx(0.683, abs=0.03)


@pytest.mark.parametrize("model", ["HG", "HG12"])
@pytest.mark.parametrize("angles", [[5.0], [5.0, 20.0], [5.0, 5.5, 6.0, 6.2]])
def test_too_few_points_or_too_short_a_range_give_h_with_the_fiducial_slope(model, angles):
    angles = np.array(angles)
    mag = 18 + phase_magnitude(angles, FIDUCIAL[model], model)
    fit = fit_phase_curves(one_group(mag), mag, np.full(len(mag), 0.05), angles, model)
    assert fit.slope_fit_failed[0]
    assert (fit.H[0], fit.G[0]) == (pytest.approx(18), FIDUCIAL[model])
    assert fit.HErr[0] == pytest.approx(np.hypot(0.05, MAG_FLOOR) / np.sqrt(len(mag)))
    assert np.isnan(fit.GErr[0])
    assert np.isnan(fit.H_G_Cov[0])


def test_a_slope_outside_its_range_is_no_slope():
    brightening = 18 - 0.03 * ANGLES
    steep = 18 + 0.2 * ANGLES
    for mag in (brightening, steep):
        fit = fit_phase_curves(one_group(mag), mag, np.full(40, 0.05), ANGLES)
        assert fit.slope_fit_failed[0]
        assert fit.G[0] == 0.5
        assert np.isfinite(fit.H[0])


def test_points_that_are_no_numbers_or_far_off_are_not_used():
    mag = 17 + phase_magnitude(ANGLES, 0.3)
    mag[3], mag[10] = np.nan, mag[10] - 4
    angles = ANGLES.copy()
    angles[5] = np.nan
    fit = fit_phase_curves(one_group(mag), mag, np.full(40, 0.02), angles)
    assert (fit.nObs[0], fit.nObsUsed[0]) == (38, 37)
    assert (fit.H[0], fit.G[0]) == (pytest.approx(17), pytest.approx(0.3))


def test_a_missing_sigma_counts_as_a_tenth():
    mag = 17 + phase_magnitude(ANGLES, 0.3)
    missing = fit_phase_curves(one_group(mag), mag, np.full(40, np.nan), ANGLES)
    assert missing.HErr == pytest.approx(fit_phase_curves(one_group(mag), mag, np.full(40, 0.1), ANGLES).HErr)


def test_groups_do_not_know_each_other_and_may_be_empty():
    mag = 17 + phase_magnitude(ANGLES, 0.3)
    sigma, first = np.full(82, 0.02), np.array([0, 0, 40, 82, 82])
    fit = fit_phase_curves(first, np.r_[mag, mag + 2, np.nan, np.nan], sigma, np.r_[ANGLES, ANGLES, 1.0, 2.0])
    assert pytest.approx([np.nan, 17, 19, np.nan], nan_ok=True) == fit.H
    assert fit.slope_fit_failed.tolist() == [True, False, False, True]
    assert fit.nObs.tolist() == [0, 40, 40, 0]
    assert pytest.approx([19]) == fit.take(np.array([2])).H


def test_groups_that_do_not_fit_the_points_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="end at the number of points, 40"):
        fit_phase_curves(np.array([0, 39]), ANGLES, ANGLES, ANGLES)


def test_each_band_is_fitted_by_itself_and_colours_are_their_differences():
    band = np.tile(np.array([1, 2], np.int8), 20)
    mag = 17 + phase_magnitude(ANGLES, 0.4) + np.where(band == 1, 0.6, 0.0)
    fits = fit_bands(np.array([0, 40]), band, mag, np.full(40, 0.02), ANGLES)
    assert set(fits) == set(BANDS)
    assert fits["g"].nObsUsed[0] == 20
    difference, error = colour(fits, "g", "r")
    assert difference == pytest.approx([0.6])
    assert error == pytest.approx([np.hypot(fits["g"].HErr[0], fits["r"].HErr[0])])
    assert np.isnan(colour(fits, "u", "r")[0]).all()


def test_the_predicted_magnitude_undoes_the_reduction():
    r, delta = np.array([2.5, 1.2]), np.array([1.6, 0.3])
    mag = predicted_magnitude(np.array([15.0, 20.0]), np.array([0.15, np.nan]), r, delta, np.array([8.0, 40.0]))
    back = reduced_magnitude(mag, r, delta) - phase_magnitude(np.array([8.0, 40.0]), 0.15, "HG")
    assert back == pytest.approx([15, 20])


def test_a_distance_that_is_none_gives_no_magnitude():
    assert np.isnan(reduced_magnitude(np.array([20.0, 20.0]), np.array([0.0, 2.0]), np.array([1.0, np.nan]))).all()


def test_magnitudes_become_v_by_the_minor_planet_centers_conversion():
    v = to_v(np.full(3, 20.0), np.array([1, 2, -1], np.int8))
    assert v == pytest.approx([19.65, 20.14, np.nan], nan_ok=True)


def test_of_two_points_that_disagree_neither_is_believed():
    fit = fit_phase_curves(np.array([0, 2]), np.array([15.0, 21.0]), np.full(2, 0.1), np.array([5.0, 6.0]))
    assert (fit.nObs[0], fit.nObsUsed[0]) == (2, 0)
    assert np.isnan(fit.H[0])
    assert np.isnan(fit.phaseAngleMin[0])
    assert fit.slope_fit_failed[0]


def test_light_curves_scatter_is_in_the_errors_however_good_the_photometry():
    mag = 17 + phase_magnitude(ANGLES, 0.3)
    perfect = fit_phase_curves(one_group(mag), mag, np.zeros(40), ANGLES)
    assert perfect.HErr[0] > MAG_FLOOR / np.sqrt(40)


@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
@settings(max_examples=40, deadline=None)
def test_whatever_the_points_h_is_finite_and_a_slope_is_within_its_range_or_the_fiducial_one(seed, count):
    random = np.random.default_rng(seed)
    mag, angles = random.uniform(15, 25, count), random.uniform(0, 150, count)
    fit = fit_phase_curves(one_group(mag), mag, random.uniform(0, 1, count), angles)
    assert 0 <= fit.G[0] <= 1 or fit.nObsUsed[0] == 0
    assert (fit.nObsUsed[0] > 0) == np.isfinite(fit.H[0])
    assert fit.slope_fit_failed[0] == np.isnan(fit.GErr[0])
    assert fit.nObsUsed[0] <= fit.nObs[0] == count


def test_a_point_moved_by_a_magnitude_moves_h_by_its_share():
    mag = 17 + phase_magnitude(np.full(4, 5.0), 0.5)
    moved = mag + np.array([0, 0, 0, 1.0])
    first, sigma = one_group(mag), np.full(4, 0.1)
    before, after = (fit_phase_curves(first, each, sigma, np.full(4, 5.0)).H[0] for each in (mag, moved))
    assert after - before == pytest.approx(0.25)
