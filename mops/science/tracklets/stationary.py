"""Detections that no mover makes: those at one place on several nights, and crowds in one visit."""

import numba
import numpy as np

from mops.science.tracklets import sky_grid
from mops.science.tracklets.lines import separation
from mops.science.tracklets.sky_grid import Floats, Ints

_NEAR = 1 << 14


@numba.njit(cache=True, nogil=True)
def nights_at_place(ra: Floats, dec: Floats, night: Ints, radius: float, most: int) -> Ints:
    """On how many nights something was within `radius` of each of `n` places (radians); counted up to `most`."""
    grid = sky_grid.build(ra, dec, radius)
    found = np.empty(_NEAR, np.int64)
    seen = np.empty(most, np.int64)
    counts = np.empty(len(ra), np.int64)
    for i in range(len(ra)):
        n = sky_grid.near(grid, ra[i], dec[i], radius, found)
        known = 0
        for m in range(n):
            j = found[m]
            if known < most and not _among(night[j], seen, known) and _close(ra, dec, i, j, radius):
                seen[known] = night[j]
                known += 1
        counts[i] = known if n >= 0 else most
    return counts


@numba.njit(cache=True, nogil=True)
def crowd_in_visit(ra: Floats, dec: Floats, visit: Ints, radius: float, most: int) -> Ints:
    """How many others of its visit are within `radius` of each of `n` places (radians); counted up to `most`."""
    grid = sky_grid.build(ra, dec, radius)
    found = np.empty(_NEAR, np.int64)
    counts = np.zeros(len(ra), np.int64)
    for i in range(len(ra)):
        n = sky_grid.near(grid, ra[i], dec[i], radius, found)
        for m in range(n):
            j = found[m]
            if counts[i] < most and j != i and visit[j] == visit[i] and _close(ra, dec, i, j, radius):
                counts[i] += 1
        if n < 0:
            counts[i] = most
    return counts


@numba.njit(cache=True, nogil=True)
def _among(value: int, seen: Ints, known: int) -> bool:
    return bool((seen[:known] == value).any())


@numba.njit(cache=True, nogil=True)
def _close(ra: Floats, dec: Floats, i: int, j: int, radius: float) -> bool:
    return abs(dec[i] - dec[j]) <= radius and separation(ra[i], dec[i], ra[j], dec[j]) <= radius
