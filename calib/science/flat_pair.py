"""Gain of an amplifier from two flats of equal exposure.

The signal fluctuates by the square root of its electrons, so the variance of the difference of two flats, over their
mean, is 1/gain (Janesick 2001, *Scientific Charge-Coupled Devices*, chapter 2). The difference image takes fixed
patterns away; LSST scales both flats to equal means before (cp_pipe, `extractPtc`), as done here.
"""

from dataclasses import dataclass
from math import erf, exp, pi, sqrt
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from calib.science.distribution import MAD_TO_SIGMA, Pixels, distribution
from dayops.camera.geometry import Amplifier

CLIP_SIGMA = 4.0
LARGEST_DIFFERENCE = 0.05  # of the levels; beyond it the lamp or the shutter, not the amplifier, would be measured
FAINTEST_SIGNAL = 10.0  # read noises, as for a flat that counts as lit
TRAIL = 2  # pixels of overscan that hold charge of the last image pixel
_SAMPLE = 1 << 16  # pixels that tell the spread with which clipping begins
_ITERATIONS = 20
# share of a Gaussian's variance that is left of it within CLIP_SIGMA
KEPT_VARIANCE = 1 - 2 * CLIP_SIGMA * exp(-(CLIP_SIGMA**2) / 2) / sqrt(2 * pi) / erf(CLIP_SIGMA / sqrt(2))


@dataclass(frozen=True, slots=True)
class FlatPair:
    """`gain` in e⁻/ADU, `signal` (mean of both flats) in ADU; NaN, and a sentence in `problem`, if there is none."""

    gain: float
    signal: float
    problem: str = ""


def flat_pair(
    first: Pixels,
    second: Pixels,
    levels: tuple[float, float],
    read_noise_adu: tuple[float, float],
    late: float = 0.0,
) -> FlatPair:
    """The gain from two raw images of one amplifier, of equal shape, in ADU.

    `levels` and `read_noise_adu` are those of the two overscans, `late` is the `late_charge` of a flat. With N pixels
    chance alone is √(2/N) of the gain: 0.14 % for LSSTCam, 0.55 % for minicam. What is not corrected makes the gain too
    large: non-linearity that takes a fraction a of 100,000 e⁻ by about 3 a s / 100,000 e⁻ at a signal of s e⁻, and
    crosstalk by the share of the other amplifiers' light that it adds. Raises ValueError where the shapes differ.
    """
    if first.shape != second.shape:
        raise ValueError(f"A flat pair needs two images of one shape: {first.shape} and {second.shape} came.")
    signals = tuple(distribution(image).median - level for image, level in zip((first, second), levels, strict=True))
    problem = problem_of(signals, read_noise_adu)
    if problem:
        return FlatPair(np.nan, np.nan, problem)
    scale = signals[0] / signals[1]
    one, other, variance, used = clipped_pair(
        first, second, levels[0], levels[1], scale, first_sigma(first, second, levels, scale), CLIP_SIGMA
    )
    # of first - scale * second; both flats fluctuate, the second `scale` squared times as much
    shot = variance / KEPT_VARIANCE - read_noise_adu[0] ** 2 - (scale * read_noise_adu[1]) ** 2
    if used < 2 or not shot > 0:
        return FlatPair(
            np.nan, np.nan, "The two flats do not differ by more than read noise: are they one frame, or saturated?"
        )
    return FlatPair((one + scale**2 * other) / shot * (1 - late), (one + other) / 2)


def late_charge(raw: Pixels, amplifier: Amplifier) -> float:
    """Share of the last column's and the last row's charge that arrives in the overscan, of a lit raw segment.

    Extended pixel edge response (Janesick 2001, chapter 5), over two pixels of overscan as in LSST's tests
    (eo_pipe). Charge that comes late smooths the noise of neighbours: as it grows in proportion to the transfers, the
    variance of the whole image is smaller by the share of the last. A direction without overscan counts as none.
    """
    image, serial, parallel = amplifier.image, amplifier.serial_overscan, amplifier.parallel_overscan
    share = 0.0
    if serial and serial.x0 == image.x1:
        share += _trail(raw[image.y0 : image.y1, image.x1 - 1 : serial.x1])
    if parallel and parallel.y0 == image.y1:
        share += _trail(raw[image.y1 - 1 : parallel.y1, image.x0 : image.x1].T)
    return share


def _trail(pixels: Pixels) -> float:
    """Charge in the second and third column over that in the first, each above the median of all later ones."""
    level = distribution(pixels[:, TRAIL + 1 :]).median
    trailing = sum(distribution(pixels[:, x : x + 1]).median - level for x in range(1, TRAIL + 1))
    signal = distribution(pixels[:, :1]).median - level
    return float(trailing / signal) if signal > 0 else 0.0


def problem_of(signals: tuple[float, ...], read_noise_adu: tuple[float, float]) -> str:
    faintest, noise = float(np.min(signals)), float(np.max(read_noise_adu))  # NaN where any is
    if not faintest > FAINTEST_SIGNAL * noise:
        return f"The flats are too faint: {faintest:.0f} ADU, expected more than {FAINTEST_SIGNAL:.0f} read noises."
    if abs(signals[0] - signals[1]) > LARGEST_DIFFERENCE * max(signals):
        return f"The flats are no pair: {signals[0]:.0f} and {signals[1]:.0f} ADU, expected within 5 % of each other."
    return ""


def first_sigma(first: Pixels, second: Pixels, levels: tuple[float, float], scale: float) -> float:
    step = max(first.size // _SAMPLE, 1)  # rows
    one, other = (image[::step] - level for image, level in zip((first, second), levels, strict=True))
    return float(MAD_TO_SIGMA * np.nanmedian(np.abs(one - scale * other)))


@numba.njit(cache=True, nogil=True)
def clipped_pair(
    first: Any, second: Any, level: float, other_level: float, scale: float, sigma: float, clip: float
) -> Any:
    """Means of both images above their levels, variance of ``first - scale * second`` and number of pixels.

    Of the pixels whose difference lies within `clip` standard deviations, until their number stays.
    """
    used, one, other, mean, variance = 0, 0.0, 0.0, 0.0, sigma * sigma
    for _ in range(_ITERATIONS):
        before, centre, limit = used, mean, clip * np.sqrt(variance)
        used, one, other, total, squares = 0, 0.0, 0.0, 0.0, 0.0
        for y in range(first.shape[0]):
            for x in range(first.shape[1]):
                left, right = first[y, x] - level, second[y, x] - other_level
                difference = left - scale * right - centre
                if abs(difference) <= limit:  # never so for NaN
                    used += 1
                    one += left
                    other += right
                    total += difference
                    squares += difference * difference
        if used < 2:
            break
        mean = centre + total / used
        variance = max(squares - total * total / used, 0.0) / (used - 1)
        if used == before:
            break
    return one / max(used, 1), other / max(used, 1), variance, used


def warm_up() -> None:
    """Compile (or load from the cache) the kernels for the types that raw pixels have."""
    for dtype in ("int32", "uint16", "int16", "float32"):
        image: npt.NDArray[Any] = np.ones((8, 16), dtype=dtype)
        for view in (image, image[:, 1:]):
            clipped_pair(view, view, 0.0, 0.0, 1.0, 1.0, CLIP_SIGMA)
