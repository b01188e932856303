"""Times, the Earth and observers against ERFA and astropy, and what holds at any date."""

import erfa
import numpy as np
import pytest
from astropy.time import Time
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science import ephemeris, observers, time_scales
from mops.science.constants import AU_KM, RADIUS_EARTH_KM

METRE = 1 / (AU_KM * 1000)
SECOND = 1 / 86_400
modern = st.floats(41_318, 61_500)
codes = st.sampled_from(["X05", "I41", "F51", "W84", "695", "500"])


@given(modern)
@settings(max_examples=80, deadline=None)
def test_tai_of_utc_is_that_of_astropy(mjd):
    whole = np.floor(mjd)
    stretched = abs(float(np.diff(time_scales.tai_minus_utc_s(np.array([whole, whole + 1.0])))[0])) > 0
    if not stretched:  # astropy stretches a day with a leap second; here it keeps 86,400 s
        assert time_scales.tai_from_utc(mjd) == pytest.approx(
            Time(mjd, format="mjd", scale="utc").tai.mjd, abs=3e-11, rel=0
        )


@given(modern)
@settings(max_examples=80, deadline=None)
def test_tt_and_tdb_are_those_of_astropy(mjd):
    assert time_scales.tai_from_tt(mjd) == pytest.approx(Time(mjd, format="mjd", scale="tt").tai.mjd, abs=3e-11, rel=0)
    tdb = Time(mjd, format="mjd", scale="tai").tdb.mjd
    assert time_scales.tdb_from_tai(mjd) == pytest.approx(tdb, abs=20e-6 * SECOND, rel=0)


@given(st.floats(12_000, 92_000))
@settings(max_examples=80, deadline=None)
def test_tdb_stays_within_two_milliseconds_of_tt(mjd):
    assert abs(time_scales.tdb_from_tai(mjd) - mjd - 32.184 * SECOND) < 2e-3 * SECOND


@given(st.lists(st.floats(15_100, 92_000), min_size=2, max_size=20, unique=True))
@settings(max_examples=60, deadline=None)
def test_later_is_later_in_every_scale(dates):
    ordered = np.sort(dates)
    ordered = ordered[np.concatenate([[True], np.diff(ordered) > 10 * SECOND])]
    for convert in (
        time_scales.tai_from_utc,
        time_scales.utc_from_tai,
        time_scales.tdb_from_tai,
        time_scales.tai_from_tdb,
    ):
        assert (np.diff(convert(ordered)) > 0).all()


@pytest.mark.parametrize(
    "convert", [time_scales.tai_from_utc, time_scales.utc_from_tai, time_scales.tdb_from_tai, time_scales.tai_from_tdb]
)
def test_a_date_and_an_array_of_it_are_converted_alike(convert):
    dates = np.array([[30_000.0, 50_000.0], [60_000.0, 70_000.0]])
    found = convert(dates)
    assert found.shape == (2, 2)
    assert found.ravel().tolist() == [float(convert(float(date))) for date in dates.ravel()]


def test_every_leap_second_is_counted_once():
    leaps = erfa.leap_seconds.get()
    leaps = leaps[leaps["year"] >= 1972]
    dates = erfa.cal2jd(leaps["year"], leaps["month"], 1)[1]
    before, after = time_scales.tai_minus_utc_s(dates - 1e-6), time_scales.tai_minus_utc_s(dates)
    assert (after[1:] - before[1:]).tolist() == [1.0] * (len(dates) - 1)
    assert after.tolist() == leaps["tai_utc"].tolist()


def test_a_date_that_is_none_stays_none():
    assert np.isnan(time_scales.tdb_from_tai(np.nan))
    assert np.isnan(time_scales.tai_from_tdb(np.array([np.nan, 60_000.0]))).tolist() == [True, False]


@given(st.floats(41_000, 61_000))
@settings(max_examples=40, deadline=None)
def test_the_earth_is_where_erfas_series_has_it(mjd):
    heliocentric, barycentric = erfa.epv00(2_400_000.5, mjd)
    place, motion = ephemeris.earth(mjd)
    assert np.abs(place[0] - heliocentric["p"]).max() * AU_KM < 40  # its own error: 11 km, with DE405's frame
    assert np.abs(motion[0] - heliocentric["v"]).max() * AU_KM * 1e6 * SECOND < 10  # mm/s
    assert np.abs(ephemeris.barycentric("earth", mjd)[0][0] - barycentric["p"]).max() * AU_KM < 400


