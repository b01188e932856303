"""Keeps a detector's geometry as JSON, for frames of cameras that have no TOML file.

An unknown gain, read noise or saturation is NaN in Python and null in JSON.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from dayops.camera.geometry import Amplifier, Box, Detector

_BOXES = ("image", "prescan", "serial_overscan", "parallel_overscan", "place")
_NOMINAL = ("gain", "read_noise", "saturation")


def detector_to_json(detector: Detector) -> dict[str, Any]:
    """`detector` as plain dicts, lists, strings and numbers; `detector_from_json` gives it back."""
    return {**asdict(detector), "amplifiers": [_amplifier_to_json(amplifier) for amplifier in detector.amplifiers]}


def detector_from_json(data: Mapping[str, Any]) -> Detector:
    """The detector that `detector_to_json` wrote.

    Raises
    ------
    ValueError
        `data` is not such a record.
    """
    try:
        return Detector(**{**data, "amplifiers": tuple(map(_amplifier_from_json, data["amplifiers"]))})
    except (KeyError, TypeError) as error:
        raise ValueError(f"This is not a detector's geometry as DayOps keeps it: {error}.") from error


def _amplifier_to_json(amplifier: Amplifier) -> dict[str, Any]:
    plain = asdict(amplifier)
    return plain | {name: plain[name] if math.isfinite(plain[name]) else None for name in _NOMINAL}


def _amplifier_from_json(data: Mapping[str, Any]) -> Amplifier:
    boxes = {name: None if data[name] is None else Box(**data[name]) for name in _BOXES}
    nominal = {name: math.nan if data[name] is None else float(data[name]) for name in _NOMINAL}
    return Amplifier(**{**data, **boxes, **nominal})
