"""Fits of arcs: alone or together, in any order, with gaps, and with what cannot be fitted among them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science.elements import elements_from_states
from mops.science.orbit_fit import Arcs, FitConfig, fit
from mops.science.orbit_status import Status
from mops.science.propagation import propagate_nbody
from tests.mops.orbit_oracles import EPOCH, arc_of, joined, nights, orbit

NAMES = ("mjd_tdb", "ra", "dec", "sigma_ra", "sigma_dec", "observer")
STATES = np.array([orbit(), orbit(q=1.3, e=0.3, i=100.0), orbit(q=2.6, e=0.05, i=2.0), orbit(q=1.4, e=2.0, i=60.0)])
DAYS = nights(8, every=4.0)
ARCS = [arc_of(state, DAYS, noise=0.1, seed=k) for k, state in enumerate(STATES)]
NO_ARC = Arcs(np.array([0, 0]), *(np.zeros((0, 3) if name == "observer" else 0) for name in NAMES))
EPOCHS = np.full(4, EPOCH)


def fitted(*arcs, seeds=None, config=FitConfig()):  # noqa: B008
    seeds = STATES[: len(arcs)] if seeds is None else np.asarray(seeds)
    return fit(joined(*arcs), seeds, np.full(len(arcs), EPOCH), config)


def in_order(arc, order):
    return replace(arc, **{name: getattr(arc, name)[order] for name in NAMES})


@pytest.mark.parametrize("k", range(4), ids=["belt", "polar", "in the ecliptic", "unbound"])
def test_an_arc_without_errors_gives_back_its_orbit(k):
    found = fitted(arc_of(STATES[k], DAYS), seeds=STATES[[k]] * 1.002, config=FitConfig(tolerance=1e-10))
    assert found.status[0] == Status.OK
    assert found.state[0] == pytest.approx(STATES[k], abs=2e-7)
    assert found.rms_arcsec[0] < 1e-3


@given(st.permutations(range(4)))
@settings(max_examples=10, deadline=None)
def test_the_order_of_arcs_is_of_no_account(order):
    usual = fitted(*ARCS)
    mixed = fitted(*(ARCS[k] for k in order), seeds=STATES[list(order)])
    assert mixed.state == pytest.approx(usual.state[list(order)], abs=1e-14)
    assert mixed.chi2 == pytest.approx(usual.chi2[list(order)], rel=1e-10)


@pytest.mark.parametrize("k", range(4))
def test_an_arcs_orbit_does_not_hang_on_its_company(k):
    alone, together = fitted(ARCS[k], seeds=STATES[[k]]), fitted(*ARCS)
    assert together.state[k] == pytest.approx(alone.state[0], abs=1e-14)
    assert together.covariance[k] == pytest.approx(alone.covariance[0], rel=1e-9, abs=1e-30)
    assert together.iterations[k] == alone.iterations[0]


def test_the_same_arcs_have_the_same_orbits_to_the_bit():
    one, other = fitted(*ARCS), fitted(*ARCS)
    for name in ("state", "covariance", "chi2", "residual_ra", "residual_dec"):
        assert getattr(one, name).tobytes() == getattr(other, name).tobytes()


@given(st.permutations(range(16)))
@settings(max_examples=15, deadline=None)
def test_the_order_of_detections_is_of_no_account(order):
    order = np.array(order)
    usual, mixed = fitted(ARCS[0]), fitted(in_order(ARCS[0], order))
    assert mixed.state == pytest.approx(usual.state, abs=1e-13)
    assert mixed.residual_dec == pytest.approx(usual.residual_dec[order], abs=1e-7)
    assert (mixed.used == usual.used[order]).all()


def test_one_unordered_arc_leaves_its_neighbours_in_order():
    mixed = fitted(ARCS[0], in_order(ARCS[1], np.arange(16)[::-1]), ARCS[2])
    usual = fitted(*ARCS[:3])
    assert mixed.residual_ra[:16] == pytest.approx(usual.residual_ra[:16], abs=1e-7)
    assert mixed.residual_ra[16:32] == pytest.approx(usual.residual_ra[16:32][::-1], abs=1e-7)
    assert mixed.residual_ra[32:] == pytest.approx(usual.residual_ra[32:], abs=1e-7)


def test_the_input_is_left_as_it_was():
    arcs, seeds = joined(*ARCS), STATES.copy()
    kept = {name: getattr(arcs, name).copy() for name in NAMES}
    fit(arcs, seeds, EPOCHS)
    assert (seeds == STATES).all()
    assert all((getattr(arcs, name) == kept[name]).all() for name in NAMES)


def test_no_arcs_are_no_orbits():
    found = fit(replace(NO_ARC, first=np.array([0])), np.zeros((0, 6)), np.zeros(0))
    assert found.state.shape == (0, 6)
    assert found.status.tolist() == []


@pytest.mark.parametrize("at", range(3))
def test_an_empty_arc_has_too_few_and_harms_nobody(at):
    parts, seeds = [ARCS[0], ARCS[1]], [STATES[0], STATES[1]]
    parts.insert(at, NO_ARC)
    seeds.insert(at, STATES[0])
    found = fitted(*parts, seeds=seeds)
    expected = [Status.OK, Status.OK]
    expected.insert(at, Status.TOO_FEW)
    assert found.status.tolist() == expected
    assert np.isnan(found.rms_arcsec[at])
    assert np.isnan(found.state[at]).all()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_one_two_or_three_detections_are_too_few(count):
    assert fitted(arc_of(STATES[0], DAYS[:count])).status.tolist() == [Status.TOO_FEW]


@pytest.mark.parametrize("least", [4, 8, 16, 17])
def test_how_many_are_too_few_is_configured(least):
    found = fitted(ARCS[0], config=FitConfig(least_used=least))
    assert found.status[0] == (Status.TOO_FEW if least > 16 else Status.OK)


def test_all_at_one_time_fix_no_orbit():
    found = fitted(arc_of(STATES[0], np.zeros(6)))
    assert found.status[0] in (Status.UNCONSTRAINED, Status.DIVERGED)


def test_two_at_one_time_count_as_two():
    twice = in_order(ARCS[0], np.repeat(np.arange(16), 2))
    both = fitted(replace(twice, first=np.array([0, 32])), config=FitConfig(reject_chi2=0.0))
    once = fitted(ARCS[0], config=FitConfig(reject_chi2=0.0))
    assert both.state == pytest.approx(once.state, abs=1e-9)
    assert both.chi2 == pytest.approx(2 * once.chi2, rel=1e-3)
    assert both.covariance == pytest.approx(once.covariance / 2, rel=1e-2, abs=1e-18)


@given(st.floats(0.2, 5))
@settings(max_examples=10, deadline=None)
def test_sigmas_scale_the_covariance_and_not_the_orbit(factor):
    wide = replace(ARCS[0], sigma_ra=ARCS[0].sigma_ra * factor, sigma_dec=ARCS[0].sigma_dec * factor)
    rules = FitConfig(reject_chi2=0.0, tolerance=1e-8)
    one, other = fitted(ARCS[0], config=rules), fitted(wide, config=rules)
    sigma = np.sqrt(np.diagonal(one.covariance[0]))
    assert np.abs((other.state - one.state)[0] / sigma).max() < 0.01
    assert other.covariance == pytest.approx(factor**2 * one.covariance, rel=1e-3, abs=1e-18)


@pytest.mark.parametrize("column", range(6))
@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1e7])
def test_a_seed_that_is_no_number_is_bad_input_for_its_arc_alone(column, wrong):
    seeds = STATES[:3].copy()
    seeds[1, column] = wrong
    assert fitted(*ARCS[:3], seeds=seeds).status.tolist() == [Status.OK, Status.BAD_INPUT, Status.OK]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 0.0, 1e6])
def test_a_seeds_epoch_must_lie_in_the_ephemeris(wrong):
    found = fit(joined(*ARCS[:2]), STATES[:2], np.array([wrong, EPOCH]))
    assert found.status.tolist() == [Status.BAD_INPUT, Status.OK]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_detection_that_is_no_number_is_bad_input_for_its_arc_alone(name, wrong):
    arcs = joined(*ARCS[:3])
    column = getattr(arcs, name).copy()
    column[19] = wrong
    found = fit(replace(arcs, **{name: column}), STATES[:3], EPOCHS[:3])
    assert found.status.tolist() == [Status.OK, Status.BAD_INPUT, Status.OK]
    assert found.state[[0, 2]] == pytest.approx(fit(arcs, STATES[:3], EPOCHS[:3]).state[[0, 2]], abs=1e-12)


@pytest.mark.parametrize(
    ("seeds", "epochs", "words"),
    [
        (STATES[:2], EPOCHS[:1], r"1 arcs need seeds of shape \(1, 6\).*not \(2, 6\) and \(1,\)"),
        (STATES[0], EPOCHS[:1], r"not \(6,\) and \(1,\)"),
        (STATES[:1], EPOCHS[:2], r"not \(1, 6\) and \(2,\)"),
        (STATES[:1, :5], EPOCHS[:1], r"not \(1, 5\)"),
    ],
)
def test_seeds_of_another_shape_are_said(seeds, epochs, words):
    with pytest.raises(ValueError, match=words):
        fit(ARCS[0], seeds, epochs)


@pytest.mark.parametrize("first", [[1, 16], [0, 15], [0, 17]])
def test_cuts_that_are_not_of_the_detections_are_said(first):
    with pytest.raises(ValueError, match="must rise from 0 to the 16 detections"):
        fit(replace(ARCS[0], first=np.array(first)), STATES[:1], EPOCHS[:1])


def test_cuts_that_fall_are_said():
    with pytest.raises(ValueError, match="must rise from 0"):
        fit(replace(ARCS[0], first=np.array([0, 9, 5, 16])), STATES[:3], EPOCHS[:3])


def test_observers_of_another_shape_are_said():
    with pytest.raises(ValueError, match="each with an observer's place"):
        fit(replace(ARCS[0], observer=ARCS[0].observer[:, :2]), STATES[:1], EPOCHS[:1])


@given(st.floats(-40, 40))
@settings(max_examples=8, deadline=None)
def test_whatever_the_epoch_of_the_seed_it_is_one_orbit(days):
    seed = propagate_nbody(STATES[0], EPOCH, EPOCH + days)
    found = fit(ARCS[0], seed, np.array([EPOCH + days]), FitConfig(tolerance=1e-8))
    there = propagate_nbody(found.state, EPOCH + days, EPOCH)
    usual = fitted(ARCS[0], config=FitConfig(tolerance=1e-8))
    sigma = np.sqrt(np.diagonal(usual.covariance[0]))
    assert np.abs((there - usual.state)[0] / sigma).max() < 0.02


def test_a_month_tells_a_hyperbola_from_an_ellipse():
    found = fitted(ARCS[3], seeds=STATES[[3]])
    assert found.status[0] == Status.OK
    assert elements_from_states(found.state, EPOCH).e[0] == pytest.approx(2.0, abs=0.1)
