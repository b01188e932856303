"""What a simulated detector really is: every number that a measurement may later be compared with."""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from dayops.camera import Camera, Detector
from dayops.observing_day import ObservingDay
from dayops.simulator import spread
from dayops.simulator.defects import Defects, draw_defects
from dayops.simulator.seeds import generator

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class DetectorTruth:
    """One detector on one day. Arrays of amplifiers are in the detector's order, n long.

    gain : e⁻/ADU.  read_noise_e : e⁻.  bias_adu : overscan level, ADU.
    bias_shape_adu : (n, raw_height, raw_width) ADU about that level, zero in the mean of the serial overscan: where
    noise is wider than the shape, the median of both together lies at the shape's mean.
    dark_e_s : typical dark current, e⁻/s.  dark_map_e_s : (height, width), hot pixels and columns included.
    response : (height, width) sensitivity: PRNU, dust, dead pixels and dark columns included.
    full_well_e : e⁻.  nonlinearity : fraction of the signal lost at 100,000 e⁻, growing in proportion to it.
    serial_cti, parallel_cti : fraction of charge left behind by one transfer.
    crosstalk : (n, n), victim by aggressor, fraction.
    """

    detector: Detector
    day_obs: int
    gain: FloatArray
    read_noise_e: FloatArray
    bias_adu: FloatArray
    bias_shape_adu: FloatArray
    dark_e_s: FloatArray
    dark_map_e_s: FloatArray
    response: FloatArray
    defects: Defects
    full_well_e: FloatArray
    nonlinearity: FloatArray
    serial_cti: FloatArray
    parallel_cti: FloatArray
    crosstalk: FloatArray
    temperature_c: float


def truth_for(camera: Camera, detector_id: int, seed: int, day_obs: int) -> DetectorTruth:
    """The truth of one detector of `camera` on `day_obs`. Same arguments, same truth.

    Raises KeyError for a detector the camera lacks, ValueError for amplifiers of unequal raw shapes.
    """
    return _drifted(_lasting_truth(camera.by_id[detector_id], seed), seed, day_obs)


def _drifted(truth: DetectorTruth, seed: int, day_obs: int) -> DetectorTruth:
    """A day's truth: bias levels swing by an ADU or two in a month, gains by some 1e-4, and both jitter daily."""
    detector, count = truth.detector, len(truth.gain)
    phase = generator("drift phase", seed, detector.id).random(count) * 2 * np.pi
    jitter = generator("drift", seed, detector.id, day_obs)
    swing = np.sin(2 * np.pi * ObservingDay(day_obs).date.toordinal() / 29.0 + phase)
    return replace(
        truth,
        day_obs=day_obs,
        bias_adu=(truth.bias_adu + 1.5 * swing + jitter.normal(0.0, 0.3, count)).astype(np.float32),
        gain=(truth.gain * (1 + 3e-4 * swing + jitter.normal(0.0, 1e-4, count))).astype(np.float32),
        temperature_c=float(-100.0 + jitter.normal(0.0, 0.05)),
    )


@lru_cache(maxsize=9)  # one raft: 0.14 GB for minicam, 2.1 GB for LSSTCam
def _lasting_truth(detector: Detector, seed: int) -> DetectorTruth:
    rng = generator("truth", seed, detector.id)
    count = len(detector.amplifiers)
    nominal = np.array([(a.gain, a.read_noise, a.saturation) for a in detector.amplifiers], dtype=np.float32).T
    gain = nominal[0] * spread.GAIN_RATIO.draw(rng, count)
    bias_adu = spread.BIAS_ADU.draw(rng, count)
    dark_e_s = spread.DARK_E_S.draw(rng, count)
    nonlinearity = spread.NONLINEARITY.draw(rng, count)
    saturation_adu = nominal[2] * spread.FULL_WELL_RATIO.draw(rng, count)
    defects, extra_e_s, defect_response = draw_defects(detector, rng)
    return DetectorTruth(
        detector=detector,
        day_obs=0,
        gain=gain,
        read_noise_e=nominal[1] * spread.READ_NOISE_RATIO.draw(rng, count),
        bias_adu=bias_adu,
        bias_shape_adu=_bias_shape(detector, rng),
        dark_e_s=dark_e_s,
        dark_map_e_s=_dark_map(detector, dark_e_s) + extra_e_s,
        response=_sensitivity(detector, rng) * defect_response,
        defects=defects,
        full_well_e=_full_well_e((saturation_adu - bias_adu) * gain, nonlinearity),
        nonlinearity=nonlinearity,
        serial_cti=spread.SERIAL_CTI.draw(rng, count),
        parallel_cti=spread.PARALLEL_CTI.draw(rng, count),
        crosstalk=_crosstalk(count, rng),
        temperature_c=-100.0,
    )


