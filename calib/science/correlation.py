"""Noise that amplifiers share: correlations of their overscans, pixel by pixel in the order of reading."""

from collections.abc import Sequence
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from calib.science.overscan import CLIP_SIGMA, Overscan

PIXELS_TAKEN = 32_768  # of each overscan, in whole rows evenly spread: chance alone then gives 0.006


def strongest_correlations(overscans: Sequence[Overscan | None]) -> npt.NDArray[np.float64]:
    """Of each amplifier, its largest |r| with any other, shape (amplifiers,), from the pixels that all overscans have.

    r is Pearson's, of the overscan less its row and column means; pixels beyond 5 sigma count as their mean. It is 0
    where an overscan does not vary, and NaN where an amplifier has no overscan, no noise, or no other to compare with.
    """
    known = {index: each for index, each in enumerate(overscans) if each is not None and np.isfinite(each.noise)}
    strongest = np.full(len(overscans), np.nan)
    if len(known) > 1:
        height = min(len(each.rows) for each in known.values())
        width = min(len(each.columns) for each in known.values())
        taken = slice(0, height, max(height * width // PIXELS_TAKEN, 1)), slice(0, width)
        residuals = np.stack([_residuals(each, taken) for each in known.values()], axis=1)
        strongest[list(known)] = _correlations(residuals).max(axis=1)
    return strongest


def _residuals(overscan: Overscan, taken: tuple[slice, slice]) -> npt.NDArray[np.float32]:
    """In reading order, shape (pixels,)."""
    rows, columns = taken
    residual = overscan.pixels[taken] - overscan.rows[rows, None] - overscan.columns[columns]
    residual[~(np.abs(residual) <= CLIP_SIGMA * overscan.noise)] = 0.0
    return residual.astype(np.float32).ravel()


def _correlations(residuals: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """|r| between all columns of `residuals`, shape (amplifiers, amplifiers), 0 on the diagonal."""
    products = _products(residuals)
    scale = np.sqrt(np.outer(products.diagonal(), products.diagonal()))
    correlations: npt.NDArray[np.float64] = np.abs(
        np.divide(products, scale, out=np.zeros_like(products), where=scale > 0)
    )
    np.fill_diagonal(correlations, 0.0)
    return correlations


@numba.njit(cache=True, nogil=True)
def _products(residuals: Any) -> Any:
    """Sums over pixels of the products of all pairs of columns, float64; NumPy would call BLAS, whose threads spin."""
    pixels, amplifiers = residuals.shape
    products = np.zeros((amplifiers, amplifiers))
    for pixel in range(pixels):
        for one in range(amplifiers):
            for other in range(amplifiers):
                products[one, other] += residuals[pixel, one] * residuals[pixel, other]
    return products
