"""A detector's master from raw files: robust clipping of each pixel over the frames, then the mean of what is left.

Clipping about the mean of n values by their own standard deviation can never reject one of ten or fewer at 3 sigma,
since none lies farther than (n - 1)/√n deviations from the mean (Shiffler 1988, *Maximum Z scores and outliers*). Here
the centre is the median; where the two in the middle of an even number differ by more than noise explains, it is the
lower of them, since stray charge only adds. The scatter is what is known: read noise of the overscan, shot noise,

    variance_i = scale_i² × (read_noise_i² + charge_i / gain),   charge_i = centre / scale_i + dark_s_i × dark  >= 0.

The noise of the centre counts as well where values are of unequal noise (darks of 15 and of 180 s), where a precise one
would else be left out for being far from a centre that is not.

The variance of the mean is that of the values left, divided by what clipping has taken from a Gaussian's,
1 - 2c φ(c) / (2Φ(c) - 1) at c sigma; of fewer than five values, which do not tell their scatter, the known one.
"""

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numba
import numpy as np
import numpy.typing as npt

from calib.science.distribution import Pixels
from calib.science.overscan import measure_overscan
from dayops.camera.geometry import Amplifier, Box, Detector
from dayops.images import RawStrips, open_strips

CLIP_SIGMA = 4.0
FEWEST_FRAMES = 2
FEWEST_FOR_SCATTER = 5  # below it cp_pipe takes the variance from the inputs', too
KEPT_BYTES = 128 << 20  # 25 segments of LSSTCam: what does not fit is decoded a second time
DIGITISING_VARIANCE = 1 / 12  # ADU²: no value is known better than to its digit
_UNEVEN = 1.5  # ratio of variances from which frames are of unequal noise
_LANES = 256  # pixels that are sorted side by side

Image = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]
Weights = Literal["equal", "noise"]


@dataclass(frozen=True, eq=False)
class Frame:
    """A raw file: its values are (raw - overscan - bias - dark_s × dark) × `scale`, made linear before the dark.

    `out` (height, width) says which pixels of the assembled detector are left out of this frame.
    """

    path: Path
    scale: float = 1.0
    dark_s: float = 0.0
    out: npt.NDArray[np.bool_] | None = None


@dataclass(frozen=True, eq=False)
class Combined:
    """A master in the assembled detector frame, and what each frame brought.

    `mean` (ADU × scale), `variance` of the mean, both float32 (height, width), NaN where no value is left; `count`
    int16 says how many values the mean is of. `levels` and `noise` (ADU) of the overscans are float64 (frames,
    amplifiers), frames as they were given; NaN where there is no overscan.
    """

    mean: Image
    variance: Image
    count: npt.NDArray[np.int16]
    levels: Values
    noise: Values


@dataclass(frozen=True, eq=False)
class _Known:
    """What is the same for all amplifiers. `dark` and `bias` are zero where none is given."""

    scales: Image
    dark_s: Image
    out: list[npt.NDArray[np.bool_] | None]
    bias: Image | None
    dark: Image | None
    clip: float
    weights: Weights
    strip_rows: int


