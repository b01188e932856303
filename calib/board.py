"""The lane of the raw calibrations on the day board, and both of calibration's activities."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q
from django.utils.timezone import now

from calib.models import CheckResult, Level
from calib.products.lane import products_lane
from calib.science.checks import BY_NAME
from dayops.activities import Activity, Lane
from dayops.archive.catch_up import backlog
from dayops.day_plan import Plan
from dayops.models import Exposure, FrameState, Phase, RawFrame, Run
from dayops.observing_day import ObservingDay

_LOOKED_AT = 200  # failed checks of a day, of which the kinds are told


def raw_lane(day: ObservingDay) -> Lane:
    """How the day's raw calibration frames stand: received, measured, judged (five queries)."""
    exposures = Exposure.objects.filter(day_obs=day.day_obs, camera=settings.CAMERA)
    frames = RawFrame.objects.filter(exposure__in=exposures)
    counts = frames.aggregate(
        archived=Count("id", filter=Q(state=FrameState.ARCHIVED)),
        quarantined=Count("id", filter=Q(state=FrameState.QUARANTINED)),
        measured=Count("assessment"),
        errors=Count("id", filter=Q(assessment__level=Level.ERROR)),
        warnings=Count("id", filter=Q(assessment__level=Level.WARN)),
    )
    failed = Run.objects.filter(day_obs=day.day_obs, activity__in=["calib", "archiver"], phase=Phase.ERROR).count()
    counts |= {"exposures": exposures.count(), "failed": failed, "waiting": backlog(day.day_obs)}
    checks = CheckResult.objects.filter(judgement__exposure__in=exposures, level=Level.ERROR).order_by("-id")
    names = list(dict.fromkeys(checks.values_list("check_name", flat=True)[:_LOOKED_AT]))
    expected = len(Plan.load().exposures(day.day_obs))
    return Lane(
        state=_state(counts | {"checks": len(names)}, expected, is_over=now() > day.ends),
        sentence=_sentence(counts, names),
        done=counts["exposures"],
        expected=expected,
        unit="exposures",
        url=f"/{day}/calib/",
        blocked_by=_blocked_by(counts, names),
        facts=(
            ("archived", _number(counts["archived"], "frame")),
            ("measured", f"{counts['measured']} of {counts['archived']}"),
            ("offered, not archived", str(counts["waiting"])),
            ("quarantined", str(counts["quarantined"])),
        ),
    )


def _state(counts: dict[str, int], expected: int, *, is_over: bool) -> str:
    if not counts["exposures"]:
        return "NONE"
    if counts["failed"] or counts["errors"] or counts["checks"]:
        return "ERROR"
    if counts["exposures"] < expected and is_over:
        return "MISSING"
    if counts["waiting"] or counts["measured"] < counts["archived"] or counts["exposures"] < expected:
        return "EXECUTING"
    return "WARN" if counts["warnings"] or counts["quarantined"] else "OK"


def _sentence(counts: dict[str, int], checks: list[str]) -> str:
    if not counts["exposures"]:
        return "No run yet. The Archiver takes each frame as the Camera Data System offers it; workers measure it."
    troubles = f" {', '.join(BY_NAME[name].title for name in checks)}." if checks else ""
    if not counts["errors"] and not counts["warnings"]:
        return troubles.strip() or "Every measured frame is within its limits."
    return f"{_number(counts['errors'], 'frame')} in ERROR, {counts['warnings']} in WARN.{troubles}"


def _blocked_by(counts: dict[str, int], checks: list[str]) -> str:
    if counts["failed"]:
        return f"{_number(counts['failed'], 'run')} failed: open it, read the error and retry."
    if checks:
        return f"{BY_NAME[checks[0]].title}. {BY_NAME[checks[0]].remedy}"
    if counts["errors"]:
        return f"{_number(counts['errors'], 'frame')} in ERROR: look before masters are made from this day."
    if counts["quarantined"]:
        return f"{_number(counts['quarantined'], 'frame')} quarantined: the same detector was sent twice, differently."
    return ""


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _end_of_afternoon(day: ObservingDay) -> datetime:
    return day.sunset - timedelta(minutes=90)


def _one_hour_before_observing(day: ObservingDay) -> datetime:
    return day.evening_twilight - timedelta(hours=1)


ACTIVITIES = (
    Activity(
        key="calib",
        title="Raw calibration images",
        order=1,
        queue="alert-production",
        deadline_name="frames in and judged by sunset − 1.5 h",
        deadline=_end_of_afternoon,
        lane=raw_lane,
    ),
    Activity(
        key="products",
        title="Daily calibration products",
        order=2,
        queue="alert-production",
        deadline_name="masters certified 1 h before observing (DMS-REQ-0131)",
        deadline=_one_hour_before_observing,
        lane=products_lane,
    ),
)
