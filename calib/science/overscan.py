"""Bias level and read noise of an amplifier from its serial overscan.

The level is the median, as LSST's instrument signature removal can take it (ip_isr, ``fitType=MEDIAN``). The read
noise is the scatter about a row and a column mean, clipped. Why not the plain standard deviation:

* one cosmic ray that reaches the overscan doubles it (2.08 times was measured on LSST-like frames),
* a bias that drifts along the readout, or a fixed column pattern, adds to it (2 % for a usual pattern),
* the first overscan columns hold charge that serial transfer left behind, so they are not used.
"""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from calib.science.distribution import Pixels, distribution

SKIPPED_COLUMNS = 3  # trailing charge of the last image column; LSST skips as many
CLIP_SIGMA = 5.0  # cp_verify's; it removes less than one in a million good pixels, so no correction is due
_ITERATIONS = 20


@dataclass(frozen=True, slots=True)
class Overscan:
    """`level` and `noise` in ADU, NaN where there are too few pixels, and what they were measured of.

    `pixels` (rows, columns) are those used; `rows` and `columns` are the means of its rows and of what is left of its
    columns without them, in ADU, pixels beyond 5 sigma left out; NaN where no pixel is left.
    """

    level: float
    noise: float
    pixels: Pixels
    rows: npt.NDArray[np.float64]
    columns: npt.NDArray[np.float64]


def measure_overscan(pixels: Pixels) -> Overscan:
    """Level and read noise of serial overscan `pixels`, rows first, the column read first at index 0."""
    used = pixels[:, SKIPPED_COLUMNS:] if pixels.shape[1] > 2 * SKIPPED_COLUMNS else pixels
    spread = distribution(used)
    # rows and columns differ by less than an ADU when nothing drifts: a finer start would clip good pixels
    sigma = float(np.maximum(spread.robust_sigma, 1.0))  # NaN stays NaN: no pixel is within it
    rows, columns = _means(used, spread.median, CLIP_SIGMA * sigma)
    return Overscan(spread.median, _noise(used, rows, columns, sigma), used, rows, columns)


def _noise(pixels: Pixels, rows: npt.NDArray[np.float64], columns: npt.NDArray[np.float64], sigma: float) -> float:
    total, squares, used = _residuals(pixels, rows, columns, sigma, CLIP_SIGMA)
    freedom = used - np.isfinite(rows).sum() - np.isfinite(columns).sum() + 1
    return float(np.sqrt(max(squares - total**2 / used, 0.0) / freedom)) if used and freedom > 0 else np.nan


@numba.njit(cache=True, nogil=True)
def _residuals(pixels: Any, row: Any, column: Any, sigma: float, clip: float) -> Any:
    """Sum, sum of squares and number of the unclipped residuals about row and column means."""
    rows, columns = pixels.shape
    total, squares, used = 0.0, 0.0, 0
    for _ in range(_ITERATIONS):
        before, limit = used, clip * sigma
        total, squares, used = 0.0, 0.0, 0
        for y in range(rows):
            for x in range(columns):
                residual = pixels[y, x] - row[y] - column[x]
                if abs(residual) <= limit:  # never so for NaN
                    total += residual
                    squares += residual * residual
                    used += 1
        if used < 2 or used == before:
            break
        sigma = np.sqrt(max(squares / used - (total / used) ** 2, 0.0))
    return total, squares, used


@numba.njit(cache=True, nogil=True)
def _means(pixels: Any, centre: float, limit: float) -> Any:
    """Mean of each row, then of each column's residual, over pixels within `limit` of `centre`; NaN without any."""
    rows, columns = pixels.shape
    row = np.full(rows, np.nan)
    column = np.zeros(columns)
    counts = np.zeros(columns, dtype=np.int64)
    for y in range(rows):
        total, count = 0.0, 0
        for x in range(columns):
            if abs(pixels[y, x] - centre) <= limit:
                total += pixels[y, x]
                count += 1
        if count:
            row[y] = total / count
        for x in range(columns):
            if abs(pixels[y, x] - centre) <= limit:
                column[x] += pixels[y, x] - row[y]
                counts[x] += 1
    for x in range(columns):
        column[x] = column[x] / counts[x] if counts[x] else np.nan
    return row, column
