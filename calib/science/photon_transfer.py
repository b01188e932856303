"""Photon transfer: the gain of an amplifier from pairs of equal exposure at many levels (EMVA 1288 release 4.0 Linear).

The temporal variance of a pixel grows with its mean by K, the system gain in DN/e⁻ (ADU/e⁻): σ² - σ²_dark =
K (μ - μ_dark). The fit ends at 70 % of saturation, which is where the variance is largest.
"""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from calib.science.distribution import Pixels

FITTED_SHARE = 0.7  # of the signal at saturation, EMVA 1288
FEWEST_LEVELS = 3
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PairMoments:
    """Mean of two images, ADU, and the temporal variance of a pixel in one of them, ADU²."""

    mean: float
    variance: float


@dataclass(frozen=True, slots=True)
class PhotonTransfer:
    """`gain` K in ADU/e⁻ with its standard error, `dark_noise` in ADU.

    `saturation` is the signal of largest variance, ADU; `levels` is how many were fitted.
    """

    gain: float
    gain_error: float
    dark_noise: float
    saturation: float
    levels: int


def pair_moments(first: Pixels, second: Pixels) -> PairMoments:
    """Mean and temporal variance of two images of equal exposure and shape, as EMVA 1288 has them.

    Half the mean square of the difference, less half the square of the difference of the means; no pixel is left out
    but those that are not finite. Raises ValueError where the shapes differ.
    """
    if first.shape != second.shape:
        raise ValueError(f"A pair needs two images of one shape: {first.shape} and {second.shape} came.")
    return PairMoments(*_moments(first, second))


def photon_transfer(means: Values, variances: Values, dark_means: Values, dark_variances: Values) -> PhotonTransfer:
    """The straight line through the pairs of all levels, each array of shape (levels,), in ADU and ADU².

    `dark_means` and `dark_variances` are those of dark pairs with the same exposure times; `dark_noise` is that of the
    first, which should be the shortest. The line goes through the origin and every pair weighs alike, as in the
    standard and its reference implementation. A response that flattens makes K fall with the levels: it is 3 % below
    that of the faintest on a real sensor with 1.2 % of non-linearity. Raises ValueError where the arrays differ in
    length or fewer than three levels can be fitted.
    """
    if len({len(each) for each in (means, variances, dark_means, dark_variances)}) > 1:
        raise ValueError("Photon transfer needs a mean, a variance and both of its dark pair for every level.")
    signal, noise = means - dark_means, variances - dark_variances
    finite = np.isfinite(signal) & np.isfinite(noise)
    saturation = signal[np.argmax(np.where(finite, variances, -np.inf))] if len(means) else np.nan
    fitted = finite & (signal <= FITTED_SHARE * saturation)
    if fitted.sum() < FEWEST_LEVELS:
        raise ValueError(
            f"Photon transfer needs {FEWEST_LEVELS} levels below {FITTED_SHARE:.0%} of saturation: {fitted.sum()} came."
        )
    x, y = signal[fitted], noise[fitted]
    gain = float((x * y).sum() / (x * x).sum())
    residual = float(((y - gain * x) ** 2).sum()) / (len(x) - 1)
    return PhotonTransfer(
        gain=gain,
        gain_error=float(np.sqrt(residual / (x * x).sum())),
        dark_noise=float(np.sqrt(dark_variances[0])),
        saturation=float(saturation),
        levels=len(x),
    )


@numba.njit(cache=True, nogil=True)
def _moments(first: Any, second: Any) -> Any:
    """Mean of both and half the variance of their difference, over the places where both are finite; else NaN."""
    used, total, difference, squares = 0, 0.0, 0.0, 0.0
    for y in range(first.shape[0]):
        for x in range(first.shape[1]):
            one, other = np.float64(first[y, x]), np.float64(second[y, x])
            if np.isfinite(one - other):
                used += 1
                total += one + other
                difference += one - other
                squares += (one - other) ** 2
    if not used:
        return np.nan, np.nan
    return total / (2 * used), (squares / used - (difference / used) ** 2) / 2


def warm_up() -> None:
    """Compile (or load from the cache) the kernel for the types that raw pixels have."""
    for dtype in ("int32", "uint16", "int16", "float32"):
        image: npt.NDArray[Any] = np.zeros((8, 16), dtype=dtype)
        for view in (image, image[:, 1:]):
            _moments(view, view)
