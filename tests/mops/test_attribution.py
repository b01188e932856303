"""Attribution against a search of all pairs, and against the objects the detections were made from."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science import known, observers, time_scales
from mops.science.apparent import axes_at, offsets_arcsec, place_of, see
from mops.science.attribution import AttributionConfig, Attributions, attribute
from mops.science.detections import Detections, joined
from tests.mops import horizons_places
from tests.mops.known_night import EPOCH, FIRST_MJD, covariances, detections, orbits, seen
from tests.real_data import needs_real_data


def attributed(found: Detections, states: np.ndarray, covariance=None, config=None) -> Attributions:
    return attribute(found, states, np.full(len(states), EPOCH), covariance, config)


def beside(found: Detections, east: float, north: float = 0.0) -> Detections:
    """The same detections, moved by arcseconds."""
    ra = found.ra + east / 3_600 / np.cos(np.radians(found.dec))
    return replace(found, id=found.id + 10_000, ra=ra % 360, dec=found.dec + north / 3_600)


def all_pairs(found: Detections, states: np.ndarray, radius: float) -> set[tuple[int, int]]:
    """Every detection with every object within `radius` of it, by the slow way."""
    night = known.in_the_night(states, np.full(len(states), EPOCH), None, found.mjd_tai)
    tdb, pairs = time_scales.tdb_from_tai(found.mjd_tai), set()
    for body in range(len(states)):
        line = known.lines_of_sight(night, np.full(len(found), body), tdb, found.observer)
        near = np.hypot(*offsets_arcsec(found.ra, found.dec, line)) <= radius
        pairs |= {(int(index), body) for index in np.flatnonzero(near)}
    return pairs


def test_every_detection_of_a_known_object_is_attributed_to_it():
    states = orbits(400)
    found, truth = seen(states, sigma=0.05)
    attributions = attributed(found, states, covariances(400))
    assert attributions.won.detection.tolist() == list(range(1_200))
    assert (attributions.won.object == truth).all()
    assert len(attributions.lost) == len(attributions.uncertain) == 0


@given(st.integers(0, 2**32 - 1), st.floats(1, 3_000))
@settings(max_examples=10, deadline=None)
def test_all_pairs_within_the_radius_are_found_and_no_others(seed, radius):
    """With a crowded sky: won and lost together are every pair that a search of all pairs finds."""
    states = orbits(60, seed)
    states[20:40] = states[:20] + np.random.default_rng(seed).normal(0, 1e-3, (20, 6)) * np.r_[[1] * 3, [1e-3] * 3]
    found, _ = seen(states, visits=2, sigma=0.5, seed=seed)
    found = joined([found, beside(found, radius / 2, -radius / 3)])
    config = AttributionConfig(radius_arcsec=radius, sigmas=0, farthest_arcsec=3_500)
    result = attributed(found, states, config=config)
    pairs = set(zip(result.won.detection, result.won.object, strict=True))
    pairs |= set(zip(result.lost.detection, result.lost.object, strict=True))
    assert pairs == all_pairs(found, states, radius)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_each_detection_has_one_object_and_each_object_one_detection_a_visit(seed):
    states = orbits(40, seed)
    states[1::2] = states[::2] * (1 + 3e-6 * np.random.default_rng(seed).normal(0, 1, (20, 1)))
    found, _ = seen(states, sigma=0.3, seed=seed)
    result = attributed(found, states, config=AttributionConfig(radius_arcsec=20))
    assert len(np.unique(result.won.detection)) == len(result.won)
    assert len(np.unique(np.stack([result.won.object, found.visit[result.won.detection]]), axis=1).T) == len(result.won)
    pairs = np.stack([np.r_[result.won.detection, result.lost.detection], np.r_[result.won.object, result.lost.object]])
    assert len(np.unique(pairs, axis=1).T) == pairs.shape[1]
    assert len(result.lost) > 0


def test_who_loses_a_detection_is_told_who_has_it():
    states = np.repeat(orbits(1), 2, axis=0)
    states[1, :3] *= 1 + 2e-6
    found, truth = seen(states, visits=1)
    only_first = found.take(truth == 0)
    result = attributed(only_first, states, config=AttributionConfig(radius_arcsec=3))
    assert (result.won.object.tolist(), result.lost.object.tolist()) == ([0], [1])
    assert result.winner_object.tolist() == [0]
    assert 0 < result.lost.separation[0] < 3


def test_of_two_detections_near_an_object_the_nearer_is_it_and_the_other_stays_free():
    states = orbits(1)
    found, _ = seen(states, visits=1)
    both = joined([beside(found, 0.6), beside(found, 0.0, 0.1)])
    result = attributed(both, states)
    assert (result.won.detection.tolist(), result.lost.detection.tolist()) == ([1], [0])
    assert result.winner_object.tolist() == [-1]
    assert (result.won.rank.tolist(), result.lost.rank.tolist()) == ([1], [2])
    assert result.lost.offset_ra == pytest.approx([0.6], abs=1e-4)


def test_an_uncertain_orbit_matches_farther_and_a_certain_one_not():
    states, far = orbits(1), 8.0
    found = beside(seen(states, visits=1)[0], far)
    uncertain = covariances(1, position_au=5.0 / 206_265 * 2, motion_au_day=0)
    assert len(attributed(found, states).won) == 0
    assert len(attributed(found, states, covariances(1)).won) == 0
    won = attributed(found, states, uncertain).won
    assert won.separation == pytest.approx([far], abs=1e-3)
    assert won.mahalanobis[0] == pytest.approx(far / won.sigma_major[0], rel=0.05)


def test_the_share_of_true_pairs_beyond_the_gate_is_what_the_configuration_says():
    """Orbits displaced by their own covariance: 1 in 90 beyond three sigmas."""
    count = 3_000
    covariance = covariances(count, 4e-5, 1e-12)
    truth = orbits(count)
    wrong = truth + np.random.default_rng(1).multivariate_normal(np.zeros(6), covariance[0], count)
    found, which = seen(truth, visits=1, sigma=0.05)
    result = attributed(found, wrong, covariance, AttributionConfig(radius_arcsec=0, farthest_arcsec=600))
    pairs = np.concatenate([result.won.detection, result.lost.detection])
    bodies = np.concatenate([result.won.object, result.lost.object])
    assert np.mean(np.isin(np.arange(count), pairs[which[pairs] == bodies])) == pytest.approx(
        1 - np.exp(-4.5), abs=0.006
    )
    assert np.mean(result.won.mahalanobis**2) == pytest.approx(2, abs=0.2)


def test_an_orbit_too_uncertain_to_search_for_is_named():
    states = orbits(5)
    covariance = covariances(5)
    covariance[3] = covariances(1, position_au=1e-2)[0]
    result = attributed(seen(states)[0], states, covariance)
    assert result.uncertain.tolist() == [3]
    assert 3 in result.won.object  # what lies within the farthest radius is still taken


def test_the_more_certain_of_two_orbits_at_one_place_has_the_detection():
    states = np.repeat(orbits(1), 2, axis=0)
    covariance = covariances(2)
    covariance[0] = covariances(1, position_au=1e-4)[0]
    result = attributed(seen(states[:1], visits=1)[0], states, covariance)
    assert (result.won.object.tolist(), result.lost.object.tolist()) == ([1], [0])


def test_offsets_along_and_across_the_motion_are_those_of_sssource():
    states = orbits(30)
    found, truth = seen(states, visits=1)
    moved = beside(found, 0.4, -0.2)
    won = attributed(moved, states).won
    times = found.mjd_tai
    observer, velocity = observers.heliocentric("X05", times)
    there, _ = known.carried(states, EPOCH, None, float(time_scales.tdb_from_tai(times[:1])[0]))
    sight = see(there, times, observer, velocity)
    _, east, north = axes_at(sight.line)
    rate = np.stack([np.sum(sight.line_rate * east, axis=1), np.sum(sight.line_rate * north, axis=1)])
    unit = rate / np.linalg.norm(rate, axis=0)
    assert won.object.tolist() == truth.tolist()
    assert won.along == pytest.approx(0.4 * unit[0] - 0.2 * unit[1], abs=2e-3)
    assert won.across == pytest.approx(-0.2 * unit[0] - 0.4 * unit[1], abs=2e-3)


@pytest.mark.parametrize("ra_dec", [(0.0, 89.999), (0.0, -89.999), (359.999_99, 10.0), (0.000_01, -60.0)])
def test_poles_and_ra_0_are_places_like_others(ra_dec):
    """An object put in that direction, 2 au away; its detections around it match by their angle."""
    times = np.full(4, FIRST_MJD)
    observer, velocity = observers.heliocentric("X05", times)
    ra, dec = np.radians(ra_dec)
    towards = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
    epoch = time_scales.tdb_from_tai(times[:1])
    state = np.concatenate([observer[0] + 2 * towards, velocity[0] * 0.5])[None]
    line = see(state, times[:1], observer[:1], velocity[:1]).line
    unit = line[0] / np.linalg.norm(line)
    across = np.cross(unit, [1.0, 0, 0]) / np.linalg.norm(np.cross(unit, [1.0, 0, 0]))
    other = np.cross(unit, across)
    seen_at = unit + np.radians(0.9 / 3600) * np.array([across, -across, other, 2 * other])
    ra_seen, dec_seen = (
        np.degrees(np.arctan2(seen_at[:, 1], seen_at[:, 0])),
        np.degrees(np.arctan2(seen_at[:, 2], np.hypot(seen_at[:, 0], seen_at[:, 1]))),
    )
    result = attribute(detections(ra_seen, dec_seen, times, observer, visit=np.arange(4)), state, epoch)
    assert result.won.detection.tolist() == [0, 1, 2]
    assert result.won.separation == pytest.approx(np.full(3, 0.9), abs=2e-3)


def test_times_that_differ_within_a_visit_are_each_detections_own():
    """A visit of an hour: an object moves half a minute of arc in it."""
    states = orbits(50)
    found, truth = seen(states, visits=3)
    one_visit = replace(found, visit=np.zeros(150, np.int64))
    result = attributed(one_visit, states)
    assert len(result.won) == 50
    assert (truth[result.won.detection] == result.won.object).all()
    assert result.won.separation.max() < 1e-3
    assert sorted(np.r_[result.won.detection, result.lost.detection]) == list(range(150))


def test_hyperbolic_and_near_objects_are_attributed_too():
    states = orbits(20)
    states[:5, 3:] *= 1.6  # beyond the speed of escape
    states[5:10] *= np.r_[[0.45] * 3, [1.49] * 3]
    found, truth = seen(states, sigma=0.05)
    result = attributed(found, states, covariances(20))
    assert (result.won.object == truth[result.won.detection]).all()
    assert len(result.won) == 60


def test_what_the_earth_pulls_about_is_found_all_night():
    """An object that passes at 0.01 au: two-body motion from the middle of the night would be 20″ off at its ends."""
    times = FIRST_MJD + np.linspace(0, 0.36, 13)
    tdb = time_scales.tdb_from_tai(times)
    observer, velocity = observers.heliocentric("X05", times)
    state = np.concatenate([observer[:1] + np.array([0.008, -0.006, 0.003]), velocity[:1] + 0.002], axis=1)
    there = np.concatenate([known.carried(state, tdb[0], None, time)[0] for time in tdb])
    ra, dec = place_of(see(there, times, observer, velocity).line)
    found = detections(ra, dec, times, observer, visit=np.arange(13))
    others = orbits(5)
    states, epochs = np.concatenate([others, state]), np.r_[np.full(5, EPOCH), tdb[0]]
    won = attribute(found, states, epochs).won
    assert (won.detection.tolist(), won.object.tolist()) == (list(range(13)), [5] * 13)
    assert won.separation.max() < 0.02


def test_what_is_no_number_matches_nothing_and_spoils_nothing():
    states = orbits(10)
    found, _ = seen(states, visits=1)
    ra, sigma = found.ra.copy(), found.sigma_ra.copy()
    ra[2], sigma[4] = np.nan, np.nan
    states[7] = np.nan
    result = attributed(replace(found, ra=ra, sigma_ra=sigma), states, np.full((10, 6, 6), np.nan))
    assert result.won.detection.tolist() == [0, 1, 3, 4, 5, 6, 8, 9]
    assert np.isfinite(result.won.merit).all()


@pytest.mark.parametrize(("objects", "visits"), [(0, 1), (3, 0), (0, 0)])
def test_without_objects_or_detections_nothing_is_attributed(objects, visits):
    found, _ = seen(orbits(3), visits=1)
    result = attributed(found.take(np.arange(3 * visits)), orbits(3)[:objects])
    assert len(result.won) == len(result.lost) == len(result.uncertain) == 0


def test_a_dark_sky_with_no_object_in_it_gives_no_pairs():
    found, _ = seen(orbits(3), visits=1)
    result = attributed(replace(found, dec=-found.dec - 30), orbits(3))
    assert len(result.won) == len(result.lost) == 0


def test_arrays_and_limits_that_do_not_fit_are_refused_in_a_sentence():
    found, _ = seen(orbits(3), visits=1)
    with pytest.raises(ValueError, match="one covariance each"):
        attribute(found, orbits(3), np.zeros(2))
    with pytest.raises(ValueError, match="farthest_arcsec"):
        AttributionConfig(radius_arcsec=2, farthest_arcsec=1)
    with pytest.raises(ValueError, match="span"):
        attributed(replace(found, mjd_tai=found.mjd_tai + np.array([0, 0, 9])), orbits(3))


@needs_real_data
def test_jpls_places_of_fourteen_objects_are_attributed_to_their_orbits_night_by_night():
    """Atira to transneptunian, topocentric, up to 956 days from the orbits' epochs."""
    names, states, epochs = horizons_places.orbits()
    found, whose = horizons_places.places(names)
    night = np.floor(found.mjd_tai - 0.5)
    separations = []
    for each in np.unique(night):
        inside = np.flatnonzero(night == each)
        won = attribute(found.take(inside), states, epochs).won
        assert won.detection.tolist() == list(range(len(inside)))
        assert (won.object == whose[inside]).all()
        separations.append(won.separation)
    assert len(np.concatenate(separations)) == 1_260
    assert np.concatenate(separations).max() < 0.01
