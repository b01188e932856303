"""Numbers of nights and linkages as people read them."""

from datetime import UTC, datetime, timedelta

from dayops.web.markup import tai_seconds

_MJD_0 = datetime(1858, 11, 17, tzinfo=UTC)


def instant_of_mjd_tai(mjd: float) -> datetime:
    """The UTC instant of an MJD in TAI, to the millisecond."""
    tai = _MJD_0 + timedelta(milliseconds=round(mjd * 86_400_000))
    return tai - tai_seconds((tai - timedelta(seconds=37)).date())


def percent(share: object) -> float | None:
    """A share as a percentage; None where it is no number."""
    return 100 * share if isinstance(share, int | float) and not isinstance(share, bool) else None


def said(number: float | None, digits: int = 3, unit: str = "") -> str:
    """A number for a caption; “not known” where it is none."""
    if number is None or number != number:
        return "not known"
    return f"{number:.{digits}g} {unit}".strip()


def plural(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
