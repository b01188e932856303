"""Detections by their place on the sky, for looking near a place: right at the poles and at RA 0.

Bands of equal height in declination, each cut into cells that are as wide as high. The cells are hashed, so that memory
goes with the number of detections and not with the sky's size; within a bucket they stay in the order given (of time).
"""

import math
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_BAND = 1 << 32
_HASH = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ / golden ratio: Knuth, The Art of Computer Programming 3, 6.4


class Grid(NamedTuple):
    """`n` detections in buckets: `slot[start[b]:start[b + 1]]` are the indices in bucket b, `key` their cells."""

    height: float  # of a band, radians
    start: Ints  # (2^k + 1,)
    slot: Ints  # (n,)
    key: Ints  # (n,), in the order of slot


@numba.njit(cache=True, nogil=True)
def build(ra: Floats, dec: Floats, height: float) -> Grid:
    """Sort `n` places (radians) into cells of `height` radians, which must not be less than the radius looked at."""
    n = len(ra)
    size = 16
    while size < 2 * n:
        size *= 2
    keys = np.empty(n, np.int64)
    buckets = np.empty(n, np.int64)
    start = np.zeros(size + 1, np.int64)
    for i in range(n):
        band = int((dec[i] + math.pi / 2) / height)
        keys[i] = band * _BAND + int((ra[i] % (2 * math.pi)) / _width(band, height))
        buckets[i] = bucket(keys[i], size)
        start[buckets[i] + 1] += 1
    for b in range(size):
        start[b + 1] += start[b]
    following = start[:-1].copy()
    slot = np.empty(n, np.int64)
    key = np.empty(n, np.int64)
    for i in range(n):
        place = following[buckets[i]]
        following[buckets[i]] += 1
        slot[place] = i
        key[place] = keys[i]
    return Grid(height, start, slot, key)


@numba.njit(cache=True, nogil=True)
def near(grid: Grid, ra: float, dec: float, radius: float, out: Ints) -> int:
    """Indices of everything in the cells that the circle (radians) touches, into `out`; their number.

    A negative number says that there were more than `out` holds. The caller checks the distance itself.
    """
    count = 0
    for band in range(int(max(dec - radius + math.pi / 2, 0.0) / grid.height), _last_band(dec + radius, grid) + 1):
        width = _width(band, grid.height)
        cells = math.ceil(2 * math.pi / width - 1e-9)
        reach = _reach(dec, radius)
        first = math.floor((ra - reach) / width)
        last = math.floor((ra + reach) / width)
        if last - first + 1 >= cells:
            first, last = 0, cells - 1
        for cell in range(first, last + 1):
            key = band * _BAND + cell % cells
            b = bucket(key, len(grid.start) - 1)
            for place in range(grid.start[b], grid.start[b + 1]):
                if grid.key[place] == key:
                    if count == len(out):
                        return -1
                    out[count] = grid.slot[place]
                    count += 1
    return count


@numba.njit(cache=True, nogil=True)
def bucket(key: int, size: int) -> int:
    """Where a key is kept in a table of `size`, a power of two."""
    return int(np.int64((np.uint64(key) * _HASH) >> np.uint64(32)) & np.int64(size - 1))


@numba.njit(cache=True, nogil=True)
def _width(band: int, height: float) -> float:
    low = abs(band * height - math.pi / 2)
    high = abs((band + 1) * height - math.pi / 2)
    cells = int(2 * math.pi * math.cos(min(max(low, high), math.pi / 2)) / height)
    return 2 * math.pi / max(cells, 1)


@numba.njit(cache=True, nogil=True)
def _last_band(dec: float, grid: Grid) -> int:
    return int(min(dec + math.pi / 2, math.pi) / grid.height)


@numba.njit(cache=True, nogil=True)
def _reach(dec: float, radius: float) -> float:
    """Half the width in RA of a circle: asin(sin ρ / cos δ), everything where it holds a pole."""
    if abs(dec) + radius >= math.pi / 2:
        return math.pi
    return math.asin(math.sin(radius) / math.cos(dec))
