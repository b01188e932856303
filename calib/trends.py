"""One metric over time: of a camera, or of one raft, detector or amplifier in it."""

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from django.db.models import Count, Max
from numpy.typing import NDArray

from calib.models import ExposureStatistic, Finding, Level, Measurement, Review
from calib.science.metrics import MetricDefinition
from dayops.camera import Amplifier, Detector
from dayops.models import Exposure
from dayops.observing_day import ObservingDay

_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True, slots=True)
class Scope:
    """What a trend is of. Without `raft`, `detector` and `amplifier` it is of all there are in the camera.

    `rafts` are the camera's, each with its detectors. An empty `image_type` or `filter` means any.
    """

    metric: MetricDefinition
    camera: str
    rafts: Mapping[str, tuple[Detector, ...]]
    first: ObservingDay
    last: ObservingDay
    image_type: str = ""
    filter: str = ""
    raft: str = ""
    detector: Detector | None = None
    amplifier: Amplifier | None = None

    @property
    def title(self) -> str:
        """``R22_S11 C10``, ``R22_S11``, ``raft R22`` or the camera's name."""
        if self.detector:
            return f"{self.detector.name} {self.amplifier.name}" if self.amplifier else self.detector.name
        return f"raft {self.raft}" if self.raft else self.camera

    @property
    def lines(self) -> tuple[str, ...]:
        """What is drawn one by one beneath the median: a detector's amplifiers, or a raft's detectors."""
        if self.amplifier or (self.detector and self.metric.per == "detector"):
            return ()
        if self.detector:
            return tuple(amplifier.name for amplifier in self.detector.amplifiers)
        return tuple(detector.name for detector in self.rafts[self.raft]) if self.raft else ()

    @property
    def exposures(self) -> dict[str, Any]:
        """The exposures in question, as a filter of `Exposure`."""
        chosen = {"image_type": self.image_type, "filter": self.filter}
        days = (self.first.day_obs, self.last.day_obs)
        return {"camera": self.camera, "day_obs__range": days} | {name: word for name, word in chosen.items() if word}

    def exposures_of(self, field: str) -> dict[str, Any]:
        """The same for a model whose foreign key to the exposure is called `field`."""
        return {f"{field}__{name}": value for name, value in self.exposures.items()}


@dataclass(frozen=True, slots=True)
class Values:
    """What one exposure says of a metric: the median of its values, and how they are spread about it.

    `each` has one value for each of the scope's `lines`; `outside` of the values are beyond their limits, as judged.
    """

    median: float
    p5: float
    p95: float
    minimum: float
    maximum: float
    each: tuple[float, ...] = ()
    outside: int = 0
    level: int = Level.OK


