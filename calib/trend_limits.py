"""The limits that were in force over time, as steps."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from calib.models import Threshold
from calib.science.judgement import Limits
from calib.thresholds import limits_of, particularity
from calib.trends import Scope, taken_between


@dataclass(frozen=True, slots=True)
class Span:
    """The limits of a metric from `begins` to `ends` (UTC)."""

    begins: datetime
    ends: datetime
    limits: Limits


def spans_of(scope: Scope, image_type: str, filter: str) -> list[Span]:
    """The limits of the scope for frames of one kind, in the order of time and without gaps (one query).

    A camera or raft has those that hold for all of its detectors, a detector those for all of its amplifiers.
    """
    begins, ends = taken_between(scope)
    detector, amplifier = scope.detector, scope.amplifier
    rows = Threshold.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=begins),
        metric=scope.metric.name,
        camera__in=["", scope.camera],
        image_type__in=["", image_type],
        filter__in=["", filter],
        detector__in=["", detector.name] if detector else [""],
        detector_type__in=["", detector.vendor] if detector else [""],
        amplifier__in=["", amplifier.name] if amplifier else [""],
        valid_from__lt=ends,
    )
    return steps(sorted(rows, key=particularity), begins, ends)


def steps(rows: Iterable[Threshold], begins: datetime, ends: datetime) -> list[Span]:
    """Which of `rows`, the most particular last, is in force when, from `begins` to `ends`."""
    rows = list(rows)
    changes = {at for row in rows for at in (row.valid_from, row.valid_until) if at and begins < at < ends}
    spans: list[Span] = []
    for at, until in itertools.pairwise(sorted({begins, *changes, ends})):
        in_force = [row for row in rows if row.valid_from <= at and (row.valid_until is None or row.valid_until > at)]
        limits = limits_of(in_force[-1]) if in_force else Limits()
        if spans and spans[-1].limits == limits:
            spans[-1] = Span(spans[-1].begins, until, limits)
        else:
            spans.append(Span(at, until, limits))
    return spans
