"""dayObs rolls over at 12:00 TAI; the Sun sets where Cerro Pachón is."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayops.observing_day import ObservingDay, day_obs_at, mjd_tai

instants = st.datetimes(min_value=datetime(2017, 1, 2), max_value=datetime(2035, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=UTC)
)


@pytest.mark.parametrize(
    ("utc", "expected"),
    [
        ("2026-11-22T11:59:22+00:00", 20261121),
        ("2026-11-22T11:59:23+00:00", 20261122),
        ("2026-11-22T23:59:59+00:00", 20261122),
        ("2026-11-23T00:00:01+00:00", 20261122),
        ("2016-12-31T11:59:23+00:00", 20161230),  # before the last leap second the offset was 36 s
        ("2016-12-31T11:59:24+00:00", 20161231),
        ("2026-11-22T08:59:23-03:00", 20261122),  # the same instant on a Chilean clock
    ],
)
def test_day_obs_rolls_over_at_noon_tai(utc, expected):
    assert day_obs_at(datetime.fromisoformat(utc)) == expected


@given(instants)
def test_every_instant_lies_in_its_own_day(at):
    day = ObservingDay.at(at)
    assert day.begins <= at < day.ends
    assert day.ends - day.begins == timedelta(days=1)


@given(st.dates(min_value=date(1990, 1, 2), max_value=date(2100, 12, 30)))
def test_previous_and_next_undo_each_other(today):
    day = ObservingDay(today.year * 10_000 + today.month * 100 + today.day)
    assert day.next.previous == day
    assert day.previous.next == day
    assert ObservingDay.parse(str(day)) == day


@pytest.mark.parametrize("text", ["", "today", "2026-13-01", "20260230", "2026-1-1", "99999999", "٢٠٢٦١١٢٢", "2026112"])
def test_what_is_not_a_date_is_refused_in_words(text):
    with pytest.raises(ValueError, match="dayObs"):
        ObservingDay.parse(text)


@pytest.mark.parametrize(
    ("day_obs", "sunset", "twilight", "sunrise"),
    [  # UTC, computed independently with astropy at 1-minute steps
        (20260320, "22:54", "23:46", "10:47"),
        (20260621, "21:51", "22:47", "11:39"),
        (20260922, "22:39", "23:31", "10:31"),
        (20261221, "23:44", "00:45", "09:39"),
    ],
)
def test_the_sun_sets_and_rises_as_the_almanac_says(day_obs, sunset, twilight, sunrise):
    day = ObservingDay(day_obs)
    for moment, expected in ((day.sunset, sunset), (day.evening_twilight, twilight), (day.sunrise, sunrise)):
        hour, minute = map(int, expected.split(":"))
        wanted = moment.replace(hour=hour, minute=minute, second=30)
        assert abs(moment - wanted) < timedelta(minutes=1.6), (moment, expected)
    assert day.begins < day.sunset < day.evening_twilight < day.morning_twilight < day.sunrise < day.ends


def test_mjd_is_in_tai() -> None:
    assert mjd_tai(datetime(2026, 11, 22, 0, 0, 0, tzinfo=UTC)) == pytest.approx(61366 + 37 / 86400, abs=1e-9)


@pytest.mark.parametrize("day_obs", [19991231, 20400615, 20991130])
def test_days_far_from_the_earth_rotation_tables_have_a_sunset_too(day_obs):
    day = ObservingDay(day_obs)
    assert day.begins < day.sunset < day.sunrise < day.ends
