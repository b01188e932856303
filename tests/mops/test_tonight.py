"""Who is in which field tonight, against a search of all, clouds of orbits and finite differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science import known, observers, time_scales
from mops.science.apparent import direction, offsets_arcsec, place_of
from mops.science.phase_curve import V_MINUS_BAND
from mops.science.tonight import Fields, _ellipse, joined, predict
from tests.mops.known_night import EPOCH, FIRST_MJD, covariances, orbits, places


def fields_at(ra: np.ndarray, dec: np.ndarray, radius_deg: float = 1.75, hours: float = 6.0) -> Fields:
    count = len(ra)
    return Fields(
        mjd_tai=FIRST_MJD + np.linspace(0, hours / 24, count), ra=ra, dec=dec, radius_deg=np.full(count, radius_deg),
        band=np.full(count, -1, np.int8), m5=np.full(count, np.nan),
    )  # fmt: skip


def predicted(fields: Fields, states: np.ndarray, covariance=None, h=None, g=None):
    return predict(fields, states, np.full(len(states), EPOCH), covariance, h, g)


def place_at(states: np.ndarray, body: int, mjd: float) -> tuple[float, float]:
    times = np.array([mjd])
    ra, dec = places(states, np.array([body]), times, observers.heliocentric("X05", times)[0])
    return float(ra[0]), float(dec[0])


@given(st.integers(0, 2**32 - 1), st.floats(0.3, 6))
@settings(max_examples=10, deadline=None)
def test_the_objects_of_each_field_are_those_within_its_radius(seed, radius):
    states, random = orbits(300, seed), np.random.default_rng(seed)
    ra, dec = random.uniform(0, 360, 12), np.degrees(np.arcsin(random.uniform(-1, 1, 12)))
    ra[0], dec[0] = place_at(states, 7, FIRST_MJD)
    fields = fields_at(ra, dec, radius)
    found = predicted(fields, states)
    expected = set()
    for field in range(12):
        times = np.full(300, fields.mjd_tai[field])
        towards = direction(*places(states, np.arange(300), times, observers.heliocentric("X05", times)[0]))
        inside = towards @ direction(ra[field], dec[field]) >= np.cos(np.radians(radius))
        expected |= {(field, int(body)) for body in np.flatnonzero(inside)}
    assert set(zip(found.field, found.object, strict=True)) == expected
    assert (0, 7) in expected
    assert found.inside == pytest.approx(np.ones(len(found)))


def test_places_and_rates_are_those_of_the_orbit():
    states = orbits(40)
    found = predicted(fields_at(np.array([0.0, 180.0]), np.array([0.0, 0.0]), 179.9), states)
    assert len(found) == 80
    before, now, after = (
        np.stack([place_at(states, body, mjd + step) for body, mjd in zip(found.object, found.mjd_tai, strict=True)]).T
        for step in (-0.01, 0, 0.01)
    )
    assert np.stack([found.ra, found.dec]) == pytest.approx(now, abs=1e-7)
    east, north = offsets_arcsec(after[0], after[1], direction(before[0], before[1]))
    assert found.rate_ra == pytest.approx(east / 3_600 / 0.02, abs=2e-3)  # the observer turns with the Earth
    assert found.rate_dec == pytest.approx(north / 3_600 / 0.02, abs=2e-3)


def test_the_ellipse_is_that_of_a_clouds_places():
    state, covariance = orbits(1, 4), np.zeros((1, 6, 6))
    covariance[0, :3, :3] = np.outer([3, -1, 2], [3, -1, 2]) * 1e-12 + np.eye(3) * 1e-13
    ra, dec = place_at(state, 0, FIRST_MJD)
    field = fields_at(np.array([ra]), np.array([dec]))
    found = predicted(field, state, covariance)
    cloud = np.random.default_rng(2).multivariate_normal(state[0], covariance[0], 20_000)
    times = np.full(20_000, FIRST_MJD)
    seen = places(cloud, np.arange(20_000), times, observers.heliocentric("X05", times)[0])
    east, north = offsets_arcsec(seen[0], seen[1], np.repeat(direction(found.ra, found.dec), 20_000, axis=0))
    spread = np.cov(east, north)
    minor, major = np.sqrt(np.linalg.eigvalsh(spread))
    long_axis = np.linalg.eigh(spread)[1][:, 1]
    assert (found.sigma_major[0], found.sigma_minor[0]) == (
        pytest.approx(major, rel=0.03),
        pytest.approx(minor, rel=0.03),
    )
    angle = np.radians(found.position_angle[0])
    assert abs(np.dot(long_axis, [np.sin(angle), np.cos(angle)])) == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize(
    ("east", "both", "north", "angle"), [(1, 0, 4, 0), (4, 0, 1, 90), (2, 1, 2, 45), (2, -1, 2, 135)]
)
def test_position_angles_run_from_north_by_east(east, both, north, angle):
    major, minor, found = _ellipse(np.array([[east, both, north]], float))
    assert found == pytest.approx([angle])
    assert major**2 + minor**2 == pytest.approx([east + north])
    assert (major * minor) ** 2 == pytest.approx([east * north - both**2])


def test_an_object_on_the_edge_is_in_the_field_with_half_a_chance():
    state = orbits(1)
    ra, dec = place_at(state, 0, FIRST_MJD)
    field = fields_at(np.array([ra]), np.array([dec - 1.75]))
    found = predicted(field, state, covariances(1, 1e-5))
    assert found.inside == pytest.approx([0.5], abs=0.02)
    outside = fields_at(np.array([ra]), np.array([dec - 1.75 - 2 * found.sigma_major[0] / 3_600]))
    assert 0 < predicted(outside, state, covariances(1, 1e-5)).inside[0] < 0.2
    assert len(predicted(outside, state)) == 0


def test_the_chance_of_being_inside_is_the_share_of_a_cloud():
    state, covariance = orbits(1, 6), covariances(1, 2e-3)
    ra, dec = place_at(state, 0, FIRST_MJD)
    field = fields_at(np.array([ra]), np.array([dec + 1.6]))
    cloud = np.random.default_rng(3).multivariate_normal(state[0], covariance[0], 20_000)
    times = np.full(20_000, FIRST_MJD)
    towards = direction(*places(cloud, np.arange(20_000), times, observers.heliocentric("X05", times)[0]))
    share = np.mean(towards @ direction(field.ra, field.dec)[0] >= np.cos(np.radians(1.75)))
    assert predicted(field, state, covariance).inside == pytest.approx([share], abs=0.03)


def test_magnitudes_are_in_the_fields_band_and_unknown_without_h():
    states = orbits(3)
    ra, dec = place_at(states, 1, FIRST_MJD)
    fields = fields_at(np.array([ra, ra]), np.array([dec, dec]), 179, hours=0.0)
    fields.band[:] = (-1, 2)
    found = predicted(fields, states, h=np.array([17.0, np.nan, 18.0]))
    in_v, in_r = found.magnitude[:3], found.magnitude[3:]
    assert in_r == pytest.approx(in_v - V_MINUS_BAND[2], nan_ok=True)
    assert np.isnan(in_v).tolist() == [False, True, False]
    assert np.isnan(predicted(fields, states).magnitude).all()
    assert 17 < in_v[0] < 24


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 90.0), (123.0, -90.0), (0.0, 0.0), (359.999, 5.0)])
def test_poles_and_ra_0_are_fields_like_others(ra, dec):
    times = np.array([FIRST_MJD])
    observer, velocity = observers.heliocentric("X05", times)
    towards = direction(np.array([ra + 0.5]), np.array([np.clip(dec, -89.5, 89.5)]))
    state = np.concatenate([observer + 2 * towards, velocity], axis=1)
    field = fields_at(np.array([ra]), np.array([dec]))
    found = predict(field, state, time_scales.tdb_from_tai(times))
    assert found.object.tolist() == [0]
    assert np.isfinite([found.ra, found.dec, found.rate_ra, found.rate_dec]).all()


def test_a_state_that_is_no_number_is_in_no_field():
    states = orbits(3)
    states[1] = np.nan
    found = predicted(fields_at(np.array([0.0]), np.array([0.0]), 179.9), states, covariances(3))
    assert found.object.tolist() == [0, 2]


def test_no_fields_or_no_objects_give_no_predictions():
    nothing = fields_at(np.empty(0), np.empty(0))
    assert len(predicted(nothing, orbits(3))) == 0
    assert len(predicted(fields_at(np.zeros(1), np.zeros(1)), np.empty((0, 6)))) == 0
    assert joined([]).field.dtype == np.int64


def test_fields_of_several_nights_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match="One night's times"):
        predicted(fields_at(np.zeros(2), np.zeros(2), hours=24 * 5), orbits(1))


def test_a_place_of_the_centre_itself_is_inside():
    state = orbits(1)
    night = known.in_the_night(state, np.array([EPOCH]), None, np.array([FIRST_MJD]))
    observer, _ = observers.heliocentric("X05", np.array([FIRST_MJD]))
    tdb = time_scales.tdb_from_tai(np.array([FIRST_MJD]))
    ra, dec = place_of(known.lines_of_sight(night, np.zeros(1, np.int64), tdb, observer))
    assert predicted(fields_at(ra, dec, 0.01), state, covariances(1)).inside == pytest.approx([1.0])
