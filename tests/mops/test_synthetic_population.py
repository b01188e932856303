"""Synthetic objects: their zones, their numbers, and that they can be had again."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science.elements import elements_from_states
from mops.science.ephemeris import body
from mops.science.kepler import propagate
from mops.synthetic.opposition import ecliptic_longitude, gathered, opposition_longitude
from mops.synthetic.orbits import INTERSTELLAR_KM_PER_S, LIBRATION_DEG, jupiter_mean_longitude
from mops.synthetic.population import EPOCH_MJD_TDB, make_population
from mops.synthetic.zones import BOUND, EQUAL_SHARES, SURVEY_SHARES, WORDS, ZONES, counts

SKY = make_population(4400, 7, {**EQUAL_SHARES, "interstellar": 1.0})


def of(word: str) -> np.ndarray:
    return np.flatnonzero(SKY.zone == word)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.dictionaries(st.sampled_from(WORDS), st.floats(0.001, 10), min_size=1))
def test_shares_are_cut_into_whole_objects_that_add_up(n, shares):
    cut = counts(n, shares)
    total = sum(shares.values())
    assert sum(cut.values()) == n
    assert all(abs(cut[word] - n * shares.get(word, 0) / total) < 1 for word in WORDS)


@pytest.mark.parametrize(
    ("n", "shares", "sentence"),
    [
        (10, {"main_belt": 1.0}, "The shares name main_belt; the zones are neo, "),
        (-1, {"neo": 1.0}, "-1 objects cannot be cut"),
        (10, {"neo": -1.0, "tno": 2.0}, "give a number ≥ 0 and shares ≥ 0"),
        (10, {}, "not all zero"),
        (10, {"neo": 0.0}, "not all zero"),
    ],
)
def test_shares_that_cannot_be_are_refused(n, shares, sentence):
    with pytest.raises(ValueError, match=sentence):
        make_population(n, 1, shares)


def test_the_same_seed_gives_the_same_objects_and_another_one_others():
    one, again, other = make_population(500, 3), make_population(500, 3), make_population(500, 4)
    for name in ("state", "h", "g", "zone_index", "stony"):
        np.testing.assert_array_equal(getattr(one, name), getattr(again, name))
    assert not np.isclose(one.state, other.state).any()


def test_a_population_of_nothing_is_empty():
    assert len(make_population(0, 1)) == 0


def test_every_zone_but_the_interstellar_is_there_unasked():
    assert set(SURVEY_SHARES) == set(BOUND) == set(make_population(10_000, 1).zone)


def test_states_have_the_elements_that_were_drawn():
    found = elements_from_states(SKY.state, SKY.epoch_mjd_tdb)
    for name, tolerance in (("q", 1e-9), ("e", 1e-9), ("i", 1e-7)):
        np.testing.assert_allclose(getattr(found, name), getattr(SKY.elements, name), rtol=tolerance, atol=1e-9)
    turn = (found.mean_anomaly - SKY.elements.mean_anomaly + 180) % 360 - 180
    assert np.abs(turn[of("main_belt_outer")]).max() < 1e-4


@pytest.mark.parametrize("zone", ZONES[:-1], ids=lambda zone: zone.word)
def test_orbits_stay_in_their_zone(zone):
    mine = of(zone.word)
    found = elements_from_states(SKY.state[mine], SKY.epoch_mjd_tdb)
    assert (zone.a[0] <= found.a.min() + 1e-9) and (found.a.max() - 1e-9 <= zone.a[1])
    assert (zone.q[0] <= found.q.min() + 1e-9) and (found.q.max() - 1e-9 <= zone.q[1])
    assert found.e.max() <= zone.e[1] + 1e-9
    assert found.i.max() <= zone.i[1] + 1e-9
    assert found.a.std() > 0
    assert (zone.h[0] <= SKY.h[mine]).all() and (SKY.h[mine] <= zone.h[1]).all()


def test_medians_of_near_earth_orbits_are_those_of_granvik():
    orbit = elements_from_states(SKY.state[of("neo")], SKY.epoch_mjd_tdb)
    assert 1.5 < np.median(orbit.a) < 2.4
    assert 0.4 < np.median(orbit.e) < 0.65
    assert 10 < np.median(orbit.i) < 20


def test_numbers_rise_with_faintness_by_the_slope_of_the_zone():
    zone = ZONES[WORDS.index("main_belt_middle")]
    h = make_population(20_000, 2, {zone.word: 1}).h
    brighter = (h < zone.h[1] - 1).mean()
    assert brighter == pytest.approx(10**-zone.slope, abs=4 * np.sqrt(0.25 / 20_000))


def test_fainter_objects_are_the_same_ones_made_fainter():
    one, fainter = make_population(100, 3), make_population(100, 3, fainter=0.5)
    np.testing.assert_allclose(fainter.h - one.h, 0.5)
    np.testing.assert_array_equal(fainter.state, one.state)


def test_interstellar_objects_come_from_far_and_pass_near():
    orbit = elements_from_states(SKY.state[of("interstellar")], SKY.epoch_mjd_tdb)
    speed_km_s = np.sqrt(-0.0002959122082855911 / orbit.a) * 149597870.7 / 86400
    assert orbit.e.min() > 1
    assert (orbit.q.min() >= 0.2 - 1e-9) and (orbit.q.max() <= 4 + 1e-9)
    assert np.median(speed_km_s) == pytest.approx(1.54 * INTERSTELLAR_KM_PER_S, rel=0.1)  # Maxwell's median
    assert np.abs(orbit.peri_time - SKY.epoch_mjd_tdb).max() < 200.001


def test_jupiter_is_where_its_mean_longitude_says():
    true = ecliptic_longitude(body("jupiter", np.array([EPOCH_MJD_TDB]))[0])[0]
    assert abs((true - jupiter_mean_longitude(EPOCH_MJD_TDB) + 180) % 360 - 180) < 6  # 2e of its orbit, 5.6°


def test_trojans_are_sixty_degrees_from_jupiter_on_either_side():
    orbit = SKY.elements
    ahead = (orbit.node + orbit.argperi + orbit.mean_anomaly - jupiter_mean_longitude(EPOCH_MJD_TDB)) % 360
    ahead = ahead[of("trojan")]
    sides = [np.abs(ahead - middle) < 5 * LIBRATION_DEG for middle in (60, 300)]
    assert (sides[0] | sides[1]).all()
    assert 0.3 < (ahead < 180).mean() < 0.7


def test_hildas_librate_about_the_resonance():
    orbit = SKY.elements
    perihelion = orbit.node + orbit.argperi
    angle = 3 * jupiter_mean_longitude(EPOCH_MJD_TDB) - 2 * (perihelion + orbit.mean_anomaly) - perihelion
    angle = (angle[of("hilda")] + 180) % 360 - 180
    assert np.abs(angle).max() < 5 * LIBRATION_DEG
    assert angle.std() == pytest.approx(LIBRATION_DEG, rel=0.15)


def test_stony_colours_follow_the_zone():
    assert SKY.stony[of("hungaria")].mean() == pytest.approx(0.7, abs=0.1)
    assert not SKY.stony[of("trojan")].any()


def test_gathered_objects_are_near_opposition_on_the_same_orbits():
    then = EPOCH_MJD_TDB + 30
    near = gathered(SKY, then, 4.0, seed=1)
    longitude = ecliptic_longitude(propagate(near.state, 30.0)[:, :3])
    away = (longitude - opposition_longitude(then) + 180) % 360 - 180
    assert np.abs(away).max() < 4.0 + 1e-9
    assert away.std() > 2
    np.testing.assert_allclose(np.linalg.norm(near.state[:, :3], axis=1), np.linalg.norm(SKY.state[:, :3], axis=1))
    found = elements_from_states(near.state, SKY.epoch_mjd_tdb)
    np.testing.assert_allclose(found.i, SKY.elements.i, atol=1e-7)
    turn = (found.node - near.elements.node + 180) % 360 - 180
    assert np.abs(turn[of("main_belt_outer")]).max() < 1e-4
