"""How values look on every page: status, instant, number, duration. Used by template tags and tables alike."""

import math
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from dayops.observing_day import CHILE, tai_offset

NOTHING = "–"
THIN = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"

# status word → the look it shares. Colour is never alone: every look has its own icon, and the word is written out.
LOOKS = {
    "OK": "ok",
    "COMPLETED": "ok",
    "GO": "ok",
    "ACCEPTED": "ok",
    "ARCHIVED": "ok",
    "ENABLED": "ok",
    "ALIVE": "ok",
    "SENT": "ok",
    "CERTIFIED": "ok",
    "PASSED": "ok",
    "OVER": "ok",
    "PUBLISHED": "ok",
    "APPROVED": "ok",
    "CONFIRMED": "ok",
    "WRITTEN": "ok",
    "WARN": "warn",
    "OPEN": "warn",
    "GO WITH LIMITS": "warn",
    "RETRY": "warn",
    "HELD": "warn",
    "QUARANTINED": "warn",
    "ERROR": "error",
    "NO-GO": "error",
    "ALARM": "error",
    "FAILED": "error",
    "REJECTED": "error",
    "LOST": "error",
    "REFUSED": "error",
    "FAULT": "error",
    "LATE": "late",
    "STALE": "late",
    "MISSING": "missing",
    "OFFLINE": "missing",
    "QUEUED": "queued",
    "WAITING": "queued",
    "PENDING": "pending",
    "SNOOZED": "pending",
    "EXPECTED": "pending",
    "STANDBY": "pending",
    "DISABLED": "pending",
    "EXECUTING": "executing",
    "RUNNING": "executing",
    "MAKING": "executing",
    "ABORTED": "aborted",
    "REVOKED": "aborted",
    "EXPIRED": "aborted",
    "ENDED": "aborted",
    "REPLACED": "aborted",
    "TRIAL": "info",
    "INFO": "info",
    "IN FORCE": "ok",
    "SCHEDULED": "queued",
    "WITHDRAWN": "aborted",
    "ACKNOWLEDGED": "info",
    "INTERVENTION": "info",
}
_BY_SEVERITY = ("none", "ok", "info", "pending", "queued", "executing", "aborted", "warn", "late", "missing", "error")
SPELLED = {"NONE": "no run yet"}


def status(word: str, title: str = "") -> SafeString:
    """A status as colour, icon and word. Words without a look of their own (“no run yet”) get the quiet one."""
    look = LOOKS.get(str(word).upper(), "none")
    return format_html(
        '<span class="status status-{}"{}><svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>{}</span>',
        look,
        format_html(' title="{}"', title) if title else "",
        _sprite(),
        look,
        SPELLED.get(word, word),
    )


def severity(word: str) -> int:
    """How bad a status is, for sorting."""
    look = LOOKS.get(str(word).upper(), "none")
    return _BY_SEVERITY.index(look)


@lru_cache(maxsize=1)
def _sprite() -> str:
    return static("icons.svg")


def instant(at: datetime | None, form: str = "full") -> SafeString | str:
    """A UTC instant, with Chile and TAI on hover. `form` is ``full``, ``time`` (of day) or ``minute``."""
    if at is None:
        return NOTHING
    utc = at.astimezone(UTC)
    pattern = {"full": "%Y-%m-%d %H:%M:%S", "time": "%H:%M:%S", "minute": "%H:%M"}[form]
    title = f"{utc:%Y-%m-%d %H:%M:%S} UTC · {_chile(utc)} Chile · {_tai(utc):%H:%M:%S} TAI"
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', utc.isoformat(timespec="seconds"), title, format(utc, pattern)
    )


def _chile(utc: datetime) -> str:
    return f"{utc.astimezone(CHILE):%H:%M:%S %Z}"


def _tai(utc: datetime) -> datetime:
    return utc + tai_seconds(utc.date())


@lru_cache(maxsize=64)
def tai_seconds(day: date) -> timedelta:
    """TAI − UTC, whole seconds, on a UTC date: leap seconds come only between dates."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return timedelta(seconds=round(tai_offset(noon).total_seconds()))


def number(value: float | int | None, unit: str = "", digits: int = 4) -> SafeString | str:
    """A number with `digits` significant digits, thin-spaced thousands and its unit; integers are shown whole."""
    if value is None or not math.isfinite(value):
        return NOTHING
    text = format_number(value, digits)
    title = format_html(' title="{}"', repr(value)) if isinstance(value, float) else ""
    suffix = format_html('<span class="unit">{}{}</span>', THIN, unit) if unit else ""
    return format_html('<span class="number"{}>{}{}</span>', title, text, suffix)


def format_number(value: float | int, digits: int = 4) -> str:
    """The digits of a finite number as people read them: 1 234.5, −0.0123, 1.2×10⁻⁷."""
    if isinstance(value, int) or value == 0:
        return _grouped(f"{value:,.0f}")
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    magnitude = int(exponent)
    if not -4 <= magnitude < 7:
        return _grouped(f"{mantissa}×10{_superscript(magnitude)}")
    return _grouped(f"{value:,.{max(0, digits - 1 - magnitude)}f}")


def _grouped(text: str) -> str:
    return text.replace(",", THIN).replace("-", MINUS)


def _superscript(exponent: int) -> str:
    return str(exponent).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def duration(value: timedelta | float | None) -> str:
    """A span of time in its two leading units: 0.35 s, 12 s, 3 min 05 s, 2 h 05 min, 3 d 4 h."""
    if value is None:
        return NOTHING
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    if not math.isfinite(seconds):
        return NOTHING
    sign, seconds = (MINUS if seconds < 0 else ""), abs(seconds)
    return sign + _span(seconds)


def _span(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.2g}{THIN}s"
    whole = round(seconds)
    minutes, s = divmod(whole, 60)
    hours, m = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    if days:
        return f"{days}{THIN}d {h}{THIN}h"
    if hours:
        return f"{hours}{THIN}h {m:02}{THIN}min"
    return f"{m}{THIN}min {s:02}{THIN}s" if minutes else f"{s}{THIN}s"
