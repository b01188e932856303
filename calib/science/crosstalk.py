"""Crosstalk between neighbouring amplifiers, from the bright pixels of a dark.

All amplifiers are read at the same time, so that a bright pixel of one appears, much weaker, at the same raw place of
the others. The share is the slope of the victim's signal against the aggressor's, by least squares (O'Connor 2015,
*Crosstalk in multi-output CCDs for LSST*, and the defect-based method of cp_pipe). All neighbours of a detector in
reading order give one number: a single pair holds too few bright pixels to be told from noise in one frame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from calib.science.bright_pixels import COLUMN, BrightPixels
from calib.science.distribution import Pixels

LARGEST_ERROR = 2e-4  # a tenth of LSST's acceptance limit of 0.19 %; with a larger error the number says nothing
LARGEST_SHARE = 0.02  # ten times the acceptance limit; a victim's pixel that holds more is bright in its own right
BRIGHT_SIGMA = 6.0
LEAST_SIGMA = 0.5  # ADU; whole numbers alone scatter by 0.37, so an amplifier with less noise is dead
REACH = 8  # rows above and below whose median is the victim's level; the same column, for columns have biases


@dataclass(frozen=True, slots=True)
class Crosstalk:
    """Share of a pixel's ADU that appears in a neighbour, and its standard error by read noise alone.

    The neighbours' own differences are not in the error. `coefficient` is NaN where the error is above LARGEST_ERROR.
    """

    coefficient: float
    error: float


def crosstalk(
    images: Sequence[Pixels], bright: Sequence[BrightPixels], medians: Sequence[float], sigmas: Sequence[float]
) -> Crosstalk:
    """The mean share over all neighbours in reading order, weighted by signal² / noise².

    `images` are the image pixels of each amplifier, as read and of equal shape; `bright` its bright pixels, `medians`
    and `sigmas` (ADU) its level and robust scatter. Bright columns are left out: beside them no row of the same column
    tells the victim's level. Raises ValueError where the shapes differ.
    """
    if len({image.shape for image in images}) > 1:
        raise ValueError("Crosstalk needs the amplifiers' images in one shape, for places in them must correspond.")
    products, squares = 0.0, 0.0
    for aggressor, victim in _neighbours(len(images)):
        weight = _weight(sigmas[victim])
        alone = bright[aggressor].kinds != COLUMN
        sums = _pair_sums(
            images[victim],
            bright[aggressor].rows[alone],
            bright[aggressor].columns[alone],
            bright[aggressor].values[alone] - medians[aggressor],
            BRIGHT_SIGMA * sigmas[victim],
            LARGEST_SHARE,
        )
        products += weight * sums[0]
        squares += weight * sums[1]
    error = 1 / sqrt(squares) if squares > 0 else np.nan
    return Crosstalk(products / squares if error <= LARGEST_ERROR else np.nan, error)


def _neighbours(count: int) -> list[tuple[int, int]]:
    return [(one, other) for one in range(count) for other in (one - 1, one + 1) if 0 <= other < count]


def _weight(sigma: float) -> float:
    """One over the variance of a pixel less the median of 2 REACH others (π/2 times that of their mean)."""
    return 1 / (sigma**2 * (1 + np.pi / 2 / (2 * REACH))) if sigma > LEAST_SIGMA else 0.0


@numba.njit(cache=True, nogil=True)
def _pair_sums(victim: Any, rows: Any, columns: Any, signals: Any, noise_limit: float, share_limit: float) -> Any:
    """Sums of signal × response and of signal² over an aggressor's bright pixels.

    The response is the victim's pixel less the median of its column REACH rows up and down. One that is larger than
    noise and crosstalk can explain is left out, and so is a pixel whose column has fewer than REACH finite rows.
    """
    height = victim.shape[0]
    around = np.empty(2 * REACH)
    products, squares = 0.0, 0.0
    for i in range(len(rows)):
        y, x, count = rows[i], columns[i], 0
        for near in range(max(y - REACH, 0), min(y + REACH + 1, height)):
            if near != y and np.isfinite(victim[near, x]):
                around[count] = victim[near, x]
                count += 1
        if count < REACH:
            continue
        response = victim[y, x] - np.median(around[:count])
        if abs(response) <= noise_limit + share_limit * signals[i]:  # never so for NaN
            products += signals[i] * response
            squares += signals[i] * signals[i]
    return products, squares


def warm_up() -> None:
    """Compile (or load from the cache) the kernel for the types that raw pixels have."""
    nowhere = np.zeros(0, dtype=np.int64)
    for dtype in ("int32", "uint16", "int16", "float32"):
        image: npt.NDArray[Any] = np.zeros((8, 16), dtype=dtype)
        for view in (image, image[:, 1:]):
            _pair_sums(view, nowhere, nowhere, np.zeros(0), 1.0, LARGEST_SHARE)
