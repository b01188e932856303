"""The search for objects in fields, and their exact places, against NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science.kepler import propagate
from mops.science.observers import heliocentric
from mops.synthetic import brightness, findability, motion, obstacles, passages
from mops.synthetic.detections import simulate
from mops.synthetic.passages import NEAR_AU, in_fields, night_states, places
from mops.synthetic.population import make_population
from mops.synthetic.sky import angles, tangents, unit_vectors
from mops.synthetic.survey import small_survey
from tests.mops.test_synthetic_brightness import in_numpy

MIDDLE = 60430.0
RADIUS = np.radians(2.0)


@st.composite
def nights(draw):
    """States on bound orbits from inside the Earth's to far outside, and visits of a night."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, visits = draw(st.integers(1, 20)), draw(st.integers(1, 30))
    tdb = np.sort(MIDDLE + rng.uniform(-0.25, 0.25, visits))
    observer = heliocentric("X05", tdb)[0]
    away = 10 ** rng.uniform(-2.5, 1.5, n)
    towards = rng.normal(size=(n, 3))
    towards /= np.linalg.norm(towards, axis=1)[:, None]
    position = observer[visits // 2] + away[:, None] * towards
    speed = np.sqrt(2 * 2.9591e-4 / np.linalg.norm(position, axis=1)) * rng.uniform(0, 1, n)
    velocity = rng.normal(size=(n, 3))
    velocity *= (speed / np.linalg.norm(velocity, axis=1))[:, None]
    near_one = towards[rng.integers(0, n, visits)] + rng.normal(0, 0.03, (visits, 3))
    centre = near_one / np.linalg.norm(near_one, axis=1)[:, None]
    return np.concatenate([position, velocity], axis=1), tdb, observer, centre


def angles_to_centres(state, tdb, observer, centre) -> np.ndarray:
    """Radians (visits, objects), by Kepler's motion without light time."""
    apart = np.empty((len(tdb), len(state)))
    for k, at in enumerate(tdb):
        ray = propagate(state, at - MIDDLE)[:, :3] - observer[k]
        apart[k] = np.arctan2(np.linalg.norm(np.cross(ray, centre[k]), axis=1), ray @ centre[k])
    return apart


def found_pairs(state, tdb, observer, centre, room: int = 10_000) -> set[tuple[int, int]]:
    found = np.zeros((room, 2), dtype=np.int64)
    count = in_fields(state, MIDDLE, tdb, observer, centre, RADIUS, found)
    return {(int(visit), int(item)) for visit, item in found[:count]}


@settings(max_examples=100, deadline=None)
@given(nights())
def test_no_object_in_a_field_is_missed_and_few_others_are_kept(night):
    state, _, observer, _ = night
    pairs = found_pairs(*night)
    apart = angles_to_centres(*night)
    slack = np.radians(passages.SLACK_DEG)
    assert {(int(a), int(b)) for a, b in np.argwhere(apart < RADIUS - slack)} <= pairs
    half_night = 0.02 + 0.26 * (np.linalg.norm(state[:, 3:], axis=1) + passages.OBSERVER_SPEED)
    far = np.linalg.norm(state[:, :3] - observer[len(observer) // 2], axis=1) > 2 * (NEAR_AU + half_night)
    for visit, item in pairs:
        assert apart[visit, item] < RADIUS + slack or not far[item]


def test_a_list_that_is_too_short_is_filled_and_the_true_number_told():
    state = np.tile([2.0, 0.0, 0.0, 0.0, 0.012, 0.0], (5, 1))
    night = np.array([MIDDLE]), np.zeros((1, 3)), np.array([[1.0, 0.0, 0.0]])
    found = np.full((2, 2), -1)
    assert in_fields(state, MIDDLE, *night, RADIUS, found) == 5
    assert found.tolist() == [[0, 0], [0, 1]]


@settings(max_examples=50, deadline=None)
@given(nights())
def test_states_and_magnitudes_of_a_night_are_keplers_and_bowells(night):
    state, _, observer, _ = night
    h, g, out = np.linspace(10, 20, len(state)), np.full(len(state), 0.15), np.empty((len(state), 7))
    night_states(state, 0.3, observer[0], h, g, out)
    moved = propagate(state, 0.3)
    np.testing.assert_array_equal(out[:, :6], moved)
    delta = np.linalg.norm(moved[:, :3] - observer[0], axis=1)
    v = in_numpy(h, g, np.linalg.norm(moved[:, :3], axis=1), delta, np.linalg.norm(observer[0]))
    np.testing.assert_allclose(out[:, 6], v, atol=1e-9)


def test_light_left_the_object_earlier():
    """An object that crosses the line of sight at 10 au lags by 83 minutes of its motion."""
    state = np.array([[10.0, 0.0, 0.0, 0.0, 0.0054, 0.0]])
    out = np.empty((1, 4))
    one = np.ones(1)
    now = np.array([MIDDLE])
    places(np.zeros((1, 2), np.int64), state, now, now, np.zeros((1, 3)), one, one * 0.15, out)
    assert out[0, 1] == pytest.approx(-0.0054 * 10 / 173.1446 / 10, rel=1e-4)


@given(st.floats(0, 359.999), st.floats(-90, 90))
@settings(max_examples=100, deadline=None)
def test_directions_go_to_vectors_and_back_with_tangents_at_right_angles(ra, dec):
    at = np.array([ra]), np.array([dec])
    unit, (east, north) = unit_vectors(*at), tangents(*at)
    np.testing.assert_allclose(np.cross(east, north), unit, atol=1e-12)
    back_ra, back_dec = angles(3 * unit)
    assert back_dec[0] == pytest.approx(dec, abs=1e-9)
    if abs(dec) < 89.9:
        assert abs((back_ra[0] - ra + 180) % 360 - 180) < 1e-9


KERNELS = (
    motion.along_visits,
    passages.in_fields,
    passages.places,
    passages.night_states,
    findability._has_pair,
    obstacles._obstacles,
)


def test_warming_up_compiles_what_a_simulation_calls():
    for module in (brightness, findability, motion, obstacles, passages):
        module.warm_up()
    compiled = [len(kernel.signatures) for kernel in KERNELS]
    seen, truth = simulate(make_population(2000, 1), small_survey(20240424, nights=1), seed=1, false_per_deg2=0.1)
    simulate(make_population(2000, 1), small_survey(20240424, nights=1), seed=1, planets=True)
    findability.findable(seen, truth)
    obstacles.why_without_tracklets(seen, truth)
    assert [len(kernel.signatures) for kernel in KERNELS] == compiled
    assert min(compiled) > 0
