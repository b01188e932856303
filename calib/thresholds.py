"""Which limits are in force for a frame."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from calib.models import Threshold
from calib.science.judgement import Limits


@dataclass(frozen=True, slots=True)
class InForce:
    """Limits and the row they come from."""

    limits: Limits
    threshold_id: int | None


NONE = InForce(Limits(), None)


def in_force(camera: str, image_type: str, at: datetime) -> dict[str, InForce]:
    """The limits of every metric for frames of `camera` and `image_type` judged at `at` (one query).

    The most particular row counts: camera and type, then camera, then type, then any.
    """
    rows = Threshold.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=at),
        camera__in=["", camera],
        image_type__in=["", image_type],
        valid_from__lte=at,
    )
    ranked = sorted(rows, key=lambda row: (bool(row.camera), bool(row.image_type), row.valid_from))
    return {row.metric: InForce(_limits(row), row.pk) for row in ranked}


def _limits(row: Threshold) -> Limits:
    return Limits(row.error_low, row.warn_low, row.warn_high, row.error_high)
