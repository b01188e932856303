"""What an amplifier usually measures: its own recent past, the norm that a new frame is compared with.

Left out are frames that people rejected, amplifiers that were in ERROR or whose level was on the move, and everything
before the last intervention on the camera or the detector.
"""

import warnings
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt
from django.db.models import QuerySet

from calib.models import Level, Measurement, Review
from calib.reviews import newest
from dayops.camera import Detector
from dayops.models import Exposure, Note

Array = npt.NDArray[np.float64]
Rejected = set[tuple[int, int | None]]

FRAMES = 25  # as many as a day has: a level that changed for good is the usual one half a day later
REACH = timedelta(days=30)
_UNSTEADY = "overscan_slope"  # in ERROR: a level that settles, or runs away, is no reference
_LOOKED_AT = 2 * FRAMES  # exposures: some lack the detector, some of its frames are rejected


def usual(
    exposure: Exposure, detectors: Sequence[Detector], *metrics: str, **frames: object
) -> Mapping[tuple[str, int], Array]:
    """Median of each metric over the newest `FRAMES` frames before `exposure`, for each amplifier.

    Keys are the metric and the detector's id; NaN where an amplifier has no past. `frames` restricts the frames by
    fields of their exposures, such as ``image_type="BIAS"``. Four queries, however many detectors.
    """
    earlier = Exposure.objects.filter(
        camera=exposure.camera, began_at__lt=exposure.began_at, began_at__gte=exposure.began_at - REACH, **frames
    )
    rejected, first = _rejected(earlier), _first_of(exposure, detectors)
    whole = [one for one, frame in rejected if frame is None]
    began = dict(earlier.exclude(pk__in=whole).order_by("-began_at", "-id").values_list("pk", "began_at")[:_LOOKED_AT])
    kept: dict[tuple[str, int], list[tuple[datetime, Array]]] = {}
    measured = Measurement.objects.filter(detector__in=list(first), exposure__in=list(began))
    found = list(
        measured.filter(metric__in={*metrics, _UNSTEADY}).values_list(
            "metric", "detector", "exposure_id", "frame_id", "values", "levels"
        )
    )
    unsteady = {row[3]: np.array(row[5]) == Level.ERROR for row in found if row[0] == _UNSTEADY}
    for metric, detector, at, frame, values, levels in found:
        if metric in metrics and began[at] >= first[detector] and (at, frame) not in rejected:
            bad = np.array(levels) == Level.ERROR
            if len(bad) == len(unsteady.get(frame, ())):
                bad |= unsteady[frame]
            good = np.where(bad, np.nan, np.array(values, dtype=np.float64))
            kept.setdefault((metric, detector), []).append((began[at], good))
    return {
        (metric, detector.id): _median(kept.get((metric, detector.id), []), len(detector.amplifiers))
        for metric in metrics
        for detector in detectors
    }


def _first_of(exposure: Exposure, detectors: Sequence[Detector]) -> dict[int, datetime]:
    """For each detector's id the instant (UTC) from which frames are a reference for `exposure`."""
    subjects = {f"detector:{exposure.camera}/{detector.name}": detector.id for detector in detectors}
    first = dict.fromkeys(subjects.values(), exposure.began_at - REACH)
    interventions = Note.objects.filter(
        kind=Note.Kind.INTERVENTION,
        subject__in=[f"camera:{exposure.camera}", *subjects],
        retracted_at__isnull=True,
        happened_at__lte=exposure.began_at,
        happened_at__gt=exposure.began_at - REACH,
    )
    for subject, at in interventions.order_by("happened_at").values_list("subject", "happened_at"):
        first |= dict.fromkeys([subjects[subject]] if subject in subjects else first, at)
    return first


def _rejected(exposures: QuerySet[Exposure]) -> Rejected:
    """(exposure, frame) of what people rejected and did not take back; frame None for a whole exposure."""
    last = newest(Review.objects.filter(exposure__in=exposures))
    return {(row.exposure_id, row.frame_id) for row in last if row.decision == Review.Decision.REJECT}


def _median(kept: list[tuple[datetime, Array]], amplifiers: int) -> Array:
    """Over the newest, per amplifier and finite value; NaN where there are none."""
    newest = sorted(kept, key=lambda one: one[0], reverse=True)[:FRAMES]
    rows = [values for _, values in newest if len(values) == amplifiers]
    if not rows:
        return np.full(amplifiers, np.nan)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # an amplifier without a past
        return np.asarray(np.nanmedian(np.array(rows), axis=0))
