"""The pull on a body against NumPy with DE440, and what any such pull must obey."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science import ephemeris, forces, perturbers
from mops.science.constants import C_AU_PER_DAY, GM_PLANETS, GM_SUN
from tests.mops.orbit_oracles import EPOCH, acceleration, conics, orbit, row_of, slopes

NO_PLANETS = np.full(perturbers.COLUMNS, 1e9)


def attraction(place, row, given_too=None) -> np.ndarray:
    found = np.full(3, np.nan)
    forces.attraction(place, row, np.zeros(3) if given_too is None else given_too, found)
    return found


def relativity(state) -> np.ndarray:
    found = np.full(3, np.nan)
    forces.relativity(state, found)
    return found


def gradient(place, row) -> np.ndarray:
    found = np.full(6, np.nan)
    forces.gradient(place, row, found)
    return found[[0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(3, 3)


@given(conics, st.floats(EPOCH, EPOCH + 60))
@settings(max_examples=60, deadline=None)
def test_all_forces_together_are_those_of_numpy(state, date):
    row = row_of(date)
    given_too = row[-3:] + relativity(state)
    expected = acceleration(state[:3], state[3:], date)
    assert attraction(state[:3], row, given_too) == pytest.approx(
        expected, rel=1e-7, abs=1e-11 * np.abs(expected).max()
    )


def test_without_planets_the_sun_pulls_by_the_square_of_the_distance():
    near, far = attraction(np.array([1.0, 0, 0]), NO_PLANETS), attraction(np.array([3.0, 0, 0]), NO_PLANETS)
    assert near == pytest.approx([-GM_SUN, 0, 0], rel=1e-12)
    assert far == pytest.approx([-GM_SUN / 9, 0, 0], rel=1e-12)


@given(conics)
@settings(max_examples=50, deadline=None)
def test_what_is_given_is_added(state):
    extra = np.array([1e-5, -2e-5, 3e-5])
    row = row_of(EPOCH)
    more = attraction(state[:3], row, extra) - attraction(state[:3], row)
    assert more == pytest.approx(extra, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("name", list(GM_PLANETS))
def test_near_a_planet_that_planet_alone_counts(name):
    row = row_of(EPOCH)
    planet = ephemeris.body(name, EPOCH)[0][0]
    away = np.array([2e-5, -1e-5, 1e-5])  # 3,700 km
    expected = -GM_PLANETS[name] * away / np.linalg.norm(away) ** 3
    found = attraction(planet + away, row) - attraction(planet - away, row)  # the common pull of the others cancels
    assert found == pytest.approx(2 * expected, rel=1e-3)


@given(conics)
@settings(max_examples=60, deadline=None)
def test_the_gradient_is_traceless_as_laplace_has_it(state):
    matrix = gradient(state[:3], row_of(EPOCH))
    assert np.trace(matrix) == pytest.approx(0, abs=1e-12 * np.abs(matrix).max())


@given(conics)
@settings(max_examples=60, deadline=None)
def test_the_gradient_is_that_of_differences(state):
    row = row_of(EPOCH)
    expected = slopes(lambda place: attraction(place, row), state[:3], np.full(3, 1e-4))
    assert gradient(state[:3], row) == pytest.approx(expected, rel=1e-3, abs=1e-4 * np.abs(expected).max())


def test_the_gradient_of_a_point_mass_stretches_twice_as_it_squeezes():
    found = gradient(np.array([2.0, 0, 0]), NO_PLANETS)
    assert found == pytest.approx(np.diag([2.0, -1.0, -1.0]) * GM_SUN / 8, rel=1e-12, abs=1e-25)


@given(conics)
@settings(max_examples=60, deadline=None)
def test_relativity_is_the_first_line_of_the_conventions(state):
    r, v = state[:3], state[3:]
    size = np.linalg.norm(r)
    expected = (4 * GM_SUN / size - v @ v) * r + 4 * (r @ v) * v
    expected *= GM_SUN / (C_AU_PER_DAY**2 * size**3)
    assert relativity(state) == pytest.approx(expected, rel=1e-10, abs=1e-12 * np.abs(expected).max())


@given(conics)
@settings(max_examples=40, deadline=None)
def test_relativity_is_a_force_in_the_orbits_plane_that_time_reversal_leaves(state):
    found = relativity(state)
    pole = np.cross(state[:3], state[3:])
    assert found @ pole == pytest.approx(0, abs=1e-12 * float(np.linalg.norm(found) * np.linalg.norm(pole)))
    assert relativity(state * np.repeat([1, -1], 3)) == pytest.approx(found, rel=1e-14)


def test_at_rest_relativity_pushes_out():
    found = relativity(np.array([0.5, 0, 0, 0, 0, 0]))
    assert found == pytest.approx([4 * GM_SUN**2 / (C_AU_PER_DAY**2 * 0.5**3), 0, 0], rel=1e-12)


@given(conics)
@settings(max_examples=30, deadline=None)
def test_a_size_is_the_length_of_the_place(state):
    assert forces.size(state) == pytest.approx(np.linalg.norm(state[:3]), rel=1e-15)


def test_at_the_sun_or_nowhere_there_is_no_finite_pull():
    assert not np.isfinite(attraction(np.zeros(3), row_of(EPOCH))).all()
    assert np.isnan(attraction(np.array([np.nan, 1.0, 1.0]), row_of(EPOCH))).all()
    assert np.isnan(relativity(np.array([1.0, 0, 0, np.nan, 0, 0]))).any()
    assert not np.isfinite(gradient(np.zeros(3), row_of(EPOCH))).any()


def test_jupiter_moves_a_trojan_less_than_the_sun_by_its_mass():
    row, place = row_of(EPOCH), orbit(q=5.2, e=0.0)[:3]
    planets = attraction(place, row) - attraction(place, NO_PLANETS)
    assert 1e-6 < np.linalg.norm(planets) / np.linalg.norm(attraction(place, NO_PLANETS)) < 1e-1
