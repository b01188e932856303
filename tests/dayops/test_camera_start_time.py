"""When an exposure began and which dayObs it belongs to."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dayops.observing_day import day_obs_at, tai_offset
from tests.raw_headers import ABSENT, described, problems

LEAP_SECOND = 1_483_228_800  # Unix time of 2017-01-01T00:00:00 UTC


def test_a_start_in_tai_becomes_utc():
    assert described().began_at == datetime(2026, 11, 22, 16, 20, 0, tzinfo=UTC)


def test_a_start_without_a_clock_is_utc():
    assert described(TIMESYS=ABSENT).began_at == datetime(2026, 11, 22, 16, 20, 37, tzinfo=UTC)


def test_a_day_obs_that_contradicts_the_start_is_remarked_and_the_start_wins():
    frame = described(DAYOBS="20261120")
    assert frame.day_obs == 20261122
    assert frame.remarks == ("The header says dayObs 20261120; by its start the exposure belongs to 20261122.",)


def test_a_start_in_the_future_is_a_remark_about_the_clock():
    frame = described(DATE_BEG="2031-01-01T16:00:00", DAYOBS=ABSENT)
    assert frame.remarks[0].startswith("Clock: the exposure says it began in the future")


def test_a_clock_that_was_never_set_leaves_the_day_to_the_header():
    frame = described(DATE_BEG="1970-01-01T00:00:12")
    assert frame.day_obs == 20261122
    assert frame.remarks[0].startswith("Clock:")


@pytest.mark.parametrize("said", [ABSENT, "20261399", "soon"])
def test_a_clock_that_was_never_set_is_refused_where_the_header_names_no_day(said):
    assert problems(DATE_BEG="1970-01-01T00:00:12", DAYOBS=said)[0].startswith("Clock:")


@pytest.mark.parametrize("date", ["2026-13-01T00:00:00", "yesterday", "2026-11-22"])
def test_a_start_that_is_no_usable_date_is_refused(date):
    assert "start of the exposure is" in problems(DATE_BEG=date)[0]


@pytest.mark.parametrize("date", ["1066-10-14T09:00:00", "1969-12-31T23:59:59", "9999-12-31T23:59:59"])
def test_a_start_outside_the_age_of_such_cameras_is_refused(date):
    assert "expected 1970 to 2100" in problems(DATE_BEG=date)[0]


def test_an_unknown_clock_is_refused():
    assert "TIMESYS 'SIDEREAL' is not a known clock" in problems(TIMESYS="SIDEREAL")[0]


def test_a_julian_date_serves_where_no_date_does():
    frame = described(DATE_BEG=ABSENT, MJD_BEG=61366.681_25, TIMESYS="UTC")
    assert abs((frame.began_at - datetime(2026, 11, 22, 16, 21, tzinfo=UTC)).total_seconds()) < 0.001


def test_a_date_without_a_time_is_joined_with_the_time_of_another_card():
    frame = described(DATE_BEG=ABSENT, DATE_OBS="2026-11-22", UT="16:20:37", TIMESYS=ABSENT)
    assert frame.began_at == datetime(2026, 11, 22, 16, 20, 37, tzinfo=UTC)


def test_a_julian_date_of_whole_days_is_no_start():
    assert "start of the exposure is missing" in problems(DATE_BEG=ABSENT, MJD_BEG=61366.0)[0]


def test_terrestrial_time_becomes_utc():
    assert described(TIMESYS="TT").began_at == datetime(2026, 11, 22, 16, 19, 27, 816_000, tzinfo=UTC)


def test_a_date_and_a_julian_date_that_disagree_are_remarked_and_the_date_is_used():
    frame = described(MJD_BEG=61366.0625)
    assert frame.began_at.hour == 16
    assert frame.remarks == ("The header's date and its Julian date differ by 14:50:37; 2026-11-22 16:20:37 was used.",)


@given(st.integers(915_148_800, 1_780_000_000))  # 1999 to 2026
@example(LEAP_SECOND - 1)
@example(LEAP_SECOND)
@example(LEAP_SECOND + 3)
def test_any_start_in_tai_is_told_back_as_the_same_instant(seconds):
    began = datetime.fromtimestamp(seconds, UTC)
    said = began + tai_offset(began) + timedelta(microseconds=500)
    frame = described(DATE_BEG=said.isoformat()[:19], DAYOBS=ABSENT)
    assert (frame.began_at, frame.day_obs) == (began, day_obs_at(began))
