"""Dates and angles as the Minor Planet Center writes them, against astropy and there and back."""

from datetime import UTC, datetime, timedelta

import pytest
from astropy.time import Time
from hypothesis import given
from hypothesis import strategies as st

from dayops.observing_day import day_obs_at
from mops.mpc import times
from mops.mpc.sexagesimal import dec_columns, dec_degrees, ra_columns, ra_degrees
from mops.mpc.stations import station
from tests.mops.mpc_observations import milliseconds

MS = 1 / 86_400_000


@given(milliseconds)
def test_a_time_of_whole_milliseconds_comes_back(mjd):
    assert times.mjd_from_iso(times.iso_from_mjd(mjd)) == pytest.approx(mjd, abs=2e-3 * MS)


@given(milliseconds)
def test_a_decimal_day_comes_back_to_its_last_digit(mjd):
    text = times.decimal_day_from_mjd(mjd)
    assert len(text) == 17
    assert times.mjd_from_decimal_day(text) == pytest.approx(mjd, abs=0.51e-6)


@pytest.mark.parametrize("text", ["2026-04-05T03:04:05.678Z", "1972-07-01T12:00:00Z", "2016-12-30T23:59:59.999999Z"])
def test_a_date_is_astropys(text):
    assert times.mjd_from_iso(text) == pytest.approx(Time(text[:-1], scale="utc").mjd, abs=2e-3 * MS)


def test_a_time_that_rounds_to_midnight_is_of_the_next_day():
    assert times.iso_from_mjd(60000.0 - 0.1 * MS) == "2023-02-25T00:00:00.000Z"
    assert times.decimal_day_from_mjd(60000.0 - 1e-8) == "2023 02 25.000000"


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("2026-04-05T03:04:05", "has no Z"),
        ("2026-04-05T03:04:05 TAI", "in TAI, not UTC"),
        ("2026-04-05T03:04:05.1TDB", "in TDB, not UTC"),
        ("2026-04-05T03:04:05+00:00", "local zone"),
        ("61135.1278", "a number"),
        ("2461135", "Julian date"),
        ("2026-02-30T03:04:05Z", "does not exist"),
        ("2026-04-05T24:00:00Z", "does not exist"),
        ("2026-04-05T03:60:00Z", "does not exist"),
        ("2026-04-05T03:04:60Z", "does not exist"),
        ("2017-12-31T23:59:60Z", "does not exist"),
        ("2016-12-31T23:59:60.5Z", "leap second"),
        ("05.04.2026", "not of ADES's form"),
        ("２０２６-04-05T03:04:05Z", "not of ADES's form"),
        ("", "not of ADES's form"),
    ],
)
def test_a_time_that_is_not_utc_or_does_not_exist_is_refused_in_a_sentence(text, word):
    with pytest.raises(ValueError, match=word):
        times.mjd_from_iso(text)


@pytest.mark.parametrize("text", ["2026 4 05.1", "2026 04 05.", "2026a04 05.1", "2026 13 05.1", "2026 02 30.5"])
def test_a_malformed_decimal_day_is_refused(text):
    with pytest.raises(ValueError, match="the date"):
        times.mjd_from_decimal_day(text)


@pytest.mark.parametrize(
    ("utc", "code", "night"),
    [
        ("2026-04-05T23:30:00Z", "X05", 20260405),
        ("2026-04-06T09:30:00Z", "X05", 20260405),
        ("2026-04-06T12:30:00Z", "703", 20260405),  # 05:20 in Arizona, when UTC − 12 h is another day already
        ("2026-04-06T06:00:00Z", "703", 20260405),
        ("2026-04-05T12:00:00Z", "Q63", 20260405),  # 22:00 in Australia
        ("2026-04-05T18:00:00Z", "Q63", 20260405),
    ],
)
def test_a_night_has_the_date_of_its_evening_at_the_observer(utc, code, night):
    assert times.night_of(times.mjd_from_iso(utc), station(code).east_longitude_deg) == night


@given(st.integers(0, 3000), st.floats(22.5, 34.75))
def test_rubins_night_is_its_day_obs(day, hours_utc):
    instant = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=day, hours=hours_utc)
    mjd = (instant - datetime(1858, 11, 17, tzinfo=UTC)) / timedelta(days=1)
    assert times.night_of(mjd, station("X05").east_longitude_deg) == day_obs_at(instant)


@given(st.integers(0, 86_399_999))
def test_a_right_ascension_of_milliseconds_comes_back_exactly(ticks):
    columns = ra_columns(ticks / 240_000)
    assert len(columns) == 12
    assert round(ra_degrees(columns) * 240_000) == ticks


@given(st.integers(-32_400_000, 32_400_000))
def test_a_declination_of_hundredths_comes_back_exactly(ticks):
    columns = dec_columns(ticks / 360_000)
    assert len(columns) == 12
    assert round(dec_degrees(columns) * 360_000) == ticks


@pytest.mark.parametrize(
    ("columns", "degrees"),
    [
        ("23 59 59.999", 359.99999583),
        ("03 37.9     ", 54.475),
        ("01 15.0     ", 18.75),
        ("18 14 23.37 ", 273.597375),
        ("12 00       ", 180.0),
    ],
)
def test_every_precision_of_right_ascension_is_read(columns, degrees):
    assert ra_degrees(columns) == pytest.approx(degrees, abs=1e-8)


@pytest.mark.parametrize(
    ("columns", "degrees"),
    [
        ("-00 00      ", 0.0),
        ("-00 00 36.0 ", -0.01),
        ("+18 49      ", 18.81666667),
        ("+18 49.5    ", 18.825),
        ("-90 00 00.00", -90.0),
    ],
)
def test_every_precision_of_declination_is_read(columns, degrees):
    assert dec_degrees(columns) == pytest.approx(degrees, abs=1e-8)


@pytest.mark.parametrize("columns", ["24 00 00.00 ", "12 60 00.00 ", "12 00 60.00 ", "12h00 00.00 ", "            "])
def test_a_right_ascension_beyond_a_day_is_refused(columns):
    with pytest.raises(ValueError, match="right ascension"):
        ra_degrees(columns)


@pytest.mark.parametrize("columns", ["+90 00 00.01", "+89 60 00.0 ", " 12 00 00.0 ", "+12 00 60.0 ", "            "])
def test_a_declination_beyond_the_pole_or_without_sign_is_refused(columns):
    with pytest.raises(ValueError, match="declination"):
        dec_degrees(columns)


def test_a_right_ascension_that_rounds_to_24_hours_is_0():
    assert ra_columns(359.9999999) == "00 00 00.000"


@pytest.mark.parametrize(("write", "value"), [(ra_columns, 360.0), (ra_columns, -0.1), (dec_columns, 90.1)])
def test_an_angle_off_the_sky_is_not_written(write, value):
    with pytest.raises(ValueError, match="outside"):
        write(value)
