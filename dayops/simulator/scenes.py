"""What shines on the camera. A scene says how many electrons are expected in each pixel of a perfect detector."""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dayops.camera import Camera, Detector

_TURNS = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}  # cosine and sine, exact
LAMP_E_S = {"u": 700.0, "g": 1500.0, "r": 2000.0, "i": 1900.0, "z": 1600.0, "y": 1000.0}


class Scene(Protocol):
    """Light as it falls in. Sky scenes (stars, variables, moving objects) need no more than this."""

    def electrons(self, camera: Camera, detector: Detector, exposure_s: float) -> NDArray[np.float32]:
        """Expected electrons from light, (height, width) or broadcastable to it, before the detector's response."""
        ...


@dataclass(frozen=True, slots=True)
class Darkness:
    """The shutter stays closed: biases and darks."""

    def electrons(self, camera: Camera, detector: Detector, exposure_s: float) -> NDArray[np.float32]:
        return np.zeros((1, 1), dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Flat:
    """The flat screen through `filter`: bright in the middle, dimmer towards the edge, a little tilted.

    The whole focal plane shares one illumination; it falls by 8 % to the rim and tilts by 1 % across.
    """

    filter: str

    def electrons(self, camera: Camera, detector: Detector, exposure_s: float) -> NDArray[np.float32]:
        if self.filter not in LAMP_E_S:
            raise ValueError(f"The flat lamp has no filter {self.filter!r}: expected one of {', '.join(LAMP_E_S)}")
        u, v = focal_plane(camera, detector)
        light_e = LAMP_E_S[self.filter] * exposure_s * (1 - 0.08 * (u**2 + v**2) + 0.01 * u)
        return light_e.astype(np.float32, copy=False)


def scene_for(image_type: str, band: str) -> Scene:
    """The scene of a planned calibration exposure. Raises ValueError for an image type that is none."""
    if image_type in {"BIAS", "DARK"}:
        return Darkness()
    if image_type in {"FLAT", "PTC"}:
        return Flat(band)
    raise ValueError(f"There is no calibration scene for image type {image_type!r}: expected BIAS, DARK, FLAT or PTC")


def focal_plane(camera: Camera, detector: Detector) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Where the pixels lie on the focal plane, in units of the camera's radius. Shapes broadcast to (height, width)."""
    scale = detector.pixel_um / 1000.0
    x = (np.arange(detector.width, dtype=np.float32) - (detector.width - 1) / 2)[None, :] * scale
    y = (np.arange(detector.height, dtype=np.float32) - (detector.height - 1) / 2)[:, None] * scale
    cosine, sine = _TURNS[detector.rotation_deg % 360]
    radius = max(math.hypot(d.x_mm, d.y_mm) + d.width * d.pixel_um / 1000.0 / math.sqrt(2) for d in camera.detectors)
    u = (detector.x_mm + cosine * x - sine * y) / radius
    v = (detector.y_mm + sine * x + cosine * y) / radius
    return u, v
