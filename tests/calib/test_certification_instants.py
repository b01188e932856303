"""Instants of observation: TAI, whole nanoseconds, nights from roll-over to roll-over."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.certification.instants import day_obs_of, half_open, mjd_tai_of, night_of, said, tai_ns, utc_of
from calib.certification.refusals import NotCertifiable
from dayops.observing_day import ObservingDay, day_obs_at, mjd_tai

instants = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 (bounds)


@given(instants)
def test_an_instant_comes_back_from_utc_and_agrees_with_the_observatorys_other_clocks(at: datetime) -> None:
    ns = tai_ns(at)
    assert utc_of(ns) == at
    assert day_obs_of(ns) == day_obs_at(at)
    assert mjd_tai_of(ns) == pytest.approx(mjd_tai(at), rel=0, abs=1e-9)


@given(st.dates(date(1990, 1, 2), date(2100, 12, 30)))
def test_nights_are_a_day_of_tai_long_and_leave_no_instant_between_them(day: date) -> None:
    night = ObservingDay(int(f"{day:%Y%m%d}"))
    begins, ends = night_of(night.day_obs)
    assert begins == tai_ns(night.begins)
    assert ends - begins == 86_400_000_000_000
    assert night_of(night.next.day_obs)[0] == ends
    assert [day_obs_of(at) for at in (begins - 1, begins, ends - 1, ends)] == [
        night.previous.day_obs,
        night.day_obs,
        night.day_obs,
        night.next.day_obs,
    ]


def test_a_leap_second_lies_between_two_instants_that_utc_calls_neighbours() -> None:
    after = datetime(2017, 1, 1, tzinfo=UTC)
    assert tai_ns(after) - tai_ns(after - timedelta(seconds=1)) == 2_000_000_000


def test_an_instant_is_said_in_tai() -> None:
    assert said(night_of(20261122)[0]) == "2026-11-22 12:00:00 TAI"


def test_a_range_without_an_instant_is_refused_in_words() -> None:
    assert not half_open(5, None).upper
    with pytest.raises(NotCertifiable, match="must end after it begins"):
        half_open(5, 5)
