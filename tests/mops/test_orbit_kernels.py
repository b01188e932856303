"""The parts of the orbit fit against NumPy: collocation, forces, the normal equations, damping, and outliers."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench._orbit_arcs import EPOCH, main_belt, observed_arcs
from mops.science import collocation, ephemeris, forces, orbit_solver, perturbers
from mops.science.constants import ARCSEC, C_AU_PER_DAY, GM_PLANETS, GM_SUN
from mops.science.kepler import propagate_one, stumpff
from mops.science.orbit_fit import Arcs, fit, sky_axes
from mops.science.orbit_status import perihelion

RULES = orbit_solver.Rules(30, 1e-3, 14.0, 11.0, 4, 0.67, 0.0)


@given(st.lists(st.floats(-3, 3), min_size=8, max_size=8))
@settings(max_examples=50, deadline=None)
def test_collocation_integrates_what_it_interpolates_exactly(coefficients):
    acceleration = np.polynomial.Polynomial(coefficients)
    at_nodes = acceleration(collocation.NODES)
    place = acceleration.integ(2)
    assert collocation.POSITION_AT_NODES @ at_nodes == pytest.approx(place(collocation.NODES), abs=1e-11)
    assert collocation.POSITION_AT_END @ at_nodes == pytest.approx(place(1.0), abs=1e-11)
    assert collocation.WEIGHTS @ at_nodes == pytest.approx(acceleration.integ()(1.0), abs=1e-11)
    s = 0.37
    powers = s ** np.arange(collocation.COUNT)
    assert s**2 * powers @ collocation.POSITION_POWERS @ at_nodes == pytest.approx(place(s), abs=1e-11)
    assert s * powers @ collocation.VELOCITY_POWERS @ at_nodes == pytest.approx(acceleration.integ()(s), abs=1e-11)


def test_the_end_of_a_step_is_of_order_sixteen():
    acceleration = np.polynomial.Polynomial(np.arange(1.0, 17.0))  # degree 15
    assert collocation.WEIGHTS @ acceleration(collocation.NODES) == pytest.approx(acceleration.integ()(1.0), rel=1e-13)


def test_the_last_term_is_that_of_legendre():
    last = np.polynomial.legendre.Legendre.basis(collocation.COUNT - 1)(2 * collocation.NODES - 1)
    assert collocation.LAST_TERM @ (3.0 * last) == pytest.approx(3.0, rel=1e-12)
    assert abs(collocation.LAST_TERM @ collocation.NODES**3) < 1e-13


@given(st.floats(-30, 30))
@settings(max_examples=100, deadline=None)
def test_stumpffs_functions_are_their_series(z):
    terms = np.cumprod(np.concatenate([[0.5], -z / (np.arange(3, 121, 2) * np.arange(4, 122, 2))]))
    others = np.cumprod(np.concatenate([[1 / 6], -z / (np.arange(4, 122, 2) * np.arange(5, 123, 2))]))
    c2, c3 = stumpff(z)
    assert c2 == pytest.approx(terms.sum(), rel=1e-9, abs=1e-12)
    assert c3 == pytest.approx(others.sum(), rel=1e-9, abs=1e-12)


def row_at(date: float) -> np.ndarray:
    table, row = perturbers.perturbers(date - 1, date + 1), np.zeros(perturbers.COLUMNS)
    perturbers.read(table.first_mjd_tdb, table.coefficients, date, row)
    return row


def pull(place: np.ndarray, date: float) -> np.ndarray:
    total = -GM_SUN * place / np.linalg.norm(place) ** 3
    for name, gm in GM_PLANETS.items():
        away = ephemeris.body(name, date)[0][0] - place
        total += gm * away / np.linalg.norm(away) ** 3
    return np.asarray(total)


places = st.builds(lambda x, y, z: np.array([x, y, z]), st.floats(0.2, 40), st.floats(-5, 5), st.floats(-5, 5))


@given(places, st.floats(EPOCH, EPOCH + 50))
@settings(max_examples=25, deadline=None)
def test_attraction_and_its_gradient_agree_with_numpy(place, date):
    row, found, gradient = row_at(date), np.zeros(3), np.zeros(6)
    forces.attraction(place, row, np.zeros(3), found)
    expected = pull(place, date)
    assert found == pytest.approx(expected, rel=1e-8, abs=1e-12 * np.abs(expected).max())
    forces.gradient(place, row, gradient)
    step = 1e-4 * np.eye(3)
    slope = np.array([(pull(place + d, date) - pull(place - d, date)) / 2e-4 for d in step])
    found_matrix = gradient[[0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(3, 3)
    assert found_matrix == pytest.approx(slope, rel=1e-3, abs=1e-4 * np.abs(slope).max())


def test_relativity_turns_mercurys_perihelion_by_43_arcsec_a_century():
    a, e = 0.387098, 0.205630
    r, v = a * (1 - e), np.sqrt(GM_SUN / a * (1 + e) / (1 - e))
    days = 2 * np.pi * np.sqrt(a**3 / GM_SUN)
    state, acceleration = np.array([r, 0, 0, 0, v, 0]), np.zeros(3)
    turned, steps = 0.0, 20_000
    for _ in range(steps):  # change of the vector to perihelion, along the unperturbed orbit
        forces.relativity(state, acceleration)
        place, motion = state[:3], state[3:]
        change = np.cross(acceleration, np.cross(place, motion)) + np.cross(motion, np.cross(place, acceleration))
        turned += change[1] / GM_SUN / e * days / steps
        moved = np.zeros(6)
        propagate_one(state, days / steps, moved)
        state = moved
    assert turned / ARCSEC * 36_525 / days == pytest.approx(42.98, abs=0.05)
    assert 6 * np.pi * GM_SUN / (C_AU_PER_DAY**2 * a * (1 - e**2)) == pytest.approx(turned, rel=1e-3)


@given(st.integers(0, 2**32 - 1), st.floats(0, 10))
@settings(max_examples=50, deadline=None)
def test_damped_equations_are_solved_as_by_numpy(seed, damping):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(20, 6)) * 10.0 ** rng.integers(-4, 5, 6)
    normal, gradient, change = rows.T @ rows, rng.normal(size=6), np.zeros(6)
    gain = orbit_solver._solve(normal, gradient, damping, change)
    expected = np.linalg.solve(normal + damping * np.diag(np.diag(normal)), gradient)
    assert change == pytest.approx(expected, rel=1e-6, abs=1e-9 * np.abs(expected).max())
    assert gain == pytest.approx(gradient @ expected, rel=1e-6)
    covariance = np.zeros((6, 6))
    assert orbit_solver._invert(normal, covariance)
    scale = np.sqrt(np.diag(normal))
    assert covariance * np.outer(scale, scale) @ (normal / np.outer(scale, scale)) == pytest.approx(np.eye(6), abs=1e-7)


def test_singular_equations_are_said():
    rows = np.ones((20, 6))
    change = np.zeros(6)
    assert orbit_solver._solve(rows.T @ rows, np.ones(6), 0.0, change) == -1.0
    assert orbit_solver._solve(rows.T @ rows, np.ones(6), 0.1, change) > 0
    assert orbit_solver._solve(np.full((6, 6), np.nan), np.ones(6), 0.1, change) == -1.0


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=50, deadline=None)
def test_the_chi2_of_a_residual_counts_the_orbits_covariance(seed):
    rng = np.random.default_rng(seed)
    others, row = rng.normal(size=(30, 6)), rng.normal(size=(2, 6)) / 3
    covariance, residual = np.linalg.inv(others.T @ others + row.T @ row), rng.normal(size=2)
    for used, sign in ((True, -1), (False, 1)):
        spread = np.eye(2) + sign * row @ covariance @ row.T
        found = orbit_solver._residual_chi2(residual, row.ravel(), covariance, used)
        assert found == pytest.approx(residual @ np.linalg.solve(spread, residual), rel=1e-9)


def test_the_supposed_energy_is_an_observation():
    state = np.array([30.0, 5, 1, 0.0003, 0.003, -0.0001])
    normal, gradient = np.zeros((6, 6)), np.zeros(6)

    def miss(x: np.ndarray) -> float:
        return float((1 - x[3:] @ x[3:] * np.linalg.norm(x[:3]) / GM_SUN) / 0.4)

    found = orbit_solver._suppose_bound(state, 0.4, normal, gradient)
    step = np.diag(np.repeat([1e-4, 1e-8], 3))
    slope = -np.array([(miss(state + d) - miss(state - d)) / (2 * d.max()) for d in step])
    assert found == pytest.approx(miss(state) ** 2)
    assert gradient == pytest.approx(slope * miss(state), rel=1e-5)
    assert np.tril(normal) == pytest.approx(np.tril(np.outer(slope, slope)), rel=1e-5)
    assert orbit_solver._suppose_bound(state, 0.0, normal, gradient) == 0.0


def test_a_step_is_shortened_to_half_the_distance_or_speed():
    state, line = np.array([2.0, 0, 0, 0, 0.01, 0]), np.array([1.0, 0, 0])
    change = np.array([5.0, 0, 0, 0, 0.001, 0])
    orbit_solver._shorten(change, state, line)
    assert change == pytest.approx([0.5, 0, 0, 0, 0.0001, 0])
    small = np.array([0.01, 0, 0, 0, 0.001, 0])
    orbit_solver._shorten(small, state, line)
    assert small == pytest.approx([0.01, 0, 0, 0, 0.001, 0])


@given(st.floats(0, 360), st.floats(-90, 90))
@settings(max_examples=50, deadline=None)
def test_axes_on_the_sky_are_right_handed(ra, dec):
    axes = sky_axes(np.array([ra]), np.array([dec]))[0]
    assert axes @ axes.T == pytest.approx(np.eye(3), abs=1e-12)
    assert np.cross(axes[0], axes[1]) == pytest.approx(axes[2], abs=1e-12)
    assert axes[2, 2] == pytest.approx(np.sin(np.radians(dec)), abs=1e-12)


def test_an_arc_may_cross_the_turn_of_right_ascension_or_a_pole():
    rng = np.random.default_rng(1)
    for state in ([2.0, 0.02, 0.1, 0.0, 0.011, 0.002], [0.02, 0.01, 2.5, 0.009, 0.003, 0.0]):
        states = np.array([state])
        arcs = observed_arcs(states, 40, 8, 0.1, rng)
        found = fit(arcs, states * 1.003, np.array([EPOCH]))
        assert found.status[0] == 0
        assert found.rms_arcsec[0] < 0.2
        assert np.abs(found.state - states)[0, :3].max() < 1e-3


def test_arcs_are_taken_with_their_detections():
    arcs = observed_arcs(main_belt(4, np.random.default_rng(2)), 10, 3, 0.1, np.random.default_rng(3))
    uneven = Arcs(
        np.array([0, 6, 6, 20, 24]), arcs.mjd_tdb, arcs.ra, arcs.dec, arcs.sigma_ra, arcs.sigma_dec, arcs.observer
    )
    taken = uneven.take(np.array([2, 1, 0]))
    assert taken.first.tolist() == [0, 14, 14, 20]
    assert taken.ra.tolist() == [*arcs.ra[6:20], *arcs.ra[:6]]
    assert len(uneven.take(np.array([True, False, False, True]))) == 2


def test_perihelia_are_those_of_conics():
    q = 0.7
    speed = [np.sqrt(GM_SUN * (1 + e) / q) for e in (0.0, 0.5, 1.0, 3.0)]
    assert perihelion(np.array([[q, 0, 0, 0, v, 0] for v in speed])) == pytest.approx([q] * 4, rel=1e-7)
