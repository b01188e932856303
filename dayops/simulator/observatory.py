"""The simulated observatory: takes the day's plan exposure by exposure and keeps the frames in a folder.

The folder is the truth: a restart goes on after the last frame in it, and a `FolderCameraDataSystem` may read it.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any

from dayops.camera import Camera, Detector
from dayops.camera_data_system import FolderCameraDataSystem, OfferedFrame
from dayops.day_plan import Plan
from dayops.observing_day import ObservingDay
from dayops.simulator.frames import Shot, simulate


@dataclass(frozen=True, slots=True)
class Programme:
    """What to take: the first `exposures` (all when None) of the plan of `day_obs`, the first at `begins_at` UTC."""

    camera: Camera
    day_obs: int
    seed: int
    begins_at: datetime
    exposures: int | None = None

    def shots(self) -> tuple[Shot, ...]:
        planned = Plan.load().exposures(self.day_obs)[: self.exposures]
        return tuple(
            Shot(self.camera, self.day_obs, one, self.begins_at + timedelta(seconds=one.begins_after_s))
            for one in planned
        )


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
        missing = {shot.name for shot, _ in self._missing()}
        return {
            "camera": self.programme.camera.name,
            "day_obs": self.programme.day_obs,
            "seed": self.programme.seed,
            "planned": len(self._shots),
            "taken": len(self._shots) - len(missing),
            "frames": len(self.frames(self.programme.day_obs)),
            "finished": not missing,
        }

    def take_all(self, stop: threading.Event, cadence_s: float) -> None:
        """Take what is missing, an exposure every `cadence_s` seconds or as fast as it goes, until done or `stop`."""
        due, current = monotonic(), None
        for shot, detector in self._missing():
            if shot is not current:
                due = max(due + cadence_s, monotonic()) if current else due
                current = shot
            if stop.wait(max(0.0, due - monotonic())):
                return
            self._publish(shot, detector)

    def _missing(self) -> Iterator[tuple[Shot, Detector]]:
        for shot in self._shots:
            for detector in shot.camera.detectors:
                if self.frame(shot.file_name(detector)) is None:
                    yield shot, detector

    def _publish(self, shot: Shot, detector: Detector) -> None:
        """The checksum first: a frame that can be seen can be verified."""
        name, content = shot.file_name(detector), simulate(shot, detector.id, self.programme.seed)
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
    facts = {"camera": programme.camera.name, "seed": programme.seed}
    if not record.exists():
        _write(record, json.dumps(facts | {"begins_at": programme.begins_at.isoformat()}).encode())
        return programme
    kept = json.loads(record.read_text())
    if {name: kept[name] for name in facts} != facts:
        raise ValueError(
            f"{folder} already holds day {programme.day_obs} of camera {kept['camera']} with seed {kept['seed']}, not "
            f"{facts['camera']} with seed {facts['seed']}: give another --folder, or the same camera and seed"
        )
    begins_at = datetime.fromisoformat(kept["begins_at"])
    return Programme(programme.camera, programme.day_obs, programme.seed, begins_at, programme.exposures)


def _write(path: Path, content: bytes) -> None:
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(content)
    beside.replace(path)
