"""Two-body motion and elements against what is known of them, over the whole space of orbits."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mops.science import kepler
from mops.science.constants import GM_SUN, OBLIQUITY
from mops.science.elements import Elements, elements_from_states, states_from_elements

EPOCH = 60_000.0
angles = st.floats(0, 359.999)


def orbit(q: float, e: float, i: float, node: float, argperi: float, since_perihelion: float) -> np.ndarray:
    given_elements = [np.array([x]) for x in (np.nan, q, e, i, node, argperi, np.nan, EPOCH - since_perihelion)]
    return states_from_elements(Elements(*given_elements), EPOCH)


orbits = st.builds(
    orbit,
    st.floats(0.05, 40),
    st.one_of(st.floats(0, 0.99), st.floats(1.01, 7), st.sampled_from([0.0, 1.0])),
    st.one_of(st.floats(0, 180), st.sampled_from([0.0, 90.0, 180.0])),
    angles,
    angles,
    st.floats(-2_000, 2_000),
)


def constants_of_motion(state: np.ndarray) -> np.ndarray:
    r, v = state[:3], state[3:]
    return np.array([v @ v / 2 - GM_SUN / np.linalg.norm(r), *np.cross(r, v)])


@given(orbits, st.floats(-20_000, 20_000))
@settings(max_examples=200, deadline=None)
def test_energy_and_momentum_last(states, days):
    moved = kepler.propagate(states, days)
    scale = np.linalg.norm(states[0, :3]) * np.linalg.norm(states[0, 3:]) + 1e-6
    assert constants_of_motion(moved[0]) == pytest.approx(constants_of_motion(states[0]), abs=1e-8 * float(scale))


@given(orbits, st.floats(-400, 400), st.floats(-400, 400))
@settings(max_examples=200, deadline=None)
def test_two_steps_make_one(states, one, other):
    together = kepler.propagate(states, one + other)
    assert kepler.propagate(kepler.propagate(states, one), other) == pytest.approx(together, rel=1e-6, abs=1e-7)


def test_a_circle_is_run_through_evenly():
    speed = np.sqrt(GM_SUN / 2.0)
    start = np.array([[2.0, 0, 0, 0, speed, 0]])
    for days in (1.0, 100.0, 5_000.0, -12_345.0):
        turn = speed / 2.0 * days
        expected = [2 * np.cos(turn), 2 * np.sin(turn), 0, -speed * np.sin(turn), speed * np.cos(turn), 0]
        assert kepler.propagate(start, days)[0] == pytest.approx(expected, abs=1e-11)


def test_an_ellipse_obeys_keplers_equation():
    state = orbit(1.0, 0.6, 30.0, 40.0, 50.0, 123.0)
    found = elements_from_states(state, EPOCH)
    eccentric = 2 * np.arctan(np.sqrt(0.4 / 1.6) * np.tan(_true_anomaly(state[0]) / 2))
    assert np.radians(found.mean_anomaly[0]) == pytest.approx(eccentric - 0.6 * np.sin(eccentric), abs=1e-10)


def _true_anomaly(state: np.ndarray) -> float:
    r, v = state[:3], state[3:]
    distance, momentum = np.linalg.norm(r), np.linalg.norm(np.cross(r, v))
    return float(np.arctan2(r @ v * momentum / distance / GM_SUN, momentum**2 / distance / GM_SUN - 1))


def test_a_parabola_falls_by_barkers_equation():
    state, days = np.array([[1.0, 0, 0, 0, np.sqrt(2 * GM_SUN), 0]]), 77.0
    moved = kepler.propagate(state, days)[0]
    half = np.tan(np.arctan2(moved[1], moved[0]) / 2)
    assert np.sqrt(2 / GM_SUN) * (half + half**3 / 3) == pytest.approx(days, rel=1e-12)


def test_a_body_without_a_place_has_no_motion():
    states = np.array([[0.0, 0, 0, 0, 0.01, 0], [np.nan, 0, 0, 0, 0.01, 0], [1.0, 0, 0, 0, 0.01, 0]])
    moved = kepler.propagate(states, np.array([1.0, 1.0, np.inf]))
    assert np.isnan(moved[0]).all()
    assert np.isnan(moved[1]).any()
    assert np.isnan(moved[2]).all()


@given(orbits)
@example(orbit(1.0, 0.0, 0.0, 0.0, 0.0, 10.0))
@example(orbit(1.0, 0.3, 90.0, 0.0, 270.0, -500.0))
@example(orbit(0.25, 3.2, 122.0, 24.0, 241.0, 40.0))
@settings(max_examples=300, deadline=None)
def test_elements_give_back_the_state_they_came_from(states):
    again = states_from_elements(elements_from_states(states, EPOCH), EPOCH)
    size = np.linalg.norm(states[0, :3])
    assert np.linalg.norm(again[0, :3] - states[0, :3]) < 1e-6 * size
    assert np.linalg.norm(again[0, 3:] - states[0, 3:]) < 1e-6 * np.linalg.norm(states[0, 3:])


@given(st.floats(0.1, 50), st.floats(0.01, 0.95), st.floats(0.5, 179.5), angles, angles, st.floats(0.1, 359.9))
@settings(max_examples=100, deadline=None)
def test_the_usual_six_come_back(a, e, i, node, argperi, anomaly):
    one, two, three, four, five, six = (np.array([x]) for x in (a, e, i, node, argperi, anomaly))
    made = Elements.of_mean_anomaly(one, two, three, four, five, six, EPOCH)
    found = elements_from_states(states_from_elements(made, EPOCH), EPOCH)
    assert [found.a[0], found.e[0], found.i[0]] == pytest.approx([a, e, i], rel=1e-7)
    for got, expected in ((found.node, node), (found.argperi, argperi), (found.mean_anomaly, anomaly)):
        assert (got[0] - expected + 180) % 360 - 180 == pytest.approx(0, abs=1e-4)
    assert found.peri_time[0] == pytest.approx(made.peri_time[0], abs=1e-4 * a**1.5 * 365)


def test_elements_refer_to_the_ecliptic():
    north = np.array([0.0, -np.sin(OBLIQUITY), np.cos(OBLIQUITY)])  # pole of the ecliptic, in equatorial axes
    states = orbit(1.0, 0.1, 0.0, 0.0, 30.0, 12.0)
    assert np.cross(states[0, :3], states[0, 3:]) @ north == pytest.approx(np.sqrt(GM_SUN * 1.1), rel=1e-12)
    assert elements_from_states(states, EPOCH).i[0] == pytest.approx(0, abs=1e-6)
