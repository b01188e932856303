"""Detectors and rafts of one exposure as rows for people, and its amplifiers with every metric."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calib.metric_map import FocalPlane, MetricMap
from calib.models import Assessment, Level, Measurement
from dayops.camera import Amplifier, Detector
from dayops.models import Exposure, RawFrame


@dataclass(frozen=True, slots=True)
class DetectorRow:
    """One detector of an exposure; `frame` is None where nothing came from it. `median` is of the chosen metric."""

    detector: Detector
    frame: RawFrame | None
    assessment: Assessment | None
    median: float | None

    @property
    def verdict(self) -> str:
        if self.assessment is not None:
            return Level(self.assessment.level).label
        return "QUEUED" if self.frame else "MISSING"

    @property
    def severity(self) -> float:
        """To sort by: ERROR, MISSING, WARN, QUEUED, OK."""
        if self.assessment is not None:
            return float(self.assessment.level)
        return 0.5 if self.frame else 1.5

    @property
    def warn(self) -> int | None:
        return self.assessment.amplifiers_warn if self.assessment else None

    @property
    def error(self) -> int | None:
        return self.assessment.amplifiers_error if self.assessment else None


@dataclass(frozen=True, slots=True)
class RaftRow:
    """One raft: detectors there are, received and measured, the worst verdict, amplifiers outside their limits."""

    raft: str
    detectors: int
    received: int
    measured: int
    worst: int | None
    warn: int
    error: int
    median: float | None

    @property
    def verdict(self) -> str:
        if self.worst is not None:
            return Level(self.worst).label
        return "QUEUED" if self.received else "MISSING"


@dataclass(frozen=True)
class AmplifierRow:
    """One amplifier with all its metrics: `values` and `levels` by the metric's name, only what was measured."""

    detector: Detector
    amplifier: Amplifier
    values: Mapping[str, float]
    levels: Mapping[str, int]

    @cached_property
    def verdict(self) -> str:
        return Level(max(self.levels.values())).label if self.levels else "QUEUED"


def detector_rows(exposure: Exposure, measured: MetricMap, frames: Iterable[RawFrame]) -> list[DetectorRow]:
    """A row for each detector that is here or expected. No query: `frames` bring their assessments.

    Where fewer frames are expected than the camera has detectors, guiders and wavefront sensors are not read out.
    """
    by_detector = {frame.detector: frame for frame in frames}
    detectors = measured.plane.detectors
    all_expected = exposure.detectors_expected >= len(detectors)
    return [
        _detector_row(detector, by_detector.get(detector.id), measured.of_detector(detector))
        for detector in detectors
        if all_expected or detector.kind == "SCIENCE" or detector.id in by_detector
    ]


def raft_rows(rows: Iterable[DetectorRow]) -> list[RaftRow]:
    """Detectors rolled up by raft, in the camera's order."""
    rafts: dict[str, list[DetectorRow]] = {}
    for row in rows:
        rafts.setdefault(row.detector.raft, []).append(row)
    return [_raft_row(raft, members) for raft, members in rafts.items()]


def amplifier_rows(of: Exposure | RawFrame, plane: FocalPlane) -> list[AmplifierRow]:
    """Every amplifier that was measured, of an exposure or of one frame (one query)."""
    which = {"exposure": of} if isinstance(of, Exposure) else {"frame": of}
    measurements = Measurement.objects.filter(**which)
    by_detector: dict[int, dict[str, tuple[list[float], list[int]]]] = {}
    for detector_id, metric, values, levels in measurements.values_list("detector", "metric", "values", "levels"):
        by_detector.setdefault(detector_id, {})[metric] = values, levels
    return [
        _amplifier_row(detector, amplifier, by_detector[detector.id])
        for detector in plane.detectors
        if detector.id in by_detector
        for amplifier in detector.amplifiers
    ]


def _detector_row(detector: Detector, frame: RawFrame | None, values: NDArray[np.float64]) -> DetectorRow:
    assessment = getattr(frame, "assessment", None)
    finite = values[np.isfinite(values)]
    return DetectorRow(detector, frame, assessment, float(np.median(finite)) if finite.size else None)


def _raft_row(raft: str, members: list[DetectorRow]) -> RaftRow:
    medians = [row.median for row in members if row.median is not None]
    return RaftRow(
        raft=raft,
        detectors=len(members),
        received=sum(row.frame is not None for row in members),
        measured=sum(row.assessment is not None for row in members),
        worst=max((row.assessment.level for row in members if row.assessment), default=None),
        warn=sum(row.warn or 0 for row in members),
        error=sum(row.error or 0 for row in members),
        median=float(np.median(medians)) if medians else None,
    )


def _amplifier_row(
    detector: Detector, amplifier: Amplifier, metrics: Mapping[str, tuple[list[float], list[int]]]
) -> AmplifierRow:
    def own(numbers: list[Any]) -> Any:
        """The amplifier's number; a metric of the whole detector has one for all."""
        return numbers[amplifier.index] if len(numbers) > 1 else numbers[0]

    return AmplifierRow(
        detector,
        amplifier,
        values={name: own(values) for name, (values, _) in metrics.items()},
        levels={name: own(levels) for name, (_, levels) in metrics.items()},
    )
