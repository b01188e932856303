"""The solver: its residuals and slopes against differences, and who is set aside, who returns and who stays."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science import ephemeris, orbit_solver
from mops.science.constants import ARCSEC
from mops.science.orbit_fit import DEFAULT, FitConfig, fit, sky_axes
from mops.science.orbit_status import Status
from mops.science.perturbers import perturbers
from tests.mops.orbit_oracles import EPOCH, arc_of, nights, orbit, slopes

RULES = orbit_solver.Rules(30, 1e-3, 14.0, 11.0, 4, 0.67, 0.0)
DAYS = nights(10, every=4.0)


def fitted(arc, config=DEFAULT, seed=None):
    return fit(arc, np.array([orbit() if seed is None else seed]), np.array([EPOCH]), config)


def moved(arc, which, arcsec, column="dec"):
    shifted = getattr(arc, column).copy()
    shifted[which] += np.asarray(arcsec) / 3_600
    return replace(arc, **{column: shifted})


def evaluated(arc, state, rules=RULES, used=None):
    """chi², the normal equations and the room that a state leaves behind."""
    table = perturbers(arc.mjd_tdb.min(), arc.mjd_tdb.max())
    packed = (
        arc.mjd_tdb,
        sky_axes(arc.ra, arc.dec),
        np.stack([arc.sigma_ra, arc.sigma_dec], axis=1),
        arc.observer,
        ephemeris.barycentric("sun", arc.mjd_tdb)[1],
        EPOCH,
        table.first_mjd_tdb,
        table.coefficients,
    )
    room, normal, gradient = orbit_solver.new_room(len(arc.mjd_tdb)), np.zeros((6, 6)), np.zeros(6)
    used = np.ones(len(arc.mjd_tdb), np.bool_) if used is None else used
    chi2 = orbit_solver._evaluate(packed, rules, room, np.array(state), used, normal, gradient)
    return chi2, np.tril(normal) + np.tril(normal, -1).T, gradient, room


def test_the_normal_equations_are_those_of_the_rows():
    arc = arc_of(orbit(), DAYS, noise=0.1)
    chi2, normal, gradient, room = evaluated(arc, orbit())
    rows, residual = room.rows.reshape(-1, 6), room.residual.ravel()
    assert chi2 == pytest.approx(residual @ residual, rel=1e-12)
    assert normal == pytest.approx(rows.T @ rows, rel=1e-10)
    assert gradient == pytest.approx(rows.T @ residual, rel=1e-8)


def test_rows_are_the_slopes_of_what_is_computed():
    arc = arc_of(orbit(), DAYS)
    rows = evaluated(arc, orbit())[3].rows.reshape(-1, 6)
    step = np.repeat([1e-6, 1e-8], 3)
    expected = -slopes(lambda state: evaluated(arc, state)[3].residual.ravel().copy(), orbit(), step)
    assert rows == pytest.approx(expected, rel=1e-3, abs=1e-3 * np.abs(expected).max(axis=0).min())


@given(st.integers(0, 2**20 - 1))
@settings(max_examples=20, deadline=None)
def test_what_is_not_used_does_not_count(mask):
    arc = arc_of(orbit(), DAYS, noise=0.1)
    used = (mask >> np.arange(20)) % 2 == 1
    chi2, normal, _, room = evaluated(arc, orbit(), used=used)
    rows = room.rows[used].reshape(-1, 6)
    assert chi2 == pytest.approx((room.residual[used] ** 2).sum(), rel=1e-12, abs=1e-12)
    assert normal == pytest.approx(rows.T @ rows, rel=1e-10, abs=1e-12)


def test_an_exact_orbit_leaves_no_residual():
    assert evaluated(arc_of(orbit(), DAYS), orbit())[0] < 1e-6


@pytest.mark.parametrize("column", ["ra", "dec"])
def test_a_residual_is_the_shift_on_the_sky_in_sigmas(column):
    arc = arc_of(orbit(i=30.0), DAYS, sigma=0.1)
    residual = evaluated(moved(arc, 7, 1.0, column), orbit(i=30.0))[3].residual
    scale = np.cos(np.radians(arc.dec[7])) if column == "ra" else 1.0
    expected = np.zeros((20, 2))
    expected[7, 0 if column == "ra" else 1] = 10.0 * scale
    assert residual == pytest.approx(expected, abs=2e-3)


def test_an_orbit_on_the_other_side_of_the_sky_is_far_from_fitting():
    arc = arc_of(orbit(), DAYS)
    opposite = replace(arc, ra=(arc.ra + 180) % 360, dec=1 / 3_600 - arc.dec)
    assert evaluated(opposite, orbit())[0] > 1 / ARCSEC**2


@given(st.integers(0, 19), st.sampled_from(["ra", "dec"]), st.floats(2, 8), st.booleans())
@settings(max_examples=30, deadline=None)
def test_one_outlier_is_found_wherever_it_is(which, column, arcsec, minus):
    arc = moved(arc_of(orbit(), DAYS, noise=0.05), which, -arcsec if minus else arcsec, column)
    found = fitted(arc)
    assert found.status[0] == Status.OK
    assert np.flatnonzero(~found.used).tolist() == [which]


@given(st.integers(0, 19), st.sampled_from(["ra", "dec"]), st.floats(8, 36_000))
@settings(max_examples=40, deadline=None)
def test_a_wild_outlier_is_found_or_the_fit_says_that_it_failed(which, column, arcsec):
    found = fitted(moved(arc_of(orbit(), DAYS, noise=0.05), which, arcsec, column))
    if found.status[0] == Status.OK:
        assert np.flatnonzero(~found.used).tolist() == [which]
        assert found.rms_arcsec[0] < 0.1
    else:
        assert found.status[0] in (Status.DIVERGED, Status.OUTLIERS, Status.UNCONSTRAINED, Status.UNPHYSICAL)


def test_two_outliers_are_found():
    found = fitted(moved(arc_of(orbit(), DAYS, noise=0.05), [4, 15], [10.0, -7.0]))
    assert np.flatnonzero(~found.used).tolist() == [4, 15]
    assert found.degrees_of_freedom[0] == 2 * 18 - 6


def test_a_good_detection_that_a_larger_error_made_look_bad_is_not_lost():
    arc = moved(arc_of(orbit(), DAYS, noise=0.05), [0, 1], [5.0, 5.0])
    found = fitted(arc)
    assert found.status[0] == Status.OK
    assert np.flatnonzero(~found.used).tolist() == [0, 1]


def test_detections_within_their_sigma_all_stay():
    found = fitted(arc_of(orbit(), DAYS, noise=0.05))
    assert found.used.all()


def test_nothing_is_set_aside_where_the_rules_say_so():
    arc = moved(arc_of(orbit(), DAYS, noise=0.05), 9, 10.0)
    found = fitted(arc, FitConfig(reject_chi2=0.0))
    assert found.used.all()
    assert found.chi2[0] > 1_000


def test_an_orbit_with_its_outlier_set_aside_is_that_without_it():
    arc = moved(arc_of(orbit(), DAYS, noise=0.1), 9, 20.0)
    keep = np.arange(20) != 9
    names = ("mjd_tdb", "ra", "dec", "sigma_ra", "sigma_dec", "observer")
    without = replace(arc, first=np.array([0, 19]), **{name: getattr(arc, name)[keep] for name in names})
    one, other = fitted(arc), fitted(without)
    sigma = np.sqrt(np.diagonal(other.covariance[0]))
    assert np.abs((one.state - other.state)[0] / sigma).max() < 0.1
    assert one.chi2 == pytest.approx(other.chi2, abs=0.05)


def test_the_residual_of_what_is_set_aside_is_told():
    found = fitted(moved(arc_of(orbit(), DAYS), 9, 20.0))
    assert found.residual_dec[9] == pytest.approx(20.0, abs=0.1)
    assert found.rms_arcsec[0] < 0.01


@pytest.mark.parametrize(("wrong", "status"), [(6, Status.OK), (8, Status.OUTLIERS)])
def test_a_third_may_be_wrong_and_no_more(wrong, status):
    """Of twenty: the rules keep an orbit with 67 in 100 of its detections."""
    which = np.random.default_rng(5).permutation(20)[:wrong]
    sides = np.random.default_rng(6).choice([-1, 1], wrong) * np.random.default_rng(7).uniform(2, 4, wrong)
    found = fitted(moved(arc_of(orbit(), DAYS, noise=0.02), which, sides))
    assert found.status[0] in ((status,) if status == Status.OK else (status, Status.DIVERGED))
    if status == Status.OK:
        assert np.flatnonzero(~found.used).tolist() == sorted(which)


def sorted_out(values, used, *, largest_sigma=1e-9):
    """`_sort_out` with residuals whose chi² are `values`, for an orbit known exactly."""
    room = orbit_solver.new_room(len(values))
    room.residual[:, 0] = np.sqrt(values)
    mask = np.array(used, np.bool_)
    changed = orbit_solver._sort_out(room, RULES, np.eye(6) * largest_sigma, mask)
    return mask.tolist(), changed


def test_who_exceeds_the_limit_leaves():
    assert sorted_out([1.0, 13.9, 14.1], [True] * 3) == ([True, True, False], True)


def test_who_is_below_the_lower_limit_returns():
    assert sorted_out([1.0, 10.9, 11.1], [True, False, False]) == ([True, True, False], True)


def test_who_is_between_the_limits_stays_where_it_is():
    assert sorted_out([12.0, 12.0], [True, False]) == ([True, False], False)


def test_beside_a_large_outlier_smaller_ones_stay():
    assert sorted_out([100.0, 24.0, 26.0], [True] * 3) == ([False, True, False], True)


def test_an_outlier_that_is_gone_protects_nobody():
    assert sorted_out([1e6, 15.0], [False, True]) == ([False, False], True)


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=12), st.integers(0, 4095))
@settings(max_examples=60, deadline=None)
def test_it_is_told_whether_anything_changed(values, mask):
    used = [bool(mask >> k & 1) for k in range(len(values))]
    after, changed = sorted_out(values, used)
    assert changed == (after != used)
