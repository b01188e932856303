"""Dark current of an amplifier and its hot pixels, from a few darks of equal time and the biases of the same day.

Clipping about the mean of n frames by their own standard deviation can never reject one frame of ten or fewer, since
none lies farther than (n - 1)/√n deviations from the mean (Shiffler 1988, *Maximum Z scores and outliers*): every
cosmic ray would become a hot pixel. Here the median is the centre, and the scatter is not taken from the few values
of a pixel at all, but from what is known: read noise, and the shot noise of that median.
"""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from calib.science.distribution import MAD_TO_SIGMA

FEWEST_FRAMES = 3  # of two frames none is the odd one out
CLIP_SIGMA = 4.0
HOT_RATE = 5.0  # e⁻/s: a bright pixel in LSST's electro-optical tests (eo_pipe, SITCOMTN-148)
Frames = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class DarkSet:
    """`current` in e⁻/s: the mean of `rates` (height, width), e⁻/s, without those more than 4 robust sigma off.

    Their median would not do: the mean of n whole numbers is a multiple of 1/n, and so would the median be. `hot` says
    which pixels are above the limit.
    """

    current: float
    rates: npt.NDArray[np.float32]
    hot: npt.NDArray[np.bool_]


def dark_set(
    darks: Frames, biases: Frames, dark_time_s: float, gain: float, read_noise_adu: float, hot_rate: float = HOT_RATE
) -> DarkSet:
    """What three or more `darks` (n, height, width) of `dark_time_s` say, less three or more `biases` (m, ...).

    Frames are the image pixels of one amplifier in ADU above its overscan; `gain` in e⁻/ADU. The error of the current
    is that of the levels, about gain × level error × √(1/n + 1/m) / time, since the pixels' own noise averages out.
    Raises ValueError where there are too few frames or shapes differ, or no time has passed.
    """
    if len(darks) < FEWEST_FRAMES or len(biases) < FEWEST_FRAMES:
        raise ValueError(
            f"A dark set needs {FEWEST_FRAMES} darks and {FEWEST_FRAMES} biases or more, so that a cosmic ray is the "
            f"odd one out: {len(darks)} and {len(biases)} came."
        )
    if darks.shape[1:] != biases.shape[1:]:
        raise ValueError(f"Darks and biases must have one shape: {darks.shape[1:]} and {biases.shape[1:]} came.")
    if not dark_time_s > 0:
        raise ValueError(f"A dark set needs the time over which charge collected: {dark_time_s} s came.")
    collected = combined(darks, read_noise_adu, gain) - combined(biases, read_noise_adu, gain)
    rates = collected * np.float32(gain / dark_time_s)
    return DarkSet(_clipped_mean(rates[np.isfinite(rates)]), rates, rates > hot_rate)


def _clipped_mean(values: npt.NDArray[np.float32]) -> float:
    if not values.size:
        return np.nan
    median = np.median(values)
    distance = np.abs(values - median)
    usual = distance <= CLIP_SIGMA * MAD_TO_SIGMA * np.median(distance)
    return float(values[usual].mean(dtype=np.float64))


def combined(frames: Frames, read_noise_adu: float, gain: float) -> npt.NDArray[np.float32]:
    """Mean of each pixel over the frames whose value noise explains, (height, width); NaN where none is finite."""
    return np.asarray(_combined(frames, read_noise_adu**2, 1 / gain, CLIP_SIGMA))


@numba.njit(cache=True, nogil=True)
def _combined(frames: Any, variance: float, shot: float, clip: float) -> Any:
    """Mean of the finite values within `clip` sigma of their median m, sigma² = variance + shot × m (m > 0)."""
    count, height, width = frames.shape
    means = np.empty((height, width), dtype=np.float32)
    values = np.empty(count)
    for y in range(height):
        for x in range(width):
            median = _sorted_median(frames, y, x, values)
            limit = clip * np.sqrt(variance + shot * max(median, 0.0))
            total, used = 0.0, 0
            for i in range(count):
                if abs(frames[i, y, x] - median) <= limit:  # never so for NaN
                    total += frames[i, y, x]
                    used += 1
            means[y, x] = total / used if used else median
    return means


@numba.njit(cache=True, nogil=True)
def _sorted_median(frames: Any, y: int, x: int, values: Any) -> Any:
    """Median of the finite values of one pixel by insertion into `values`; NaN without any."""
    count = 0
    for i in range(frames.shape[0]):
        value = frames[i, y, x]
        if np.isfinite(value):
            place = count
            while place > 0 and values[place - 1] > value:
                values[place] = values[place - 1]
                place -= 1
            values[place] = value
            count += 1
    if count == 0:
        return np.nan
    return (values[(count - 1) // 2] + values[count // 2]) / 2


def warm_up() -> None:
    """Compile the kernel, or load it from the cache."""
    _combined(np.zeros((3, 4, 4), dtype=np.float32), 1.0, 1.0, CLIP_SIGMA)
