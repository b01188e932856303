"""Writes of the calibration activity: one function, one transaction, one event."""

import numpy as np
from django.db import transaction
from django.utils.timezone import now

from calib.models import Assessment, Finding, Level, Measurement
from calib.science.amplifier import DetectorStatistics
from calib.science.judgement import broken_limit, judge
from calib.thresholds import NONE, InForce, in_force
from dayops import events, runs
from dayops.models import RawFrame, Severity
from dayops.runs import NewTask
from dayops.version import code_version

ACTIVITY = "calib"
QUEUE = "alert-production"


def queue_assessment(frame: RawFrame) -> None:
    """Have an archived frame measured. Called in the transaction that archives it, so that none is forgotten."""
    exposure = frame.exposure
    task = NewTask(
        stage="measure",
        key=f"{frame.detector_name}:{frame.sha256[:12]}",
        function="calib.measure",
        arguments={"frame": frame.pk},
        queue=QUEUE,
    )
    run, created = runs.start(
        activity=ACTIVITY,
        key=f"assess:{exposure.camera}:{exposure.name}",
        title=f"Assess {exposure.name} ({exposure.image_type.lower()})",
        day_obs=exposure.day_obs,
        tasks=[task],
        stages=["measure"],
        subject=f"exposure:{exposure.camera}/{exposure.name}",
        requested_by="archiver",
    )
    if not created:
        runs.add_tasks(run, [task])


@transaction.atomic
def record_assessment(frame: RawFrame, statistics: DetectorStatistics) -> Assessment:
    """Store the metrics of a frame, judge them, and keep the verdict. Replaces an earlier assessment of the frame."""
    exposure = frame.exposure
    limits = in_force(exposure.camera, exposure.image_type, now())
    levels = {
        name: judge(statistics.values[row], limits.get(name, NONE).limits) for row, name in enumerate(statistics.names)
    }
    worst = np.max(np.stack(list(levels.values())), axis=0)
    Measurement.objects.filter(frame=frame).delete()
    Assessment.objects.filter(frame=frame).delete()
    assessment = Assessment.objects.create(
        frame=frame,
        exposure=exposure,
        detector=frame.detector,
        level=int(worst.max()),
        amplifiers_warn=int((worst == Level.WARN).sum()),
        amplifiers_error=int((worst == Level.ERROR).sum()),
        code_version=code_version(),
    )
    Measurement.objects.bulk_create(
        Measurement(
            exposure=exposure,
            frame=frame,
            detector=frame.detector,
            metric=name,
            values=statistics.values[row].tolist(),
            levels=levels[name].tolist(),
        )
        for row, name in enumerate(statistics.names)
    )
    findings = _findings(assessment, statistics, levels, limits)
    Finding.objects.bulk_create(findings)
    if assessment.level == Level.ERROR:
        _tell(frame, assessment, findings)
    return assessment


def _findings(
    assessment: Assessment,
    statistics: DetectorStatistics,
    levels: dict[str, np.ndarray],
    limits: dict[str, InForce],
) -> list[Finding]:
    rows = {name: row for row, name in enumerate(statistics.names)}
    return [
        Finding(
            assessment=assessment,
            metric=name,
            amplifier=statistics.amplifiers[i],
            level=int(level[i]),
            value=float(statistics.values[rows[name], i]),
            limit=broken_limit(float(statistics.values[rows[name], i]), int(level[i]), limits.get(name, NONE).limits),
            threshold_id=limits.get(name, NONE).threshold_id,
        )
        for name, level in levels.items()
        for i in np.flatnonzero(level)
    ]


def _tell(frame: RawFrame, assessment: Assessment, findings: list[Finding]) -> None:
    worst = next(finding for finding in findings if finding.level == Level.ERROR)
    limit = "could not be measured" if worst.limit is None else f"is {worst.value:.5g} (limit {worst.limit:g})"
    events.record(
        "calib.error",
        f"{frame.exposure.name} {frame.detector_name}: {assessment.amplifiers_error} amplifiers in ERROR; "
        f"the first is {worst.amplifier}: {worst.metric} {limit}.",
        actor="calib",
        day_obs=frame.exposure.day_obs,
        severity=Severity.WARN,
        subject=f"exposure:{frame.exposure.camera}/{frame.exposure.name}",
    )
