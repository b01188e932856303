"""What a fault is: what it does at each stage of an exposure, how strongly, where, and which check should see it.

A fault draws nothing from an exposure's own random numbers, so whatever it does not touch keeps its bytes.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from dayops.camera import Camera, Detector
from dayops.day_plan import Plan, PlannedExposure
from dayops.simulator.fits_writer import Card
from dayops.simulator.seeds import generator
from dayops.simulator.truth import DetectorTruth, FloatArray

T = TypeVar("T")
Raw = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Where:
    """Which frames of a day are hit.

    image_types, steps : of the day's plan; empty for all.
    skip, count : of those exposures the first `skip` stay healthy and the next `count` (None: all) are hit.
    detectors, amplifiers : how many of each, drawn from the seed; None for all.
    """

    image_types: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    skip: int = 0
    count: int | None = None
    detectors: int | None = 1
    amplifiers: int | None = None

    def exposures(self, day_obs: int) -> tuple[PlannedExposure, ...]:
        """The exposures of the day's plan that are hit, in order."""
        meant = [
            one
            for one in Plan.load().exposures(day_obs)
            if (not self.image_types or one.image_type in self.image_types)
            and (not self.steps or one.step in self.steps)
        ]
        return tuple(meant[self.skip :][: self.count])


def unchanged(value: T, hit: "Hit") -> T:
    return value


@dataclass(frozen=True, slots=True)
class Acts:
    """What a fault does to a frame, stage by stage; each function gives the changed value and keeps the old one.

    on_truth : the detector.  on_light : expected electrons from light, broadcastable to (height, width).
    on_electrons : those caught, (height, width).  on_pixels : raw segments, (n, raw_height, raw_width) ADU.
    on_cards : the primary header.  on_bytes : the file.
    offers : how often the frame is offered: 0 never, 2 once more under another file name.
    refusable : how many of the offered files are not fit to be archived.
    """

    on_truth: Callable[[DetectorTruth, "Hit"], DetectorTruth] = unchanged
    on_light: Callable[[FloatArray, "Hit"], FloatArray] = unchanged
    on_electrons: Callable[[FloatArray, "Hit"], FloatArray] = unchanged
    on_pixels: Callable[[Raw, "Hit"], Raw] = unchanged
    on_cards: Callable[[list[Card], "Hit"], list[Card]] = unchanged
    on_bytes: Callable[[bytes, "Hit"], bytes] = unchanged
    offers: int = 1
    refusable: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """One frame as a fault finds it, and how it acts there: not at all on a healthy frame.

    number : counts the exposures that are hit, from 0.  amplifiers : the indices of those that are hit.
    purpose : gives the fault random numbers of its own.
    """

    acts: Acts
    amplitude: float
    camera: Camera
    detector: Detector
    planned: PlannedExposure
    number: int
    amplifiers: tuple[int, ...]
    purpose: tuple[int | str, ...]

    def rng(self) -> np.random.Generator:
        return generator(*self.purpose, self.planned.seq_num, self.detector.id)


@dataclass(frozen=True, slots=True)
class Fault:
    """One named fault. `amplitude` is in `unit`; `source` says why it is that strong.

    `caught_by` names the metrics, checks and alarms of the archive that must see it.
    """

    name: str
    title: str
    amplitude: float
    unit: str
    source: str
    where: Where
    acts: Acts = field(repr=False)
    caught_by: tuple[str, ...]

    def detectors(self, camera: Camera, seed: int, day_obs: int) -> tuple[int, ...]:
        """The ids of the detectors that are hit on `day_obs`, in order."""
        ids = [detector.id for detector in camera.detectors]
        return _drawn(ids, self.where.detectors, (*self._purpose(seed, day_obs), "detectors"))

    def amplifiers(self, detector: Detector, seed: int, day_obs: int) -> tuple[int, ...]:
        """The indices of the amplifiers of `detector` that are hit where it is, in order."""
        indices = list(range(len(detector.amplifiers)))
        return _drawn(indices, self.where.amplifiers, (*self._purpose(seed, day_obs), "amplifiers", detector.id))

    def hit(self, frame: Hit, seed: int, day_obs: int) -> Hit:
        """How the healthy `frame` is hit; the same where it stays healthy."""
        numbers = {one.seq_num: number for number, one in enumerate(self.where.exposures(day_obs))}
        seq_num, detector = frame.planned.seq_num, frame.detector
        if seq_num not in numbers or detector.id not in self.detectors(frame.camera, seed, day_obs):
            return frame
        return replace(
            frame,
            acts=self.acts,
            amplitude=self.amplitude,
            number=numbers[seq_num],
            amplifiers=self.amplifiers(detector, seed, day_obs),
            purpose=self._purpose(seed, day_obs),
        )

    def _purpose(self, seed: int, day_obs: int) -> tuple[int | str, ...]:
        return "fault", self.name, seed, day_obs


def _drawn(among: list[int], count: int | None, purpose: tuple[int | str, ...]) -> tuple[int, ...]:
    if count is None or count >= len(among):
        return tuple(among)
    return tuple(sorted(int(one) for one in generator(*purpose).choice(among, count, replace=False)))
