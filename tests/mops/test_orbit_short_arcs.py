"""Short arcs: what they leave open must not keep their fit from ending."""

import numpy as np
import pytest

from mops.science.ephemeris import earth
from mops.science.orbit_fit import Arcs, FitConfig, fit
from mops.science.orbit_status import Status
from mops.science.time_scales import tdb_from_tai
from mops.synthetic.detections import simulate
from mops.synthetic.opposition import gathered
from mops.synthetic.population import make_population
from mops.synthetic.survey import small_survey


@pytest.fixture(scope="module")
def sky():
    """Arcs of six nightly pairs with errors of 10 mas and more, and their true states at the middle."""
    pointings = small_survey(20261110, 6, every=1)
    epoch = float(tdb_from_tai(float(pointings.mjd_tai.mean())))
    population = gathered(make_population(400, 1, epoch_mjd_tdb=epoch, fainter=-1.0), epoch, 12.0, 1)
    detections, truth = simulate(population, pointings, seed=1, planets=True)
    objects, counts = np.unique(truth[truth >= 0], return_counts=True)
    objects = objects[counts >= 8]
    lists = [np.flatnonzero(truth == each) for each in objects]
    first = np.cumsum([0, *map(len, lists)])
    return Arcs.of(detections, first, np.concatenate(lists)), population.state[objects], np.full(len(objects), epoch)


def test_a_true_seed_is_done_in_a_few_steps(sky):
    arcs, states, epochs = sky
    orbits = fit(arcs, states, epochs)
    assert len(arcs) >= 20
    assert set(orbits.status) == {Status.OK}
    assert orbits.iterations.mean() < 3
    assert 0.6 < np.median(orbits.chi2 / orbits.degrees_of_freedom) < 1.4


@pytest.mark.parametrize("spread", [0.02, 0.1, 0.3])
def test_a_seed_at_a_wrong_distance_ends_at_the_same_orbit(sky, spread):
    arcs, states, epochs = sky
    place, velocity = earth(epochs)
    scale = np.exp(np.random.default_rng(3).normal(0, spread, len(states)))[:, None]
    seeds = np.concatenate([place + (states[:, :3] - place) * scale, velocity + (states[:, 3:] - velocity) * scale], 1)
    best, orbits = fit(arcs, states, epochs), fit(arcs, seeds, epochs)
    assert set(orbits.status) == {Status.OK}
    np.testing.assert_allclose(orbits.chi2, best.chi2, atol=0.02)
    assert orbits.iterations.max() < 12


def test_a_stricter_end_changes_nothing_that_matters(sky):
    arcs, states, epochs = sky
    usual, strict = fit(arcs, states, epochs), fit(arcs, states, epochs, FitConfig(tolerance=1e-6, iterations=60))
    assert set(strict.status) == {Status.OK}
    sigma = np.sqrt(np.diagonal(usual.covariance, axis1=1, axis2=2))
    assert np.abs((strict.state - usual.state) / sigma).max() < 0.05


def test_one_night_more_improves_an_orbit_from_where_it_was(sky):
    arcs, states, epochs = sky
    last = np.floor(arcs.mjd_tdb).max()
    kept = np.floor(arcs.mjd_tdb) < last
    first = np.concatenate([[0], np.cumsum(kept)])[arcs.first]
    flat = ("mjd_tdb", "ra", "dec", "sigma_ra", "sigma_dec", "observer")
    before = fit(Arcs(first, *(getattr(arcs, name)[kept] for name in flat)), states, epochs)
    after = fit(arcs, before.state, before.epoch_mjd_tdb)
    assert set(before.status) == set(after.status) == {Status.OK}
    sigmas = [np.sqrt(np.diagonal(orbits.covariance, axis1=1, axis2=2)) for orbits in (before, after)]
    assert np.median(sigmas[1] / sigmas[0]) < 0.8
