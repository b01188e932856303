"""How even an image is: its plane, and the scatter of its row and column means about that.

Pixels beyond 5 robust sigma of the median count as if they lay there, so that hot pixels and cosmic rays hardly count.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from calib.science.distribution import Distribution, Pixels

CLIP_SIGMA = 5.0
CORNER = 200  # pixels a side: cp_verify's AMP_CORNER


@dataclass(frozen=True)
class Structure:
    """Row means and column means in ADU, shapes (rows,) and (columns,), and the variance of a single pixel in ADU².

    Both are means over pixels that count as no less than `lowest` and no more than `highest`.
    """

    rows: npt.NDArray[np.float64]
    columns: npt.NDArray[np.float64]
    variance: float
    lowest: float
    highest: float

    @property
    def gradient(self) -> float:
        """Range of the fitted plane over the image, from its lowest to its highest corner, in ADU."""
        return sum(abs(_slope(means)) * (len(means) - 1) for means in (self.rows, self.columns))

    @property
    def row_structure(self) -> float:
        """Scatter of the row means about the plane, in ADU, without what the noise of the pixels gives to it."""
        return _scatter(self.rows, self._noise_variance / len(self.columns))

    @property
    def column_structure(self) -> float:
        """As `row_structure`, of the column means."""
        return _scatter(self.columns, self._noise_variance / len(self.rows))

    @cached_property
    def _noise_variance(self) -> float:
        """Of what neither rows nor columns explain: the residual of a two-way analysis of variance."""
        height, width = len(self.rows), len(self.columns)
        explained = self.rows.var() + self.columns.var()
        freedom = (1 - 1 / height) * (1 - 1 / width)
        return max(self.variance - explained, 0.0) / freedom if freedom > 0 else 0.0


def measure_structure(pixels: Pixels, image: Distribution) -> Structure | None:
    """The structure of an image (rows, columns) whose distribution is `image`; None if it holds no number."""
    if not image.count:
        return None
    reach = CLIP_SIGMA * image.robust_sigma
    lowest, highest = np.floor(image.median - reach), np.ceil(image.median + reach)
    rows, columns = _means(pixels, lowest, highest)
    clipped = np.clip(image.support, lowest, highest)
    mean = (clipped * image.counts).sum() / image.count
    variance = ((clipped - mean) ** 2 * image.counts).sum() / image.count
    return Structure(rows, columns, float(variance), float(lowest), float(highest))


def corner_mean(pixels: Pixels, structure: Structure) -> float:
    """Mean in ADU of the corner of the image that is read first, its pixels clipped as those of `structure`."""
    return float(_means(pixels[:CORNER, :CORNER], structure.lowest, structure.highest)[0].mean())


def _means(pixels: Pixels, lowest: float, highest: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    height, width = pixels.shape
    if pixels.dtype.kind in "iu":
        rows, columns = _sums(pixels, int(lowest), int(highest))
        return lowest + rows / width, lowest + columns / height
    clipped = np.clip(np.where(np.isfinite(pixels), pixels, (lowest + highest) / 2), lowest, highest)
    return clipped.mean(axis=1, dtype=np.float64), clipped.mean(axis=0, dtype=np.float64)


@numba.njit(cache=True, nogil=True)
def _sums(pixels: Any, lowest: int, highest: int) -> Any:
    """Sums over rows and over columns of how far clipped integer pixels lie above `lowest`; int64."""
    height, width = pixels.shape
    rows = np.zeros(height, dtype=np.int64)
    columns = np.zeros(width, dtype=np.int64)
    for y in range(height):
        total = 0
        for x in range(width):
            above: Any = min(max(np.int64(pixels[y, x]), lowest), highest)
            above -= lowest
            total += above
            columns[x] += above
        rows[y] = total
    return rows, columns


def _slope(means: npt.NDArray[np.float64]) -> float:
    """Of the straight line through evenly spaced means, in their unit per place; 0 of a single one."""
    offset = np.arange(len(means)) - (len(means) - 1) / 2
    return float((offset * means).sum() / (offset**2).sum()) if len(means) > 1 else 0.0


def _scatter(means: npt.NDArray[np.float64], noise_variance: float) -> float:
    offset = np.arange(len(means)) - (len(means) - 1) / 2
    about_line = means - means.mean() - _slope(means) * offset
    freedom = len(means) - 2
    return float(np.sqrt(max((about_line**2).sum() / freedom - noise_variance, 0.0))) if freedom > 0 else np.nan