def combine(
    frames: Sequence[Frame],
    detector: Detector,
    *,
    gain: npt.ArrayLike,
    bias: Image | None = None,
    dark: Image | None = None,
    linearity: npt.ArrayLike | None = None,
    clip: float = CLIP_SIGMA,
    strip_rows: int = 64,
    weights: Weights = "equal",
) -> Combined:
    """The master of two or more raw `frames` of `detector`; their order does not matter.

    Saturated pixels (at or above the amplifier's nominal saturation as read, where it has one) and those that are not
    finite are left out, and a frame's amplifier whose overscan has no finite pixel. Without overscan the level is taken
    as 0 and the read noise as nominal.

    Parameters
    ----------
    gain
        e⁻/ADU of each amplifier, in the detector's order.
    bias, dark
        Masters to take off, float32 (height, width): ADU, and ADU per second of `Frame.dark_s`. A pixel where one of
        them is NaN has no value.
    linearity
        (amplifiers, 2): x + c2 x² + c3 x³ is linear in the light, where x is in ADU above the bias.
    clip
        Values farther than this many sigma from the centre are left out.
    strip_rows
        Rows that are looked at together. Memory is that of these rows of every frame, and at most `KEPT_BYTES` more.
    weights
        'equal', or 'noise': one over the variance of each value's read noise. Not of its shot noise, which is known
        from the values only: those that are high by chance would weigh more.

    Raises
    ------
    BadFrame
        A file cannot be read; the sentence names it.
    ValueError
        Fewer than two frames, a read noise that is unknown, or numbers that make no sense, each in words.
    """
    order = sorted(range(len(frames)), key=lambda i: (str(frames[i].path), frames[i].scale, frames[i].dark_s))
    ordered, count = [frames[i] for i in order], len(detector.amplifiers)
    gains = np.asarray(gain, dtype=np.float64)
    curves = np.zeros((count, 2)) if linearity is None else np.asarray(linearity, dtype=np.float64)
    _refuse_senseless(ordered, detector, gains, bias, dark, curves, clip, strip_rows, weights)
    scales, dark_s = (np.array([getattr(f, name) for f in ordered], dtype=np.float32) for name in ("scale", "dark_s"))
    known = _Known(scales, dark_s, [frame.out for frame in ordered], bias, dark, clip, weights, strip_rows)
    found = _empty(detector, len(frames))
    with ExitStack() as stack:
        files = [stack.enter_context(open_strips(frame.path, detector)) for frame in ordered]
        for amplifier, gain_e, curve in zip(detector.amplifiers, gains, curves, strict=True):
            kept = _measure(files, amplifier, found, order)
            _combine_amplifier(files, kept, amplifier, float(gain_e), curve, known, found, order)
    return found


def _empty(detector: Detector, frames: int) -> Combined:
    shape, each = (detector.height, detector.width), (frames, len(detector.amplifiers))
    return Combined(
        mean=np.full(shape, np.nan, dtype=np.float32),
        variance=np.full(shape, np.nan, dtype=np.float32),
        count=np.zeros(shape, dtype=np.int16),
        levels=np.full(each, np.nan),
        noise=np.full(each, np.nan),
    )


def _measure(files: list[RawStrips], amplifier: Amplifier, found: Combined, order: list[int]) -> list[Pixels]:
    """Level and noise of every frame's overscan; and the segments of the first frames, as many as may be kept."""
    kept: list[Pixels] = []
    for file, frame in zip(files, order, strict=True):
        segment = file.rows(amplifier.index, 0, amplifier.raw_height)
        if amplifier.serial_overscan is not None:
            overscan = measure_overscan(segment[amplifier.serial_overscan.slices])
            found.levels[frame, amplifier.index] = overscan.level
            found.noise[frame, amplifier.index] = overscan.noise
        if (len(kept) + 1) * segment.nbytes <= KEPT_BYTES:
            kept.append(segment)
    return kept


def _combine_amplifier(
    files: list[RawStrips],
    kept: list[Pixels],
    amplifier: Amplifier,
    gain: float,
    curve: Values,
    known: _Known,
    found: Combined,
    order: list[int],
) -> None:
    levels, noise = found.levels[order, amplifier.index], found.noise[order, amplifier.index]
    levels = np.zeros(len(files)) if amplifier.serial_overscan is None else levels  # NaN leaves the frame out
    noise = np.where(np.isnan(noise), amplifier.read_noise / gain, noise)
    if np.isnan(noise).any():
        raise ValueError(
            f"The read noise of {amplifier.name} is unknown, by which values are clipped: expected an overscan that "
            "can be measured, or a nominal read noise."
        )
    floors = (known.scales**2 * np.maximum(noise**2, DIGITISING_VARIANCE)).astype(np.float32)
    planes = [_as_read(plane, amplifier) for plane in (found.mean, found.variance, found.count)]
    masters = [None if plane is None else _as_read(plane, amplifier) for plane in (known.bias, known.dark)]
    left_out = [None if out is None else _as_read(out, amplifier) for out in known.out]
    light = amplifier.image
    for first in range(0, light.height, known.strip_rows):
        rows = slice(first, min(first + known.strip_rows, light.height))
        bias, dark = (_strip(master, rows, light) for master in masters)
        values = np.empty((len(files), *bias.shape), dtype=np.float32)
        for i, file in enumerate(files):
            if i < len(kept):
                raw = kept[i][light.y0 + rows.start : light.y0 + rows.stop]
            else:
                raw = file.rows(amplifier.index, light.y0 + rows.start, light.y0 + rows.stop)
            _correct(
                raw,
                light.x0,
                levels[i],
                amplifier.saturation,
                bias,
                dark,
                known.dark_s[i],
                curve,
                known.scales[i],
                values[i],
            )
            if (out := left_out[i]) is not None:
                values[i][out[rows]] = np.nan
        strips = _clipped(
            values.reshape(len(files), -1),
            floors,
            known.scales,
            known.dark_s,
            dark.ravel(),
            np.float32(1 / gain),
            np.float32(known.clip**2),
            np.float32(1 / kept_variance(known.clip)),
            known.weights == "noise",
            _sorting_network(len(files)),
        )
        for plane, strip in zip(planes, strips, strict=True):
            plane[rows] = strip.reshape(bias.shape)


