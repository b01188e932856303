"""Cameras: their geometry and what their raw headers mean."""

from collections.abc import Mapping
from typing import Any

from dayops.camera.geometry import Amplifier, Box, Camera, Detector
from dayops.camera.json import detector_from_json, detector_to_json
from dayops.camera.toml import for_instrument, load, names

__all__ = [
    "Amplifier",
    "Box",
    "Camera",
    "Detector",
    "detector_from_json",
    "detector_of",
    "detector_to_json",
    "for_instrument",
    "load",
    "names",
]


def detector_of(camera: str, detector: int, geometry: Mapping[str, Any] | None = None) -> Detector:
    """The detector of an archived frame: of a camera that has a file here, or as the frame's own `geometry` says.

    Raises
    ------
    ValueError
        The camera has neither, or no detector of that number.
    """
    if geometry:
        return detector_from_json(geometry)
    found = load(camera).by_id.get(detector)
    if found is None:
        raise ValueError(f"{camera} has no detector {detector}: expected 0 to {len(load(camera).detectors) - 1}.")
    return found
