"""When an exposure began: one UTC instant from the several cards that may say it."""

import re
from datetime import UTC, datetime, timedelta

from dayops.camera.cards import Cards, Findings
from dayops.observing_day import ObservingDay, day_obs_at, tai_offset

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_TIME = re.compile(r"\d\d:\d\d(:\d\d(\.\d{1,9})?)?", re.ASCII)
_MJD_EPOCH = datetime(1858, 11, 17, tzinfo=UTC)
_TT_MINUS_TAI = timedelta(seconds=32.184)
_SAME_INSTANT = timedelta(minutes=1)
_CLOCKS = ("UTC", "UT", "UT1", "TAI", "TT")  # UT1 is within a second of UTC, which is as good as such clocks are
_CLOCK_WAS_SET = datetime(1990, 1, 1, tzinfo=UTC)


def began_at(cards: Cards) -> datetime | None:
    """The start of the exposure in UTC, or None with a problem said.

    DATE-BEG is preferred to DATE-OBS, dates to Julian dates. TIMESYS gives the clock; without it the clock is UTC, as
    the FITS standard has it (and as LSST's test stands, whose IMAGETAG is the same instant in Unix time).
    """
    clock = cards.text("TIMESYS").upper() or "UTC"
    if clock not in _CLOCKS:
        cards.findings.problems.append(f"TIMESYS {clock!r} is not a known clock: expected one of {', '.join(_CLOCKS)}.")
        return None
    read = _from_date(cards) or _from_mjd(cards)
    if read is None:
        cards.findings.problems.append(_no_start(cards))
        return None
    if not 1970 <= read.year <= 2100:
        cards.findings.problems.append(f"The exposure cannot have begun on {read:%Y-%m-%d}: expected 1970 to 2100.")
        return None
    cards.findings.remarks += _disagreement(cards, read)
    return _in_utc(read, clock)


def day_obs_of(began: datetime, cards: Cards, now: datetime) -> int:
    """dayObs by the start of the exposure, with a remark where the clock or the header's own DAYOBS disagrees.

    A clock that was never set gives no day: then the header's own is taken, and without one that is a problem.
    """
    computed, said = day_obs_at(began), _said_day_obs(cards)
    if began < _CLOCK_WAS_SET:
        unset = f"Clock: the exposure says it began on {began:%Y-%m-%d}; was the clock set?"
        (cards.findings.remarks if said else cards.findings.problems).append(unset)
        return said or computed
    if began > now + timedelta(days=1):
        ahead = f"Clock: the exposure says it began in the future, on {began:%Y-%m-%d %H:%M} UTC."
        cards.findings.remarks.append(ahead)
    if said and said != computed:
        differs = f"The header says dayObs {said}; by its start the exposure belongs to {computed}."
        cards.findings.remarks.append(differs)
    return computed


def _said_day_obs(cards: Cards) -> int | None:
    try:
        return ObservingDay.parse(cards.text("DAYOBS", "DAY-OBS")).day_obs
    except ValueError:
        return None


def _from_date(cards: Cards) -> datetime | None:
    for name in ("DATE-BEG", "DATE-OBS"):
        date, _, time = cards.text(name).rstrip("Z").replace(" ", "T").partition("T")
        if _DATE.fullmatch(date):
            time = time or cards.text("UT", "UTSTART", "TIME-OBS", "TIME-BEG")
            if _TIME.fullmatch(time):
                return _instant(f"{date}T{time}", name, cards.findings)
    return None


def _instant(text: str, name: str, findings: Findings) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        findings.remarks.append(f"{name} {text!r} is not a date of any calendar; the Julian date was used instead.")
        return None


def _from_mjd(cards: Cards) -> datetime | None:
    mjd = cards.number("MJD-BEG", "MJD-OBS", "MJD")
    if not 0 < mjd < 100_000 or mjd.is_integer():  # a whole number is a day, not a time
        return None
    return _MJD_EPOCH + timedelta(days=mjd)


def _disagreement(cards: Cards, read: datetime) -> list[str]:
    """A remark where the Julian date, on the same clock, is another instant than the date that was read."""
    mjd = _from_mjd(cards)
    if mjd is None or abs(mjd - read) < _SAME_INSTANT:
        return []
    return [f"The header's date and its Julian date differ by {abs(mjd - read)}; {read:%Y-%m-%d %H:%M:%S} was used."]


def _no_start(cards: Cards) -> str:
    if date := cards.text("DATE-BEG", "DATE-OBS"):
        return f"The start of the exposure is unknown: {date!r} is not a date with a time as YYYY-MM-DDThh:mm:ss."
    return "The start of the exposure is missing: expected DATE-BEG or DATE-OBS (or MJD-BEG, MJD-OBS)."


def _in_utc(read: datetime, clock: str) -> datetime:
    if clock not in ("TAI", "TT"):
        return read
    tai = read - _TT_MINUS_TAI if clock == "TT" else read
    near = tai - tai_offset(tai)  # within a second or so of UTC, and so on its side of any leap second
    return tai - tai_offset(near)
