"""Instants of observation: integers, nanoseconds of TAI since 1970-01-01T00:00:00 TAI, as the LSST Butler keeps them.

A day of TAI has always 86,400 s, so that ranges of these numbers are exact and know no leap second; 64 bits reach from
1677 to 2262.
"""

from datetime import UTC, date, datetime, timedelta

from psycopg.types.range import Range

from calib.certification.refusals import NotCertifiable
from dayops.observing_day import ObservingDay, tai_offset

NS_PER_S = 1_000_000_000
NS_PER_DAY = 86_400 * NS_PER_S
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MJD_OF_EPOCH = 40_587
_MICROSECOND = timedelta(microseconds=1)
_LIMIT = 2**63


def tai_ns(at: datetime) -> int:
    """The instant of an aware `datetime`."""
    return (at + tai_offset(at) - _EPOCH) // _MICROSECOND * 1000


def utc_of(instant: int) -> datetime:
    """UTC, to the microsecond below. A leap second, which `datetime` cannot say, is told as the second after it."""
    tai = _EPOCH + timedelta(microseconds=instant // 1000)
    return tai - tai_offset(tai - tai_offset(tai))


def mjd_tai_of(instant: int) -> float:
    """Modified Julian Date in TAI, to a microsecond or so: for people and figures, not for comparisons."""
    return _MJD_OF_EPOCH + instant / NS_PER_DAY


def day_obs_of(instant: int) -> int:
    """dayObs (YYYYMMDD): the date of TAI − 12 h."""
    day = date(1970, 1, 1) + timedelta(days=(instant - NS_PER_DAY // 2) // NS_PER_DAY)
    return day.year * 10_000 + day.month * 100 + day.day


def night_of(day_obs: int) -> tuple[int, int]:
    """First instant of dayObs `day_obs`, and of the next one. Raises ValueError for what is no dayObs."""
    days = (ObservingDay(day_obs).date - date(1970, 1, 1)).days
    begins = days * NS_PER_DAY + NS_PER_DAY // 2
    return begins, begins + NS_PER_DAY


def said(instant: int) -> str:
    """For sentences: ``2026-11-22 12:00:00 TAI``."""
    return f"{_EPOCH + timedelta(microseconds=instant // 1000):%Y-%m-%d %H:%M:%S} TAI"


def half_open(valid_from: int, valid_to: int | None) -> Range[int]:
    """The range [valid_from, valid_to) as PostgreSQL takes it; without an end where `valid_to` is None.

    Raises
    ------
    NotCertifiable
        It is empty, or does not fit 64 bits.
    """
    if not -_LIMIT <= valid_from < _LIMIT or not -_LIMIT <= (valid_to or 0) < _LIMIT:
        raise NotCertifiable("The instants must be nanoseconds of TAI since 1970, from 1677 to 2262.")
    if valid_to is not None and valid_to <= valid_from:
        raise NotCertifiable(
            f"The range from {said(valid_from)} to {said(valid_to)} is empty: it must end after it begins "
            "(its end is the first instant that is not in it)."
        )
    return Range(valid_from, valid_to, "[)")
