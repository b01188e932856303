"""Cameras: their geometry and what their raw headers mean."""

from dayops.camera.geometry import Amplifier, Box, Camera, Detector
from dayops.camera.toml import for_instrument, load, names

__all__ = ["Amplifier", "Box", "Camera", "Detector", "for_instrument", "load", "names"]
