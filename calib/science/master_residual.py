"""A raw frame against a master: where, and how far, it departs from it.

A patch's median is blind to noise, hot pixels and cosmic rays, and sees tenths of an ADU of stray light or of a bias
that settles. DESI certifies a new bias by the largest of these medians on a frame that is not in it (desispec,
`compare_bias`); the same number tells of a frame whether the master still fits it.
"""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from calib.science.distribution import Pixels

PATCH = 32  # pixels; √(π/2)/32 of the noise is then chance in a median, 4 %
Patches = npt.NDArray[np.float64]


def residual_map(frame: Pixels, level: float, master: npt.NDArray[np.floating[Any]], scale: float = 1.0) -> Patches:
    """Median of ``frame - level - scale * master`` in each patch, ADU; shape (⌈height / 32⌉, ⌈width / 32⌉).

    `frame` is raw and `level` its overscan; `scale` is 1 for a bias and the dark time for a dark of one second. The
    median is signed, as DESI's is: that of the absolute residuals would be the noise. Pixels that are not finite are
    left out, and a patch without any other is NaN. Raises ValueError where the shapes differ.
    """
    _require_one_shape(frame, master)
    return np.asarray(_patch_medians(frame - (level + scale * master.astype(np.float64)), PATCH))


def largest_residual(patches: Patches) -> float:
    """The patch median farthest from zero, as an absolute value in ADU; NaN without any patch."""
    return float(np.nanmax(np.abs(patches))) if np.isfinite(patches).any() else np.nan


def ratio_map(frame: Pixels, level: float, master: npt.NDArray[np.floating[Any]]) -> Patches:
    """Median of ``(frame - level) / master`` in each patch over the median of all patches: 1 where nothing changed.

    Pixels at which the master is not above zero are left out. Shapes and errors as for `residual_map`; all NaN where
    the frame holds no light.
    """
    _require_one_shape(frame, master)
    lit = np.where(master > 0, master, np.nan).astype(np.float64)
    ratios = np.asarray(_patch_medians((frame - level) / lit, PATCH))
    known = ratios[np.isfinite(ratios)]
    usual = float(np.median(known)) if known.size else np.nan
    return ratios / usual if usual > 0 else np.full_like(ratios, np.nan)


def _require_one_shape(frame: Pixels, master: npt.NDArray[np.floating[Any]]) -> None:
    if frame.shape != master.shape:
        raise ValueError(f"The master is not of this amplifier: the frame is {frame.shape}, the master {master.shape}.")


@numba.njit(cache=True, nogil=True)
def _patch_medians(values: Any, patch: int) -> Any:
    """Median of the finite float64 `values` (height, width) in each patch; the last patches may be smaller."""
    height, width = values.shape
    medians = np.full(((height + patch - 1) // patch, (width + patch - 1) // patch), np.nan)
    finite = np.empty(patch * patch)
    for row in range(medians.shape[0]):
        for column in range(medians.shape[1]):
            count = 0
            for y in range(row * patch, min((row + 1) * patch, height)):
                for x in range(column * patch, min((column + 1) * patch, width)):
                    if np.isfinite(values[y, x]):
                        finite[count] = values[y, x]
                        count += 1
            if count:
                medians[row, column] = np.median(finite[:count])
    return medians


def warm_up() -> None:
    """Compile the kernel, or load it from the cache."""
    _patch_medians(np.zeros((8, 8)), PATCH)
