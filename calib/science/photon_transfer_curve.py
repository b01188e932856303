"""Photon transfer curve of an amplifier: gain, read noise, a00 and turnoff from pairs of flats at several levels.

The variance of the difference of two flats grows with their signal by 1/gain. It grows less at high signals, for charge
repels charge and the response flattens. Astier et al. (2019, A&A 629, A36, eq. 16; cp_pipe's EXPAPPROXIMATION) give
both as V = n + (exp(2 a00 g S) - 1) / (2 a00 g²), with signal S and variance V in ADU and ADU², n the variance of the
read noise, g the gain in e⁻/ADU and a00 in 1/e⁻. A response that loses a fraction a of each electron's worth per
electron makes an a00 of -3 a. Where many levels are known a term b S³ is added, for the two bend differently.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from calib.science.distribution import Pixels, distribution
from calib.science.flat_pair import (
    CLIP_SIGMA,
    KEPT_VARIANCE,
    clipped_pair,
    first_sigma,
    late_charge,
    problem_of,
)
from calib.science.overscan import measure_overscan
from dayops.camera.geometry import Amplifier, Detector

FULLEST = 1e-3  # share of full pixels from which a pair lies beyond the turnoff: hot pixels are fewer
COLLAPSED = 0.5  # of the usual variance over signal of fainter pairs; repelling charge takes no half of it
OUTLIER_SIGMA = 5.0  # cp_pipe's sigmaCutPtcOutliers
NEXT_LEVEL = 1.2  # times the one before; what is closer counts as one level
LEVER = 1.8  # brightest over faintest level from which a00 is told from the gain
CUBIC_LEVELS = 8
FREE = ("gain", "a00", "cubic")
_ITERATIONS = 12
Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class PairPoints:
    """What one pair says of each amplifier, every array of shape (n,); NaN where the pair says nothing.

    signal : mean of both flats above overscan and bias, ADU.  variance : of a pixel in one of them, ADU², read noise
    included.  noise : variance of the read noise, ADU².  pixels : how many were used.  late : share of the charge that
    comes late, which the variance is corrected for.  full : share of pixels at or above the nominal saturation.
    covariance_10, covariance_01 : of a pixel with the next one of its row and of its column, ADU², as measured.
    """

    signal: Values
    variance: Values
    noise: Values
    pixels: Values
    late: Values
    full: Values
    covariance_10: Values
    covariance_01: Values

    @property
    def errors(self) -> Values:
        """Standard errors of the variances by chance, ADU²."""
        return np.asarray(self.variance * np.sqrt(2 / self.pixels))


@dataclass(frozen=True, eq=False)
class Curve:
    """Photon transfer curve of one amplifier of k pairs; NaN where a number is not known.

    gain, gain_error : e⁻/ADU.  read_noise_e : e⁻, the converter's own 0.29 ADU included.  a00, a00_error : 1/e⁻.
    cubic : b of b S³, ADU⁻¹, 0 where it is not free.  turnoff : ADU, signal of the brightest pair before variances
    fall.  full_well_e : e⁻, of the brightest pair beyond it; a lower limit where only some of its pixels were full.
    brightest : ADU, signal of the brightest pair of all.
    residuals : (k,) measured over predicted variance, less 1.  used : (k,) which pairs were fitted.
    free : names of the parameters that were fitted.  note : what keeps the curve from saying more, in sentences.
    """

    gain: float
    gain_error: float
    read_noise_e: float
    a00: float
    a00_error: float
    cubic: float
    turnoff: float
    full_well_e: float
    brightest: float
    reduced_chi2: float
    residuals: Values
    used: Flags
    free: tuple[str, ...]
    note: str


def pair_points(
    first: Sequence[Pixels],
    second: Sequence[Pixels],
    detector: Detector,
    bias: npt.NDArray[np.float32] | None = None,
    crosstalk: Values | None = None,
) -> PairPoints:
    """Signals and variances of the raw segments of two flats of equal exposure, in the order of the amplifiers.

    `bias` is the master bias (height, width), ADU, whose mean the signal is freed from; `crosstalk` (n, n) the victim's
    ADU per ADU of an aggressor: other amplifiers' light makes a signal, and with it the gain, larger by about 0.1 %.
    A pair that is too faint or whose levels differ by more than 5 % says nothing. Raises ValueError where the segments
    are not those of `detector`.
    """
    count = len(detector.amplifiers)
    if not len(first) == len(second) == count:
        raise ValueError(
            f"A pair of {detector.name} needs {count} segments each, one an amplifier: {len(first)} and {len(second)} "
            "came."
        )
    points = np.array(
        [_point(one, other, each) for one, other, each in zip(first, second, detector.amplifiers, strict=True)]
    ).T
    signal = points[0]
    if bias is not None:
        signal = signal - [_mean(bias[each.place.slices]) for each in detector.amplifiers]
    if crosstalk is not None:
        signal = signal - (np.nan_to_num(crosstalk) * np.nan_to_num(signal)).sum(axis=1)
    return PairPoints(signal, *points[1:])


def fit_curve(signal: Values, variance: Values, errors: Values, noise: Values, full: Values | None = None) -> Curve:
    """The curve through k pairs, arrays of shape (k,): those of `PairPoints`, one amplifier's.

    The gain alone is free where the brightest pair has less than 1.8 times the signal of the faintest (and then too
    large by 3 a S g for a response that loses a of each electron per electron); a00, too, where it has more; the cubic
    term from eight levels on that lie a fifth apart. Pairs beyond the turnoff are not fitted, nor are those that lie
    5 sigma from the curve through the others. The turnoff comes before two falls of the variance in a row, before
    variances over signal that stay below half of the usual one of fainter pairs, or before a thousandth of the pixels
    is full.
    Raises ValueError where the arrays differ in length.
    """
    arrays = [np.asarray(each, dtype=np.float64) for each in (signal, variance, errors, noise)]
    full = np.zeros(len(signal)) if full is None else np.asarray(full, dtype=np.float64)
    if len({len(each) for each in (*arrays, full)}) > 1:
        raise ValueError("A photon transfer curve needs a signal, a variance, its error and read noise of every pair.")
    signal, variance, errors, noise = arrays
    measured = (signal > 0) & np.isfinite(variance) & (noise > 0)
    beyond, collapsed = _beyond_turnoff(np.where(measured, signal, np.nan), variance - noise, full)
    known = measured & (variance > noise) & (errors > 0)
    used = known & ~beyond & ~collapsed
    if not used.any():
        return _no_curve(len(signal))
    shot = _Shot(signal, (variance - noise) / np.where(known, signal, np.nan), errors / np.where(known, signal, np.nan))
    terms, covariance, used = _without_outliers(shot, used)
    free, gain = len(covariance), 1 / terms[0]
    left, freedom = shot.ratio - _ratio(signal, terms), int(used.sum()) - free
    turnoff = float(signal[known & ~beyond].max()) if beyond.any() else np.nan
    brightest = float(signal[measured].max())
    return Curve(
        gain=float(gain),
        gain_error=float(gain**2 * np.sqrt(covariance[0, 0])),
        read_noise_e=float(gain * np.sqrt(np.median(noise[known]))),
        a00=float(terms[1]) if free > 1 else np.nan,
        a00_error=float(np.sqrt(covariance[1, 1])) if free > 1 else np.nan,
        cubic=float(terms[2]),
        turnoff=turnoff,
        full_well_e=float(gain * signal[beyond].max()) if beyond.any() else np.nan,
        brightest=brightest,
        reduced_chi2=float(np.sum((left[used] / shot.errors[used]) ** 2) / freedom) if freedom > 0 else np.nan,
        residuals=np.where(known, left * signal / (_ratio(signal, terms) * signal + noise), np.nan),
        used=used,
        free=FREE[:free],
        note=_note(free, turnoff, brightest),
    )


def prediction(curve: Curve, signal: Values) -> Values:
    """The variance that `curve` expects at `signal`, ADU², read noise included; any shape."""
    terms = np.array([1 / curve.gain, np.nan_to_num(curve.a00), curve.cubic])
    return np.asarray(_ratio(signal, terms) * signal + (curve.read_noise_e / curve.gain) ** 2)


def _mean(image: npt.NDArray[np.float32]) -> float:
    finite = image[np.isfinite(image)]
    return float(finite.mean(dtype=np.float64)) if finite.size else np.nan


def _point(first: Pixels, second: Pixels, amplifier: Amplifier) -> tuple[float, ...]:
    """The numbers of `PairPoints` in their order."""
    nothing = (np.nan,) * 8
    if amplifier.serial_overscan is None:
        return nothing
    overscans = [measure_overscan(raw[amplifier.serial_overscan.slices]) for raw in (first, second)]
    levels, noises = tuple(each.level for each in overscans), tuple(each.noise for each in overscans)
    one, other = first[amplifier.image.slices], second[amplifier.image.slices]
    signals = [distribution(image).median - level for image, level in zip((one, other), levels, strict=True)]
    if problem_of(tuple(signals), (noises[0], noises[1])):
        return nothing
    scale = signals[0] / signals[1]
    sigma = first_sigma(one, other, (levels[0], levels[1]), scale)
    left, right, spread, used = clipped_pair(one, other, levels[0], levels[1], scale, sigma, CLIP_SIGMA)
    if used < 2:
        return nothing
    # of first - scale * second, whose shot noise is that of 2 * scale images with the mean of both signals
    shot = (spread / KEPT_VARIANCE - noises[0] ** 2 - (scale * noises[1]) ** 2) / (2 * scale)
    late = (late_charge(first, amplifier) + late_charge(second, amplifier)) / 2
    noise = (noises[0] ** 2 + noises[1] ** 2) / 2
    products = _neighbours(
        one, other, levels[0], levels[1], scale, left - scale * right, CLIP_SIGMA * float(np.sqrt(spread))
    )
    full = float(np.mean([distribution(image).above(amplifier.saturation - 1) / image.size for image in (one, other)]))
    covariances = [product / (2 * scale) for product in products]
    return (left + right) / 2, shot / (1 - late) + noise, noise, float(used), late, full, covariances[0], covariances[1]


@dataclass(frozen=True, eq=False)
class _Shot:
    """Signal, variance without read noise over signal, and the error of that; each (k,)."""

    signal: Values
    ratio: Values
    errors: Values


def _without_outliers(shot: _Shot, used: Flags) -> tuple[Values, Values, Flags]:
    """Terms, covariance of the free ones and pairs used; pairs that are 5 sigma off are left out one by one."""
    while True:
        free = _free(shot.signal[used])
        terms, covariance = _solve(shot.signal[used], shot.ratio[used], shot.errors[used], free)
        left = shot.ratio - _ratio(shot.signal, terms)
        pulls = np.where(used, np.abs(_pulls(_design(shot.signal, terms, free), left, shot.errors, covariance)), 0.0)
        worst = int(np.argmax(pulls))
        if pulls[worst] <= OUTLIER_SIGMA or used.sum() <= free + 1:
            return terms, covariance, used
        used = used & (np.arange(len(used)) != worst)


def _beyond_turnoff(signal: Values, shot: Values, full: Values) -> tuple[Flags, Flags]:
    """Which pairs lie beyond the turnoff, and which have collapsed variances; those without signal (NaN) do neither.

    Variances are said to fall from level to level, not from pair to pair: those of pairs of one level fall by chance.
    """
    order = np.argsort(signal)[: int(np.isfinite(signal).sum())]
    ratio = shot[order] / signal[order]
    usual = np.array([np.median(ratio[: max(k, 1)]) for k in range(len(order))])  # of fainter pairs
    level = _levels(signal[order])
    falls = np.diff([np.median(shot[order][level == each]) for each in np.unique(level)], prepend=-np.inf) < 0
    twice, low = (falls & np.append(falls[1:], False))[level], ratio < COLLAPSED * usual
    to_the_end = np.logical_and.accumulate(low[::-1])[::-1]  # one alone is a bad pair
    beyond, collapsed = np.zeros((2, len(signal)), dtype=np.bool_)
    beyond[order] = np.logical_or.accumulate(twice | to_the_end | (full[order] > FULLEST))
    collapsed[order] = low
    return beyond, collapsed


def _levels(signal: Values) -> npt.NDArray[np.int64]:
    """The number of each pair's level, from 0; `signal` rises. A level begins a fifth above the one before."""
    levels: list[int] = []
    first = -np.inf
    for each in signal:
        is_next = not levels or each >= NEXT_LEVEL * first
        first = each if is_next else first
        levels.append(levels[-1] + is_next if levels else 0)
    return np.array(levels, dtype=np.int64)


