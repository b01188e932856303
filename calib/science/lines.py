"""Periodic lines in noise: bands across the rows of an overscan, interference along the rows of an image."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from calib.science.distribution import Pixels
from calib.science.structure import Structure

ROWS_TAKEN = 128  # of an image, evenly spread: their mean spectrum scatters by a tenth
SHORTEST_ALONG_ROWS = 2.0  # pixels: every other one
FEWEST_WAVES = 4  # along a row, and
FEWEST_BANDS = 8  # over an overscan: fewer are a slope or a bend
SHORTEST_BAND = 4.0  # rows


def strongest_line(series: npt.NDArray[np.floating[Any]], shortest: float, longest: float) -> float:
    """Amplitude of the strongest sine of `series`, shape (m, n), with a period of `shortest` to `longest` samples.

    The mean of the m power spectra under a Hann window (a line between two frequencies is at most 15 % low; Harris
    1978, table 1), less the noise's. That is known from the band's median, which lies (1 - 1/9m)³ below the mean of
    noise (Wilson & Hilferty 1931). NaN where no frequency lies in the band.
    """
    count = fft.prev_fast_len(series.shape[1], real=True)
    window = np.hanning(count + 1)[:count].astype(series.dtype)
    first, last = int(np.ceil(count / longest)), int(count / shortest)
    if not 0 < first <= last:
        return np.nan
    spectra = fft.rfft(series[:, :count] * window, axis=1)[:, first : last + 1]
    power = np.mean(spectra.real**2 + spectra.imag**2, axis=0, dtype=np.float64)
    noise = np.median(power) / (1 - 1 / (9 * len(series))) ** 3
    return float(2 * np.sqrt(max(power.max() - noise, 0.0)) / window.sum())


def band_amplitude(row_means: npt.NDArray[np.float64]) -> float:
    """Amplitude in ADU of the strongest band across the rows, given the row means (n,) about their straight line."""
    return strongest_line(row_means[None, :], SHORTEST_BAND, len(row_means) / FEWEST_BANDS)


def line_amplitude(pixels: Pixels, structure: Structure) -> float:
    """Amplitude in ADU of the strongest periodic line along the rows of an image whose structure is known.

    Pixels are clipped as those of `structure`. What is the same in every row is no line but a column, and taken off.
    """
    taken = pixels[:: max(len(pixels) // ROWS_TAKEN, 1)].astype(np.float32)
    taken[~np.isfinite(taken)] = (structure.lowest + structure.highest) / 2
    np.clip(taken, structure.lowest, structure.highest, out=taken)
    taken -= structure.columns.astype(np.float32)
    taken -= taken.mean(axis=1, keepdims=True)
    return strongest_line(taken, SHORTEST_ALONG_ROWS, taken.shape[1] / FEWEST_WAVES)
