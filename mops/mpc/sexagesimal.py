"""Right ascension and declination in the columns of MPC1992 (33–44 and 45–56), to and from degrees."""

import re

_RA = re.compile(r"(\d{2}) (\d{2})(?: (\d{2}(?:\.\d{0,3})?)|(\.\d{1,4}))? *", re.ASCII)
_DEC = re.compile(r"([+-])(\d{2}) (\d{2})(?: (\d{2}(?:\.\d{0,2})?)|(\.\d{1,3}))? *", re.ASCII)


def ra_degrees(columns: str) -> float:
    """Degrees of ``HH MM SS.ddd`` or ``HH MM.mmm``; ValueError in a sentence."""
    match = _RA.fullmatch(columns)
    if match is None:
        raise ValueError(f"the right ascension {columns.strip()!r} is not of the form 'HH MM SS.ddd' or 'HH MM.mmm'")
    hours, minutes, seconds = int(match[1]), int(match[2]), _seconds(match[3], match[4])
    if hours > 23 or minutes > 59 or seconds >= 60:
        raise ValueError(f"the right ascension {columns.strip()!r} is beyond 23 59 59.999")
    return 15.0 * (hours * 3600 + minutes * 60 + seconds) / 3600.0


def dec_degrees(columns: str) -> float:
    """Degrees of ``sDD MM SS.dd`` or ``sDD MM.mm``; ValueError in a sentence."""
    match = _DEC.fullmatch(columns)
    if match is None:
        raise ValueError(f"the declination {columns.strip()!r} is not of the form 'sDD MM SS.dd' (s is + or -)")
    degrees, minutes, seconds = int(match[2]), int(match[3]), _seconds(match[4], match[5])
    arcsec = degrees * 3600 + minutes * 60 + seconds
    if minutes > 59 or seconds >= 60 or arcsec > 90 * 3600:
        raise ValueError(f"the declination {columns.strip()!r} is beyond ±90 degrees, or its minutes or seconds are")
    return (-arcsec if match[1] == "-" else arcsec) / 3600.0


def ra_columns(ra_deg: float) -> str:
    """Twelve columns, to 0.001 s; 24 h is written as 0 h."""
    if not 0.0 <= ra_deg < 360.0:
        raise ValueError(f"the right ascension {ra_deg} is outside [0, 360) degrees")
    ticks = round(ra_deg * 240_000.0) % 86_400_000
    minutes, ticks = divmod(ticks, 60_000)
    return f"{minutes // 60:02d} {minutes % 60:02d} {ticks // 1000:02d}.{ticks % 1000:03d}"


def dec_columns(dec_deg: float) -> str:
    """Twelve columns, to 0.01″."""
    if not abs(dec_deg) <= 90.0:
        raise ValueError(f"the declination {dec_deg} is outside [-90, 90] degrees")
    signed = round(dec_deg * 360_000.0)
    minutes, ticks = divmod(abs(signed), 6_000)
    sign = "-" if signed < 0 else "+"
    return f"{sign}{minutes // 60:02d} {minutes % 60:02d} {ticks // 100:02d}.{ticks % 100:02d}"


def _seconds(seconds: str | None, minute_fraction: str | None) -> float:
    return 60.0 * float(minute_fraction) if minute_fraction else float(seconds or 0)
