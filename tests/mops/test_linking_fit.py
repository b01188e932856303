"""The quick two-body fit: exact residuals, honest χ², and the truth from a wrong distance."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mops.science.kepler import propagate_one
from mops.science.linking import selection, two_body_fit
from mops.science.linking.link import LinkConfig, frame_of
from tests.mops import moving

EARTH = frame_of(moving.EPOCH, LinkConfig()).earth


def arc(orbit, *, sigma=0.05, nights=moving.NIGHTS, seed=1):
    sky, _ = moving.seen(orbit, moving.times(nights), sigma=sigma, seed=seed)
    return two_body_fit.places(sky, np.arange(len(sky)), moving.EPOCH)


def fitted(rows, start):
    orbit, own = start.copy(), two_body_fit.work(EARTH, len(rows))
    return two_body_fit.fit(rows, np.arange(len(rows)), orbit, own), orbit, own


@pytest.mark.parametrize("factor", [0.6, 0.8, 1.0, 1.25, 1.7])
@pytest.mark.parametrize("seed", range(4))
def test_the_orbit_is_found_from_a_wrong_distance(factor, seed):
    truth = moving.belt(1, seed)[0]
    start = EARTH + factor * (truth - EARTH)
    chi2, orbit, _ = fitted(arc(truth[None]), start)
    assert chi2 < selection.chi2_limit(10.0, 4.0)
    assert np.linalg.norm(orbit[:3] - truth[:3]) < 0.05


def test_without_noise_nothing_is_left():
    truth = moving.belt(1, 5)[0]
    chi2, orbit, own = fitted(arc(truth[None], sigma=1e-6), truth)
    assert chi2 < 1e-3 and own.chi2[:8].max() < 1e-3
    assert orbit == pytest.approx(truth, abs=1e-5)


def test_chi2_of_good_arcs_follows_its_distribution():
    orbits = moving.belt(200, 7)
    values = [fitted(arc(orbit[None], seed=k), orbit)[0] for k, orbit in enumerate(orbits)]
    scale = 0.05**2 / (0.05**2 + two_body_fit.MODEL_ARCSEC**2)
    assert np.mean(values) == pytest.approx(10 * scale, rel=0.12)
    assert stats.kstest(values, stats.chi2(10, scale=scale).cdf).pvalue > 1e-3


def test_places_at_the_middle_and_at_the_reference_are_one_orbit():
    truth = moving.belt(1, 3)[0]
    _, orbit, own = fitted(arc(truth[None], nights=(2.0, 4.0, 6.0)), truth)
    assert own.middle[0] == pytest.approx(4.01, abs=0.01)
    moved = np.empty(6)
    propagate_one(own.here, -own.middle[0], moved)
    assert moved == pytest.approx(orbit, abs=1e-12)


@given(st.integers(0, 1000), st.floats(-7, 7))
@settings(max_examples=40, deadline=None)
def test_partial_derivatives_are_those_of_differences(seed, days):
    truth = moving.belt(1, seed)[0]
    row = arc(truth[None], nights=(days,))[0]
    own = two_body_fit.work(EARTH, 2)
    own.middle[0], own.earth[:] = 0.0, EARTH
    two_body_fit.set_basis(truth, own)
    moved, seen, partial, off = np.empty(6), np.empty(3), np.empty((2, 6)), np.empty((2, 2))
    distance = two_body_fit.see(truth, 0.0, row, moved, seen)
    two_body_fit.partials(row, truth, moved, distance, own, partial)
    for m, step in enumerate([1e-5, 1e-5, 1e-6, 1e-6, 1e-3, 1e-4]):
        for side in range(2):
            near = truth + (1 - 2 * side) * step * own.basis[m]
            two_body_fit.see(near, 0.0, row, moved, seen)
            two_body_fit.residuals(row, seen, off[side])
        by_difference = (off[1] - off[0]) / (2 * step)
        size = np.abs(own.basis[m]).max() * max(1.0, abs(days)) / distance
        assert partial[:, m] == pytest.approx(by_difference, abs=3e-3 * size)


@pytest.mark.parametrize("freedom", [2, 6, 10, 50])
@pytest.mark.parametrize("sigmas", [2.0, 3.0, 4.75])
def test_the_limit_of_chi2_is_as_rare_as_it_says(freedom, sigmas):
    exact = stats.chi2.isf(stats.norm.sf(sigmas), freedom)
    assert selection.chi2_limit(float(freedom), sigmas) == pytest.approx(exact, rel=0.1)


def test_a_place_on_the_other_side_of_the_sky_is_far_from_any_orbit():
    truth = moving.belt(1, 3)[0]
    row = arc(truth[None])[0]
    off = np.empty(2)
    two_body_fit.residuals(row, -row[1:4], off)
    assert off.tolist() == [1.0, 1.0]


def test_a_matrix_that_is_not_positive_has_no_factor():
    normal, factor = np.eye(6), np.zeros((6, 6))
    assert two_body_fit.factorise(normal, 0.0, factor)
    normal[3, 3] = -1.0
    assert not two_body_fit.factorise(normal, 0.0, factor)


@given(st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_the_factor_is_choleskys(seed):
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(6, 6))
    normal, factor, out = root @ root.T + np.eye(6), np.zeros((6, 6)), np.empty(6)
    assert two_body_fit.factorise(normal, 0.0, factor)
    assert np.tril(factor) == pytest.approx(np.linalg.cholesky(normal))
    right = rng.normal(size=6)
    two_body_fit.substitute(factor, right, out)
    assert np.tril(factor) @ out == pytest.approx(right)


@pytest.mark.parametrize(("speed", "possible"), [(0.9, True), (1.25, True), (1.35, False)])
def test_an_orbit_much_faster_than_escape_is_none(speed, possible):
    orbit = np.array([2.0, 0, 0, 0, speed * np.sqrt(2 * 2.9591220828e-4 / 2.0), 0])
    assert selection.physical(orbit, selection.Limits(3, 3, 4.75, 1.3)) == possible


def test_an_orbit_in_the_sun_is_none():
    assert not selection.physical(np.array([0.04, 0, 0, 0, 0.05, 0]), selection.Limits(3, 3, 4.75, 1.3))
