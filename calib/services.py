"""Writes of the calibration activity about single frames: one function, one transaction."""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from django.db import connection, transaction

from calib.judging import Levels, findings, judged, worst_of_amplifiers
from calib.models import Assessment, Finding, Level, Measurement
from calib.thresholds import in_force
from dayops import runs
from dayops.camera import Detector
from dayops.models import RawFrame
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


@transaction.atomic(savepoint=False)
def record_assessment(
    frame: RawFrame,
    detector: Detector,
    values: Mapping[str, npt.NDArray[np.float64]],
    remarks: Sequence[str] = (),
) -> Assessment:
    """Store the metrics of a frame, judge them, and keep the verdict. Replaces an earlier assessment of the frame.

    `values` has, for each metric, one number for each amplifier of `detector`, or one for the whole. `remarks` are
    sentences about what its header contradicts.
    """
    _not_while_it_is_judged(frame)
    Measurement.objects.filter(frame=frame).delete()
    assessment, levels = keep_verdict(frame, detector, values, remarks)
    Measurement.objects.bulk_create(
        Measurement(
            exposure=frame.exposure,
            frame=frame,
            detector=frame.detector,
            metric=name,
            values=found.tolist(),
            levels=levels[name].tolist(),
        )
        for name, found in values.items()
        if np.isfinite(found).any()  # a metric that does not apply has no row
    )
    return assessment


def _not_while_it_is_judged(frame: RawFrame) -> None:
    """Who judges the exposure holds its row, and so sees a frame's numbers whole or is older than them.

    A shared lock: frames are recorded beside each other.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM dayops_exposure WHERE id = %s FOR SHARE", [frame.exposure_id])


@transaction.atomic(savepoint=False)
def keep_verdict(
    frame: RawFrame,
    detector: Detector,
    values: Mapping[str, npt.NDArray[np.float64]],
    remarks: Sequence[str] = (),
) -> tuple[Assessment, Levels]:
    """Judge a frame's numbers by the limits in force when it was taken; the verdict replaces an older one."""
    exposure, amplifiers = frame.exposure, [amplifier.name for amplifier in detector.amplifiers]
    limits = in_force(exposure.camera, exposure.image_type, exposure.began_at, exposure.filter, detector)
    levels = judged(values, limits, amplifiers)
    worst = worst_of_amplifiers(levels, len(amplifiers))
    Assessment.objects.filter(frame=frame).delete()
    assessment = Assessment.objects.create(
        frame=frame,
        exposure=exposure,
        detector=frame.detector,
        level=max((int(level.max()) for level in levels.values() if level.size), default=Level.OK),
        amplifiers_warn=int((worst == Level.WARN).sum()),
        amplifiers_error=int((worst == Level.ERROR).sum()),
        remarks=list(remarks),
        code_version=code_version(),
    )
    found = findings(values, levels, limits, amplifiers)
    for finding in found:
        finding.assessment = assessment
    Finding.objects.bulk_create(found)
    return assessment, levels
