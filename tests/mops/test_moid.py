"""The MOID against a grid over both orbits and scipy's minimisation, and where it is known without any."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from mops.science.constants import AU_KM, GM_SUN, OBLIQUITY
from mops.science.moid import Conic, _nearest, conic_of, earths_orbit, moids

EARTH = earths_orbit()


def state_of(q: float, e: float, i: float, node: float, argperi: float, anomaly: float = 0.3) -> np.ndarray:
    """The heliocentric ICRF state at a true anomaly; degrees and au, ecliptic J2000."""
    i, node, argperi = np.radians([i, node, argperi])
    p = q * (1 + e)
    r = p / (1 + e * np.cos(anomaly)) * np.array([np.cos(anomaly), np.sin(anomaly), 0])
    v = np.sqrt(GM_SUN / p) * np.array([-np.sin(anomaly), e + np.cos(anomaly), 0])
    turn = about_z(node) @ about_x(i) @ about_z(argperi)
    return np.concatenate([about_x(OBLIQUITY) @ turn @ r, about_x(OBLIQUITY) @ turn @ v])


def about_x(angle: float) -> np.ndarray:
    return np.array([[1, 0, 0], [0, np.cos(angle), -np.sin(angle)], [0, np.sin(angle), np.cos(angle)]])


def about_z(angle: float) -> np.ndarray:
    return np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])


def place(conic, anomaly):
    r = conic.p / (1 + conic.e * np.cos(anomaly))
    return r[..., None] * (np.cos(anomaly)[..., None] * conic.perihelion + np.sin(anomaly)[..., None] * conic.ahead)


def distance(conic: Conic, other: Conic, anomalies: np.ndarray) -> float:
    return float(np.linalg.norm(place(conic, anomalies[0]) - place(other, anomalies[1])))


def brute_force(conic, other, count=400):
    """The least distance: a grid over both true anomalies, then Nelder and Mead from its six best cells."""
    limit = np.pi if conic.e < 1 else 0.999 * np.arccos(-1 / conic.e)
    own, theirs = np.linspace(-limit, limit, count), np.linspace(-np.pi, np.pi, count)
    grid = np.linalg.norm(place(conic, own)[:, None] - place(other, theirs), axis=2)
    lowest = grid == np.min([np.roll(grid, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)], axis=0)
    starts = sorted(np.argwhere(lowest).tolist(), key=lambda cell: grid[cell[0], cell[1]])[:6]
    options = {"xatol": 1e-10, "fatol": 1e-13, "maxiter": 2_000}
    return min(
        minimize(lambda x: distance(conic, other, x), (own[i], theirs[j]), method="Nelder-Mead", options=options).fun
        for i, j in starts
    )


@given(
    st.floats(0.05, 5), st.floats(0, 3), st.floats(0, 180), st.floats(0, 360), st.floats(0, 360)
)  # circles to hyperbolas, prograde to retrograde
@settings(max_examples=10, deadline=None)
def test_no_two_points_of_the_orbits_are_nearer(q, e, i, node, argperi):
    state = state_of(q, e, i, node, argperi)
    found = moids(state[None])
    assert found.moid[0] == pytest.approx(brute_force(conic_of(state), EARTH), abs=2e-8)


@given(st.floats(0.3, 1.2), st.floats(0, 0.9), st.floats(0, 0.01), st.floats(0, 360), st.floats(0, 360))
@settings(max_examples=10, deadline=None)
def test_nearly_coplanar_orbits_are_no_trouble(q, e, i, node, argperi):
    state = state_of(q, e, i, node, argperi)
    assert moids(state[None]).moid[0] <= brute_force(conic_of(state), EARTH) + 2e-8


@given(st.floats(0.3, 2), st.floats(0.0, 0.95), st.floats(0, 180), st.floats(0, 360), st.floats(0, 360))
@settings(max_examples=10, deadline=None)
def test_any_ellipse_may_be_the_reference(q, e, i, node, argperi):
    eccentric = conic_of(state_of(0.3, 0.8, 20, 40, 60))
    state = state_of(q, e, i, node, argperi)
    assert moids(state[None], eccentric).moid[0] == pytest.approx(brute_force(conic_of(state), eccentric), abs=2e-8)


@given(st.floats(0.1, 3), st.floats(0, 1.5), st.floats(0, 180), st.floats(0, 360), st.floats(0, 360))
@settings(max_examples=50, deadline=None)
def test_the_two_true_anomalies_and_the_longitude_name_the_place(q, e, i, node, argperi):
    state = state_of(q, e, i, node, argperi)
    found = moids(state[None])
    ours = place(conic_of(state), np.radians(found.true_anomaly_object))[0]
    earths = place(EARTH, np.radians(found.true_anomaly))[0]
    assert np.linalg.norm(ours - earths) == pytest.approx(found.moid[0], abs=1e-12)
    x, y, _ = about_x(-OBLIQUITY) @ earths
    assert np.cos(np.radians(found.ecliptic_longitude[0]) - np.arctan2(y, x)) == pytest.approx(1)


@given(st.floats(-3, 3), st.floats(-3, 3), st.floats(0, 0.95))
@example(0.0, 0.0, 2e-13)
@example(0.0, 6.352737843917703e-10, 6.352737843917703e-10)
@example(0.0, 1e-12, 1e-12)
@settings(max_examples=200, deadline=None)
def test_the_nearest_point_of_an_ellipse_is_the_nearest_of_many(x, y, e):
    p, anomalies = 1 - e * e, np.linspace(-np.pi, np.pi, 100_001)
    r, point = p / (1 + e * np.cos(anomalies)), np.empty(3)
    _nearest(x, y, p, e, point)
    least = np.hypot(x - r * np.cos(anomalies), y - r * np.sin(anomalies)).min()
    # no farther than the best of the many, and nearer by no more than half of what lies between two of them
    assert least - 1e-4 <= np.hypot(x - point[0], y - point[1]) <= least + 1e-8
    assert np.hypot(*point[:2]) == pytest.approx(p / (1 + e * np.cos(np.arctan2(point[1], point[0]))))


@pytest.mark.parametrize("x", [-1.9, -1.2, -0.5, 0.0, 0.01, 0.5, 0.99])
def test_from_the_major_axis_the_nearest_point_may_be_off_it(x):
    point, anomalies = np.empty(3), np.linspace(-np.pi, np.pi, 1_000_001)
    r = 0.75 / (1 + 0.5 * np.cos(anomalies))
    _nearest(x, 0.0, 0.75, 0.5, point)
    least = np.hypot(x - r * np.cos(anomalies), r * np.sin(anomalies)).min()
    assert np.hypot(x - point[0], point[1]) == pytest.approx(least, abs=1e-10)


def test_concentric_circles_in_one_plane_are_everywhere_equally_far():
    circle = Conic(1.0, 0.0, EARTH.perihelion, EARTH.ahead, EARTH.pole)
    outside = np.concatenate([1.5 * EARTH.perihelion, np.sqrt(GM_SUN / 1.5) * EARTH.ahead])
    assert moids(outside[None], circle).moid[0] == pytest.approx(0.5, abs=1e-12)


def test_the_reference_itself_is_at_no_distance_from_itself():
    state = np.concatenate(
        [EARTH.p / (1 + EARTH.e) * EARTH.perihelion, np.sqrt(GM_SUN / EARTH.p) * (1 + EARTH.e) * EARTH.ahead]
    )
    found = moids(state[None])
    assert found.moid[0] < 1e-12
    assert found.delta_v[0] < 1e-8


def test_perpendicular_orbits_cross_at_the_speed_of_the_right_angle():
    """A circle of 1 au over the poles against a circle of 1 au: √2 × 29.78 km/s."""
    circle = Conic(1.0, 0.0, EARTH.perihelion, EARTH.ahead, EARTH.pole)
    upright = np.concatenate([EARTH.perihelion, np.sqrt(GM_SUN) * EARTH.pole])
    found = moids(upright[None], circle)
    assert found.moid[0] < 1e-12
    assert found.delta_v[0] == pytest.approx(np.sqrt(2 * GM_SUN) * AU_KM / 86_400)


def test_a_retrograde_twin_of_the_earth_meets_it_at_twice_its_speed():
    state = np.concatenate(
        [EARTH.p / (1 + EARTH.e) * EARTH.perihelion, -np.sqrt(GM_SUN / EARTH.p) * (1 + EARTH.e) * EARTH.ahead]
    )
    assert moids(state[None]).delta_v[0] == pytest.approx(2 * 29.8, abs=1.1)


def test_what_is_no_orbit_has_no_moid_and_spoils_no_other():
    good = state_of(1.1, 0.2, 5, 10, 20)
    states = np.stack([good, np.full(6, np.nan), np.r_[1.0, 0, 0, 0.01, 0, 0], np.zeros(6), good])
    found = moids(states)
    assert np.isnan(found.moid).tolist() == [False, True, True, True, False]
    assert np.isnan(found.ecliptic_longitude).tolist() == [False, True, True, True, False]
    assert found.moid[0] == found.moid[4]


def test_no_objects_give_no_moids():
    assert moids(np.empty((0, 6))).moid.shape == (0,)


def test_an_open_reference_is_refused_in_a_sentence():
    with pytest.raises(ValueError, match="an ellipse"):
        moids(np.ones((1, 6)), conic_of(state_of(1, 1.2, 0, 0, 0)))
    with pytest.raises(ValueError, match="not parallel"):
        conic_of(np.array([1.0, 0, 0, 1, 0, 0]))


def test_the_earths_orbit_is_the_earths():
    assert EARTH.p / (1 + EARTH.e) == pytest.approx(0.98329, abs=1e-4)
    assert np.dot(EARTH.pole, [0, -np.sin(OBLIQUITY), np.cos(OBLIQUITY)]) == pytest.approx(1, abs=1e-10)
    assert earths_orbit(60_000).e < EARTH.e


@given(st.floats(0.2, 3), st.floats(0, 1.5), st.floats(0, 180), st.floats(0, 360), st.floats(-2, 2), st.floats(-2, 2))
@settings(max_examples=50, deadline=None)
def test_where_the_object_is_on_its_orbit_does_not_matter(q, e, i, node, one, other):
    found = moids(np.stack([state_of(q, e, i, node, 75.0, anomaly) for anomaly in (one, other)]))
    assert found.moid[0] == pytest.approx(found.moid[1], abs=1e-9)


def test_sizes_and_distances_scale_together():
    """Both orbits twice as large: twice the distance, speeds smaller by √2."""
    state = state_of(1.2, 0.4, 12, 40, 60)
    twice = Conic(2 * EARTH.p, EARTH.e, EARTH.perihelion, EARTH.ahead, EARTH.pole)
    one, two = moids(state[None]), moids((state * np.r_[[2.0] * 3, [2**-0.5] * 3])[None], twice)
    assert two.moid == pytest.approx(2 * one.moid)
    assert two.delta_v == pytest.approx(one.delta_v / np.sqrt(2))
    assert two.true_anomaly == pytest.approx(one.true_anomaly)