@given(st.floats(41_000, 61_000))
@settings(max_examples=40, deadline=None)
def test_the_moon_is_where_erfas_series_has_it(mjd):
    found = ephemeris.body("moon", mjd)[0][0] - ephemeris.earth(mjd)[0][0]
    assert np.abs(found - erfa.moon98(2_400_000.5, mjd)["p"]).max() * AU_KM < 60


@pytest.mark.parametrize("name", [each for each in ephemeris._CHAINS if each != "sun"])
def test_a_bodys_motion_is_the_difference_of_its_places(name):
    dates = np.random.default_rng(1).uniform(20_000, 90_000, 20)
    ahead, behind = ephemeris.body(name, dates + 0.01)[0], ephemeris.body(name, dates - 0.01)[0]
    assert ephemeris.body(name, dates)[1] == pytest.approx((ahead - behind) / 0.02, abs=1e-7)


def test_the_sun_is_the_origin():
    place, motion = ephemeris.body("sun", np.array([20_000.0, 60_000.0]))
    assert not place.any()
    assert not motion.any()


@given(st.lists(st.floats(11_000, 93_000), min_size=1, max_size=8))
@settings(max_examples=30, deadline=None)
def test_dates_do_not_mix(dates):
    together = ephemeris.earth(np.array(dates))[0]
    assert (together == np.concatenate([ephemeris.earth(date)[0] for date in dates])).all()


@given(codes, modern)
@settings(max_examples=60, deadline=None)
def test_an_observer_is_on_the_earth_and_goes_round_with_it(code, mjd):
    place, motion = observers.geocentric(code, mjd)
    height = np.linalg.norm(place) * AU_KM
    assert height == pytest.approx(0 if code == "500" else RADIUS_EARTH_KM, abs=25)
    assert place[0] @ motion[0] == pytest.approx(0, abs=1e-15)
    assert np.linalg.norm(motion) * AU_KM * SECOND < 0.466  # km/s, at the equator


@given(codes, modern)
@settings(max_examples=40, deadline=None)
def test_an_observers_motion_is_the_difference_of_the_places(code, mjd):
    step = 5e-4
    place, _ = observers.geocentric(code, mjd + np.array([-step, step]))
    _, motion = observers.geocentric(code, mjd)
    assert motion[0] == pytest.approx((place[1] - place[0]) / (2 * step), abs=2e-9)


@given(codes, modern)
@settings(max_examples=40, deadline=None)
def test_after_a_sidereal_day_an_observer_is_back(code, mjd):
    place, _ = observers.geocentric(code, mjd + np.array([0.0, 1 / 1.00273781191135448]))
    assert np.abs(place[1] - place[0]).max() / METRE < 100  # precession and nutation of a day


@given(codes, modern)
@settings(max_examples=40, deadline=None)
def test_heliocentric_is_geocentric_and_the_earth(code, mjd):
    earth = ephemeris.earth(time_scales.tdb_from_tai(mjd))
    for found, there, near in zip(
        observers.heliocentric(code, mjd), earth, observers.geocentric(code, mjd), strict=True
    ):
        assert found == pytest.approx(there + near, abs=1e-16)


@given(st.floats(41_320, 61_000), st.floats(1e-7, 1e-5))
@settings(max_examples=40, deadline=None)
def test_over_midnight_the_pole_does_not_jump(mjd, gap):
    midnight = np.floor(mjd)
    before, after = observers._celestial_pole(np.array([midnight - gap, midnight])).T
    assert np.abs(after - before).max() < 1e-11 + 1e-6 * gap


def test_the_pole_between_midnights_is_that_of_erfa():
    dates = np.random.default_rng(3).uniform(42_000, 61_000, 200)
    expected = np.array(erfa.xys06a(2_400_000.5, dates + 32.184 * SECOND))
    assert np.abs(observers._celestial_pole(dates) - expected).max() < 2e-9  # 0.4 mas: 1 cm on the ground
