"""Bright pixels of one frame: which are hot, and which are the tracks of cosmic rays.

A cosmic ray leaves a connected track and a hot pixel stands alone, so that their shapes tell them apart in a single
frame. Use a low limit, 6 robust sigma above the median: a high one cuts tracks into pieces that look like hot pixels.

What the shapes cannot tell: two hot pixels that touch are a track, and a track in one pixel is a hot pixel.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from calib.science.distribution import Pixels
from dayops.camera.geometry import Amplifier, Detector

MOST_BRIGHT = 0.02  # of the pixels; an image with more is lit or broken, and shapes in it mean nothing
COLUMN_LENGTH = 20  # pixels in line: a bright column of LSST's electro-optical tests (eo_pipe)
HOT, COLUMN, TRACK = 0, 1, 2
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True)
class BrightPixels:
    """Pixels above a limit in raster order: `rows`, `columns`, `values` (ADU) and `kinds`, each of shape (n,).

    `kinds` are HOT (alone), COLUMN (in a straight vertical line of 20 or more) and TRACK (any other group of pixels
    that touch by side or corner, and what lies one faint pixel beyond its end). `hot_pixels` counts those of the first
    two kinds above the higher limit, `hot_columns` and `tracks` count lines and groups. Where too many pixels are
    bright the arrays are empty and the three counts NaN.
    """

    rows: Indices
    columns: Indices
    values: npt.NDArray[np.float64]
    kinds: npt.NDArray[np.int8]
    hot_pixels: float
    hot_columns: float
    tracks: float


def bright_pixels(image: Pixels, limit: float, hot: float | None = None) -> BrightPixels:
    """The pixels of two-dimensional `image` above `limit` (ADU as read), by kind; NaN pixels are never bright.

    Only those above `hot`, which is `limit` where it is not given, count as hot pixels. Where it is NaN
    so is their number.
    """
    hot = limit if hot is None else hot
    found, rows, columns, values = _listed(image, limit, int(MOST_BRIGHT * image.size))
    if found > len(rows) or np.isnan(limit):
        nothing = np.zeros(0, dtype=np.int64)
        return BrightPixels(nothing, nothing, np.zeros(0), np.zeros(0, dtype=np.int8), np.nan, np.nan, np.nan)
    rows, columns, values = rows[:found], columns[:found], values[:found]
    kinds = np.where(_in_line(rows, columns), COLUMN, HOT).astype(np.int8)
    loose = kinds != COLUMN
    track = _track_of(rows[loose], columns[loose])
    kinds[loose] = np.where(track >= 0, TRACK, HOT)
    return BrightPixels(
        rows=rows,
        columns=columns,
        values=values,
        kinds=kinds,
        hot_pixels=np.nan if np.isnan(hot) else float(((kinds != TRACK) & (values > hot)).sum()),
        hot_columns=float(len(np.unique(columns[kinds == COLUMN]))),
        tracks=float(_distinct(track)),
    )


def cosmic_ray_rate(bright: Sequence[BrightPixels], detector: Detector, dark_time_s: float) -> float:
    """Tracks per cm² and minute over a whole detector; `bright` is in the order of its amplifiers.

    A track that crosses from one amplifier to another is one. Amplifiers with too many bright pixels are left out
    with their area; NaN where none is left, and where no time passed. Nothing is corrected: of 120
    simulated darks of 180 s the mean is 4.35 ± 0.11 where 4 are true; in a shower of 80 it is 76, for tracks touch.
    """
    usable = [pair for pair in zip(bright, detector.amplifiers, strict=True) if not np.isnan(pair[0].tracks)]
    pixels = sum(amplifier.place.width * amplifier.place.height for _, amplifier in usable)
    if not pixels or not dark_time_s > 0:
        return np.nan
    y, x = np.concatenate([_on_detector(*pair) for pair in usable], axis=1)
    raster = np.lexsort((x, y))
    tracks = _distinct(_track_of(y[raster], x[raster]))
    return float(tracks / (pixels * (detector.pixel_um * 1e-4) ** 2) / (dark_time_s / 60.0))


def _on_detector(bright: BrightPixels, amplifier: Amplifier) -> Indices:
    """Where the pixels that are in no line lie on the assembled detector: rows, columns; shape (2, n)."""
    loose, place = bright.kinds != COLUMN, amplifier.place
    y, x = bright.rows[loose], bright.columns[loose]
    return np.stack(
        (
            place.y1 - 1 - y if amplifier.flip_y else place.y0 + y,
            place.x1 - 1 - x if amplifier.flip_x else place.x0 + x,
        )
    )


def _track_of(rows: Indices, columns: Indices) -> Indices:
    """The number of each pixel's track, -1 where it is in none. Pieces of a track may lie one faint pixel apart."""
    touching, near = _groups(rows, columns, 1), _groups(rows, columns, 2)
    touches = np.bincount(touching)[touching] > 1
    return np.where(np.bincount(near, touches)[near] > 0, near, -1)


def _distinct(track: Indices) -> int:
    return len(np.unique(track[track >= 0]))


def _in_line(rows: Indices, columns: Indices) -> npt.NDArray[np.bool_]:
    """Which pixels belong to an unbroken vertical line of at least COLUMN_LENGTH."""
    downwards = np.lexsort((rows, columns))
    broken = (np.diff(columns[downwards], prepend=-2) != 0) | (np.diff(rows[downwards], prepend=-2) != 1)
    line = np.cumsum(broken)
    in_line = np.empty(len(rows), dtype=np.bool_)
    in_line[downwards] = np.bincount(line)[line] >= COLUMN_LENGTH if len(line) else False
    return in_line


@numba.njit(cache=True, nogil=True)
def _listed(image: Any, limit: float, capacity: int) -> Any:
    """How many pixels are above `limit`, and row, column and value of the first `capacity`; stops one beyond them."""
    rows, columns = np.empty(capacity, dtype=np.int64), np.empty(capacity, dtype=np.int64)
    values = np.empty(capacity)
    found = 0
    for y in range(image.shape[0]):
        for x in range(image.shape[1]):
            if image[y, x] > limit:
                if found == capacity:
                    return found + 1, rows, columns, values
                rows[found], columns[found], values[found] = y, x, image[y, x]
                found += 1
    return found, rows, columns, values


@numba.njit(cache=True, nogil=True)
def _groups(rows: Any, columns: Any, reach: int) -> Any:
    """The group of each pixel of a raster-ordered list, by its first member; `reach` is the largest step inside one."""
    first = np.arange(len(rows))
    for i in range(len(rows)):
        before = i - 1
        while before >= 0 and rows[before] >= rows[i] - reach:
            if abs(columns[before] - columns[i]) <= reach:
                _join(first, before, i)
            before -= 1
    for i in range(len(rows)):
        first[i] = first[first[i]]
    return first


@numba.njit(cache=True, nogil=True)
def _join(first: Any, one: int, other: int) -> None:
    """Give the groups of two pixels the smaller first member of both."""
    while first[one] != one:
        one = first[one]
    while first[other] != other:
        other = first[other]
    first[max(one, other)] = min(one, other)


def warm_up() -> None:
    """Compile (or load from the cache) the kernels for the types that raw pixels have."""
    for dtype in ("int32", "uint16", "int16", "float32"):
        image: npt.NDArray[Any] = np.zeros((8, 16), dtype=dtype)
        bright_pixels(image[:, 1:], 1.0)  # a view, as every cut of a segment is
        bright_pixels(image, 1.0)
