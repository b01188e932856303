"""The two lanes of calibration on the day board."""

from datetime import datetime, timedelta

from django.db.models import Count, Max, Q

from calib.models import Level
from dayops.activities import Activity, Lane, no_run_yet
from dayops.archive.catch_up import backlog
from dayops.day_plan import Plan
from dayops.models import Exposure, FrameState, Phase, RawFrame, Run
from dayops.observing_day import ObservingDay


def raw_lane(day: ObservingDay) -> Lane:
    """How the day's raw calibration frames stand: received, measured, judged."""
    frames = RawFrame.objects.filter(exposure__day_obs=day.day_obs, state=FrameState.ARCHIVED)
    counts = frames.aggregate(
        archived=Count("id"),
        measured=Count("assessment"),
        worst=Max("assessment__level"),
        errors=Count("id", filter=Q(assessment__level=Level.ERROR)),
        warnings=Count("id", filter=Q(assessment__level=Level.WARN)),
    )
    exposures = Exposure.objects.filter(day_obs=day.day_obs).count()
    failed = Run.objects.filter(day_obs=day.day_obs, activity__in=["calib", "archiver"], phase=Phase.ERROR).count()
    waiting = backlog(day.day_obs)
    expected = len(Plan.load().exposures(day.day_obs))
    return Lane(
        state=_state(counts, exposures, expected, failed, waiting),
        sentence=_sentence(counts, exposures, expected),
        done=exposures,
        expected=expected,
        unit="exposures",
        url=f"/{day}/calib/",
        blocked_by=_blocked_by(counts, failed, waiting),
        facts=(
            ("archived", f"{counts['archived']} frames"),
            ("measured", f"{counts['measured']} of {counts['archived']}"),
            ("offered, not archived", str(waiting)),
        ),
    )


def _state(counts: dict[str, int], exposures: int, expected: int, failed: int, waiting: int) -> str:
    if not exposures:
        return "NONE"
    if failed or counts["worst"] == Level.ERROR:
        return "ERROR"
    if waiting or counts["measured"] < counts["archived"] or exposures < expected:
        return "EXECUTING"
    return "WARN" if counts["worst"] == Level.WARN else "OK"


def _sentence(counts: dict[str, int], exposures: int, expected: int) -> str:
    if not exposures:
        return "No run yet. The Archiver takes each frame as the Camera Data System offers it; workers measure it."
    judged = f"{counts['errors']} frames in ERROR, {counts['warnings']} in WARN"
    return f"{exposures} of {expected} exposures received; {judged}."


def _blocked_by(counts: dict[str, int], failed: int, waiting: int) -> str:
    if failed:
        return f"{failed} runs failed: open them, read the error and retry."
    if counts["errors"]:
        return f"{counts['errors']} frames are in ERROR: look at them before masters are made from this day."
    return ""


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
        lane=no_run_yet("The Calibration Generator will make and certify tonight's masters on the OCS's command."),
    ),
)
