"""Whole simulated days through the archive's gate, the engine and the judgement, without waiting for the clock.

A pool of processes simulates, archives and measures the frames of one exposure after the other; only the transport is
left out. Everything is committed as on any day.
"""

import hashlib
import multiprocessing
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from django.db import connections
from django.db.models import F

from calib import services
from calib.exposure_judgement import judge_exposure
from calib.models import Assessment, Review
from dayops.archive import store
from dayops.archive.ingest import Origin, admit, examine
from dayops.camera.headers import BadFrame
from dayops.engine import work_off
from dayops.models import Exposure
from dayops.simulator.faults import Fault
from dayops.simulator.frames import simulate
from dayops.simulator.observatory import PlannedFile, Programme

_LIMIT_S = 3600.0


@dataclass(frozen=True)
class Crew:
    """Processes that take and measure frames."""

    pool: ProcessPoolExecutor
    size: int

    def take(self, programme: Programme, seq_nums: Iterable[int]) -> int:
        """The exposures `seq_nums` of a day, one after the other; returns how many frames were offered."""
        wanted, offered = set(seq_nums), 0
        for shot in programme.shots():
            if shot.planned.seq_num in wanted:
                files = [file for file in programme.files() if file.shot == shot]
                self._archive(programme, files)
                self.work_off()
                offered += len(files)
                _judge_if_incomplete(shot.name)
        return offered

    def take_at_once(self, programme: Programme) -> None:
        """All of it, exposures beside each other: quicker where each has fewer detectors than there are processes."""
        self._archive(programme, programme.files())
        self.work_off()

    def work_off(self) -> None:
        """Perform what the queue holds, until nothing is left that can be begun."""
        list(self.pool.map(_measure, [f"crew-{number}" for number in range(self.size)]))

    def _archive(self, programme: Programme, files: Sequence[PlannedFile]) -> None:
        list(self.pool.map(_archive, files, [programme.seed] * len(files), [programme.fault] * len(files)))


@contextmanager
def crew(size: int) -> Iterator[Crew]:
    """Kernels must be compiled before. The pool's processes have database connections of their own."""
    connections.close_all()
    with ProcessPoolExecutor(size, multiprocessing.get_context("fork")) as pool:
        yield Crew(pool, size)


def reject(day_obs: int) -> None:
    """Keep a day from being anyone's past, as a person would who knows that it was a drill."""
    Review.objects.bulk_create(
        Review(exposure=exposure, decision=Review.Decision.REJECT, reason="drill", author="drill")
        for exposure in Exposure.objects.filter(day_obs=day_obs)
    )


def _archive(file: PlannedFile, seed: int, fault: Fault | None) -> None:
    """As the Archiver does with a frame that has arrived whole."""
    content = simulate(file.shot, file.detector.id, seed, fault, file.repeat)
    archive, sha256 = store(), hashlib.sha256(content).hexdigest()
    origin = Origin(file.name, "drill", verified=True)
    with archive.partial(f"{file.name}:{sha256}") as part:
        with part.append(len(content)) as target:
            target.write(content)
        incoming = part.complete(sha256)
        try:
            stored, inspection = examine(archive, incoming, origin)
        except BadFrame:
            return  # refused with an event, which is what should happen
    admit(stored, inspection, origin)


def _measure(name: str) -> None:
    work_off(services.QUEUE, name, limit_s=_LIMIT_S)


def _judge_if_incomplete(name: str) -> None:
    """What the scheduler does after its pause: nothing more will come."""
    for exposure in Exposure.objects.filter(name=name).exclude(judgement__measured=F("detectors_expected")):
        if Assessment.objects.filter(exposure=exposure).exists():
            judge_exposure(exposure)
