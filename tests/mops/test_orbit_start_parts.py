"""The parts of a start: which weeks, which pair, which spheres, and states through two lines of sight."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science import orbit_start
from mops.science.constants import GM_SUN
from mops.science.kepler import propagate
from mops.science.orbit_start import START, determine, start
from mops.science.orbit_status import Status
from tests.mops.orbit_oracles import EPOCH, arc_of, joined, nights, orbit

place = st.lists(st.floats(-1.5, 1.5), min_size=3, max_size=3).map(np.array)


def pieces(days, length=20.0) -> list[int]:
    return np.flatnonzero(orbit_start._pieces(arc_of(orbit(), days), length)).tolist()


def test_a_short_arc_is_one_piece():
    assert pieces([0.0, 1.0, 5.0, 9.0]) == [0, 1, 2, 3]


def test_the_weeks_with_most_nights_are_taken():
    assert pieces([0.0, 1.0, 100.0, 101.0, 102.0, 103.0, 300.0]) == [2, 3, 4, 5]


def test_nights_count_more_than_detections():
    one_night = [0.0, 0.01, 0.02, 0.03, 0.04, 0.05]
    assert pieces([*one_night, 100.0, 101.0, 102.0]) == [6, 7, 8]


def test_of_as_many_nights_and_detections_the_longest_time_is_taken():
    assert pieces([0.0, 1.0, 2.0, 100.0, 105.0, 110.0]) == [3, 4, 5]


def test_the_piece_is_found_in_any_order():
    days = np.array([300.0, 103.0, 0.0, 101.0, 100.0, 1.0, 102.0])
    assert pieces(days) == [1, 3, 4, 6]


def test_an_arc_with_a_time_that_is_none_has_no_piece():
    arc = arc_of(orbit(), [0.0, 1.0, 2.0])
    arc.mjd_tdb[1] = np.nan
    assert not orbit_start._pieces(arc, 20.0).any()


@given(st.lists(st.floats(-1_000, 1_000), min_size=1, max_size=30), st.floats(1, 60))
@settings(max_examples=40, deadline=None)
def test_a_piece_is_never_empty_nor_longer_than_said(days, length):
    arc = arc_of(orbit(), days)
    mask = orbit_start._pieces(arc, length)
    assert mask.any()
    assert np.ptp(arc.mjd_tdb[mask]) <= length + 1e-9


@given(st.lists(st.floats(0, 40), min_size=2, max_size=20))
@settings(max_examples=60, deadline=None)
def test_the_pair_is_the_farthest_apart_within_ten_days(days):
    times = np.sort(days)
    one, other = orbit_start._pair(times)
    gaps = times[None] - times[:, None]
    assert times[other] - times[one] == gaps[gaps <= 10].max()


@given(place, place, st.floats(0.1, 50))
@settings(max_examples=100, deadline=None)
def test_a_line_of_sight_leaves_a_sphere_at_its_radius(observer, direction, radius):
    if np.linalg.norm(direction) < 0.1:
        return
    outward = direction / np.linalg.norm(direction)
    where, far = orbit_start._on_sphere(observer, outward, np.array([radius]))
    nearest = np.linalg.norm(observer - (observer @ outward) * outward)
    assert np.isfinite(far[0]) == (nearest <= radius) or nearest == pytest.approx(radius)
    if np.isfinite(far[0]):
        assert np.linalg.norm(where[0]) == pytest.approx(radius, abs=1e-7)
        assert where[0] == pytest.approx(observer + far[0] * outward, abs=1e-12)


def test_a_state_through_two_sights_of_a_circle_is_that_circle():
    state = orbit(q=2.5, e=0.0)
    arc = arc_of(state, [-3.0, 3.0])
    made = orbit_start._states_through(arc, 0, 1, EPOCH, np.array([2.5]), np.array([0.0]))
    assert made.shape == (1, 6)
    assert made[0, :3] == pytest.approx(state[:3], abs=5e-3)  # light time is left to the fit
    assert made[0, 3:] == pytest.approx(state[3:], abs=1e-4)


@given(st.floats(1.2, 40), st.sampled_from([-0.3, 0.0, 0.3]))
@settings(max_examples=30, deadline=None)
def test_a_state_passes_both_lines_of_sight(distance, share):
    arc = arc_of(orbit(), [-2.0, 2.0])
    made = orbit_start._states_through(arc, 0, 1, EPOCH, np.array([distance]), np.array([share]))
    for state in made:
        for k in range(2):
            line = propagate(state[None], arc.mjd_tdb[k] - EPOCH)[0, :3] - arc.observer[k]
            ra, dec = np.degrees(np.arctan2(line[1], line[0])), np.degrees(np.arcsin(line[2] / np.linalg.norm(line)))
            assert (ra - arc.ra[k] + 180) % 360 - 180 == pytest.approx(0, abs=2e-2)
            assert dec == pytest.approx(arc.dec[k], abs=2e-2)


def test_states_are_no_faster_than_six_circles():
    arc = arc_of(orbit(), [-2.0, 2.0])
    distance, share = (each.ravel() for each in np.meshgrid(START.distances, START.radial_shares))
    made = orbit_start._states_through(arc, 0, 1, EPOCH, distance, share)
    assert 0 < len(made) <= len(distance)
    slowest = np.sqrt(GM_SUN / min(START.distances))
    assert (np.linalg.norm(made[:, 3:], axis=1) < 6 * slowest).all()


def test_two_of_one_instant_make_no_state():
    arc = arc_of(orbit(), [0.0, 0.0])
    assert len(orbit_start._states_through(arc, 0, 1, EPOCH, np.array([2.0]), np.array([0.0]))) == 0


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_detections_have_no_seed(count):
    arc = arc_of(orbit(), np.arange(2.0))
    names = ("mjd_tdb", "ra", "dec", "sigma_ra", "sigma_dec", "observer")
    short = replace(arc, first=np.array([0, count]), **{name: getattr(arc, name)[:count] for name in names})
    states, epochs = start(short)
    assert np.isnan(states).all()
    assert np.isnan(epochs).all()
    assert determine(short).status.tolist() == [Status.TOO_FEW]


def test_arcs_start_the_same_alone_and_together():
    one = arc_of(orbit(), nights(6, every=3.0), noise=0.1)
    other = arc_of(orbit(q=1.4, e=0.2, i=40.0), nights(6, every=3.0), noise=0.1, seed=2)
    together = determine(joined(one, other))
    for k, arc in enumerate((one, other)):
        alone = determine(arc)
        assert together.status[k] == alone.status[0]
        assert together.state[k] == pytest.approx(alone.state[0], abs=1e-12)


def test_a_long_arc_grows_from_its_best_weeks():
    days = np.concatenate([nights(6, every=3.0), nights(2, every=5.0) + 400, nights(2, every=5.0) - 700])
    found = determine(arc_of(orbit(), days, noise=0.1))
    assert found.status[0] == Status.OK
    assert found.used.all()
    assert found.rms_arcsec[0] < 0.15
