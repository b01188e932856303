"""Builders for tests with simulated frames: a camera small enough to be quick, its offers, a server around it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dayops.camera import Amplifier, Box, Camera, Detector
from dayops.day_plan import Plan
from dayops.simulator.camera_data_system import CameraDataSystemServer, FrameHandler
from dayops.simulator.frames import Shot
from dayops.simulator.observatory import Observatory, Programme

DAY = 20261122
BEGINS = datetime(2026, 11, 22, 16, 20, tzinfo=UTC)


def listing_entry(**changes: Any) -> dict[str, Any]:
    """One entry of a listing, good but for `changes`."""
    good = {
        "name": "MC_S_20261122_000001_R22_S00.fits",
        "exposure": "MC_S_20261122_000001",
        "day_obs": DAY,
        "seq_num": 1,
        "detector": "R22_S00",
        "size": 2880,
        "sha256": "ab" * 32,
        "offered_at": "2026-11-22T16:20:00+00:00",
    }
    return good | changes


def tiny_amplifier(index: int) -> Amplifier:
    """One of two segments of 24 × 32 light-sensitive pixels, side by side; the second is read from the far corner."""
    return Amplifier(
        index=index,
        name=f"C1{index}",
        extension=f"Segment1{index}",
        raw_width=34,
        raw_height=36,
        image=Box(2, 0, 26, 32),
        prescan=Box(0, 0, 2, 32),
        serial_overscan=Box(26, 0, 34, 32),
        parallel_overscan=Box(2, 32, 26, 36),
        place=Box(24 * index, 0, 24 * index + 24, 32),
        flip_x=index == 1,
        flip_y=index == 1,
        gain=1.5,
        read_noise=5.7,
        saturation=135_000.0,
    )


def tiny_camera(detectors: int = 2) -> Camera:
    """A camera of `detectors` sensors of 48 × 32 pixels in a row."""
    return Camera(
        name="tiny",
        title="Tiny",
        filters=("g", "r"),
        instruments=("TinyCam",),
        detectors=tuple(
            Detector(
                id=number,
                name=f"R22_S0{number}",
                raft="R22",
                slot=f"S0{number}",
                kind="SCIENCE",
                vendor="DayOps",
                width=48,
                height=32,
                pixel_um=10.0,
                x_mm=0.48 * number,
                y_mm=0.0,
                rotation_deg=0,
                amplifiers=(tiny_amplifier(0), tiny_amplifier(1)),
            )
            for number in range(detectors)
        ),
    )


def programme(exposures: int | None = 1, *, seed: int = 1, detectors: int = 2) -> Programme:
    return Programme(tiny_camera(detectors), DAY, seed, BEGINS, exposures)


def shot(camera: Camera, seq_num: int) -> Shot:
    return Shot(camera, DAY, Plan.load().exposures(DAY)[seq_num - 1], BEGINS)


def observatory(folder: Path, exposures: int | None = 1) -> Observatory:
    """One that has already taken `exposures` exposures of two detectors."""
    taken = Observatory(folder, programme(exposures))
    taken.take_all(threading.Event(), cadence_s=0.0)
    return taken


@contextmanager
def serving(offered: Observatory, handler: type[FrameHandler] = FrameHandler) -> Iterator[str]:
    """The address of a server of `offered` in this process."""
    with CameraDataSystemServer(offered, handler=handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server.url
        finally:
            server.shutdown()
            thread.join()