def _free(signal: Values) -> int:
    """How many parameters the levels can tell."""
    levels = 0
    last = 0.0
    for each in np.sort(signal):
        if each >= NEXT_LEVEL * last:
            levels, last = levels + 1, each
    if levels < 2 or signal.max() < LEVER * signal.min():
        return 1
    return 3 if levels >= CUBIC_LEVELS else 2


def _ratio(signal: Values, terms: Values) -> Values:
    """Shot noise variance over signal for `terms` 1/gain, a00 and cubic."""
    return np.asarray(terms[0] * _bend(signal, terms)[0] + terms[2] * signal**2)


def _bend(signal: Values, terms: Values) -> tuple[Values, Values]:
    """f(z) = (exp(2 z) - 1) / (2 z) of z = a00 g S, and its derivative; z within ±3, beyond which nothing is a CCD."""
    z = np.clip(terms[1] / terms[0] * signal, -3.0, 3.0)
    near = np.abs(z) < 1e-4
    z = np.where(near, 1e-4, z)
    bend = np.expm1(2 * z) / (2 * z)
    flat = terms[1] / terms[0] * signal
    return np.where(near, 1 + flat, bend), np.where(near, 1 + 4 / 3 * flat, (np.exp(2 * z) - bend) / z)


def _design(signal: Values, terms: Values, free: int) -> Values:
    """Derivatives of `_ratio` by the free terms: (k, free)."""
    bend, slope = _bend(signal, terms)
    z = terms[1] / terms[0] * signal
    return np.asarray(np.stack((bend - z * slope, signal * slope, signal**2), axis=1)[:, :free])


