"""Reads a camera's TOML file: rafts of kits of sensors, and the layouts their amplifiers share."""

import tomllib
from functools import lru_cache
from pathlib import Path
from typing import Any

from dayops.camera.geometry import Amplifier, Box, Camera, Detector

FOLDER = Path(__file__).parent
_TURNS = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}  # cosine and sine
Table = dict[str, Any]


@lru_cache
def names() -> tuple[str, ...]:
    """Names of the cameras that have a file here, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


@lru_cache
def load(name: str) -> Camera:
    """The camera called `name`.

    Raises
    ------
    ValueError
        No such camera; the sentence lists those there are.
    """
    if name not in names():
        raise ValueError(f"There is no camera {name!r}: expected one of {', '.join(names())}.")
    return _camera(name, tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8")))


@lru_cache
def for_instrument(instrument: str) -> Camera | None:
    """The camera whose raw frames say ``INSTRUME = instrument``, or None."""
    return next((camera for camera in map(load, names()) if instrument in camera.instruments), None)


def _camera(name: str, table: Table) -> Camera:
    layouts = {key: _amplifiers(layout) for key, layout in table["layouts"].items()}
    placed = [(raft, sensor) for raft in table["rafts"] for sensor in table["kits"][raft["kit"]]]
    return Camera(
        name=name,
        title=table["title"],
        filters=tuple(table["filters"]),
        instruments=tuple(table["instruments"]),
        detectors=tuple(
            _detector(
                id_, raft, sensor, table["layouts"][sensor["layout"]], layouts[sensor["layout"]], table["pixel_um"]
            )
            for id_, (raft, sensor) in enumerate(placed)
        ),
    )


def _detector(
    id_: int, raft: Table, sensor: Table, layout: Table, amplifiers: tuple[Amplifier, ...], pixel_um: float
) -> Detector:
    turn = raft.get("turn_deg", 0)
    cosine, sine = _TURNS[turn]
    return Detector(
        id=id_,
        name=f"{raft['name']}_{sensor['slot']}",
        raft=raft["name"],
        slot=sensor["slot"],
        kind=sensor["kind"],
        vendor=layout["vendor"],
        width=max(amplifier.place.x1 for amplifier in amplifiers),
        height=max(amplifier.place.y1 for amplifier in amplifiers),
        pixel_um=pixel_um,
        x_mm=raft["x_mm"] + cosine * sensor["x_mm"] - sine * sensor["y_mm"],
        y_mm=raft["y_mm"] + sine * sensor["x_mm"] + cosine * sensor["y_mm"],
        rotation_deg=(turn + sensor["rotation_deg"]) % 360,
        amplifiers=amplifiers,
    )


def _amplifiers(layout: Table) -> tuple[Amplifier, ...]:
    """All segments of one layout; ``C1x`` lie in the lower half of the sensor, ``C0x`` in the upper."""
    halves = sorted({name[1] for name in layout["amplifiers"]}, reverse=True)
    return tuple(
        _amplifier(index, name, halves.index(name[1]), layout) for index, name in enumerate(layout["amplifiers"])
    )


def _amplifier(index: int, name: str, half: int, layout: Table) -> Amplifier:
    width, height, left = layout["width"], layout["height"], layout["prescan"]
    right, column = left + width, int(name[2])
    raw_width, raw_height = right + layout["serial_overscan"], height + layout["parallel_overscan"]
    return Amplifier(
        index=index,
        name=name,
        extension=f"Segment{name[1:]}",
        raw_width=raw_width,
        raw_height=raw_height,
        image=Box(left, 0, right, height),
        prescan=Box(0, 0, left, height),
        serial_overscan=Box(right, 0, raw_width, height),
        parallel_overscan=Box(left, height, right, raw_height),
        place=Box(column * width, half * height, (column + 1) * width, (half + 1) * height),
        flip_x=name[1] in layout["flip_x"],
        flip_y=name[1] in layout["flip_y"],
        gain=layout["gain"],
        read_noise=layout["read_noise"],
        saturation=layout["saturation"],
    )
