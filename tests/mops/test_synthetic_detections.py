"""What the survey sees, against every object looked for in every visit."""

from dataclasses import replace

import numpy as np
import pytest

from mops.science.constants import C_AU_PER_DAY
from mops.science.detections import Detections
from mops.science.kepler import propagate
from mops.science.observers import heliocentric
from mops.science.time_scales import tai_from_tdb, tdb_from_tai
from mops.synthetic.brightness import FADED, V_MINUS_BAND
from mops.synthetic.detections import simulate
from mops.synthetic.findability import findable
from mops.synthetic.injection import INJECTED, merged
from mops.synthetic.opposition import gathered
from mops.synthetic.pointings import FIELD_RADIUS_DEG, Pointings
from mops.synthetic.population import Population, make_population
from mops.synthetic.sky import angles, unit_vectors
from mops.synthetic.survey import pointings_from_opsim, small_survey
from mops.synthetic.zones import EQUAL_SHARES, WORDS
from tests.mops.test_synthetic_brightness import in_numpy
from tests.real_data import real_file

SURVEY = small_survey(20240424, nights=3)
MIDDLE = float(np.median(SURVEY.mjd_tai))
SHARES = {**EQUAL_SHARES, "neo": 3.0, "interstellar": 4.0}
SKY = gathered(make_population(600, 11, SHARES, fainter=-2.0), MIDDLE, 5.0, seed=1)
AREA_DEG2 = 2 * np.pi * (1 - np.cos(np.radians(FIELD_RADIUS_DEG))) * np.degrees(1) ** 2


def slowly(sky: Population, mjd_tai: float) -> tuple[np.ndarray, np.ndarray]:
    """Unit vectors (n, 3) and V of every object at one time: light time by halving, nothing skipped."""
    place = heliocentric("X05", np.array([mjd_tai]))[0][0]
    now = float(tdb_from_tai(np.array([mjd_tai]))[0])
    low, high = np.zeros(len(sky)), np.full(len(sky), 1.0)
    for _ in range(50):
        middle = (low + high) / 2
        away = np.linalg.norm(propagate(sky.state, now - middle - sky.epoch_mjd_tdb)[:, :3] - place, axis=1)
        late = away > middle * C_AU_PER_DAY
        low, high = np.where(late, middle, low), np.where(late, high, middle)
    object_then = propagate(sky.state, now - low - sky.epoch_mjd_tdb)[:, :3]
    ray = object_then - place
    delta = np.linalg.norm(ray, axis=1)
    magnitude = in_numpy(sky.h, sky.g, np.linalg.norm(object_then, axis=1), delta, np.linalg.norm(place))
    return ray / delta[:, None], magnitude


def below_limit(sky: Population, survey: Pointings) -> dict[tuple[int, int], float]:
    """By (visit, object) in a field, magnitudes fainter than the limit, from looking at all of them."""
    found: dict[tuple[int, int], float] = {}
    for k in range(len(survey)):
        unit, v = slowly(sky, float(survey.mjd_tai[k]))
        below = v - V_MINUS_BAND[sky.stony.astype(int), survey.band[k]] - survey.m5[k]
        centre = unit_vectors(survey.ra[k : k + 1], survey.dec[k : k + 1])[0]
        inside = np.flatnonzero(unit @ centre > np.cos(np.radians(FIELD_RADIUS_DEG)))
        found |= {(int(survey.visit[k]), int(item)): float(below[item]) for item in inside}
    return found


def visible(below: dict[tuple[int, int], float], margin: float) -> set[tuple[int, int]]:
    """Those brighter than the limit by `margin`."""
    return {pair for pair, value in below.items() if value < -margin}


def seen_pairs(seen: Detections, truth: np.ndarray) -> set[tuple[int, int]]:
    return {(int(visit), int(item)) for visit, item in zip(seen.visit, truth, strict=True)}


def near_the_earth(sky: Population, mjd_tai: float) -> Population:
    """The same number of objects, all within 0.03 au of the observer, going by at up to 20 km/s."""
    rng = np.random.default_rng(5)
    place, motion = heliocentric("X05", np.array([mjd_tai]))
    n = len(sky)
    outward = place[0] / np.linalg.norm(place[0])
    offset = rng.uniform(0.003, 0.03, n)[:, None] * (outward + rng.normal(0, 0.1, (n, 3)))
    state = np.concatenate([place + offset, motion + rng.normal(0, 0.006, (n, 3))], axis=1)
    epoch = float(tdb_from_tai(np.array([mjd_tai]))[0])
    return replace(sky, state=state, epoch_mjd_tdb=epoch, h=np.full(n, 25.0))


@pytest.fixture(scope="module")
def exact() -> tuple[Detections, np.ndarray]:
    return simulate(SKY, SURVEY, seed=1, astrometric_noise=0.0)