def _solve(signal: Values, ratio: Values, sigma: Values, free: int) -> tuple[Values, Values]:
    """The three terms, 0 where they are not free, and the covariance of the free ones, by Gauss and Newton."""
    scale = signal.max() ** np.arange(free)
    terms = np.array([np.median(ratio), 0.0, 0.0])
    for _ in range(_ITERATIONS):
        inverse = np.linalg.pinv(_design(signal, terms, free) / scale / sigma[:, None])
        terms[:free] += inverse @ ((ratio - _ratio(signal, terms)) / sigma) / scale
    return terms, inverse @ inverse.T / np.outer(scale, scale)


def _pulls(design: Values, left: Values, sigma: Values, covariance: Values) -> Values:
    """How many standard errors each pair lies from the curve through the others; 0 where they leave no curve."""
    share = np.einsum("ki,ij,kj->k", design, covariance, design) / sigma**2
    alone = np.where(share < 1 - 1e-9, 1 - share, np.inf)
    return np.asarray(np.nan_to_num(left / (sigma * np.sqrt(alone))))


def _note(free: int, turnoff: float, brightest: float) -> str:
    sentences = []
    if free == 1:
        sentences.append("The levels are too alike to tell a00 from the gain, which is too large where charge repels.")
    if np.isnan(turnoff):
        sentences.append(f"The curve does not turn: the turnoff lies above its brightest pair, {brightest:.0f} ADU.")
    return " ".join(sentences)