def _full_well_e(read_e: FloatArray, nonlinearity: FloatArray) -> FloatArray:
    """The charge that is read as `read_e` once non-linearity has taken its part: a full pixel must count as one."""
    loss = nonlinearity / 1e5
    return np.asarray((1 - np.sqrt(1 - 4 * loss * read_e)) / (2 * loss), dtype=np.float32)


def _bias_shape(detector: Detector, rng: np.random.Generator) -> FloatArray:
    """Start-of-line transient, a slow change along the columns, and a pattern of fixed columns."""
    shapes = {(a.raw_height, a.raw_width) for a in detector.amplifiers}
    if len(shapes) != 1:
        raise ValueError(f"{detector.name} has raw segments of unequal shapes {sorted(shapes)}: expected one shape")
    ((height, width),) = shapes
    count = len(detector.amplifiers)
    per_amplifier = (count, 1, 1)
    x, y = np.arange(width), np.arange(height)[:, None]
    transient = rng.uniform(2.0, 8.0, per_amplifier) * np.exp(-x / rng.uniform(5.0, 12.0, per_amplifier))
    slope = rng.normal(0.0, 1.0, per_amplifier) * np.exp(-y / (0.2 * height))
    columns = rng.normal(0.0, 0.3, (count, 1, width))
    shape = (transient + slope + columns).astype(np.float32)
    for values, amplifier in zip(shape, detector.amplifiers, strict=True):
        if amplifier.serial_overscan:
            values -= values[amplifier.serial_overscan.slices].mean()
    return shape


def _dark_map(detector: Detector, dark_e_s: FloatArray) -> FloatArray:
    current = np.empty((detector.height, detector.width), dtype=np.float32)
    for amplifier, typical in zip(detector.amplifiers, dark_e_s, strict=True):
        current[amplifier.place.slices] = typical
    return current


def _sensitivity(detector: Detector, rng: np.random.Generator) -> FloatArray:
    """PRNU of 0.7 % from pixel to pixel, a 1 % wave across the sensor, and half a dozen specks of dust."""
    height, width = detector.height, detector.width
    y, x = np.ogrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    wave = 0.01 * np.sin(2 * np.pi * (x * rng.uniform(0.3, 1.0) + rng.random()))
    wave = wave * np.sin(2 * np.pi * (y * rng.uniform(0.3, 1.0) + rng.random()))
    response = (1 + wave + 0.007 * rng.standard_normal((height, width), dtype=np.float32)).astype(np.float32)
    for _ in range(rng.poisson(6)):
        _dim(response, int(rng.integers(height)), int(rng.integers(width)), rng.uniform(5, 18), rng.uniform(0.02, 0.1))
    return response


def _dim(response: FloatArray, row: int, column: int, radius: float, depth: float) -> None:
    reach = int(3 * radius)
    top, left = max(0, row - reach), max(0, column - reach)
    patch = response[top : row + reach + 1, left : column + reach + 1]
    y, x = np.ogrid[top - row : top - row + patch.shape[0], left - column : left - column + patch.shape[1]]
    patch *= 1 - depth * np.exp(-(x**2 + y**2) / (2 * radius**2))


def _crosstalk(count: int, rng: np.random.Generator) -> FloatArray:
    """Falls off with the distance of the amplifiers in reading order; an amplifier does not disturb itself."""
    order = np.arange(count)
    distance = np.abs(order[:, None] - order)
    strength = spread.CROSSTALK_NEIGHBOUR.draw(rng, count * count).reshape(count, count)
    coefficients: FloatArray = (strength * 0.35 ** (distance - 1.0)).astype(np.float32)
    coefficients[distance == 0] = 0.0
    return coefficients
