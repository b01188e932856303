"""A shelf of frames, served over HTTP by the simulator's real server, well or badly."""

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from dayops.camera_data_system import OfferedFrame
from dayops.simulator.camera_data_system import CameraDataSystemServer, FrameHandler
from dayops.simulator.misbehaviour import MISBEHAVIOURS
from tests.frames import DAY


@dataclass(frozen=True)
class Shelf:
    """What the server needs of an observatory: frames in a folder, in the order they were put there."""

    folder: Path
    offers: dict[str, OfferedFrame]

    @classmethod
    def of(cls, folder: Path, contents: Mapping[str, bytes]) -> "Shelf":
        folder.mkdir(exist_ok=True)
        shelf = cls(folder, {})
        for name, content in contents.items():
            shelf.put(name, content)
        return shelf

    def put(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)
        self.offers[name] = offer(name, content)

    def frames(self, day_obs: int | None) -> list[OfferedFrame]:
        return [frame for frame in self.offers.values() if day_obs in (None, frame.day_obs)]

    def frame(self, name: str) -> OfferedFrame | None:
        return self.offers.get(name)


def offer(name: str, content: bytes) -> OfferedFrame:
    """An offer of `content` under an LSST file name (``MC_S_20261122_000001_R22_S11.fits``) or any other."""
    exposure = name.partition("_R")[0].partition(".")[0]
    number = exposure.rpartition("_")[2]
    return OfferedFrame(
        name=name,
        exposure=exposure,
        day_obs=DAY,
        seq_num=int(number) if number.isdigit() else 0,
        detector="",
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        offered_at=datetime(2026, 11, 22, 15, tzinfo=UTC),
    )


@contextmanager
def served(shelf: Shelf, misbehaviour: str = "") -> Iterator[str]:
    """The address of a server that offers `shelf`."""
    handler = MISBEHAVIOURS.get(misbehaviour, FrameHandler)
    server = CameraDataSystemServer(cast("Any", shelf), 0, handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
