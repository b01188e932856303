"""Directions: between angles and unit vectors."""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def unit_vectors(ra: Array, dec: Array) -> Array:
    """(n, 3) of RA and Dec in degrees."""
    a, d = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=-1)


def tangents(ra: Array, dec: Array) -> tuple[Array, Array]:
    """Unit vectors to the east and to the north, (n, 3) each; at a pole they follow the given RA."""
    a, d = np.radians(ra), np.radians(dec)
    east = np.stack([-np.sin(a), np.cos(a), np.zeros_like(a)], axis=-1)
    north = np.stack([-np.sin(d) * np.cos(a), -np.sin(d) * np.sin(a), np.cos(d)], axis=-1)
    return east, north


def angles(vector: Array) -> tuple[Array, Array]:
    """RA in [0, 360) and Dec, degrees, of vectors of any length (n, 3)."""
    ra = np.degrees(np.arctan2(vector[:, 1], vector[:, 0])) % 360
    # A tiny negative angle rounds to 360 itself, which is no right ascension.
    return np.where(ra >= 360, 0.0, ra), np.degrees(np.arctan2(vector[:, 2], np.hypot(vector[:, 0], vector[:, 1])))