def _no_curve(count: int) -> Curve:
    return Curve(
        *(np.nan,) * 10,
        residuals=np.full(count, np.nan),
        used=np.zeros(count, dtype=np.bool_),
        free=(),
        note="No pair has light below the turnoff: take pairs of flats of equal exposure, neither dark nor full.",
    )


@numba.njit(cache=True, nogil=True)
def _neighbours(
    first: Any, second: Any, level: float, other_level: float, scale: float, centre: float, limit: float
) -> Any:
    """Mean products of neighbouring differences along rows and along columns, both within `limit` of `centre`."""
    height, width = first.shape
    row, column, in_row, in_column = 0.0, 0.0, 0, 0
    above = np.full(width, np.nan)
    for y in range(height):
        before = np.nan
        for x in range(width):
            difference = first[y, x] - level - scale * (second[y, x] - other_level) - centre
            if not abs(difference) <= limit:
                difference = np.nan
            product = difference * before
            if product == product:  # never so for NaN
                row += product
                in_row += 1
            product = difference * above[x]
            if product == product:
                column += product
                in_column += 1
            before = above[x] = difference
    return row / max(in_row, 1), column / max(in_column, 1)


def warm_up() -> None:
    """Compile (or load from the cache) the kernel for the types that raw pixels have."""
    for dtype in ("int32", "uint16", "int16", "float32"):
        image: npt.NDArray[Any] = np.ones((8, 16), dtype=dtype)
        for view in (image, image[:, 1:]):
            _neighbours(view, view, 0.0, 0.0, 1.0, 0.0, 1.0)
