"""Order statistics of an image's pixels from a histogram of their values.

Raw pixels are integers of few distinct values, so one pass that counts them replaces every sort, and each integer has
a bin of its own: no value is rounded. Medians and MADs are those of grouped data, where an integer stands for the unit
interval around it. Without that, the bias level of a quiet amplifier could only be told to half an ADU, and a MAD of
2.7 ADU would be reported as 3.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numba
import numpy as np
import numpy.typing as npt

Pixels: TypeAlias = npt.NDArray[np.integer[Any]] | npt.NDArray[np.floating[Any]]
MAD_TO_SIGMA = 1.4826022185056018  # 1 / Phi^-1(3/4), for Gaussian noise
WIDEST_HISTOGRAM = 1 << 21  # bins; beyond it (broken data) sorting is no slower and needs no more memory
_LANES = 4  # neighbouring pixels count into different copies, so that equal ones do not wait for each other


@dataclass(frozen=True)
class Distribution:
    """Pixel values in rising order (`support`) and how many pixels have each (`counts`, same shape).

    `half_width` is half of the interval that a value stands for: 0.5 for integers, 0 for measured real numbers.
    """

    support: npt.NDArray[np.float64]
    counts: npt.NDArray[np.int64]
    half_width: float

    @cached_property
    def count(self) -> int:
        return int(self.counts.sum())

    @cached_property
    def mean(self) -> float:
        """Arithmetic mean; NaN without pixels."""
        return float((self.support * self.counts).sum()) / self.count if self.count else np.nan

    @cached_property
    def median(self) -> float:
        """Where half of the pixels lie on either side; NaN without pixels."""
        if not self.count:
            return np.nan
        knots, heights = self._cumulative
        half = self.count / 2
        first = min(int(np.searchsorted(heights, half)), heights.size - 1)
        last = max(int(np.searchsorted(heights, half, "right")) - 1, 0)
        if first <= last or first == 0:  # a gap: every value between its ends would do, the middle one is chosen
            return float(knots[first] + knots[last]) / 2
        rise = (half - heights[first - 1]) / (heights[first] - heights[first - 1])
        return float(knots[first - 1] + rise * (knots[first] - knots[first - 1]))

    @cached_property
    def mad(self) -> float:
        """The median absolute deviation: half of the pixels lie within it of the median; NaN without pixels."""
        if not self.count:
            return np.nan
        knots, heights = self._cumulative
        # between these deviations the share of the pixels within them is a straight line, too
        deviations = np.append(0.0, np.sort(np.abs(knots - self.median)))
        ends = np.concatenate((self.median - deviations, self.median + deviations))
        below, upto = np.split(np.interp(ends, knots, heights), 2)
        within, half = upto - below, self.count / 2
        last = min(int(np.searchsorted(within, half)), within.size - 1)
        if within[last] <= within[last - 1]:
            return float(deviations[last])
        rise = (half - within[last - 1]) / (within[last] - within[last - 1])
        return float(deviations[last - 1] + rise * (deviations[last] - deviations[last - 1]))

    @property
    def robust_sigma(self) -> float:
        """The standard deviation of the Gaussian that has this MAD; NaN without pixels."""
        return MAD_TO_SIGMA * self.mad

    def below(self, limit: float) -> int:
        """How many pixels are smaller than `limit`."""
        return int(self.counts[: np.searchsorted(self.support, limit)].sum())

    def above(self, limit: float) -> int:
        """How many pixels are larger than `limit`."""
        return int(self.counts[np.searchsorted(self.support, limit, "right") :].sum())

    @cached_property
    def _cumulative(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Knots of the cumulative distribution, which is straight between them, and its heights there."""
        seen = self.counts > 0
        support, upto = self.support[seen], np.cumsum(self.counts[seen], dtype=np.float64)
        if not self.half_width:
            return support, upto - self.counts[seen] / 2
        # both ends of every interval, for between values that lie apart the distribution is flat
        edges = np.unique(np.concatenate((support - self.half_width, support + self.half_width)))
        return edges, np.append(0.0, upto)[np.searchsorted(support, edges)]


def distribution(pixels: Pixels) -> Distribution:
    """The distribution of two-dimensional `pixels` (ADU). Pixels that are not finite are left out."""
    if pixels.dtype.kind in "iu" and pixels.size:
        low, high = int(pixels.min()), int(pixels.max())
        if high - low < WIDEST_HISTOGRAM:
            support = np.arange(low, high + 1, dtype=np.float64)
            return Distribution(support, _count(pixels, low, high - low + 1), half_width=0.5)
    support, counts = np.unique(pixels[np.isfinite(pixels)], return_counts=True)
    return Distribution(support.astype(np.float64), counts, half_width=0.5 if pixels.dtype.kind in "iu" else 0.0)


@numba.njit(cache=True, nogil=True)
def _count(pixels: Any, low: int, bins: int) -> Any:
    """How often each of `low`, `low` + 1, ... occurs in two-dimensional integer `pixels`; int64, shape (bins,)."""
    lanes = np.zeros((_LANES, bins), dtype=np.int64)
    rows, columns = pixels.shape
    whole = columns - columns % _LANES
    for y in range(rows):
        for x in range(0, whole, _LANES):
            for lane in range(_LANES):
                lanes[lane, np.int64(pixels[y, x + lane]) - low] += 1
        for x in range(whole, columns):
            lanes[0, np.int64(pixels[y, x]) - low] += 1
    return lanes.sum(axis=0)
