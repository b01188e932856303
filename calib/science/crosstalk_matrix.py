"""Crosstalk matrix of a detector: how much of each amplifier's signal appears in each other one.

All amplifiers are read at the same time, so that a bright pixel of one appears, much weaker, at the same raw place of
the others. Hot pixels, cosmic rays, and above all bright spots tell the shares: a victim's pixels are fitted by least
squares as a level plus the sum of shares times the aggressors' signals (O'Connor 2015, JINST 10, C05010). The level is
free in every stretch of column, for bias levels differ from column to column and drift along them, and only stretches
with bright pixels count. Its sums add over frames, so that a week of darks is one measurement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from calib.science.distribution import Pixels, distribution
from dayops.camera.geometry import Detector

BRIGHT_SIGMA = 6.0  # a victim's pixel above this is bright in its own right, or so it seems until shares are known
AGGRESSOR_SIGMA = 30.0  # fainter pixels say nothing: their crosstalk is a thousandth of the noise
CLIP_SIGMA = 5.0  # of the noise, about what the shares found so far explain
LARGEST_SHARE = 0.02  # ten times LSST's acceptance limit (LCA-128); a victim that holds more is bright itself
LEAST_SIGMA = 0.5  # ADU; whole numbers alone scatter by 0.37, so an amplifier with less noise is dead
STRETCH = 64  # rows that share a level
FEWEST_CLEAN = 12  # pixels of a stretch beside which no amplifier is bright
MOST_BRIGHT = 0.05  # of the pixels; a frame with more is lit all over
SIGNIFICANT = 3.0  # errors from which a share is applied, as cp_pipe has it
_PASSES = 3
Values = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CrosstalkSums:
    """Sums of the least squares; those of several frames add. n amplifiers, every sum over the noise variance.

    squares : (n, n, n) for each victim, products of two aggressors' signals.  products : (n, n) victim by aggressor,
    of the aggressor's signal and the victim's.  pixels : (n, n) bright pixels of the aggressor that the victim saw.
    """

    squares: Values
    products: Values
    pixels: npt.NDArray[np.int64]

    def __add__(self, other: CrosstalkSums) -> CrosstalkSums:
        if self.products.shape != other.products.shape:
            raise ValueError(
                f"Crosstalk of {len(self.products)} and of {len(other.products)} amplifiers cannot be added: frames of "
                "one detector are expected."
            )
        return CrosstalkSums(self.squares + other.squares, self.products + other.products, self.pixels + other.pixels)


@dataclass(frozen=True, eq=False)
class CrosstalkMatrix:
    """Arrays (n, n), victim by aggressor: ADU in the victim per ADU in the aggressor, standard error, pixels seen.

    The errors are those of noise. The diagonal is 0; a pair that no bright pixel tells is NaN.
    """

    coefficients: Values
    errors: Values
    pixels: npt.NDArray[np.int64]

    @property
    def significance(self) -> Values:
        """Coefficients over errors; NaN where unknown and on the diagonal."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.coefficients / np.where(self.errors > 0, self.errors, np.nan))

    def to_apply(self, least: float = SIGNIFICANT) -> Values:
        """The coefficients to correct with: 0 where they are unknown or not `least` errors from 0."""
        told = np.nan_to_num(np.abs(self.significance)) >= least
        return np.asarray(np.where(told, self.coefficients, 0.0))