def test_all_that_is_bright_in_a_field_is_seen_and_nothing_else(exact):
    pairs = seen_pairs(*exact)
    assert len(pairs) == len(exact[1]) > 300
    below = below_limit(SKY, SURVEY)
    assert visible(below, 0.8) <= pairs <= visible(below, -FADED)


def test_objects_of_every_zone_are_seen(exact):
    assert set(SKY.zone[exact[1]]) == set(WORDS)


def test_objects_that_pass_the_earth_are_seen_too():
    night = SURVEY.take(SURVEY.night == SURVEY.night[0])
    sky = near_the_earth(SKY, float(night.mjd_tai.mean()))
    pairs = seen_pairs(*simulate(sky, night, seed=1))
    assert len(pairs) > 100
    below = below_limit(sky, night)
    assert visible(below, 0.8) <= pairs <= visible(below, -FADED)


def test_places_without_noise_are_exact(exact):
    seen, truth = exact
    for visit in np.unique(seen.visit)[::9]:
        mine = np.flatnonzero(seen.visit == visit)
        unit, _ = slowly(SKY, float(seen.mjd_tai[mine[0]]))
        off = np.linalg.norm(unit_vectors(seen.ra[mine], seen.dec[mine]) - unit[truth[mine]], axis=1)
        assert np.degrees(off).max() * 3600 < 1e-5  # arcsec: a hundredth of a milliarcsecond


def test_noise_has_the_sigma_that_is_reported(exact):
    """The same draws of detection come first, so that both runs see the same objects."""
    seen, truth = simulate(SKY, SURVEY, seed=1)
    np.testing.assert_array_equal(truth, exact[1])
    north = (seen.dec - exact[0].dec) * 3600 / seen.sigma_dec
    east = (seen.ra - exact[0].ra) * np.cos(np.radians(seen.dec)) * 3600 / seen.sigma_ra
    for pull in (north, east):
        assert pull.std() == pytest.approx(1.0, abs=4 / np.sqrt(2 * len(pull)))
        assert abs(pull.mean()) < 4 / np.sqrt(len(pull))
    assert abs(np.corrcoef(north, east)[0, 1]) < 4 / np.sqrt(len(north))
    assert (seen.sigma_ra.min() >= 0.010) and (seen.sigma_ra.max() < 0.25)


def test_detections_fade_about_the_limit():
    """As many as the fading function of Veres & Chesley (2017) lets one expect, near the limit, in six surveys."""
    near = {pair: value for pair, value in below_limit(SKY, SURVEY).items() if abs(value) < 0.4}
    share = 1 / (1 + np.exp(np.array(list(near.values())) / 0.1))
    seen = [len(seen_pairs(*simulate(SKY, SURVEY, seed=seed)) & set(near)) for seed in range(6)]
    assert sum(seen) == pytest.approx(6 * share.sum(), abs=4 * np.sqrt(6 * (share * (1 - share)).sum()))
    assert 0.2 < share.mean() < 0.8


def test_the_same_seed_gives_the_same_detections_night_by_night():
    whole, truth = simulate(SKY, SURVEY, seed=3, false_per_deg2=0.5)
    night = SURVEY.night[-1]
    alone, alone_truth = simulate(SKY, SURVEY.take(SURVEY.night == night), seed=3, false_per_deg2=0.5)
    mine = whole.night == night
    for name in ("id", "ra", "dec", "mag", "sigma_ra", "mjd_tai"):
        np.testing.assert_array_equal(getattr(whole, name)[mine], getattr(alone, name))
    np.testing.assert_array_equal(truth[mine], alone_truth)
    assert not np.array_equal(simulate(SKY, SURVEY, seed=4)[0].ra, simulate(SKY, SURVEY, seed=3)[0].ra)


