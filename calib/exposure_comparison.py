"""Two exposures of one camera, amplifier by amplifier in one metric."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from django.db.models import QuerySet
from numpy.typing import NDArray

from calib.focal_plane import Footprint
from calib.metric_map import FocalPlane, MetricMap, focal_plane_of, metric_map
from calib.science.judgement import Limits
from calib.science.metrics import MetricDefinition
from dayops.models import Exposure, FrameState, RawFrame

LIT = {"FLAT", "PTC"}
SIGNALS = {"mean", "median", "corner_mean", "flat_level"}


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One amplifier (or detector) in both exposures; `change` is a − b or, of flats' signals, a / b."""

    footprint: Footprint
    a: float
    b: float
    change: float
    size: float


@dataclass(frozen=True)
class Comparison:
    """The metric on the focal planes of `a` and `b`. They must be of one camera."""

    a: Exposure
    b: Exposure
    metric: MetricDefinition

    @cached_property
    def plane(self) -> FocalPlane:
        frames = RawFrame.objects.filter(exposure__in=(self.a, self.b), state=FrameState.ARCHIVED)
        return focal_plane_of(self.a, frames.only("detector", "geometry"))

    @cached_property
    def map_a(self) -> MetricMap:
        return metric_map(self.a, self.plane, self.metric, Limits())

    @cached_property
    def map_b(self) -> MetricMap:
        return metric_map(self.b, self.plane, self.metric, Limits())

    @property
    def is_ratio(self) -> bool:
        """Light differs by a factor: signals of two flats are divided, everything else is subtracted."""
        return self.metric.name in SIGNALS and {self.a.image_type, self.b.image_type} <= LIT

    @property
    def no_change(self) -> float:
        return 1.0 if self.is_ratio else 0.0

    @cached_property
    def change(self) -> NDArray[np.float64]:
        """For each footprint a − b or a / b; NaN where either has no value, or b is 0 beneath a ratio."""
        a, b = self.map_a.values, self.map_b.values
        if not self.is_ratio:
            return a - b
        return np.asarray(np.divide(a, b, out=np.full(a.shape, np.nan), where=b != 0))

    @cached_property
    def size(self) -> NDArray[np.float64]:
        """How far each footprint is from no change."""
        return np.abs(self.change - self.no_change)

    @cached_property
    def changed(self) -> NDArray[np.float64]:
        """The changes there are, each amplifier (or detector) once."""
        change = self.change[self.map_a.counted]
        return change[np.isfinite(change)]

    def rows(self) -> Iterator[ChangeRow]:
        """Those with a change, the largest first."""
        counted = self.map_a.counted[np.isfinite(self.change[self.map_a.counted])]
        for index in counted[np.argsort(-self.size[counted], kind="stable")]:
            numbers = (self.map_a.values[index], self.map_b.values[index], self.change[index], self.size[index])
            yield ChangeRow(self.plane.footprints[index], *map(float, numbers))


def same_kind(exposure: Exposure) -> QuerySet[Exposure]:
    """Earlier exposures of the same camera, type, filter and exposure time, the newest first."""
    alike = {name: getattr(exposure, name) for name in ("camera", "image_type", "filter", "exposure_s")}
    return Exposure.objects.filter(**alike, began_at__lt=exposure.began_at).order_by("-began_at", "-id")