def measure_crosstalk(
    segments: Sequence[Pixels], detector: Detector, bias: npt.NDArray[np.float32] | None = None
) -> CrosstalkSums:
    """Sums of one frame from its raw segments in ADU: a dark, or any frame with bright spots on little light.

    `bias` is the master bias (height, width) of the detector, which levels the columns; a frame says nearly as much
    without it.
    Pixels of a victim that are bright themselves, or that shares and noise do not explain, are left out. Raises
    ValueError where the segments are not those of `detector`, or their images differ in shape.
    """
    images = _images(segments, detector, bias)
    levels, sigmas = np.array([_level_and_sigma(image) for image in images]).T
    known = np.isfinite(images[sigmas > LEAST_SIGMA]).all(axis=0)  # elsewhere an aggressor may be bright unseen
    images[:, ~known] = np.nan
    bright = images - levels[:, None, None].astype(np.float32) > (AGGRESSOR_SIGMA * sigmas)[:, None, None]
    bright[(bright.mean(axis=(1, 2)) > MOST_BRIGHT) | ~(sigmas > LEAST_SIGMA)] = False
    columns, stretches = np.nonzero(_any_in_stretch(bright.any(axis=0)).T)
    shares, spreads = np.zeros((len(images), len(images))), np.full((len(images), len(images)), LARGEST_SHARE)
    for _ in range(_PASSES):
        sums = CrosstalkSums(*_sums(images, bright, levels, sigmas, columns, stretches, shares, spreads))
        found = solve(sums)
        shares = np.nan_to_num(found.coefficients)
        spreads = np.where(np.isfinite(found.errors), np.minimum(CLIP_SIGMA * found.errors, LARGEST_SHARE), spreads)
    return sums


def no_sums(count: int) -> CrosstalkSums:
    """The sums of no frame at all, of `count` amplifiers: what a sum over frames starts with."""
    return CrosstalkSums(np.zeros((count,) * 3), np.zeros((count,) * 2), np.zeros((count,) * 2, dtype=np.int64))


def solve(sums: CrosstalkSums) -> CrosstalkMatrix:
    """The shares that fit best, and their errors, all aggressors of a victim together."""
    count = len(sums.products)
    coefficients, errors = np.full((count, count), np.nan), np.full((count, count), np.nan)
    for victim, (squares, products) in enumerate(zip(sums.squares, sums.products, strict=True)):
        told = np.flatnonzero(np.diag(squares) > 0)
        scale = np.sqrt(np.diag(squares)[told])
        inverse = np.linalg.pinv(squares[np.ix_(told, told)] / np.outer(scale, scale), hermitian=True)
        coefficients[victim, told] = inverse @ (products[told] / scale) / scale
        errors[victim, told] = np.sqrt(np.maximum(np.diag(inverse), 0.0)) / scale
    np.fill_diagonal(coefficients, 0.0)
    np.fill_diagonal(errors, 0.0)
    return CrosstalkMatrix(coefficients, errors, sums.pixels)


def left_after(correction: Values, sums: CrosstalkSums) -> CrosstalkMatrix:
    """What a correction by `correction` (n, n) leaves in the frames of `sums`, which should not have made it."""
    found = solve(sums)
    return CrosstalkMatrix(found.coefficients - correction, found.errors, found.pixels)


def insignificant_after(correction: Values, sums: CrosstalkSums, limit: float = 5.0) -> bool:
    """Whether no pair has more than `limit` errors left after the correction (cp_verify: no significant crosstalk)."""
    return bool(np.nan_to_num(np.abs(left_after(correction, sums).significance)).max() <= limit)


def _images(
    segments: Sequence[Pixels], detector: Detector, bias: npt.NDArray[np.float32] | None
) -> npt.NDArray[np.float32]:
    if len(segments) != len(detector.amplifiers):
        raise ValueError(
            f"Crosstalk of {detector.name} needs {len(detector.amplifiers)} segments, one an amplifier: "
            f"{len(segments)} came."
        )
    if len({(each.image.height, each.image.width) for each in detector.amplifiers}) > 1:
        raise ValueError("Crosstalk needs the amplifiers' images in one shape, for places in them must correspond.")
    images = np.array([s[a.image.slices] for s, a in zip(segments, detector.amplifiers, strict=True)], dtype=np.float32)
    if bias is not None:
        for image, a in zip(images, detector.amplifiers, strict=True):
            image -= bias[a.place.slices][:: -1 if a.flip_y else 1, :: -1 if a.flip_x else 1]
    return images


def _level_and_sigma(image: Pixels) -> tuple[float, float]:
    spread = distribution(np.rint(image[np.isfinite(image)]).astype(np.int64)[None, :])
    return spread.median, spread.robust_sigma


