"""What new limits would have said of the frames of the last days, beside what those in force said."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from calib import reviews
from calib.judging import judged
from calib.models import Measurement, Threshold
from calib.science.judgement import ERROR, WARN
from calib.threshold_request import Row
from calib.threshold_scope import Scope
from calib.thresholds import InForce, ranked
from dayops.camera import Detector, detector_of, names
from dayops.models import RawFrame
from dayops.observing_day import ObservingDay

MOST_LISTED = 20_000
_FIELDS = (
    "frame",
    "exposure",
    "exposure__name",
    "exposure__day_obs",
    "exposure__camera",
    "exposure__image_type",
    "exposure__filter",
    "detector",
    "values",
    "levels",
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One metric of one frame: `values` and `levels`, shape (amplifiers,), or (1,) for one of the whole detector."""

    exposure: str
    day_obs: int
    camera: str
    image_type: str
    filter: str
    detector: Detector
    values: NDArray[np.float64]
    levels: NDArray[np.int16]

    @property
    def amplifiers(self) -> list[str]:
        """The name of each value's amplifier; empty for a value of the whole detector."""
        if len(self.values) == len(self.detector.amplifiers):
            return [amplifier.name for amplifier in self.detector.amplifiers]
        return [""] * len(self.values)

    def inside(self, scope: Scope) -> NDArray[np.bool_]:
        """Which values are within `scope`; shape (amplifiers,)."""
        if not scope.holds_for(self.camera, self.image_type, self.filter, self.detector):
            return np.zeros(len(self.values), dtype=bool)
        return np.array([scope.amplifier in ("", name) for name in self.amplifiers], dtype=bool)


@dataclass(frozen=True, slots=True)
class Changed:
    """One value whose verdict would have been another: `was` and `would_be` are levels."""

    measured: Measured
    amplifier: str
    value: float
    was: int
    would_be: int


@dataclass(slots=True)
class DayCount:
    """How many values of a dayObs were in WARN and ERROR, and would have been."""

    day_obs: int
    values: int = 0
    warn: int = 0
    error: int = 0
    warn_then: int = 0
    error_then: int = 0


@dataclass(slots=True)
class Preview:
    """`seen` values that the new limits would have judged, day by day, and those whose verdict would change.

    `worse` and `better` count them all; of `changed` only the first 20,000 are kept.
    """

    seen: int = 0
    worse: int = 0
    better: int = 0
    days: dict[int, DayCount] = field(default_factory=dict)
    changed: list[Changed] = field(default_factory=list)

    def add(self, measured: Measured, mine: NDArray[np.bool_], levels: NDArray[np.int16]) -> None:
        """Count the values of `mine`, which would have `levels`."""
        was, then = measured.levels[mine], levels[mine]
        day = self.days.setdefault(measured.day_obs, DayCount(measured.day_obs))
        self.seen += len(was)
        day.values += len(was)
        day.warn += int((was == WARN).sum())
        day.error += int((was == ERROR).sum())
        day.warn_then += int((then == WARN).sum())
        day.error_then += int((then == ERROR).sum())
        self.worse += int((then > was).sum())
        self.better += int((then < was).sum())
        names = measured.amplifiers
        for i in np.flatnonzero(mine & (levels != measured.levels))[: max(0, MOST_LISTED - len(self.changed))]:
            self.changed.append(
                Changed(measured, names[i], float(measured.values[i]), int(measured.levels[i]), int(levels[i]))
            )


def preview(rows: Sequence[Row], days: int, at: datetime) -> Preview:
    """Judge the frames of the last `days` dayObs by `rows`, wherever no more particular limits are in force.

    `rows` are of one metric. Frames that people rejected are left out. What was judged before stands in each
    measurement's levels and is not computed again.
    """
    found = Preview()
    ladder = _Ladder(rows)
    for measured in measurements(_common(rows), days, at):
        force = ladder.of(measured.camera, measured.image_type, measured.filter, measured.detector)
        if force is None:
            continue
        mine = np.array([ladder.is_new(force.of(name)) for name in measured.amplifiers], dtype=bool)
        if mine.any():
            amplifiers = [amplifier.name for amplifier in measured.detector.amplifiers]
            found.add(measured, mine, judged({"": measured.values}, {"": force}, amplifiers)[""])
    return found


def measurements(scope: Scope, days: int, at: datetime) -> Iterator[Measured]:
    """What was measured of `scope` in the last `days` dayObs, oldest first, but for frames that people rejected."""
    first = ObservingDay.at(at - timedelta(days=days - 1)).day_obs
    wanted = {"exposure__camera": scope.camera, "exposure__image_type": scope.image_type}
    wanted |= {"exposure__filter": scope.filter, "frame__detector_name": scope.detector}
    chosen = Measurement.objects.filter(metric=scope.metric, exposure__day_obs__gte=first)
    chosen = chosen.filter(**{name: value for name, value in wanted.items() if value})
    rejected = reviews.rejections(first)
    for frame, exposure, name, day_obs, camera, image_type, filter_, number, values, levels in (
        chosen.order_by("exposure__began_at", "frame").values_list(*_FIELDS).iterator(chunk_size=2000)
    ):
        if rejected.include(exposure, frame):
            continue
        detector = _detector(camera, number, 0 if camera in names() else frame)
        yield Measured(
            name,
            day_obs,
            camera,
            image_type,
            filter_,
            detector,
            np.array(values, dtype=np.float64),
            np.array(levels, dtype=np.int16),
        )


class _Ladder:
    """The limits of one metric as they are in force, with `rows` put among them; remembers each kind of frame."""

    def __init__(self, rows: Sequence[Row]) -> None:
        metric = _common(rows).metric
        new = {row.scope for row in rows}
        stored = Threshold.objects.filter(metric=metric, valid_until=None)
        self._rows = [row for row in stored if Scope.of(row) not in new]
        self._rows += [_unsaved(row, -number) for number, row in enumerate(rows, 1)]
        self._by_detector: dict[str, list[Threshold]] = defaultdict(list)
        for row in self._rows:
            self._by_detector[row.detector].append(row)
        self._known: dict[tuple[str, str, str, Detector], InForce | None] = {}

    def of(self, camera: str, image_type: str, filter: str, detector: Detector) -> InForce | None:
        key = (camera, image_type, filter, detector)
        if key not in self._known:
            near = [*self._by_detector[""], *self._by_detector[detector.name]]
            holding = [row for row in near if Scope.of(row).holds_for(*key)]
            self._known[key] = next(iter(ranked(holding).values()), None)
        return self._known[key]

    @staticmethod
    def is_new(found: InForce) -> bool:
        return found.threshold_id is not None and found.threshold_id < 0


def _unsaved(row: Row, key: int) -> Threshold:
    limits = row.limits
    return Threshold(
        pk=key,
        **row.scope.words,
        error_low=limits.error_low,
        warn_low=limits.warn_low,
        warn_high=limits.warn_high,
        error_high=limits.error_high,
    )


def _common(rows: Sequence[Row]) -> Scope:
    """The narrowest scope that holds all `rows`, which are of one metric."""
    first, *_ = (row.scope.words for row in rows)
    return Scope(
        **{name: word if all(row.scope.words[name] == word for row in rows) else "" for name, word in first.items()}
    )


@lru_cache(maxsize=4096)
def _detector(camera: str, number: int, frame: int) -> Detector:
    geometry = RawFrame.objects.only("geometry").get(pk=frame).geometry if frame else None
    return detector_of(camera, number, geometry)
