"""What the row means of an overscan say of the bias level while a frame is read: it rises, wanders, jumps or swings."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calib.science.lines import band_amplitude

FEWEST_ROWS = 60  # two windows
SHIFT_ROWS = 30  # the window in which ip_isr looks for bias shifts


@dataclass(frozen=True, slots=True)
class Profile:
    """All in ADU, NaN where there are too few rows; see `calib.science.metrics`, where each begins with overscan."""

    slope: float = np.nan
    rms: float = np.nan
    maximum: float = np.nan
    shift: float = np.nan
    banding: float = np.nan


def measure_profile(row_means: npt.NDArray[np.float64]) -> Profile:
    """The profile of an overscan from its row means in ADU, shape (rows,); NaN where a row has no good pixel."""
    row = np.arange(len(row_means))[np.isfinite(row_means)]
    if len(row) < FEWEST_ROWS:
        return Profile()
    means = row_means[row]
    offset = row - row.mean()
    slope = (offset * means).sum() / (offset**2).sum()
    about_line = means - means.mean() - slope * offset
    return Profile(
        slope=float(slope * (len(row_means) - 1)),
        rms=float(np.sqrt(np.mean(about_line**2))),
        maximum=float(np.abs(about_line).max()),
        shift=_largest_step(about_line),
        banding=band_amplitude(about_line),
    )


def _largest_step(about_line: npt.NDArray[np.float64]) -> float:
    """From the mean of any SHIFT_ROWS rows to that of the next as many."""
    upto = np.append(0.0, np.cumsum(about_line))
    means = (upto[SHIFT_ROWS:] - upto[:-SHIFT_ROWS]) / SHIFT_ROWS
    return float(np.abs(means[SHIFT_ROWS:] - means[:-SHIFT_ROWS]).max())