def _any_in_stretch(bright: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which stretches of which columns hold a bright pixel: (stretches, width)."""
    return np.logical_or.reduceat(bright, np.arange(0, len(bright), STRETCH), axis=0)


@numba.njit(cache=True, nogil=True)
def _sums(
    images: Any, bright: Any, levels: Any, sigmas: Any, columns: Any, stretches: Any, shares: Any, spreads: Any
) -> Any:
    """Sums over the stretches, each about its own means; see `CrosstalkSums`.

    A victim's pixel counts where it lies within 5 sigma, and `spreads` times the aggressors' signals, of the level
    plus `shares` times these. The level is the median of those pixels beside which no amplifier is bright.
    """
    count = len(images)
    squares, products = np.zeros((count, count, count)), np.zeros((count, count))
    pixels = np.zeros((count, count), dtype=np.int64)
    for x, stretch in zip(columns, stretches):  # noqa: B905  Numba's zip has no strict
        rows = slice(stretch * STRETCH, (stretch + 1) * STRETCH)
        signals = _signals(images[:, rows, x], bright[:, rows, x], levels)
        aggressors = np.flatnonzero(signals.sum(axis=1))
        for victim in range(count):
            if not sigmas[victim] > LEAST_SIGMA:
                continue
            values, noise, share, spread = images[victim, rows, x], sigmas[victim], shares[victim], spreads[victim]
            response = _responses(values, levels[victim], noise, signals, share, spread)
            response[bright[victim, rows, x]] = np.nan
            _add(squares[victim], products[victim], pixels[victim], response, signals, aggressors, victim, noise)
    return squares, products, pixels


@numba.njit(cache=True, nogil=True)
def _signals(images: Any, bright: Any, levels: Any) -> Any:
    """Bright pixels of a stretch above their amplifier's level, 0 elsewhere: (amplifiers, rows)."""
    signals = np.zeros(images.shape)
    for a in range(images.shape[0]):
        for y in range(images.shape[1]):
            if bright[a, y]:
                signals[a, y] = images[a, y] - levels[a]
    return signals


@numba.njit(cache=True, nogil=True)
def _responses(values: Any, level: float, sigma: float, signals: Any, shares: Any, spreads: Any) -> Any:
    """A victim's pixels of a stretch above its level there; NaN where noise and shares do not explain them."""
    responses = np.full(len(values), np.nan)
    clean = values[(signals.sum(axis=0) == 0) & (np.abs(values - level) <= BRIGHT_SIGMA * sigma)]
    if len(clean) < FEWEST_CLEAN:
        return responses
    level = np.median(clean)
    for y in range(len(values)):
        explained, limit = 0.0, CLIP_SIGMA * sigma
        for a in range(len(signals)):
            explained += shares[a] * signals[a, y]
            limit += spreads[a] * signals[a, y]
        if abs(values[y] - level - explained) <= limit:  # never so for NaN
            responses[y] = values[y] - level
    return responses


@numba.njit(cache=True, nogil=True)
def _add(
    squares: Any, products: Any, pixels: Any, responses: Any, signals: Any, aggressors: Any, victim: int, sigma: float
) -> None:
    """Add one victim's stretch to its sums, in place: every product about the means of the pixels that count."""
    used = np.flatnonzero(np.isfinite(responses))
    if len(used) < FEWEST_CLEAN:
        return
    mean = responses[used].mean()
    for a in aggressors:
        if a == victim:
            continue
        signal = signals[a][used]
        centred = (signal - signal.mean()) / sigma**2
        products[a] += (centred * (responses[used] - mean)).sum()
        pixels[a] += (signal > 0).sum()
        for b in aggressors:
            if b != victim:
                squares[a, b] += (centred * signals[b][used]).sum()


def warm_up() -> None:
    """Compile (or load from the cache) the kernel for the types that it is called with."""
    images = np.zeros((2, 8, 16), dtype=np.float32)
    places, shares = np.zeros(1, dtype=np.int64), np.zeros((2, 2))
    _sums(images, images > 0, np.zeros(2), np.ones(2), places, places, shares, shares)
