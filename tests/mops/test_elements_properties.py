"""Elements and two-body motion over all conics: symmetries, conventions at the edges, and SciPy as the other way."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from mops.science import kepler
from mops.science.constants import GM_SUN
from mops.science.elements import Elements, elements_from_states, states_from_elements
from tests.mops.orbit_oracles import EPOCH, conics, orbit

KINDS = {
    "ellipse": orbit(q=1.2, e=0.4),
    "long ellipse": orbit(q=0.5, e=0.995, since_perihelion=-60.0),
    "nearly a parabola": orbit(q=1.0, e=1 - 1e-10),
    "parabola": orbit(q=1.0, e=1.0),
    "just beyond": orbit(q=1.0, e=1 + 1e-10),
    "hyperbola": orbit(q=0.3, e=3.4, since_perihelion=-80.0),
    "polar": orbit(q=1.5, e=0.1, i=90.0),
    "retrograde": orbit(q=1.5, e=0.1, i=180.0),
    "circle": orbit(q=3.0, e=0.0, i=0.0),
}
kinds = pytest.mark.parametrize("state", KINDS.values(), ids=KINDS)


def of(state) -> dict[str, float]:
    found = elements_from_states(state, EPOCH)
    return {name: float(getattr(found, name)[0]) for name in Elements.__dataclass_fields__}


def turned(angle) -> float:
    return float((angle + 180) % 360 - 180)


@kinds
@pytest.mark.parametrize("days", [1.0, -75.0, 300.0])
def test_two_body_motion_is_that_of_scipy(state, days):
    def motion(_, y):
        return np.concatenate([y[3:], -GM_SUN * y[:3] / np.linalg.norm(y[:3]) ** 3])

    expected = solve_ivp(motion, (0, days), state, rtol=1e-12, atol=1e-15, method="DOP853").y[:, -1]
    assert kepler.propagate(state[None], days)[0] == pytest.approx(expected, abs=2e-9)


@kinds
def test_a_state_comes_back_from_its_elements(state):
    again = states_from_elements(elements_from_states(state, EPOCH), EPOCH)[0]
    assert again == pytest.approx(state, rel=1e-7, abs=1e-8)


@kinds
def test_the_mirrored_motion_runs_the_same_conic_backward(state):
    back = state * np.repeat([1, -1], 3)
    one, other = of(state), of(back)
    assert (other["q"], other["e"]) == pytest.approx((one["q"], one["e"]), rel=1e-9, abs=1e-9)
    assert one["i"] + other["i"] == pytest.approx(180, abs=1e-7)
    if one["e"] > 1e-8:  # a circle has no perihelion
        assert EPOCH - other["peri_time"] == pytest.approx(-(EPOCH - one["peri_time"]), abs=1e-3)


@given(conics, st.floats(-300, 300))
@settings(max_examples=80, deadline=None)
def test_motion_leaves_shape_and_plane(state, days):
    moved = of(kepler.propagate(state[None], days)[0])
    was = of(state)
    assert (moved["q"], moved["e"], moved["i"]) == pytest.approx((was["q"], was["e"], was["i"]), rel=1e-6, abs=1e-5)


@given(conics)
@settings(max_examples=80, deadline=None)
def test_elements_lie_in_their_ranges(state):
    found = of(state)
    assert found["q"] > 0
    assert found["e"] >= 0
    assert 0 <= found["i"] <= 180
    for name in ("node", "argperi"):
        assert 0 <= found[name] <= 360
    if abs(found["e"] - 1) > 1e-6:
        assert found["e"] > 1 or 0 <= found["mean_anomaly"] <= 360
        assert found["q"] == pytest.approx(found["a"] * (1 - found["e"]), rel=1e-4)
        assert (found["a"] > 0) == (found["e"] < 1)


@given(conics)
@settings(max_examples=80, deadline=None)
def test_at_perihelion_a_body_is_at_its_perihelion_distance(state):
    found = of(state)
    there = kepler.propagate(state[None], found["peri_time"] - EPOCH)[0]
    assert np.linalg.norm(there[:3]) == pytest.approx(found["q"], rel=1e-6)


@given(st.floats(0.3, 30), st.floats(0.01, 0.9), st.floats(0, 360))
@settings(max_examples=80, deadline=None)
def test_the_mean_anomaly_solves_keplers_equation(q, e, mean):
    a, eccentricity, angle, anomaly = (np.array([x]) for x in (q / (1 - e), e, 40.0, mean))
    made = Elements.of_mean_anomaly(a, eccentricity, angle, angle, angle, anomaly, EPOCH)
    state = states_from_elements(made, EPOCH)[0]
    wanted = np.radians(mean)
    eccentric = brentq(lambda x: x - e * np.sin(x) - wanted, wanted - 1, wanted + 1, xtol=1e-14)
    assert np.linalg.norm(state[:3]) == pytest.approx(q / (1 - e) * (1 - e * np.cos(eccentric)), rel=1e-9)


@given(st.floats(0.3, 5), st.floats(1.05, 5), st.floats(-200, 200))
@settings(max_examples=60, deadline=None)
def test_the_mean_anomaly_of_a_hyperbola_solves_its_equation(q, e, days):
    found = of(orbit(q=q, e=e, since_perihelion=days))
    a = q / (e - 1)
    mean = np.sqrt(GM_SUN / a**3) * days
    assert np.radians(found["mean_anomaly"]) == pytest.approx(mean, rel=1e-6, abs=1e-7)
    unknown = brentq(lambda x: e * np.sinh(x) - x - mean, -50, 50, xtol=1e-14)
    r = np.linalg.norm(orbit(q=q, e=e, since_perihelion=days)[:3])
    assert r == pytest.approx(a * (e * np.cosh(unknown) - 1), rel=1e-8)


def test_a_parabola_is_infinitely_large_and_has_no_mean_anomaly():
    found = of(orbit(q=1.0, e=1.0))
    assert found["a"] == np.inf
    assert np.isnan(found["mean_anomaly"])
    assert found["peri_time"] == pytest.approx(EPOCH - 50, abs=1e-6)


def test_a_circle_counts_from_its_node():
    found = of(orbit(q=2.0, e=0.0, i=20.0, node=70.0, argperi=0.0, since_perihelion=0.0))
    assert found["e"] == pytest.approx(0, abs=1e-11)
    assert turned(found["argperi"] + found["mean_anomaly"]) == pytest.approx(0, abs=1e-6)
    assert found["node"] == pytest.approx(70, abs=1e-9)


@pytest.mark.parametrize("i", [0.0, 180.0])
def test_an_orbit_in_the_ecliptic_comes_back(i):
    found = of(orbit(e=0.3, i=i, node=0.0, argperi=60.0))
    assert found["i"] == pytest.approx(i, abs=1e-7)
    assert states_from_elements(elements_from_states(orbit(e=0.3, i=i), EPOCH), EPOCH)[0] == pytest.approx(
        orbit(e=0.3, i=i), abs=1e-9
    )


@given(st.lists(conics, min_size=2, max_size=5))
@settings(max_examples=20, deadline=None)
def test_orbits_do_not_mix(states):
    together = elements_from_states(np.array(states), EPOCH)
    for k, state in enumerate(states):
        assert together.q[k] == pytest.approx(of(state)["q"], rel=1e-14)
        assert together.peri_time[k] == pytest.approx(of(state)["peri_time"], rel=1e-14)


@given(conics, st.floats(-1e4, 1e4))
@settings(max_examples=40, deadline=None)
def test_a_later_epoch_is_a_later_perihelion_and_nothing_else(state, days):
    one, other = elements_from_states(state, EPOCH), elements_from_states(state, EPOCH + days)
    assert other.peri_time - one.peri_time == pytest.approx([days], abs=1e-8 * (1 + abs(one.peri_time[0])))
    assert (other.q, other.e, other.i) == (one.q, one.e, one.i)


def test_the_perihelion_of_an_ellipse_is_the_nearest_one():
    a = np.array([1.0])
    angle = np.array([10.0])
    for mean, since in ((10.0, 10.0), (350.0, -10.0), (-10.0, -10.0), (370.0, 10.0)):
        made = Elements.of_mean_anomaly(a, 0.2 * a, angle, angle, angle, np.array([mean]), EPOCH)
        assert EPOCH - made.peri_time[0] == pytest.approx(np.radians(since) / np.sqrt(GM_SUN), rel=1e-9)
        assert 0 <= made.mean_anomaly[0] < 360


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
def test_what_is_no_number_has_no_motion_and_harms_no_neighbour(wrong):
    states = np.array([orbit(), [wrong, 0, 0, 0, 0.01, 0], orbit()])
    with np.errstate(invalid="ignore"):
        moved = kepler.propagate(states, 10.0)
    assert not np.isfinite(moved[1]).all()
    assert (moved[0] == moved[2]).all()
    assert np.isnan(kepler.propagate(orbit()[None], wrong)).all()