def test_false_detections_have_the_density_asked_for_and_fill_the_field():
    nothing = make_population(0, 1)
    seen, truth = simulate(nothing, SURVEY, seed=1, false_per_deg2=20.0)
    expected = 20 * AREA_DEG2 * len(SURVEY)
    assert pytest.approx(9.62, abs=0.01) == AREA_DEG2
    assert abs(len(seen) - expected) < 4 * np.sqrt(expected)
    assert (truth == -1).all()
    centre = {int(visit): k for k, visit in enumerate(SURVEY.visit)}
    k = np.array([centre[int(visit)] for visit in seen.visit])
    unit = unit_vectors(seen.ra, seen.dec)
    away = np.degrees(np.arccos(np.einsum("ij,ij->i", unit, unit_vectors(SURVEY.ra[k], SURVEY.dec[k]))))
    assert away.max() < FIELD_RADIUS_DEG + 0.001
    inner = (away < FIELD_RADIUS_DEG / np.sqrt(2)).mean()
    assert inner == pytest.approx(0.5, abs=4 * np.sqrt(0.25 / len(seen)))


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 0.0), (359.9, -20.0), (77.0, 90.0), (10.0, -89.5)])
def test_fields_at_a_pole_and_across_ra_zero_are_like_others(ra, dec):
    """The sky of twelve objects at known directions far away, all round the field's centre."""
    then = 60430.0
    survey = SURVEY.take(np.array([0]))
    survey = replace(survey, ra=np.array([ra]), dec=np.array([dec]), mjd_tai=tai_from_tdb(np.array([then])))
    place = heliocentric("X05", survey.mjd_tai)[0][0]
    turns = np.radians(np.arange(12) * 30.0)
    centre = unit_vectors(survey.ra, survey.dec)[0]
    one = np.cross(centre, [0.3, -0.5, 0.8])
    one /= np.linalg.norm(one)
    other = np.cross(centre, one)
    radii = np.radians(np.tile([1.70, 1.80], 6))
    unit = np.cos(radii)[:, None] * centre + np.sin(radii)[:, None] * (
        np.cos(turns)[:, None] * one + np.sin(turns)[:, None] * other
    )
    state = np.concatenate([place + 40 * unit, np.full((12, 3), 1e-6)], axis=1)
    sky = replace(make_population(12, 1), state=state, h=np.full(12, 5.0), epoch_mjd_tdb=then)
    seen, truth = simulate(sky, survey, seed=1, astrometric_noise=0.0)
    assert truth.tolist() == list(range(0, 12, 2))
    assert ((seen.ra >= 0) & (seen.ra < 360)).all()
    np.testing.assert_allclose(unit_vectors(seen.ra, seen.dec), unit[::2], atol=1e-6)


def test_part_of_a_field_that_does_not_detect_takes_its_share():
    whole, half = (len(simulate(SKY, SURVEY, seed=1, fill=fill)[0]) for fill in (1.0, 0.5))
    assert half == pytest.approx(whole / 2, abs=4 * np.sqrt(whole / 4))


def test_ids_are_visits_and_numbers_and_rise_with_time():
    seen, _ = simulate(SKY, SURVEY, seed=1, false_per_deg2=0.3)
    assert len(np.unique(seen.id)) == len(seen)
    np.testing.assert_array_equal(seen.id // 100_000, seen.visit)
    assert (np.diff(seen.mjd_tai) >= 0).all()
    assert set(zip(seen.visit.tolist(), seen.night.tolist(), strict=True)) <= set(
        zip(SURVEY.visit.tolist(), SURVEY.night.tolist(), strict=True)
    )


def test_injected_detections_go_beside_real_ones():
    real, _ = simulate(SKY, SURVEY, seed=1)
    injected, truth = simulate(SKY, SURVEY, seed=2, first_id=INJECTED)
    both, known = merged(real, injected, truth)
    assert len(both) == len(real) + len(injected)
    assert (np.diff(both.mjd_tai) >= 0).all()
    np.testing.assert_array_equal(known >= 0, both.id >= INJECTED)
    marked = both.take(both.id >= INJECTED)
    np.testing.assert_array_equal(marked.ra, injected.ra)
    np.testing.assert_array_equal(known[both.id >= INJECTED], truth)


def test_injected_detections_without_their_mark_or_twice_are_refused():
    seen, truth = simulate(SKY, SURVEY, seed=1)
    with pytest.raises(ValueError, match="simulate with first_id=INJECTED"):
        merged(seen, seen, truth)
    marked, truth = simulate(SKY, SURVEY, seed=1, first_id=INJECTED)
    with pytest.raises(ValueError, match="ids are there twice"):
        merged(marked, marked, truth)


def test_no_pointing_a_visit_twice_and_too_many_detections_of_a_visit_are_refused():
    with pytest.raises(ValueError, match="no pointing to simulate"):
        simulate(SKY, SURVEY.take(np.zeros(len(SURVEY), dtype=bool)), seed=1)
    with pytest.raises(ValueError, match="Visit 2024042400001 is there 2 times"):
        simulate(SKY, SURVEY.take(np.array([0, 1, 0])), seed=1)
    with pytest.raises(ValueError, match="lower the density of false detections"):
        simulate(SKY, SURVEY.take(np.array([0])), seed=1, false_per_deg2=11_000.0)


def test_an_angle_a_hair_below_zero_is_no_right_ascension_of_360():
    ra, dec = angles(np.array([[1.0, -1e-18, 0.0], [0.0, 0.0, -2.0]]))
    assert ra.tolist() == [0.0, 0.0]
    assert dec.tolist() == [0.0, -90.0]


@pytest.mark.real_data
def test_a_fortnight_of_opsim_gives_the_known_density_of_detections():
    """100,000 objects gave 109,042 detections and 5,343 findable objects in the project's reference simulation."""
    survey = pointings_from_opsim(real_file("moving_objects", "baseline_v2.0_nights60422_60436.csv"))
    seen, truth = simulate(make_population(100_000, 1), survey, seed=1)
    assert len(seen) == pytest.approx(109_042, rel=0.04)
    assert len(findable(seen, truth)) == pytest.approx(5_343, rel=0.05)
