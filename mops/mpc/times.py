"""UTC as the Minor Planet Center writes it, to and from Modified Julian Dates.

A date counts days of 86,400 seconds, as `mops.science.time_scales` takes it, so that an instant within a leap second
has none and is refused.
"""

import math
import re
from datetime import date

import erfa

ISO_UTC = re.compile(r"(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2}(?:\.\d{1,6})?)Z", re.ASCII)
_DECIMAL_DAY = re.compile(r"(\d{4}) (\d{2}) (\d{2})(\.\d{1,8})?", re.ASCII)
_OTHER_SCALE = re.compile(r"(TAI|TDB|TDT|TT|TCB|TCG|UT1|GPS|ET)\s*$", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?", re.ASCII)
_MJD_ZERO = date(1858, 11, 17).toordinal()


def _leap_days() -> frozenset[int]:
    """MJD of the days that end with a leap second (IERS; the table that comes with ERFA)."""
    starts = [date(int(row["year"]), int(row["month"]), 1) for row in erfa.leap_seconds.get()]
    return frozenset(day.toordinal() - _MJD_ZERO - 1 for day in starts if day > date(1972, 1, 1))


_LEAP_DAYS = _leap_days()


def mjd_from_iso(text: str) -> float:
    """MJD (UTC) of an ADES `obsTime` such as ``2016-08-29T12:32:34.123Z``.

    Raises
    ------
    ValueError
        In a sentence: no such date or time, or a time scale other than UTC.
    """
    match = ISO_UTC.fullmatch(text)
    if match is None:
        raise ValueError(_why_not_iso(text))
    year, month, day, hour, minute = (int(part) for part in match.groups()[:5])
    mjd_day = _mjd_day(year, month, day, text)
    second = float(match[6])
    if (hour, minute) == (23, 59) and 60.0 <= second < 61.0 and mjd_day in _LEAP_DAYS:
        raise ValueError(f"the time {text!r} lies within a leap second, which has no Modified Julian Date")
    if hour > 23 or minute > 59 or second >= 60.0:
        raise ValueError(f"the time {text!r} does not exist: hours go to 23, minutes and seconds to 59")
    return mjd_day + (hour * 3600 + minute * 60 + second) / 86_400.0


def mjd_from_decimal_day(text: str) -> float:
    """MJD (UTC) of the 80-column form ``YYYY MM DD.dddddd``; ValueError in a sentence."""
    match = _DECIMAL_DAY.fullmatch(text.rstrip())
    if match is None:
        raise ValueError(f"the date {text.strip()!r} is not of the form 'YYYY MM DD.ddddd'")
    return _mjd_day(int(match[1]), int(match[2]), int(match[3]), text) + float(match[4] or 0)


def iso_from_mjd(mjd_utc: float, decimals: int = 3) -> str:
    """The ADES `obsTime` of a UTC MJD, rounded to `decimals` of a second."""
    day = math.floor(mjd_utc)
    ticks = round((mjd_utc - day) * 86_400 * 10**decimals)
    seconds, fraction = divmod(ticks, 10**decimals)
    day, seconds = day + seconds // 86_400, seconds % 86_400
    tail = f".{fraction:0{decimals}d}" if decimals else ""
    return f"{_date(day)}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}{tail}Z"


def decimal_day_from_mjd(mjd_utc: float, decimals: int = 6) -> str:
    """``YYYY MM DD.dddddd``, at most 17 characters with six `decimals`."""
    day = math.floor(mjd_utc)
    ticks = round((mjd_utc - day) * 10**decimals)
    day, ticks = day + ticks // 10**decimals, ticks % 10**decimals
    return f"{_date(day).replace('-', ' ')}.{ticks:0{decimals}d}"


def night_of(mjd_utc: float, east_longitude_deg: float) -> int:
    """YYYYMMDD of the evening on which the night began, days parted at mean local noon.

    At Rubin's longitude this is dayObs for every time at which the Sun is down.
    """
    west = (east_longitude_deg + 180.0) % 360.0 - 180.0
    return int(_date(math.floor(mjd_utc + west / 360.0 - 0.5)).replace("-", ""))


def _mjd_day(year: int, month: int, day: int, text: str) -> int:
    try:
        return date(year, month, day).toordinal() - _MJD_ZERO
    except ValueError as error:
        raise ValueError(f"the date in {text.strip()!r} does not exist: {error}") from None


def _date(mjd_day: int) -> str:
    return date.fromordinal(mjd_day + _MJD_ZERO).isoformat()


def _why_not_iso(text: str) -> str:
    expected = "expected UTC as in 2025-12-31T03:04:05.678Z"
    scale = _OTHER_SCALE.search(text)
    if scale:
        return f"the time {text!r} is in {scale[1].upper()}, not UTC; convert it first ({expected})"
    if _NUMBER.fullmatch(text):
        return f"the time {text!r} is a number, perhaps a Julian date in an unknown time scale; {expected}"
    if ISO_UTC.fullmatch(text + "Z"):
        return f"the time {text!r} has no Z, so that its time scale is unknown (TAI is 37 s ahead of UTC); {expected}"
    if re.search(r"[+-]\d{2}:?\d{2}$", text):
        return f"the time {text!r} is given in a local zone; {expected}"
    return f"the time {text!r} is not of ADES's form; {expected}"
