"""Uncertainty carried along: the transition matrix, its algebra, and clouds of drawn orbits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science import ephemeris, propagation
from mops.science.constants import ARCSEC
from mops.science.propagation import propagate_nbody, with_covariance
from mops.science.time_scales import tdb_from_tai
from tests.mops.orbit_oracles import EPOCH, conics, orbit, slopes

SPREAD = np.repeat([1e-8, 1e-10], 3)
TWIST = np.kron([[0, 1], [-1, 0]], np.eye(3))


def transition(state, span) -> np.ndarray:
    return np.asarray(propagation._propagated(state, EPOCH, EPOCH + span, with_partials=True)[1][0])


def covariance(seed=1) -> np.ndarray:
    mixed = np.random.default_rng(seed).normal(size=(6, 6)) * SPREAD[:, None]
    return np.asarray(mixed @ mixed.T)


@given(conics, st.floats(-60, 60))
@settings(max_examples=25, deadline=None)
def test_the_matrix_is_that_of_differences(state, span):
    step = np.repeat([1e-6, 1e-8], 3)
    expected = slopes(lambda start: propagate_nbody(start, EPOCH, EPOCH + span)[0], state, step)
    size = np.outer(1 / np.repeat([1, 0.01], 3), np.repeat([1, 0.01], 3))  # velocities count a hundredth
    assert transition(state, span) * size == pytest.approx(
        expected * size, rel=2e-4, abs=2e-5 * np.abs(expected * size).max()
    )


@given(conics, st.floats(-300, 300))
@settings(max_examples=60, deadline=None)
def test_the_matrix_keeps_volumes_as_liouville_has_it(state, span):
    found = transition(state, span)
    size = np.repeat([1.0, 0.01], 3)
    scaled = found * np.outer(1 / size, size)
    if np.isfinite(found).all() and np.linalg.cond(scaled) < 1e5:
        assert np.linalg.det(scaled) == pytest.approx(1, abs=1e-5)
        assert scaled.T @ TWIST @ scaled == pytest.approx(TWIST, abs=1e-8 * np.abs(scaled).max() ** 2)


def test_matrices_of_two_ways_multiply():
    state = orbit(q=1.2, e=0.3)
    halfway = propagate_nbody(state, EPOCH, EPOCH + 40)[0]
    rest = propagation._propagated(halfway, EPOCH + 40, EPOCH + 90, with_partials=True)[1][0]
    assert rest @ transition(state, 40.0) == pytest.approx(transition(state, 90.0), rel=1e-6, abs=1e-7)


def test_no_time_changes_no_covariance():
    moved, carried = with_covariance(orbit(), covariance()[None], EPOCH, EPOCH)
    assert moved[0].tolist() == orbit().tolist()
    assert carried[0] == pytest.approx(covariance(), rel=1e-12)


@given(st.integers(0, 2**32 - 1), st.floats(-200, 200))
@settings(max_examples=40, deadline=None)
def test_a_covariance_stays_one(seed, span):
    carried = with_covariance(orbit(q=1.5, e=0.2), covariance(seed)[None], EPOCH, EPOCH + span)[1][0]
    scale = np.sqrt(np.diag(carried))
    shape = carried / np.outer(scale, scale)
    assert shape == pytest.approx(shape.T, abs=1e-10)
    assert np.linalg.eigvalsh(shape).min() > -1e-10


@pytest.mark.parametrize("span", [30.0, -200.0, 1_000.0])
def test_a_covariance_comes_back(span):
    there, carried = with_covariance(orbit(q=1.5, e=0.2), covariance()[None], EPOCH, EPOCH + span)
    _, again = with_covariance(there, carried, EPOCH + span, EPOCH)
    scale = np.sqrt(np.diag(covariance()))
    assert again[0] / np.outer(scale, scale) == pytest.approx(covariance() / np.outer(scale, scale), abs=1e-4)


def test_a_cloud_of_drawn_orbits_spreads_as_said():
    state = orbit(q=1.5, e=0.2)
    moved, carried = with_covariance(state, covariance()[None], EPOCH, EPOCH + 150)
    drawn = np.random.default_rng(2).multivariate_normal(np.zeros(6), covariance(), 1_500, method="eigh")
    cloud = propagate_nbody(state + drawn, EPOCH, EPOCH + 150) - moved
    distance = np.einsum("ki,ij,kj->k", cloud, np.linalg.inv(carried[0]), cloud)
    assert distance.mean() == pytest.approx(6, abs=0.4)  # chi² of six degrees; its mean of 1,500 is good to 0.09
    assert (distance < 12.59).mean() == pytest.approx(0.95, abs=0.03)


def test_bodies_keep_their_own_covariances():
    states = np.array([orbit(), [np.nan] * 6, orbit(q=1.1, i=120.0)])
    spreads = np.array([covariance(1), covariance(2), covariance(3)])
    moved, carried = with_covariance(states, spreads, EPOCH, EPOCH + 20)
    assert np.isnan(moved[1]).all()
    assert np.isnan(carried[1]).all()
    for k in (0, 2):
        alone = with_covariance(states[k], spreads[[k]], EPOCH, EPOCH + 20)
        assert (moved[k] == alone[0][0]).all()
        assert carried[k] == pytest.approx(alone[1][0], rel=1e-12)


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 100))
@settings(max_examples=20, deadline=None)
def test_twice_the_sigma_is_four_times_the_covariance(seed, factor):
    one = with_covariance(orbit(), covariance(seed)[None], EPOCH, EPOCH + 50)[1]
    grown = with_covariance(orbit(), factor**2 * covariance(seed)[None], EPOCH, EPOCH + 50)[1]
    assert grown == pytest.approx(factor**2 * one, rel=1e-9)


@pytest.mark.parametrize("span", [0.0, 25.0, -25.0])
def test_a_covariance_on_the_sky_is_that_of_the_places_slopes(span):
    state, tai = orbit(q=1.8, e=0.1), np.array([EPOCH + span])
    observer = ephemeris.earth(tdb_from_tai(tai))[0]
    seen = propagation.places(state, EPOCH, tai, observer, covariances=covariance()[None])

    def on_the_sky(start):
        place = propagation.places(start, EPOCH, tai, observer)
        return np.array([place.ra[0, 0] * np.cos(np.radians(seen.dec[0, 0])), place.dec[0, 0]]) * np.radians(1) / ARCSEC

    slope = slopes(on_the_sky, state, np.repeat([1e-6, 1e-8], 3))
    expected = slope @ covariance() @ slope.T
    assert seen.covariance[0, 0] == pytest.approx(expected, rel=2e-3, abs=1e-3 * expected.max())


def test_without_covariances_there_are_none_on_the_sky():
    tai = np.array([EPOCH, EPOCH + 1])
    seen = propagation.places(orbit(), EPOCH, tai, ephemeris.earth(tdb_from_tai(tai))[0])
    assert seen.covariance.shape == (1, 2, 0, 0)
