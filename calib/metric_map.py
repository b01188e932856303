"""One metric of one exposure, amplifier by amplifier, in the order of the focal plane's footprints."""

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
    def first_of(self) -> dict[int, int]:
        """Where the amplifiers of each detector begin among the footprints."""
        starts = np.cumsum([0, *(len(detector.amplifiers) for detector in self.detectors)])
        return {detector.id: int(start) for detector, start in zip(self.detectors, starts[:-1], strict=True)}


@dataclass(frozen=True)
class MetricMap:
    """Values and levels of one metric, shape (amplifiers,); NaN and OK where nothing was measured."""

    metric: MetricDefinition
    plane: FocalPlane
    values: NDArray[np.float64]
    levels: NDArray[np.int16]
    limits: Limits

    @cached_property
    def finite(self) -> NDArray[np.float64]:
        return self.values[np.isfinite(self.values)]

    def name_of(self, index: int) -> str:
        footprint = self.plane.footprints[index]
        return f"{footprint.detector.name} {footprint.amplifier.name}"

    def count(self, level: Level) -> int:
        return int((self.levels == level).sum())

    def of_detector(self, detector: Detector) -> NDArray[np.float64]:
        first = self.plane.first_of[detector.id]
        return self.values[first : first + len(detector.amplifiers)]

    def percentiles(self, *percents: float) -> tuple[float, ...]:
        """Percentiles of what was measured. Raises ValueError when nothing was."""
        if not self.finite.size:
            raise ValueError(f"No amplifier has a value of {self.metric.name}.")
        return tuple(float(value) for value in np.percentile(self.finite, percents))


def focal_plane_of(exposure: Exposure, frames: Iterable[RawFrame]) -> FocalPlane:
    """The exposure's focal plane: its camera's, or what the frames of a camera without a file say of themselves."""
    if exposure.camera in names():
        return _of_camera(exposure.camera)
    described = {frame.detector: frame.geometry for frame in frames if frame.geometry}
    return FocalPlane(tuple(detector_from_json(geometry) for _, geometry in sorted(described.items())))


def metric_map(exposure: Exposure, plane: FocalPlane, metric: MetricDefinition, limits: Limits) -> MetricMap:
    """The metric as it was measured on every detector of `exposure` (one query)."""
    values = np.full(len(plane.footprints), np.nan)
    levels = np.zeros(len(plane.footprints), dtype=np.int16)
    rows = Measurement.objects.filter(exposure=exposure, metric=metric.name)
    for detector, measured, judged in rows.values_list("detector", "values", "levels"):
        if (first := plane.first_of.get(detector)) is not None:
            values[first : first + len(measured)] = measured
            levels[first : first + len(judged)] = judged
    return MetricMap(metric, plane, np.where(np.isfinite(values), values, np.nan), levels, limits)


@lru_cache(maxsize=16)
def _of_camera(name: str) -> FocalPlane:
    return FocalPlane(load(name).detectors)
