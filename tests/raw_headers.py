"""Builds the headers of a raw frame, good unless asked otherwise, and describes them."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dayops import camera
from dayops.camera.headers import BadFrame, FrameDescription, describe
from dayops.camera.sections import format_section

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ABSENT = object()


def minicam_frame(**changes: Any) -> tuple[list[dict[str, Any]], list[tuple[int, ...] | None]]:
    """Headers and shapes of a good minicam flat, with primary cards changed, or taken out by ABSENT."""
    primary = {
        "INSTRUME": "MiniCam",
        "OBSID": "MC_S_20261122_000012",
        "DAYOBS": "20261122",
        "SEQNUM": 12,
        "IMGTYPE": "FLAT",
        "EXPTIME": 15.0,
        "FILTER": "r",
        "TIMESYS": "TAI",
        "DATE-BEG": "2026-11-22T16:20:37.000",
        "RAFTBAY": "R22",
        "CCDSLOT": "S11",
        "DAYSTEP": "flat-r",
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    headers: list[dict[str, Any]] = [{name: value for name, value in primary.items() if value is not ABSENT}]
    shapes: list[tuple[int, ...] | None] = [None]
    for amplifier in camera.load("minicam").detectors[0].amplifiers:
        detsec = format_section(amplifier.place, flip_x=amplifier.flip_x, flip_y=amplifier.flip_y)
        datasec = format_section(amplifier.image)
        headers.append({"EXTNAME": amplifier.extension, "DATASEC": datasec, "DETSEC": detsec, "AVGBIAS": 25_000.5})
        shapes.append((amplifier.raw_height, amplifier.raw_width))
    return headers, shapes


def described(**changes: Any) -> FrameDescription:
    return describe(*minicam_frame(**changes), "frame.fits", now=NOW)


def problems(**changes: Any) -> list[str]:
    with pytest.raises(BadFrame) as refusal:
        described(**changes)
    return refusal.value.problems
