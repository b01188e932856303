"""Levels of measured values against two-sided limits."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OK, WARN, ERROR = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits in the metric's unit; None does not bind. A value equal to a limit is still inside it."""

    error_low: float | None = None
    warn_low: float | None = None
    warn_high: float | None = None
    error_high: float | None = None


def judge(values: NDArray[np.floating], limits: Limits) -> NDArray[np.int16]:
    """Level of each value: 0 OK, 1 WARN, 2 ERROR; same shape as `values`.

    A value that is not finite while others of the same metric are could not be measured: ERROR. Where none is finite
    the metric does not apply, and every level is OK.
    """
    finite = np.isfinite(values)
    levels = np.zeros(values.shape, dtype=np.int16)
    if not finite.any():
        return levels
    levels[_outside(values, limits.warn_low, limits.warn_high)] = WARN
    levels[_outside(values, limits.error_low, limits.error_high)] = ERROR
    levels[~finite] = ERROR
    return levels


def broken_limit(value: float, level: int, limits: Limits) -> float | None:
    """The limit that gave `value` its `level`, or None where it was not a limit that did."""
    low, high = (limits.error_low, limits.error_high) if level == ERROR else (limits.warn_low, limits.warn_high)
    if low is not None and value < low:
        return low
    if high is not None and value > high:
        return high
    return None


def _outside(values: NDArray[np.floating], low: float | None, high: float | None) -> NDArray[np.bool_]:
    below = values < low if low is not None else np.zeros(values.shape, dtype=bool)
    above = values > high if high is not None else np.zeros(values.shape, dtype=bool)
    return below | above
