"""From raw segments to electrons: what the instrument wrote into a frame is taken off again.

The order undoes that in which it came about (Janesick 2001, *Scientific Charge-Coupled Devices*; ip_isr does the same):
overscan, bias, crosstalk, non-linearity, dark current, sensitivity, gain. Whatever is not known is left as it is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from calib.science.distribution import Pixels
from calib.science.mask_planes import Mask, Plane
from calib.science.overscan import measure_overscan
from dayops.camera.geometry import Amplifier, Detector

Image = npt.NDArray[np.float32]
Values = npt.NDArray[np.floating[Any]]
_SAT, _NO_DATA = int(Plane.SAT), int(Plane.NO_DATA)


@dataclass(frozen=True, eq=False)
class Calibrations:
    """What is known of a detector: images (height, width), arrays in the order of its n amplifiers; None if unknown.

    bias : ADU.  dark : ADU/s, linear.  flat : sensitivity about 1; gains must not be in it where `gain` is given.
    mask : `mask_planes`.  gain : (n), e⁻/ADU.  read_noise_e : (n), e⁻; else that of the frame's own overscan.
    linearity : (n, 2), c₂ and c₃ of x + c₂x² + c₃x³, x in ADU.  crosstalk : (n, n), victim by aggressor, in ADU.
    saturation : (n), ADU as read; else the nominal one.
    """

    bias: Image | None = None
    dark: Image | None = None
    flat: Image | None = None
    mask: Mask | None = None
    gain: Values | None = None
    read_noise_e: Values | None = None
    linearity: Values | None = None
    crosstalk: Values | None = None
    saturation: Values | None = None


@dataclass(frozen=True, eq=False)
class Processed:
    """A frame without its instrument: `image`, `variance`, `mask` (height, width); the overscans' `levels` and `noise`.

    `image` is in e⁻, in ADU where no gain was given, `variance` in the square of that: read noise and the shot noise
    of what was collected, not that of the calibrations. Both are NaN, and NO_DATA is set, where a value is missing or
    the flat is not above zero. `overscan_levels` and `overscan_noise` are (n), ADU; 0 and NaN without overscan.
    """

    image: Image
    variance: Image
    mask: Mask
    overscan_levels: npt.NDArray[np.float64]
    overscan_noise: npt.NDArray[np.float64]


def remove_signature(
    segments: Sequence[Pixels], detector: Detector, calibrations: Calibrations, dark_s: float = 0.0
) -> Processed:
    """Raw `segments`, in the order of the amplifiers, as electrons on the assembled detector.

    `dark_s` is the time over which dark current collected. Crosstalk is taken from the aggressors as read: an error of
    its own square, 1e-6. Raises ValueError where a segment or a calibration is not of this detector's shape.
    """
    _require_fit(segments, detector, calibrations)
    shape = detector.height, detector.width
    image, variance = np.full(shape, np.nan, dtype=np.float32), np.full(shape, np.nan, dtype=np.float32)
    mask = np.full(shape, _NO_DATA, dtype=np.int32)
    levels, noise = _overscans(segments, detector)
    saturation = _of_each(calibrations.saturation, [a.saturation for a in detector.amplifiers])
    bias, flags = _plane(calibrations.bias, np.float32), _plane(calibrations.mask, np.int32)
    for raw, amplifier, level, full in zip(segments, detector.amplifiers, levels, saturation, strict=True):
        place = amplifier.place
        _above_bias(_turned(raw, amplifier), level, full, place.y0, place.x0, bias, flags, image, mask)
    if calibrations.crosstalk is not None:
        _uncross(image, _first_pixels(detector), calibrations.crosstalk.astype(np.float32), *_image_shape(detector))
    _to_electrons(image, variance, mask, detector, calibrations, noise, dark_s)
    return Processed(image, variance, mask, levels, noise)


def _to_electrons(
    image: Image, variance: Image, mask: Mask, detector: Detector, known: Calibrations, noise: Values, dark_s: float
) -> None:
    gain = _of_each(known.gain, [a.gain for a in detector.amplifiers])
    nominal_noise_e = np.array([a.read_noise for a in detector.amplifiers])
    read_noise = known.read_noise_e / gain if known.read_noise_e is not None else noise
    read_noise = np.where(np.isfinite(read_noise), read_noise, nominal_noise_e / gain)
    shot = np.where(gain > 0, 1 / np.where(gain > 0, gain, 1.0), 0.0)  # unknown: the variance is that of read noise
    scale = np.ones(len(gain)) if known.gain is None else gain
    curve = np.zeros((len(gain), 2)) if known.linearity is None else known.linearity
    each = np.column_stack([curve, read_noise**2, shot, np.full(len(gain), dark_s), scale]).astype(np.float32)
    dark, flat = _plane(known.dark, np.float32), _plane(known.flat, np.float32)
    for numbers, amplifier in zip(each, detector.amplifiers, strict=True):
        box = amplifier.place
        _calibrated(image, variance, mask, (box.y0, box.x0, box.y1, box.x1), dark, flat, numbers)


def _overscans(segments: Sequence[Pixels], detector: Detector) -> tuple[npt.NDArray[np.float64], ...]:
    levels, noise = np.zeros(len(segments)), np.full(len(segments), np.nan)
    for index, (raw, amplifier) in enumerate(zip(segments, detector.amplifiers, strict=True)):
        if amplifier.serial_overscan:
            overscan = measure_overscan(raw[amplifier.serial_overscan.slices])
            levels[index], noise[index] = overscan.level, overscan.noise
    return levels, noise


def _turned(raw: Pixels, amplifier: Amplifier) -> Pixels:
    """The light of a raw segment as it lies on the detector: a view."""
    return raw[amplifier.image.slices][:: -1 if amplifier.flip_y else 1, :: -1 if amplifier.flip_x else 1]


def _image_shape(detector: Detector) -> tuple[int, int]:
    return detector.amplifiers[0].place.height, detector.amplifiers[0].place.width


def _first_pixels(detector: Detector) -> npt.NDArray[np.int64]:
    """Row and column of the pixel that each amplifier reads first, and the steps to the next ones: (n, 4)."""
    return np.array(
        [
            (
                a.place.y1 - 1 if a.flip_y else a.place.y0,
                a.place.x1 - 1 if a.flip_x else a.place.x0,
                -1 if a.flip_y else 1,
                -1 if a.flip_x else 1,
            )
            for a in detector.amplifiers
        ]
    )


def _plane(plane: npt.NDArray[Any] | None, dtype: type[np.generic]) -> npt.NDArray[Any]:
    return np.empty((0, 0), dtype=dtype) if plane is None else np.ascontiguousarray(plane, dtype=dtype)


def _of_each(known: Values | None, nominal: Sequence[float]) -> npt.NDArray[np.float64]:
    return np.asarray(nominal if known is None else known, dtype=np.float64)


def _require_fit(segments: Sequence[Pixels], detector: Detector, known: Calibrations) -> None:
    count = len(detector.amplifiers)
    if len(segments) != count:
        raise ValueError(f"{detector.name} has {count} amplifiers: {len(segments)} segments came.")
    for raw, amplifier in zip(segments, detector.amplifiers, strict=True):
        _require_shape(f"segment {amplifier.extension}", raw, (amplifier.raw_height, amplifier.raw_width), detector)
    for name in ("bias", "dark", "flat", "mask"):
        _require_shape(name, getattr(known, name), (detector.height, detector.width), detector)
    for name in ("gain", "read_noise_e", "saturation"):
        _require_shape(name, getattr(known, name), (count,), detector)
    _require_shape("linearity", known.linearity, (count, 2), detector)
    _require_shape("crosstalk", known.crosstalk, (count, count), detector)
    if known.crosstalk is not None and len({(a.place.height, a.place.width) for a in detector.amplifiers}) > 1:
        raise ValueError(
            f"Crosstalk needs amplifiers of one shape, for places must correspond; {detector.name} has others."
        )


def _require_shape(name: str, given: npt.NDArray[Any] | None, shape: tuple[int, ...], detector: Detector) -> None:
    if given is not None and given.shape != shape:
        raise ValueError(f"The {name} is not of {detector.name}: its shape is {given.shape}, expected {shape}.")


@numba.njit(cache=True, nogil=True)
def _above_bias(
    raw: Any, level: float, full: float, y0: int, x0: int, bias: Any, flags: Any, image: Any, mask: Any
) -> None:
    """Write ``raw - level - bias`` into `image`, and into `mask` the `flags` with SAT where `raw` is at `full`."""
    height, width = raw.shape
    for y in range(height):
        line, bits = image[y0 + y, x0 : x0 + width], mask[y0 + y, x0 : x0 + width]
        for x in range(width):
            line[x] = raw[y, x] - level
            bits[x] = _SAT if raw[y, x] >= full else 0
        if bias.size:
            line -= bias[y0 + y, x0 : x0 + width]
        if flags.size:
            bits |= flags[y0 + y, x0 : x0 + width]


@numba.njit(cache=True, nogil=True)
def _uncross(image: Any, first: Any, shares: Any, height: int, width: int) -> None:
    """Take from each amplifier its `shares` (n, n) of what the others have at the same place in reading order."""
    count = len(first)
    lines, total = np.empty((count, width), dtype=np.float32), np.empty(width, dtype=np.float32)
    for y in range(height):
        for a in range(count):
            row, column, down, right = first[a, 0], first[a, 1], first[a, 2], first[a, 3]
            for x in range(width):
                value = image[row + down * y, column + right * x]
                lines[a, x] = value if np.isfinite(value) else np.float32(0)
        for v in range(count):
            total[:] = 0
            for a in range(count):
                share = shares[v, a]
                if share != 0:
                    for x in range(width):
                        total[x] += share * lines[a, x]
            row, column, down, right = first[v, 0], first[v, 1], first[v, 2], first[v, 3]
            for x in range(width):
                image[row + down * y, column + right * x] -= total[x]


@numba.njit(cache=True, nogil=True)
def _calibrated(image: Any, variance: Any, mask: Any, box: Any, dark: Any, flat: Any, numbers: Any) -> None:
    """Linearise the ADU above bias in `box` of `image`, take dark and flat off, and scale; write the variance."""
    y0, x0, y1, x1 = box
    c2, c3, noise, shot, dark_s, scale = numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]
    for y in range(y0, y1):
        line, spread, bits = image[y, x0:x1], variance[y, x0:x1], mask[y, x0:x1]
        for x in range(x1 - x0):
            signal = line[x]
            signal += signal * signal * (c2 + c3 * signal)
            line[x] = signal * scale
            spread[x] = (noise + shot * (signal if signal > 0 else np.float32(0))) * scale * scale
        if dark.size:
            line -= dark_s * scale * dark[y, x0:x1]
        if flat.size:
            for x in range(x1 - x0):
                sensitivity = flat[y, x0 + x] if flat[y, x0 + x] > 0 else np.float32(np.nan)
                line[x] /= sensitivity
                spread[x] /= sensitivity * sensitivity
        for x in range(x1 - x0):
            if not np.isfinite(line[x]):
                line[x], spread[x] = np.nan, np.nan
                bits[x] |= _NO_DATA


def warm_up() -> None:
    """Compile (or load from the cache) the kernels for the types that raw pixels have."""
    image, mask = np.zeros((8, 16), dtype=np.float32), np.zeros((8, 16), dtype=np.int32)
    for dtype in ("int32", "uint16", "int16", "float32"):
        raw: npt.NDArray[Any] = np.zeros((8, 16), dtype=dtype)
        for view in (raw, raw[:, ::-1]):
            _above_bias(view, 0.0, 1.0, 0, 0, image, mask, image, mask)
    _uncross(image, np.array([[0, 0, 1, 1]]), np.zeros((1, 1), dtype=np.float32), 8, 16)
    _calibrated(image, image, mask, (0, 0, 8, 16), image, image, np.zeros(6, dtype=np.float32))
