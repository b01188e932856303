"""Which limits are in force for a frame."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Q

from calib.models import Threshold
from calib.science.judgement import Limits
from dayops.camera import Detector


@dataclass(frozen=True, slots=True)
class InForce:
    """Limits and the row they come from; `exceptions` are the amplifiers that have limits of their own."""

    limits: Limits
    threshold_id: int | None
    exceptions: Mapping[str, "InForce"] = field(default_factory=dict)

    def of(self, amplifier: str) -> "InForce":
        return self.exceptions.get(amplifier, self)


NONE = InForce(Limits(), None)


def in_force(
    camera: str, image_type: str, at: datetime, filter: str = "", detector: Detector | None = None
) -> dict[str, InForce]:
    """The limits of every metric for frames taken `at` (UTC), by the metric's name (one query).

    The most particular row counts: amplifier, then detector, then detector type, camera, filter, image type. Without a
    `detector` only limits that hold for all of them count, as a page about a whole exposure shows them.
    """
    rows = Threshold.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=at),
        camera__in=["", camera],
        image_type__in=["", image_type],
        filter__in=["", filter],
        detector__in=["", detector.name] if detector else [""],
        detector_type__in=["", detector.vendor] if detector else [""],
        valid_from__lte=at,
    )
    return ranked(rows if detector else rows.filter(amplifier=""))


def ranked(rows: Iterable[Threshold]) -> dict[str, InForce]:
    """The row that counts for each metric among `rows` that all hold for a frame, and its amplifiers' exceptions."""
    shared: dict[str, InForce] = {}
    exceptions: dict[str, dict[str, InForce]] = {}
    for row in sorted(rows, key=particularity):
        found = InForce(limits_of(row), row.pk)
        if row.amplifier:
            exceptions.setdefault(row.metric, {})[row.amplifier] = found
        else:
            shared[row.metric] = found
    return {
        metric: InForce(one.limits, one.threshold_id, exceptions.get(metric, {}))
        for metric in shared.keys() | exceptions.keys()
        for one in [shared.get(metric, NONE)]
    }


def particularity(row: Threshold) -> tuple[object, ...]:
    """Sorts rows from the most general to the most particular, older before newer."""
    return (*(bool(getattr(row, name)) for name in _RANK), row.valid_from)


_RANK = ("amplifier", "detector", "detector_type", "camera", "filter", "image_type")


def limits_of(row: Threshold) -> Limits:
    return Limits(row.error_low, row.warn_low, row.warn_high, row.error_high)
