"""Statuses: each with its sentence and an input that brings it, and the limits of belief from both sides."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science import ephemeris
from mops.science.constants import AU_KM, GM_SUN, RADIUS_SUN_AU
from mops.science.elements import elements_from_states
from mops.science.orbit_fit import DEFAULT, STATUS, fit
from mops.science.orbit_status import BELIEF, Belief, Status, judge, perihelion
from tests.mops.orbit_oracles import EPOCH, arc_of, conics, nights, orbit

SHARP = np.diag(np.repeat([1e-20, 1e-24], 3))


def judged(state, covariance=SHARP, belief=BELIEF) -> Status:
    return Status(judge(np.array([Status.OK], np.int8), np.array([state]), np.array([covariance]), belief)[0])


def fitted(arc, seed, config=DEFAULT) -> Status:
    return Status(fit(arc, np.array([seed]), np.array([EPOCH]), config).status[0])


def distance_known_to(share: float) -> np.ndarray:
    """A covariance in which the distance of a body on the x axis, 2 au away, has this relative sigma."""
    spread = SHARP.copy()
    spread[0, 0] = (2.0 * share) ** 2
    return spread


def energy_known_to(state, sigma: float) -> np.ndarray:
    """A covariance in which 1/a of a body that moves along y has this sigma, au⁻¹."""
    spread = SHARP.copy()
    spread[4, 4] = (sigma * GM_SUN / (2 * state[4])) ** 2
    return spread


def at_two_au(speed_of_circle: float) -> np.ndarray:
    return np.array([2.0, 0, 0, 0, speed_of_circle * np.sqrt(GM_SUN / 2), 0])


@pytest.mark.parametrize("status", list(Status))
def test_a_status_has_a_sentence_of_its_own(status):
    assert STATUS[status] == status.sentence
    assert status.sentence[0].isupper()
    assert status.sentence.endswith(".")
    assert sum(status.sentence == other.sentence for other in Status) == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.DIVERGED, "No orbit near the seed"),
        (Status.TOO_FEW, "too few detections"),
        (Status.OUTLIERS, "not all of one object"),
        (Status.UNCONSTRAINED, "does not fix the orbit"),
        (Status.UNPHYSICAL, "through the Sun"),
        (Status.BAD_INPUT, "1889-2113"),
    ],
)
def test_a_sentence_says_what_was_wrong(status, words):
    assert words in status.sentence


def test_a_good_arc_is_ok():
    assert fitted(arc_of(orbit(), nights(8, every=5.0)), orbit()) == Status.OK


def test_three_detections_are_too_few():
    assert fitted(arc_of(orbit(), [0.0, 1.0, 2.0]), orbit()) == Status.TOO_FEW


def test_a_seed_that_falls_into_the_sun_diverges():
    assert fitted(arc_of(orbit(), nights(8, every=5.0)), [0.2, 0, 0, 0, 0, 0]) == Status.DIVERGED


def test_two_objects_in_turn_are_outliers_or_no_orbit():
    arc = arc_of(orbit(), nights(8, every=5.0))
    mixed = replace(arc, dec=arc.dec + np.where(np.arange(16) % 2, 0.02, 0.0))
    assert fitted(mixed, orbit()) in (Status.OUTLIERS, Status.DIVERGED)


def test_a_quarter_of_an_hour_leaves_the_orbit_open():
    assert fitted(arc_of(orbit(), [0.0, 0.005, 0.01, 0.015]), orbit()) in (Status.UNCONSTRAINED, Status.DIVERGED)


def test_two_weeks_leave_the_orbit_of_a_distant_body_open():
    arc = arc_of(orbit(q=40.0), nights(4, every=5.0), sigma=0.3)
    assert fitted(arc, orbit(q=40.0)) == Status.UNCONSTRAINED


def test_a_body_of_a_thousand_km_a_second_is_unphysical():
    state = np.array([3.0, 1.0, 0.5, 0.3, 0.5, 0.0])
    assert fitted(arc_of(state, nights(6, every=0.5)), state) == Status.UNPHYSICAL


def test_a_year_before_the_ephemeris_is_bad_input():
    arc = arc_of(orbit(), nights(8))
    assert fitted(replace(arc, mjd_tdb=arc.mjd_tdb - 60_000), orbit()) == Status.BAD_INPUT


@given(st.floats(0.001, 0.0999))
@settings(max_examples=20, deadline=None)
def test_a_distance_known_to_a_tenth_is_enough_and_less_is_not(share):
    wide = Belief(energy_share=1e9)
    assert judged(at_two_au(1.0), distance_known_to(share), wide) == Status.OK
    assert judged(at_two_au(1.0), distance_known_to(share + 0.1001), wide) == Status.UNCONSTRAINED


@pytest.mark.parametrize(("sigma", "status"), [(0.249, Status.OK), (0.251, Status.UNCONSTRAINED)])
def test_the_energy_of_a_bound_orbit_must_be_known_to_half_of_1_over_r(sigma, status):
    assert judged(at_two_au(1.0), energy_known_to(at_two_au(1.0), sigma)) == status


@pytest.mark.parametrize(("sigmas", "status"), [(2.95, Status.UNCONSTRAINED), (3.05, Status.OK)])
def test_a_hyperbola_must_be_one_by_three_sigmas(sigmas, status):
    state = at_two_au(1.6)
    energy = 2 / 2.0 - 1.6**2 / 2
    assert energy < 0
    assert judged(state, energy_known_to(state, -energy / sigmas)) == status


@pytest.mark.parametrize(("km_s", "status"), [(149.9, Status.OK), (150.1, Status.UNPHYSICAL)])
def test_nothing_comes_faster_than_150_km_s(km_s, status):
    speed = np.sqrt((km_s * 86_400 / AU_KM) ** 2 + 2 * GM_SUN / 2)
    assert judged([2.0, 0, 0, 0, speed, 0]) == status


@pytest.mark.parametrize(("share", "status"), [(0.99, Status.UNPHYSICAL), (1.01, Status.OK)])
def test_no_orbit_runs_through_the_sun(share, status):
    assert judged(orbit(q=share * RADIUS_SUN_AU, e=0.99, since_perihelion=100.0)) == status


@pytest.mark.parametrize(("far", "status"), [(999.0, Status.OK), (1_001.0, Status.UNPHYSICAL)])
def test_nothing_is_seen_beyond_a_thousand_au(far, status):
    assert judged([far, 0, 0, 0, np.sqrt(GM_SUN / far), 0]) == status


def test_what_is_both_loose_and_absurd_is_unconstrained():
    assert judged([2_000.0, 0, 0, 0, 1e-4, 0], np.eye(6)) == Status.UNCONSTRAINED


@pytest.mark.parametrize("wrong", [np.nan, -1.0, np.inf])
def test_a_covariance_that_is_none_constrains_nothing(wrong):
    with np.errstate(invalid="ignore"):
        assert judged(at_two_au(1.0), np.diag(np.full(6, wrong))) == Status.UNCONSTRAINED


@given(conics)
@settings(max_examples=50, deadline=None)
def test_perihelia_are_those_of_the_elements(state):
    assert perihelion(state[None])[0] == pytest.approx(elements_from_states(state, EPOCH).q[0], rel=1e-6)


@pytest.mark.parametrize("status", [each for each in Status if each != Status.OK])
def test_a_fit_that_failed_is_not_judged_again(status):
    given_status = np.array([status, Status.OK], np.int8)
    states = np.array([[np.nan] * 6, at_two_au(1.0)])
    found = judge(given_status, states, np.array([np.full((6, 6), np.nan), SHARP]), BELIEF)
    assert found.tolist() == [status, Status.OK]
    assert given_status.tolist() == [status, Status.OK]


def test_no_orbits_are_judged_to_nothing():
    assert judge(np.zeros(0, np.int8), np.zeros((0, 6)), np.zeros((0, 6, 6)), BELIEF).tolist() == []


@given(conics, st.integers(0, 2**32 - 1), st.floats(-12, 2))
@settings(max_examples=60, deadline=None)
def test_growing_errors_never_make_an_orbit_more_certain(state, seed, power):
    mixed = np.random.default_rng(seed).normal(size=(6, 6)) * np.repeat([1.0, 0.01], 3)[:, None]
    spread = mixed @ mixed.T * 10.0**power
    if judged(state, spread) == Status.UNCONSTRAINED:
        assert judged(state, 4 * spread) == Status.UNCONSTRAINED


@pytest.mark.parametrize("name", [each.name for each in fields(Belief)])
def test_every_limit_of_belief_counts(name):
    """With the limit at nought (sigmas: endless) an orbit that is believed otherwise is refused."""
    state = at_two_au(1.6)
    spread = energy_known_to(state, 0.05) + distance_known_to(0.01)
    assert judged(state, spread) == Status.OK
    strict = replace(BELIEF, **{name: np.inf if name == "unbound_sigmas" else 0.0})
    assert judged(state, spread, strict) in (Status.UNCONSTRAINED, Status.UNPHYSICAL)


def test_the_first_and_last_day_of_the_ephemeris_count_as_outside():
    arc = arc_of(orbit(), nights(8))
    for edge in (ephemeris.FIRST_MJD_TDB, ephemeris.LAST_MJD_TDB):
        assert fitted(replace(arc, mjd_tdb=np.full(16, edge)), orbit()) == Status.BAD_INPUT
