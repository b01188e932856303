"""Sets of hypotheses, and what a tracklet is under one."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science.constants import GM_SUN
from mops.science.kepler import propagate
from mops.science.linking import hypotheses, states
from mops.science.linking.near_earth import moves_like_the_main_belt
from mops.science.linking.states import Sightings, state
from mops.science.tracklets import make_tracklets
from tests.mops import moving


@pytest.mark.parametrize("name", sorted(hypotheses.SETS))
def test_every_set_is_numbered_and_slower_than_escape(name):
    made = hypotheses.SETS[name]()
    assert made.number.tolist() == list(range(len(made)))
    assert (np.abs(made.rdot) < np.sqrt(2 * GM_SUN / made.r)).all()
    assert (made.rddot <= 0).all()


def test_the_sets_leave_no_gap_from_the_earth_to_a_hundred_au():
    r = np.unique(np.concatenate([hypotheses.neo().r, hypotheses.everywhere().r]))
    assert r[0] <= 0.6 and r[-1] > 80
    assert (r[1:] / r[:-1]).max() < 1.4


@given(st.integers(1, 60))
@settings(max_examples=30, deadline=None)
def test_blocks_are_the_whole_set_in_parts(count):
    whole = hypotheses.main_belt()
    parts = hypotheses.blocks(whole, count)
    assert len(parts) == min(count, len(whole))
    assert np.concatenate([part.number for part in parts]).tolist() == whole.number.tolist()
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert np.array_equal(np.concatenate([part.rdot for part in parts]), whole.rdot)


def test_a_grid_has_the_steps_asked_for():
    made = hypotheses.grid("x", (1.0, 2.0), 0.26, (0.5, 0.25))
    assert np.unique(made.r).tolist() == pytest.approx([1.0, 1.26, 1.5876, 2.000376])
    assert np.unique(made.rdot[made.r == 1.0] / np.sqrt(2 * GM_SUN)).tolist() == pytest.approx(
        [-0.5, -0.25, 0, 0.25, 0.5]
    )


@pytest.mark.parametrize("wrong", [{"r": (0.0, 2.0)}, {"r": (3.0, 2.0)}, {"step": 0.0}, {"rdot": (3.0, 0.1)}])
def test_a_grid_that_cannot_be_is_refused(wrong):
    with pytest.raises(ValueError, match="The hypotheses of belt need 0 < r, steps above 0"):
        hypotheses.grid("belt", **({"r": (1.0, 2.0), "step": 0.1, "rdot": (0.5, 0.1)} | wrong))


@given(st.integers(0, 10_000), st.floats(-7.5, 7.5), st.floats(1.5, 40))
@settings(max_examples=60, deadline=None)
def test_the_series_moves_a_body_as_kepler_does(seed, days, r):
    start = moving.belt(1, seed, (r, r))[0]
    moved = np.empty(6)
    by_series: Any = states._propagate_by_series
    by_series(*start, days, moved)
    assert moved == pytest.approx(propagate(start[None], days)[0], abs=2e-7)


def true_hypothesis(orbit):
    r = np.linalg.norm(orbit[:3])
    rdot = orbit[:3] @ orbit[3:] / r
    return r, rdot, (orbit[3:] @ orbit[3:] - rdot**2) / r - GM_SUN / r**2


@pytest.mark.parametrize("seed", range(6))
def test_the_right_hypothesis_gives_the_orbit_at_the_reference_time(seed):
    orbit = moving.belt(1, seed)
    sky, _ = moving.seen(orbit, moving.times(), sigma=1e-4)
    made = make_tracklets(sky).tracklets
    out = np.empty(6)
    for row in Sightings.of(sky, made, moving.EPOCH).rows:
        r, rdot, rddot = true_hypothesis(orbit[0])
        assert state(row, r, rdot, rddot, 1.0, out) > 0
        assert out[:3] == pytest.approx(orbit[0, :3], abs=3e-4)
        assert out[3:] == pytest.approx(orbit[0, 3:], abs=1e-4)


def test_a_line_of_sight_that_misses_the_sphere_has_no_state():
    sky, _ = moving.seen(moving.belt(1, 0), moving.times())
    row = Sightings.of(sky, make_tracklets(sky).tracklets, moving.EPOCH).rows[0]
    assert state(row, 0.7, 0.0, 0.0, 1.0, np.empty(6)) == 0.0


def test_towards_the_sun_a_line_meets_an_inner_sphere_twice():
    row = np.zeros(13)
    row[1], row[7] = -1.0, 1.0  # from (1, 0, 0) towards the Sun
    out = np.empty(6)
    assert state(row, 0.8, 0.0, 0.0, hypotheses.NEARER, out) == pytest.approx(0.2)
    assert state(row, 0.8, 0.0, 0.0, hypotheses.FARTHER, out) == pytest.approx(1.8)


def test_the_belt_moves_like_the_belt_and_a_close_body_does_not():
    belt, _ = moving.seen(moving.belt(100, 1), moving.times())
    made = make_tracklets(belt).tracklets
    assert moves_like_the_main_belt(belt, made, moving.EPOCH).mean() > 0.95
    close, _ = moving.seen(moving.belt(50, 2, (1.1, 1.3)), moving.times())
    made = make_tracklets(close).tracklets
    assert moves_like_the_main_belt(close, made, moving.EPOCH).mean() < 0.5
