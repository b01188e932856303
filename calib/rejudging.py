"""Judging what was measured again, by the limits in force now for the time a frame was taken. No pixel is read."""

from collections.abc import Iterable

import numpy as np
from django.db import transaction
from django.utils.timezone import now

from calib import services
from calib.exposure_judgement import hold, judge_exposure
from calib.models import Assessment, Measurement
from dayops import events, runs
from dayops.camera import detector_of
from dayops.models import Exposure, RawFrame, Run
from dayops.observing_day import ObservingDay
from dayops.runs import NewTask


class NothingToJudge(Exception):
    """The day has no measured frames; the message says so."""


@transaction.atomic
def rejudge(exposure: Exposure) -> int:
    """Judge every measured frame of `exposure` again, and the exposure itself; return how many verdicts changed.

    Findings keep the value, the limit and the row that said so, as when the frame was measured.
    """
    hold(exposure)
    before = Assessment.objects.filter(exposure=exposure).select_related("frame__exposure")
    changed = sum(_rejudge(assessment) for assessment in before.order_by("frame"))
    judge_exposure(exposure, alarm=exposure.day_obs == ObservingDay.current().day_obs)  # history raises no alarms
    return changed


@transaction.atomic
def queue(day: ObservingDay, actor: str, reason: str) -> Run:
    """Have the workers judge all measured exposures of `day` again: one run, a task for each exposure.

    Raises
    ------
    NothingToJudge
        No frame of the day has been measured.
    """
    exposures = Exposure.objects.filter(day_obs=day.day_obs, assessments__isnull=False).distinct().order_by("pk")
    tasks = [
        NewTask("judge", exposure.name, "calib.rejudge", {"exposure": exposure.pk}, services.QUEUE)
        for exposure in exposures
    ]
    if not tasks:
        raise NothingToJudge(f"No frame of {day} has been measured: there is nothing to judge again.")
    run, _ = runs.start(
        activity=services.ACTIVITY,
        key=f"rejudge:{day}:{now():%Y%m%dT%H%M%S.%f}",
        title=f"Judge {len(tasks)} exposure{'' if len(tasks) == 1 else 's'} again",
        day_obs=day.day_obs,
        tasks=tasks,
        stages=["judge"],
        requested_by=actor,
    )
    events.record(
        "calib.rejudge",
        f"The frames of {day} are judged again by the limits in force.",
        actor=actor,
        reason=reason,
        day_obs=day.day_obs,
        subject=f"run:{run.pk}",
    )
    return run


def _rejudge(before: Assessment) -> bool:
    """Judge one frame again; whether its verdict or any level of it changed."""
    frame: RawFrame = before.frame
    measurements = list(Measurement.objects.filter(frame=frame))
    detector = detector_of(frame.exposure.camera, frame.detector, frame.geometry)
    values = {row.metric: np.array(row.values, dtype=np.float64) for row in measurements}
    _, levels = services.keep_verdict(frame, detector, values, before.remarks)
    return _keep_levels(measurements, {name: level.tolist() for name, level in levels.items()})


def _keep_levels(measurements: Iterable[Measurement], levels: dict[str, list[int]]) -> bool:
    changed = [row for row in measurements if row.levels != levels[row.metric]]
    for row in changed:
        row.levels = levels[row.metric]
    Measurement.objects.bulk_update(changed, ["levels"])
    return bool(changed)
