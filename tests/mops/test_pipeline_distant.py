"""Distant objects of short arcs: supposed to be bound where nothing else can be known, and only they."""

import numpy as np
import pytest

from mops.pipeline.distant import FROM_AU, supposed_bound
from mops.science import observers
from mops.science.detections import Detections
from mops.science.elements import Elements, states_from_elements
from mops.science.orbit_fit import Arcs, fit
from mops.science.orbit_status import Status
from mops.science.propagation import places

EPOCH = 61_360.0
NIGHTS = np.array([0.0, 3.0, 7.0, 11.0, 14.0])


def arcs_of(distances, seed=1):
    """Arcs of five nightly pairs of nearly circular orbits at some distances, au, with 0.05″ errors."""
    random = np.random.default_rng(seed)
    times = EPOCH - 7 + np.sort(np.concatenate([NIGHTS, NIGHTS + 0.02]))
    observer, velocity = observers.heliocentric("X05", times)
    a = np.asarray(distances, float)
    anomaly = random.uniform(0, 360, len(a))
    elements = Elements.of_mean_anomaly(
        a=a, e=np.full(len(a), 0.05), i=np.full(len(a), 8.0), node=anomaly, argperi=anomaly, mean_anomaly=anomaly,
        epoch_mjd_tdb=EPOCH,
    )  # fmt: skip
    states = states_from_elements(elements, EPOCH)
    seen = places(states, EPOCH, times, observer, observer_velocity=velocity)
    count, m = len(a), len(times)
    noise = random.normal(0, 0.05 / 3600, (2, count, m))
    dec = seen.dec + noise[1]
    ra = seen.ra + noise[0] / np.cos(np.radians(dec))
    detections = Detections(
        id=np.arange(1, count * m + 1), mjd_tai=np.tile(times, count), ra=ra.ravel() % 360, dec=dec.ravel(),
        sigma_ra=np.full(count * m, 0.05), sigma_dec=np.full(count * m, 0.05), mag=np.full(count * m, 22.0),
        band=np.zeros(count * m, np.int8), night=np.tile(np.floor(times).astype(np.int32), count),
        visit=np.tile(np.arange(m), count), observer=np.tile(observer, (count, 1)),
    )  # fmt: skip
    first = np.arange(count + 1) * m
    return Arcs.of(detections, first, np.arange(count * m)), states


@pytest.fixture(scope="module")
def distant():
    arcs, states = arcs_of([40.0] * 12)
    return arcs, fit(arcs, states, np.full(len(states), EPOCH))


def test_most_distant_objects_have_an_orbit_where_they_are_supposed_to_be_bound(distant):
    arcs, orbits = distant
    loose = orbits.status == Status.UNCONSTRAINED
    assert loose.sum() >= 4
    again = supposed_bound(arcs, orbits)
    assert (again.status == Status.OK).sum() > (orbits.status == Status.OK).sum()


def test_orbits_that_are_known_stay_exactly_as_they_are(distant):
    arcs, orbits = distant
    again = supposed_bound(arcs, orbits)
    known = orbits.status == Status.OK
    np.testing.assert_array_equal(again.state[known], orbits.state[known])
    flat = np.repeat(known, np.diff(arcs.first))
    np.testing.assert_array_equal(again.residual_ra[flat], orbits.residual_ra[flat])


def test_what_stays_loose_stays_as_it_was(distant):
    arcs, orbits = distant
    again = supposed_bound(arcs, orbits)
    still = again.status != Status.OK
    np.testing.assert_array_equal(again.state[still], orbits.state[still])
    np.testing.assert_array_equal(again.status[still], orbits.status[still])


def test_residuals_belong_to_the_new_orbit(distant):
    arcs, orbits = distant
    again = supposed_bound(arcs, orbits)
    changed = np.flatnonzero((again.status == Status.OK) & (orbits.status != Status.OK))
    assert len(changed)
    for k in changed:
        piece = slice(arcs.first[k], arcs.first[k + 1])
        square = (again.residual_ra[piece] / 0.05) ** 2 + (again.residual_dec[piece] / 0.05) ** 2
        assert square[again.used[piece]].sum() == pytest.approx(again.chi2[k], rel=0.2)


def test_nearer_objects_are_not_supposed_to_be_anything():
    arcs, states = arcs_of([2.5, 3.0, 5.2])
    short = arcs.take(np.arange(3))
    orbits = fit(short, states, np.full(3, EPOCH))
    assert np.linalg.norm(orbits.state[:, :3], axis=1).max() < FROM_AU
    assert supposed_bound(short, orbits) is orbits
