"""One metric of one exposure, amplifier by amplifier, in the order of the focal plane's footprints."""

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from calib.focal_plane import Footprint, Grid, footprints, grid
from calib.models import Level, Measurement
from calib.science.judgement import Limits
from calib.science.metrics import MetricDefinition
from dayops.camera import Detector, load, names
from dayops.camera.json import detector_from_json
from dayops.models import Exposure, RawFrame

DEFAULT = "read_noise_e"


@dataclass(frozen=True)
class FocalPlane:
    """Everything about an exposure's place that does not change: detectors, their amplifiers, the grid of edges."""

    detectors: tuple[Detector, ...]

    @cached_property
    def footprints(self) -> tuple[Footprint, ...]:
        return footprints(self.detectors)

    @cached_property
    def grid(self) -> Grid:
        return grid(self.footprints)

    @cached_property
    def place_of(self) -> dict[int, slice]:
        """Where the amplifiers of each detector are among the footprints."""
        edges = np.cumsum([0, *(len(detector.amplifiers) for detector in self.detectors)]).tolist()
        return {
            detector.id: slice(*ends) for detector, ends in zip(self.detectors, itertools.pairwise(edges), strict=True)
        }


@dataclass(frozen=True)
class MetricMap:
    """Values and levels of one metric, shape (amplifiers,); NaN and OK where nothing was measured.

    A metric of the whole detector has its one value on each amplifier, so that it can be drawn; it counts only once.
    """

    metric: MetricDefinition
    plane: FocalPlane
    values: NDArray[np.float64]
    levels: NDArray[np.int16]
    limits: Limits

    @cached_property
    def counted(self) -> NDArray[np.intp]:
        """The footprints that stand for one number each: all, or the first of each detector."""
        if self.metric.per == "amplifier":
            return np.arange(len(self.values))
        return np.array([place.start for place in self.plane.place_of.values()], dtype=np.intp)

    @property
    def noun(self) -> str:
        """What has one value: ``amplifier`` or ``detector``."""
        return self.metric.per

    @cached_property
    def finite(self) -> NDArray[np.float64]:
        values = self.values[self.counted]
        return values[np.isfinite(values)]

    def name_of(self, index: int) -> str:
        footprint = self.plane.footprints[index]
        detector = footprint.detector.name
        return detector if self.metric.per == "detector" else f"{detector} {footprint.amplifier.name}"

    def count(self, level: Level) -> int:
        return int((self.levels[self.counted] == level).sum())

    def of_detector(self, detector: Detector) -> NDArray[np.float64]:
        return self.values[self.plane.place_of[detector.id]]

    def percentiles(self, *percents: float) -> tuple[float, ...]:
        """Percentiles of what was measured. Raises ValueError when nothing was."""
        if not self.finite.size:
            raise ValueError(f"No {self.noun} has a value of {self.metric.name}.")
        return tuple(float(value) for value in np.percentile(self.finite, percents))


def focal_plane_of(exposure: Exposure, frames: Iterable[RawFrame]) -> FocalPlane:
    """The exposure's focal plane: its camera's, or what the frames of a camera without a file say of themselves."""
    if exposure.camera in names():
        return _of_camera(exposure.camera)
    described = {frame.detector: frame.geometry for frame in frames if frame.geometry}
    return FocalPlane(tuple(detector_from_json(geometry) for _, geometry in sorted(described.items())))


def metric_map(exposure: Exposure, plane: FocalPlane, metric: MetricDefinition, limits: Limits) -> MetricMap:
    """The metric as it was measured on every detector of `exposure` (one query).

    A row of one value is spread over its detector's amplifiers.
    """
    values = np.full(len(plane.footprints), np.nan)
    levels = np.zeros(len(plane.footprints), dtype=np.int16)
    rows = Measurement.objects.filter(exposure=exposure, metric=metric.name)
    for detector, measured, judged in rows.values_list("detector", "values", "levels"):
        if (place := plane.place_of.get(detector)) is not None:
            values[place] = measured
            levels[place] = judged
    return MetricMap(metric, plane, np.where(np.isfinite(values), values, np.nan), levels, limits)


@lru_cache(maxsize=16)
def _of_camera(name: str) -> FocalPlane:
    return FocalPlane(load(name).detectors)
