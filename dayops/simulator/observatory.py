"""The simulated observatory: takes the day's plan exposure by exposure and keeps the frames in a folder.

The folder is the truth: a restart goes on after the last frame in it, and a `FolderCameraDataSystem` may read it.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from dayops.camera import Camera, Detector
from dayops.camera_data_system import FolderCameraDataSystem, OfferedFrame
from dayops.day_plan import Plan
from dayops.observing_day import ObservingDay
from dayops.simulator.faults import Fault
from dayops.simulator.frames import Shot, simulate


@dataclass(frozen=True, slots=True)
class Programme:
    """What to take: the first `exposures` (all when None) of the plan of `day_obs`, the first at `begins_at` UTC.

    `fault` spoils some of it.
    """

    camera: Camera
    day_obs: int
    seed: int
    begins_at: datetime
    exposures: int | None = None
    fault: Fault | None = None

    def shots(self) -> tuple[Shot, ...]:
        planned = Plan.load().exposures(self.day_obs)[: self.exposures]
        return tuple(
            Shot(self.camera, self.day_obs, one, self.begins_at + timedelta(seconds=one.begins_after_s))
            for one in planned
        )

    def files(self) -> tuple["PlannedFile", ...]:
        """Every file that will be offered, in the order taken: one a frame unless the fault says otherwise."""
        files = []
        for shot in self.shots():
            for detector in shot.camera.detectors:
                acts = shot.hit_by(self.fault, detector, self.seed).acts
                files += [
                    PlannedFile(shot, detector, repeat, refusable=repeat >= acts.offers - acts.refusable)
                    for repeat in range(acts.offers)
                ]
        return tuple(files)


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """One file that will be offered. `refusable`: by a fault, it is not fit to be archived."""

    shot: Shot
    detector: Detector
    repeat: int
    refusable: bool

    @property
    def name(self) -> str:
        return self.shot.file_name(self.detector, self.repeat)


def usual_beginning(day_obs: int, now: datetime) -> datetime:
    """When the plan of `day_obs` is taken to have begun: at its time of day, but early enough to be over by `now`.

    A live demonstration runs faster than its exposure times, and no frame may come from the future.
    """
    plan, day = Plan.load(), ObservingDay(day_obs)
    usual = day.begins + timedelta(seconds=plan.starts_after_s)
    over_by_now = now - timedelta(seconds=plan.duration_s(day_obs))
    return max(day.begins, min(usual, over_by_now)).replace(microsecond=0)


class Observatory:
    """Takes the frames of a programme into `folder` and offers all that lie there. Safe to ask from many threads.

    Raises ValueError where the folder already holds this day with another camera or seed. Where it holds the same,
    the day's first beginning is kept, so that frames taken before and after a restart agree.
    """

    def __init__(self, folder: Path, programme: Programme) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.programme = _kept_programme(folder, programme)
        self._shots = self.programme.shots()
        self._files = self.programme.files()
        self._offered = {frame.name: frame for frame in FolderCameraDataSystem(str(folder)).listing().frames}
        self._lock = threading.Lock()

    def frames(self, day_obs: int | None = None) -> list[OfferedFrame]:
        """What is offered, in the order taken."""
        with self._lock:
            frames = list(self._offered.values())
        return [frame for frame in frames if day_obs is None or frame.day_obs == day_obs]

    def frame(self, name: str) -> OfferedFrame | None:
        with self._lock:
            return self._offered.get(name)

    def status(self) -> dict[str, Any]:
        """Exposures planned and taken whole, and whether that is all."""
        missing = {file.shot.name for file in self._missing()}
        return {
            "camera": self.programme.camera.name,
            "day_obs": self.programme.day_obs,
            "seed": self.programme.seed,
            "fault": self.programme.fault.name if self.programme.fault else None,
            "planned": len(self._shots),
            "taken": len(self._shots) - len(missing),
            "frames": len(self.frames(self.programme.day_obs)),
            "refusable": sum(file.refusable for file in self._files if self.frame(file.name)),
            "finished": not missing,
        }

    def take_all(self, stop: threading.Event, cadence_s: float) -> None:
        """Take what is missing, an exposure every `cadence_s` seconds or as fast as it goes, until done or `stop`."""
        due, current = monotonic(), None
        for file in self._missing():
            if file.shot is not current:
                due = max(due + cadence_s, monotonic()) if current else due
                current = file.shot
            if stop.wait(max(0.0, due - monotonic())):
                return
            self._publish(file)

    def _missing(self) -> Iterator[PlannedFile]:
        return (file for file in self._files if self.frame(file.name) is None)

    def _publish(self, file: PlannedFile) -> None:
        """The checksum first: a frame that can be seen can be verified."""
        name, shot, detector = file.name, file.shot, file.detector
        content = simulate(shot, detector.id, self.programme.seed, self.programme.fault, file.repeat)
        sha256 = hashlib.sha256(content).hexdigest()
        _write(self.folder / f"{name}.sha256", f"{sha256}  {name}\n".encode())
        _write(self.folder / name, content)
        offered = OfferedFrame(
            name=name,
            exposure=shot.name,
            day_obs=shot.day_obs,
            seq_num=shot.planned.seq_num,
            detector=detector.name,
            size=len(content),
            sha256=sha256,
            offered_at=datetime.now(UTC),
        )
        with self._lock:
            self._offered[name] = offered


def _kept_programme(folder: Path, programme: Programme) -> Programme:
    record = folder / f"programme-{programme.day_obs}.json"
    fault = programme.fault.name if programme.fault else None
    facts = {"camera": programme.camera.name, "seed": programme.seed, "fault": fault}
    if not record.exists():
        _write(record, json.dumps(facts | {"begins_at": programme.begins_at.isoformat()}).encode())
        return programme
    kept = json.loads(record.read_text())
    if {name: kept.get(name) for name in facts} != facts:
        raise ValueError(
            f"{folder} already holds day {programme.day_obs} of camera {_described(kept)}, not {_described(facts)}: "
            "give another --folder, or the same camera, seed and fault"
        )
    return replace(programme, begins_at=datetime.fromisoformat(kept["begins_at"]))


def _described(facts: dict[str, Any]) -> str:
    fault = f" and fault {facts['fault']}" if facts.get("fault") else ""
    return f"{facts['camera']} with seed {facts['seed']}{fault}"


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(content)
    beside.replace(path)
