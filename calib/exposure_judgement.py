"""The machine's verdict on a whole exposure: its frames' verdicts, its checks, a summary of its numbers, its alarms.

Made by the worker that measures the last expected frame, and by the scheduler's duty for exposures that stay
incomplete, that gain a late frame, or whose worker died in between. Making it again replaces it.
"""

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta

import numpy as np
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count, F, Max, Q
from django.db.models.functions import Now

from calib import exposure_alarms
from calib.exposure_checks import Outcome, outcomes, row_of
from calib.models import Assessment, CheckResult, ExposureStatistic, Judgement, Level, Measurement
from calib.science.judgement import broken_limit, judge
from calib.thresholds import NONE, in_force
from dayops.camera import Detector, detector_of
from dayops.models import Exposure, FrameState, RawFrame
from dayops.version import code_version

log = logging.getLogger(__name__)

GRACE = timedelta(seconds=60)  # after its last frame, until an incomplete exposure is judged as it is
_STALE = timedelta(days=2)


def judge_if_complete(exposure: Exposure) -> bool:
    """Judge `exposure` if every expected frame has been measured. For the worker that measured one."""
    if Assessment.objects.filter(exposure=exposure).count() < exposure.detectors_expected:
        return False
    _judge_in_its_row(exposure)
    return True


def judge_what_waits() -> int:
    """The duty: judge exposures with a frame that was measured after they were judged; returns how many.

    One that is incomplete gets `GRACE` after its last measured frame. One that cannot be judged stands in no other's
    way.
    """
    waiting = (
        Exposure.objects.filter(created_at__gt=Now() - _STALE)
        .annotate(newest=Max("assessments__assessed_at"), frames_measured=Count("assessments"))
        .filter(Q(judgement__isnull=True) | Q(newest__gt=F("judgement__judged_at")), newest__isnull=False)
        .filter(Q(frames_measured__gte=F("detectors_expected")) | Q(newest__lt=Now() - GRACE))
    )
    return sum(_can_be_judged(exposure) for exposure in waiting)


def _can_be_judged(exposure: Exposure) -> bool:
    try:
        _judge_in_its_row(exposure)
    except (OperationalError, InterfaceError):
        raise  # the database is away, and so it is for the others
    except Exception:
        log.exception("%s cannot be judged; it will be tried again", exposure)
        return False
    return True


def _judge_in_its_row(exposure: Exposure) -> None:
    """Judge `exposure`, and again those of its row that were judged before it showed whether they were settling."""
    judgement = judge_exposure(exposure)
    for other in _seen_otherwise(judgement):
        judge_exposure(other)


def _seen_otherwise(judgement: Judgement) -> list[Exposure]:
    settling = CheckResult.objects.filter(check_name="settling").select_related("judgement__exposure")
    own = settling.filter(judgement=judgement).first()
    if own is None:
        return []
    drop, row = own.proposal.get("drop", []), row_of(judgement.exposure)
    others = settling.filter(judgement__exposure__in=row).exclude(pk=own.pk).order_by("judgement__exposure__seq_num")
    return [
        exposure
        for other in others
        for exposure in [other.judgement.exposure]
        if other.value != (len(drop) if exposure.name in drop else 0)
    ]


@transaction.atomic
def judge_exposure(exposure: Exposure, *, alarm: bool = True) -> Judgement:
    """Judge `exposure` as it stands, and raise or clear alarms unless it is history (`alarm` false)."""
    hold(exposure)
    frames = list(RawFrame.objects.filter(exposure=exposure, state=FrameState.ARCHIVED).order_by("detector"))
    detectors = [detector_of(exposure.camera, frame.detector, frame.geometry) for frame in frames]
    found = outcomes(exposure, detectors, len(frames))
    measured = Assessment.objects.filter(exposure=exposure).aggregate(count=Count("id"), worst=Max("level"))
    Judgement.objects.filter(exposure=exposure).delete()
    judgement = Judgement.objects.create(
        exposure=exposure,
        level=Level.OK,
        measured=measured["count"],
        expected=exposure.detectors_expected,
        code_version=code_version(),
        judged_at=Now(),
    )
    results = _judged(judgement, exposure, found)
    CheckResult.objects.bulk_create(results)
    judgement.level = max([measured["worst"] or Level.OK, *(result.level for result in results)])
    judgement.save(update_fields=["level"])
    _summarise(exposure, detectors)
    if alarm:
        exposure_alarms.tell(exposure, results)
    return judgement


def hold(exposure: Exposure) -> None:
    """Until the transaction ends nobody else judges `exposure`, and no frame of it gets new numbers."""
    Exposure.objects.select_for_update(no_key=True).get(pk=exposure.pk)


def _judged(judgement: Judgement, exposure: Exposure, found: Iterable[Outcome]) -> list[CheckResult]:
    limits = in_force(exposure.camera, exposure.image_type, exposure.began_at, exposure.filter)
    results = []
    for outcome in found:
        force = limits.get(outcome.check.name, NONE)
        level = int(judge(np.array([outcome.value]), force.limits)[0])
        results.append(
            CheckResult(
                judgement=judgement,
                check_name=outcome.check.name,
                detector=outcome.detector,
                level=level,
                value=outcome.value,
                limit=broken_limit(outcome.value, level, force.limits),
                threshold_id=force.threshold_id,
                sentence=outcome.said if level else "",
                proposal=outcome.proposal,
            )
        )
    return results


def _summarise(exposure: Exposure, detectors: Sequence[Detector]) -> None:
    """One row for each metric with a value, over every amplifier of `detectors`."""
    values: dict[str, list[float]] = {}
    rows = Measurement.objects.filter(exposure=exposure, detector__in=[detector.id for detector in detectors])
    for metric, found in rows.values_list("metric", "values"):
        values.setdefault(metric, []).extend(found)
    ExposureStatistic.objects.filter(exposure=exposure).delete()
    ExposureStatistic.objects.bulk_create(
        _statistic(exposure, metric, finite)
        for metric, found in values.items()
        if (finite := np.array(found)[np.isfinite(found)]).size
    )


def _statistic(
    exposure: Exposure, metric: str, finite: "np.ndarray[tuple[int], np.dtype[np.float64]]"
) -> ExposureStatistic:
    least, p5, median, p95, most = np.percentile(finite, (0, 5, 50, 95, 100)).tolist()
    return ExposureStatistic(
        exposure=exposure,
        metric=metric,
        count=finite.size,
        minimum=least,
        p5=p5,
        median=median,
        p95=p95,
        maximum=most,
    )