def _as_read(plane: npt.NDArray[Any], amplifier: Amplifier) -> npt.NDArray[Any]:
    """The amplifier's place on an assembled `plane` with the pixel read first at (0, 0); a view."""
    return plane[amplifier.place.slices][:: -1 if amplifier.flip_y else 1, :: -1 if amplifier.flip_x else 1]


def _strip(master: npt.NDArray[Any] | None, rows: slice, light: Box) -> Image:
    if master is None:
        return np.zeros((rows.stop - rows.start, light.width), dtype=np.float32)
    return np.ascontiguousarray(master[rows], dtype=np.float32)


def kept_variance(clip: float) -> float:
    """What clipping at `clip` sigma about the centre leaves of a Gaussian's variance: 0.973 at 3, 0.9989 at 4."""
    density = math.exp(-(clip**2) / 2) / math.sqrt(2 * math.pi)
    return 1 - 2 * clip * density / math.erf(clip / math.sqrt(2))


def _sorting_network(count: int) -> npt.NDArray[np.int64]:
    """Pairs of places, which sort `count` values when each pair is put in order in turn (Batcher 1968)."""
    pairs: list[tuple[int, int]] = []
    p = 1
    while p < count:
        k = p
        while k >= 1:
            pairs += [
                (i + j, i + j + k)
                for j in range(k % p, count - k, 2 * k)
                for i in range(min(k, count - j - k))
                if (i + j) // (2 * p) == (i + j + k) // (2 * p)
            ]
            k //= 2
        p *= 2
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _correct(
    raw: Any,
    left: int,
    level: float,
    saturation: float,
    bias: Any,
    dark: Any,
    dark_s: Any,
    curve: Any,
    scale: Any,
    out: Any,
) -> None:
    """(raw - level - bias, made linear, - dark_s × dark) × scale as float32; NaN where `raw` is saturated or no number.

    `left` is the column of `raw` that is the first of `out`.
    """
    whole = np.float32(np.floor(level))  # taken off first: raw pixels are too large for the fractions of a float32
    rest = np.float32(level - np.floor(level))
    limit, factor, waited = np.float32(saturation), np.float32(scale), np.float32(dark_s)
    c2, c3 = np.float32(curve[0]), np.float32(curve[1])
    nan = np.float32(np.nan)
    for y in range(raw.shape[0]):
        row, bias_row, dark_row, out_row = raw[y, left : left + out.shape[1]], bias[y], dark[y], out[y]
        for x in range(row.size):
            pixel = np.float32(row[x])
            value = (pixel - whole) - (rest + bias_row[x])
            value += value * value * (c2 + c3 * value)
            value = (value - waited * dark_row[x]) * factor
            out_row[x] = nan if pixel >= limit else value  # never so where the limit is unknown


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _clipped(
    values: Any,
    floors: Any,
    scales: Any,
    dark_s: Any,
    dark: Any,
    shot: Any,
    clip2: Any,
    widening: Any,
    weighted: bool,
    network: Any,
) -> Any:
    """Mean, variance of the mean and number of the values left of `values` (n, pixels); formulae: see the module.

    `floors` are scale² × read noise², `shot` is 1 / gain, `clip2` the square of the limit in sigma, `widening` the
    factor by which the variance of clipped values is too small.
    """
    count, pixels = values.shape
    mean = np.empty(pixels, dtype=np.float32)
    variance = np.empty(pixels, dtype=np.float32)
    used = np.empty(pixels, dtype=np.int16)
    ranked = np.empty((count, _LANES), dtype=np.float32)
    finite = np.empty(_LANES, dtype=np.int32)
    sums = np.empty((5, _LANES), dtype=np.float32)
    centre = np.empty(_LANES, dtype=np.float32)
    lower, upper = np.empty(_LANES, dtype=np.float32), np.empty(_LANES, dtype=np.float32)
    lower_noise, upper_noise = np.empty(_LANES, dtype=np.float32), np.empty(_LANES, dtype=np.float32)
    noise = np.empty(_LANES, dtype=np.float32)
    floor, scale, waited = np.float32(floors.mean()), np.float32(scales.mean()), np.float32((scales * dark_s).mean())
    uneven = floors.max() > _UNEVEN * floors.min()
    for start in range(0, pixels, _LANES):
        lanes = min(_LANES, pixels - start)
        _rank(values, start, lanes, ranked, finite, network)
        for x in range(lanes):
            lower[x] = ranked[max((finite[x] - 1) // 2, 0), x]
            upper[x] = ranked[min(finite[x] // 2, count - 1), x]
            charge = max(lower[x] + waited * dark[start + x], np.float32(0))
            lower_noise[x] = upper_noise[x] = floor + scale * shot * charge
        if uneven:
            _noise_of(values, start, lanes, lower, floors, scales, dark_s, dark, shot, lower_noise)
            _noise_of(values, start, lanes, upper, floors, scales, dark_s, dark, shot, upper_noise)
        for x in range(lanes):
            apart, both = upper[x] - lower[x], lower_noise[x] + upper_noise[x]
            agree = apart * apart <= clip2 * both
            centre[x] = lower[x] + (apart / np.float32(2) if agree else np.float32(0))
            noise[x] = (both / np.float32(2) if agree else lower_noise[x]) if uneven else np.float32(0)
        _sum(values, start, lanes, centre, noise, floors, scales, dark_s, dark, shot, clip2, weighted, sums)
        for x in range(lanes):
            left, weight, known = sums[0, x], sums[1, x], sums[4, x]
            offset = sums[2, x] / weight
            mean[start + x] = centre[x] + offset
            scatter = max(sums[3, x] - offset * sums[2, x], np.float32(0))
            measured = widening * scatter / ((left - np.float32(1)) * weight)
            variance[start + x] = measured if left >= FEWEST_FOR_SCATTER else known / (weight * weight)
            used[start + x] = np.int16(left)
    return mean, variance, used


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _rank(values: Any, start: int, lanes: int, ranked: Any, finite: Any, network: Any) -> None:
    """Each pixel's values in rising order, those that are not finite last; and the number of the finite ones."""
    infinity = np.float32(np.inf)
    for x in range(lanes):
        finite[x] = 0
    for i in range(len(values)):
        given, row = values[i, start : start + lanes], ranked[i]
        for x in range(lanes):
            is_finite = abs(given[x]) < infinity
            row[x] = given[x] if is_finite else infinity
            finite[x] += np.int32(1) if is_finite else np.int32(0)
    for turn in range(network.shape[0]):
        low_row, high_row = ranked[network[turn, 0]], ranked[network[turn, 1]]
        for x in range(lanes):
            a, b = low_row[x], high_row[x]
            low_row[x] = a if a < b else b
            high_row[x] = b if a < b else a


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _sum(
    values: Any,
    start: int,
    lanes: int,
    centre: Any,
    noise: Any,
    floors: Any,
    scales: Any,
    dark_s: Any,
    dark: Any,
    shot: Any,
    clip2: Any,
    weighted: bool,
    sums: Any,
) -> None:
    """Of the values left: their number, and the sums of w, w d, w d² and w² variance; d is the distance to `centre`."""
    zero, one = np.float32(0), np.float32(1)
    left, weight, offset, square, known = sums[0], sums[1], sums[2], sums[3], sums[4]
    sums[:, :lanes] = zero
    dark = dark[start : start + lanes]
    for i in range(len(values)):
        row, floor, scale, waited = values[i, start : start + lanes], floors[i], scales[i], scales[i] * dark_s[i]
        for x in range(lanes):
            charge = centre[x] + waited * dark[x]
            expected = floor + scale * shot * (charge if charge > zero else zero)
            distance = row[x] - centre[x]
            limit = clip2 * (expected + noise[x])
            is_left = distance * distance <= limit  # never so for NaN
            d = distance if is_left else zero
            w = (one / floor if weighted else one) if is_left else zero
            left[x] += one if is_left else zero
            weight[x] += w
            offset[x] += w * d
            square[x] += w * d * d
            known[x] += w * w * expected


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _noise_of(
    values: Any,
    start: int,
    lanes: int,
    centre: Any,
    floors: Any,
    scales: Any,
    dark_s: Any,
    dark: Any,
    shot: Any,
    noise: Any,
) -> None:
    """The known variance of the value that is the `centre` of each pixel, into `noise`."""
    zero = np.float32(0)
    for i in range(len(values)):
        row, floor, scale, waited = values[i, start : start + lanes], floors[i], scales[i], scales[i] * dark_s[i]
        for x in range(lanes):
            if row[x] == centre[x]:
                charge = centre[x] + waited * dark[start + x]
                noise[x] = floor + scale * shot * (charge if charge > zero else zero)


def _refuse_senseless(
    frames: list[Frame],
    detector: Detector,
    gains: Values,
    bias: Image | None,
    dark: Image | None,
    curves: Values,
    clip: float,
    strip_rows: int,
    weights: str,
) -> None:
    count, shape = len(detector.amplifiers), (detector.height, detector.width)
    if not FEWEST_FRAMES <= len(frames) <= np.iinfo(np.int16).max:
        raise ValueError(f"A master is combined of {FEWEST_FRAMES} frames or more, up to 32,767: {len(frames)} came.")
    for frame in frames:
        if not (0 < frame.scale < np.inf and 0 <= frame.dark_s < np.inf):
            raise ValueError(
                f"{frame.path.name} has the scale {frame.scale} and {frame.dark_s} s of dark time: expected a scale "
                "above 0 and a time of 0 or more."
            )
    if gains.shape != (count,) or not np.all((gains > 0) & (gains < np.inf)):
        raise ValueError(f"{detector.name} needs {count} gains above 0 e⁻/ADU: {gains.tolist()} came.")
    planes = [("master bias", bias), ("master dark", dark), *(("mask of a frame", frame.out) for frame in frames)]
    for name, plane in planes:
        if plane is not None and plane.shape != shape:
            raise ValueError(f"The {name} has the shape {plane.shape}: {detector.name} needs {shape}.")
    if curves.shape != (count, 2) or not np.isfinite(curves).all():
        raise ValueError(f"{detector.name} needs {count} pairs of coefficients of linearity: {curves.tolist()} came.")
    if not 0 < clip < np.inf or strip_rows < 1 or weights not in ("equal", "noise"):
        raise ValueError(
            f"clip {clip}, strip_rows {strip_rows}, weights {weights!r}: expected a clip above 0, one row or more, and "
            "'equal' or 'noise'."
        )


def warm_up() -> None:
    """Compile the kernels, or load them from the cache, for the types that raw pixels have."""
    zero, one = np.zeros((4, 4), dtype=np.float32), np.float32(1)
    for dtype in ("int32", "uint16", "int16", "float32"):
        raw: npt.NDArray[Any] = np.zeros((4, 6), dtype=dtype)
        _correct(raw, 1, 0.0, 1.0, zero, zero, one, np.zeros(2), one, np.empty_like(zero))
    _clipped(zero, zero[0], zero[0], zero[0], zero[0], one, one, one, False, _sorting_network(4))
