"""From light to raw segments: the steps of a CCD's life in the order in which nature takes them.

Shot noise, cosmic rays, full well, charge transfer, the amplifier's non-linearity, crosstalk, gain, bias, read noise,
digitisation (Janesick 2001, *Scientific Charge-Coupled Devices*, chapters 2, 5 and 7).
"""

import numpy as np
from numpy.typing import NDArray

from dayops.camera import Detector
from dayops.simulator.cosmic_rays import add_cosmic_rays
from dayops.simulator.truth import DetectorTruth, FloatArray

ADC_MAX = 2**18 - 1  # LSST's converters have 18 bits
_GAUSSIAN_ABOVE = 50.0  # expected electrons; from here on a Poisson deviate's skewness is below 0.15


def expose(
    truth: DetectorTruth, light_e: FloatArray, dark_time_s: float, rng: np.random.Generator
) -> NDArray[np.int32]:
    """Raw segments (n, raw_height, raw_width) in ADU of one exposure.

    `light_e` is the expected light in electrons, broadcastable to (height, width), before the detector's response;
    `dark_time_s` the time over which dark current and cosmic rays collect.
    """
    return read_out(truth, collect(truth, light_e, dark_time_s, rng), rng)


def collect(truth: DetectorTruth, light_e: FloatArray, dark_time_s: float, rng: np.random.Generator) -> FloatArray:
    """Electrons caught, (height, width): light, dark current and cosmic rays. Arguments as those of `expose`."""
    electrons = shot_noise(light_e * truth.response + truth.dark_map_e_s * np.float32(dark_time_s), rng)
    add_cosmic_rays(electrons, truth.detector.pixel_um, dark_time_s, rng)
    return electrons


def read_out(truth: DetectorTruth, electrons: FloatArray, rng: np.random.Generator) -> NDArray[np.int32]:
    """Raw segments in ADU of the `electrons` (height, width) that a detector holds."""
    charge = _onto_segments(electrons, truth)
    charge = _transferred(charge, truth)
    charge *= 1 - _each(truth.nonlinearity) * charge / np.float32(1e5)
    # einsum without BLAS: its idle threads would spin on the cores that the workers need
    charge += np.einsum("va,ayx->vyx", truth.crosstalk, charge, optimize=False)
    return _digitised(charge, truth, rng)


def shot_noise(expected_e: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Electrons caught where `expected_e` are expected: Poisson where few, its Gaussian limit where many."""
    caught = np.empty_like(expected_e)
    faint = expected_e < _GAUSSIAN_ABOVE
    caught[faint] = rng.poisson(expected_e[faint])
    bright = expected_e[~faint]
    caught[~faint] = bright + np.sqrt(bright) * rng.standard_normal(bright.shape, dtype=np.float32)
    return caught


def split(image: FloatArray, detector: Detector) -> list[FloatArray]:
    """The image (height, width) of the assembled detector as its amplifiers see it: first-read pixel first."""
    return [image[a.place.slices][:: -1 if a.flip_y else 1, :: -1 if a.flip_x else 1] for a in detector.amplifiers]


def _onto_segments(electrons: FloatArray, truth: DetectorTruth) -> FloatArray:
    charge = np.zeros_like(truth.bias_shape_adu)
    pieces = split(electrons, truth.detector)
    for raw, piece, amplifier, full in zip(charge, pieces, truth.detector.amplifiers, truth.full_well_e, strict=True):
        np.minimum(piece, full, out=raw[amplifier.image.slices])
    return charge


def _transferred(charge: FloatArray, truth: DetectorTruth) -> FloatArray:
    """First-order charge transfer inefficiency: what n transfers leave behind arrives one pixel late."""
    _, height, width = charge.shape
    rows, columns = np.arange(1, height + 1, dtype=np.float32), np.arange(1, width + 1, dtype=np.float32)
    late = charge * (_each(truth.parallel_cti) * rows[:, None])
    charge -= late
    charge[:, 1:, :] += late[:, :-1, :]
    np.multiply(charge, _each(truth.serial_cti) * columns, out=late)
    charge -= late
    charge[:, :, 1:] += late[:, :, :-1]
    return charge


def _digitised(charge: FloatArray, truth: DetectorTruth, rng: np.random.Generator) -> NDArray[np.int32]:
    adu = rng.standard_normal(charge.shape, dtype=np.float32)
    adu *= _each(truth.read_noise_e / truth.gain)
    adu += charge / _each(truth.gain)
    adu += truth.bias_shape_adu
    adu += _each(truth.bias_adu)
    return np.clip(np.rint(adu, out=adu), 0, ADC_MAX, out=adu).astype(np.int32)


def _each(values: FloatArray) -> FloatArray:
    return values[:, None, None]