@dataclass(frozen=True, slots=True)
class Point:
    """One exposure in a trend."""

    exposure: Exposure
    values: Values
    is_rejected: bool

    @property
    def value(self) -> float:
        return self.values.median

    @property
    def kind(self) -> str:
        """``FLAT r``: what may be compared with each other."""
        return f"{self.exposure.image_type} {self.exposure.filter}".strip()


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers that matter of the points of one kind. `outside` counts exposures with a value beyond its limits."""

    kind: str
    count: int
    last: float
    median: float
    robust_sigma: float
    outside: int
    rejected: int
    newest: Point


def points_of(scope: Scope) -> list[Point]:
    """Every exposure in which the metric has a value, in the order taken. Four queries or fewer."""
    values = _measured(scope) if scope.raft or scope.detector else _statistics(scope)
    if not values:
        return []
    rejected = _rejected(scope)
    exposures = Exposure.objects.filter(**scope.exposures).order_by("began_at", "id")
    return [
        Point(exposure, values[exposure.pk], exposure.pk in rejected)
        for exposure in exposures
        if exposure.pk in values and math.isfinite(values[exposure.pk].median)
    ]


def by_kind(points: Iterable[Point]) -> dict[str, list[Point]]:
    kinds: dict[str, list[Point]] = {}
    for point in points:
        kinds.setdefault(point.kind, []).append(point)
    return dict(sorted(kinds.items()))


def summaries(points: Iterable[Point]) -> Iterator[Summary]:
    """One for each kind of exposure. Rejected exposures are counted, and do not count otherwise."""
    for kind, members in by_kind(points).items():
        kept = [point for point in members if not point.is_rejected] or members
        values = np.array([point.value for point in kept])
        median = float(np.median(values))
        yield Summary(
            kind=kind,
            count=len(members),
            last=kept[-1].value,
            median=median,
            robust_sigma=_MAD_TO_SIGMA * float(np.median(np.abs(values - median))),
            outside=sum(point.values.level > Level.OK for point in kept),
            rejected=sum(point.is_rejected for point in members),
            newest=kept[-1],
        )


def thinned(points: Sequence[Point], most: int) -> Sequence[Point]:
    """At most about `most` of the points: evenly chosen, and each that is outside its limits or rejected."""
    every = math.ceil(len(points) / most)
    return [
        point for i, point in enumerate(points) if i % every == 0 or point.values.level > Level.OK or point.is_rejected
    ]


def choices(scope: Scope) -> tuple[list[str], list[str]]:
    """Image types and filters that the camera took in these days (one query)."""
    days = (scope.first.day_obs, scope.last.day_obs)
    taken = Exposure.objects.filter(camera=scope.camera, day_obs__range=days)
    kinds = set(taken.order_by().values_list("image_type", "filter").distinct())
    return sorted({kind for kind, _ in kinds}), sorted({each for _, each in kinds if each})


def _statistics(scope: Scope) -> dict[int, Values]:
    """From the statistics kept of each exposure, with the findings of the metric."""
    outside = _findings(scope)
    rows = ExposureStatistic.objects.filter(metric=scope.metric.name, **scope.exposures_of("exposure"))
    found = {}
    for row in rows:
        count, worst = outside.get(row.exposure_id, (0, Level.OK))
        found[row.exposure_id] = Values(
            row.median, row.p5, row.p95, row.minimum, row.maximum, outside=count, level=worst
        )
    return found


def _findings(scope: Scope) -> dict[int, tuple[int, int]]:
    """How many findings of the metric each exposure has, and how bad the worst is."""
    exposures = scope.exposures_of("assessment__exposure")
    rows = Finding.objects.filter(metric=scope.metric.name, assessment__level__gt=Level.OK, **exposures)
    counted = rows.values("assessment__exposure").annotate(count=Count("id"), worst=Max("level"))
    return {row["assessment__exposure"]: (row["count"], row["worst"]) for row in counted}


def _measured(scope: Scope) -> dict[int, Values]:
    """From the measurements of one detector, or of a raft's."""
    detectors = (scope.detector,) if scope.detector else scope.rafts[scope.raft]
    rows = Measurement.objects.filter(
        metric=scope.metric.name, detector__in=[each.id for each in detectors], **scope.exposures_of("exposure")
    )
    place = {each.id: i for i, each in enumerate(detectors)}
    of_exposure: dict[int, list[Any]] = {}
    for exposure, detector, values, levels in rows.values_list("exposure_id", "detector", "values", "levels"):
        of_exposure.setdefault(exposure, [None] * len(detectors))[place[detector]] = values, levels
    return {exposure: _values(scope, found) for exposure, found in of_exposure.items()}


def _values(scope: Scope, found: list[tuple[list[float], list[int]] | None]) -> Values:
    """`found` has values and levels of each detector in question, None for one that was not measured."""
    if scope.amplifier and scope.metric.per == "amplifier":
        index = scope.amplifier.index
        found = [(one[0][index : index + 1], one[1][index : index + 1]) if one else None for one in found]
    measured = [one for one in found if one]
    levels = np.concatenate([one[1] for one in measured])
    values = np.concatenate([one[0] for one in measured])
    each = values if scope.detector else np.array([_median(one[0]) if one else np.nan for one in found])
    low, median, high = _percentiles(values)
    finite = values[np.isfinite(values)]
    least, most = (float(finite.min()), float(finite.max())) if finite.size else (math.nan, math.nan)
    lines = tuple(each.tolist()) if scope.lines else ()
    worst = int(levels.max()) if levels.size else Level.OK
    return Values(median, low, high, least, most, lines, int((levels > Level.OK).sum()), worst)


def _percentiles(values: NDArray[np.float64]) -> tuple[float, float, float]:
    finite = np.sort(values[np.isfinite(values)])
    if not finite.size:
        return math.nan, math.nan, math.nan
    places = np.array([0.05, 0.5, 0.95]) * (finite.size - 1)
    low, middle, high = np.interp(places, np.arange(finite.size), finite)
    return float(low), float(middle), float(high)


def _median(values: list[float]) -> float:
    """Of few values, thousands of times: Python's own sort is faster than an array."""
    finite = [value for value in values if math.isfinite(value)]
    return statistics.median(finite) if finite else math.nan


def _rejected(scope: Scope) -> set[int]:
    """Exposures that people reject, or whose frame of this detector they do: the newest word on each counts."""
    reviews = Review.objects.filter(**scope.exposures_of("exposure")).order_by("id")
    newest = {
        (exposure, detector): decision
        for exposure, detector, decision in reviews.values_list("exposure_id", "frame__detector", "decision")
    }
    wanted = {None, scope.detector.id} if scope.detector else {None}
    return {
        exposure
        for (exposure, detector), decision in newest.items()
        if decision == Review.Decision.REJECT and detector in wanted
    }


def taken_between(scope: Scope) -> tuple[datetime, datetime]:
    """From the beginning of the first day to the end of the last (UTC)."""
    return scope.first.begins, scope.last.ends
