"""Objects in one night: their places against the slow way, their errors against clouds, the index against a search."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science import apparent, known, observers, time_scales
from mops.science.known import carried, in_the_night, index, lines_of_sight, sky_covariance
from tests.mops.known_night import EPOCH, FIRST_MJD, covariances, orbits


def night_of(states: np.ndarray, covariance: np.ndarray | None = None, hours: float = 8) -> known.NightStates:
    return in_the_night(states, np.full(len(states), EPOCH), covariance, np.array([FIRST_MJD, FIRST_MJD + hours / 24]))


def test_lines_of_sight_are_those_of_the_orbit_carried_all_the_way():
    states = orbits(50)
    night, times = night_of(states), np.linspace(FIRST_MJD, FIRST_MJD + 1 / 3, 50)
    observer, velocity = observers.heliocentric("X05", times)
    tdb = time_scales.tdb_from_tai(times)
    there = np.concatenate([carried(states[k : k + 1], EPOCH, None, tdb[k])[0] for k in range(50)])
    expected = apparent.see(there, times, observer, velocity).line
    found = lines_of_sight(night, np.arange(50), tdb, observer)
    assert found == pytest.approx(expected, abs=2e-9)  # planets pull for four hours: 0.2 mas


@given(st.integers(0, 2**32 - 1), st.floats(-60, 60))
@settings(max_examples=8, deadline=None)
def test_a_carried_covariance_is_that_of_a_carried_cloud(seed, days):
    states = orbits(1, seed)
    covariance = covariances(1, 1e-7, 1e-9)
    _, found = carried(states, EPOCH, covariance, EPOCH + days)
    cloud = np.random.default_rng(seed).multivariate_normal(states[0], covariance[0], 5_000)
    spread = np.cov(carried(cloud, EPOCH, None, EPOCH + days)[0].T)
    assert np.sqrt(np.diag(found[0])) == pytest.approx(np.sqrt(np.diag(spread)), rel=0.06)


def test_the_errors_of_a_place_are_the_spread_of_a_clouds_places():
    states, covariance = orbits(1, 3), covariances(1, 3e-7, 4e-8)
    times = np.full(20_000, FIRST_MJD + 0.3)
    tdb, (observer, _) = time_scales.tdb_from_tai(times), observers.heliocentric("X05", times)
    night = night_of(states, covariance)
    line = lines_of_sight(night, np.zeros(1, np.int64), tdb[:1], observer[:1])
    cloud = np.random.default_rng(1).multivariate_normal(states[0], covariance[0], 20_000)
    places = apparent.place_of(lines_of_sight(night_of(cloud), np.arange(20_000), tdb, observer))
    east, north = apparent.offsets_arcsec(*places, np.repeat(line, 20_000, axis=0))
    ee, en, nn = sky_covariance(night, np.zeros(1, np.int64), tdb[:1], line)[0]
    spread = np.cov(east, north)
    assert [ee, en, nn] == pytest.approx([spread[0, 0], spread[0, 1], spread[1, 1]], rel=0.05, abs=0.02 * ee)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 4), st.floats(0, 9))
@settings(max_examples=20, deadline=None)
def test_the_index_misses_no_object_that_comes_near(seed, radius_deg, hours):
    random = np.random.default_rng(seed)
    states = orbits(300, seed)
    states[:30] *= np.r_[[0.55] * 3, [1.35] * 3]  # some much nearer and faster
    night = night_of(states, hours=9)
    time = np.full(300, FIRST_MJD + hours / 24)
    observer, _ = observers.heliocentric("X05", time)
    line = lines_of_sight(night, np.arange(300), time_scales.tdb_from_tai(time), observer)
    towards = line / np.linalg.norm(line, axis=1)[:, None]
    centre = towards[random.integers(300)]
    inside = np.flatnonzero(towards @ centre > np.cos(np.radians(radius_deg)))
    assert set(inside) <= set(index(night).near(centre, np.radians(radius_deg)))
    assert np.all(np.arccos(np.clip(np.sum(night.direction * towards, axis=1), -1, 1)) <= night.reach)


def test_an_object_beside_the_earth_may_be_anywhere_and_is_always_looked_for():
    there = np.array([FIRST_MJD, FIRST_MJD + 0.3])
    observer, velocity = observers.heliocentric("X05", there[:1])
    state = np.concatenate([observer + np.array([0.004, 0.01, 0.0]), velocity], axis=1)
    night = in_the_night(state, time_scales.tdb_from_tai(there[:1]), None, there)
    assert night.reach[0] == np.pi
    assert index(night).near(np.array([0.0, 0.0, 1.0]), 0.001).tolist() == [0]


def test_objects_that_are_no_numbers_are_nowhere():
    states = orbits(3)
    states[1] = np.nan
    night = night_of(states)
    assert index(night).near(np.array([1.0, 0, 0]), np.pi).tolist() == [0, 2]


def test_a_covariance_that_is_no_number_counts_as_none():
    covariance = covariances(3)
    covariance[1, 0, 0] = np.nan
    night = night_of(orbits(3), covariance)
    assert (night.covariance[1] == 0).all()
    assert night.covariance[2, 0, 0] > 0


@pytest.mark.parametrize(
    ("times", "said"),
    [([], "there are 0"), ([60_000.0, 60_005.0], "span 5.0 days"), ([60_000.0, np.nan], "there are 2")],
)
def test_times_that_are_not_one_nights_are_refused_in_a_sentence(times, said):
    with pytest.raises(ValueError, match=said):
        in_the_night(orbits(1), np.array([EPOCH]), None, np.array(times))


def test_at_the_pole_errors_keep_their_size():
    covariance = covariances(1)[0]
    for line in (np.array([0, 0, 2.0]), np.array([0, 0, -2.0]), np.array([1e-12, 0, 2.0])):
        ee, en, nn = known.project(covariance, 0.0, line)
        assert [ee, nn] == pytest.approx([(1e-8 / 2 * 206_264.806) ** 2] * 2)
        assert en == pytest.approx(0, abs=1e-12)
