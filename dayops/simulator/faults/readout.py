"""Faults of the sensor and its electronics: amplifiers, bias, temperature, converters."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from dayops.simulator.faults.fault import Acts, Fault, Hit, Raw, Where
from dayops.simulator.pixels import ADC_MAX
from dayops.simulator.truth import DetectorTruth, FloatArray

_ONE_AMPLIFIER = Where(amplifiers=1)
_WARMER_DOUBLES_C = 6.0  # dark current doubles every 5 to 7 degrees (Janesick 2001, chapter 7)
_BAND_ROWS = 32.0


def _noise(truth: DetectorTruth, hit: Hit) -> DetectorTruth:
    return replace(truth, read_noise_e=_changed(truth.read_noise_e, hit, lambda _: hit.amplitude))


def _gain(truth: DetectorTruth, hit: Hit) -> DetectorTruth:
    return replace(truth, gain=_changed(truth.gain, hit, lambda gain: gain * hit.amplitude))


def _level(truth: DetectorTruth, hit: Hit) -> DetectorTruth:
    return replace(truth, bias_adu=_changed(truth.bias_adu, hit, lambda level: level + hit.amplitude))


def _crosstalk(truth: DetectorTruth, hit: Hit) -> DetectorTruth:
    return replace(truth, crosstalk=truth.crosstalk * np.float32(hit.amplitude))


def _warmth(truth: DetectorTruth, hit: Hit) -> DetectorTruth:
    """Hot pixels and columns grow with the rest."""
    factor = np.float32(2 ** (hit.amplitude / _WARMER_DOUBLES_C))
    return replace(
        truth,
        temperature_c=truth.temperature_c + hit.amplitude,
        dark_e_s=truth.dark_e_s * factor,
        dark_map_e_s=truth.dark_map_e_s * factor,
    )


def _changed(values: FloatArray, hit: Hit, change: Callable[[float], float]) -> FloatArray:
    """Truth is shared between frames: never changed in place."""
    new = values.copy()
    for index in hit.amplifiers:
        new[index] = change(float(new[index]))
    return new


def _dead(raw: Raw, hit: Hit) -> Raw:
    new = raw.copy()
    new[list(hit.amplifiers)] = int(hit.amplitude)
    return new


def _swapped(raw: Raw, hit: Hit) -> Raw:
    new = raw.copy()
    new[list(hit.amplifiers)] = raw[list(reversed(hit.amplifiers))]
    return new


def _add_a_shift(raw: Raw, hit: Hit) -> Raw:
    """From the middle row on."""
    rows = np.arange(raw.shape[1])
    return _with_rows(raw, hit, np.where(rows < len(rows) // 2, 0.0, hit.amplitude))


def _add_a_slope(raw: Raw, hit: Hit) -> Raw:
    return _with_rows(raw, hit, np.linspace(0.0, hit.amplitude, raw.shape[1]))


def _add_bands(raw: Raw, hit: Hit) -> Raw:
    return _with_rows(raw, hit, hit.amplitude * np.sin(2 * np.pi * np.arange(raw.shape[1]) / _BAND_ROWS))


def _add_settling(raw: Raw, hit: Hit) -> Raw:
    """Falls to 1/e in the time of one readout, through the rows of a frame and from frame to frame."""
    readouts = hit.number + np.arange(raw.shape[1]) / raw.shape[1]
    return _with_rows(raw, hit, hit.amplitude * np.exp(-readouts))


def _with_rows(raw: Raw, hit: Hit, rows_adu: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> Raw:
    """`raw` with a level of each row added, overscans included, as the electronics would."""
    new = raw.copy()
    new[list(hit.amplifiers)] += np.rint(rows_adu).astype(np.int32)[:, None]
    return np.clip(new, 0, ADC_MAX, out=new)


def _saturated_overscan(raw: Raw, hit: Hit) -> Raw:
    new = raw.copy()
    for index in hit.amplifiers:
        if serial := hit.detector.amplifiers[index].serial_overscan:
            new[index][serial.slices] = int(hit.amplitude)
    return new


def _stuck_bit(raw: Raw, hit: Hit) -> Raw:
    new = raw.copy()
    new[list(hit.amplifiers)] |= int(hit.amplitude)
    return new


OVERSCAN_LEVEL, READ_NOISE = "overscan_level", "read_noise_e"

READOUT_FAULTS = (
    Fault(
        "dead-amplifier",
        "An amplifier is dead",
        100.0,
        "ADU in every pixel",
        "a converter without input stays near its lower end, far from the 6,900 ADU and more of real headers",
        _ONE_AMPLIFIER,
        Acts(on_pixels=_dead),
        (OVERSCAN_LEVEL, READ_NOISE),
    ),
    Fault(
        "too-quiet-amplifier",
        "An amplifier is too quiet",
        1.5,
        "e⁻ of read noise",
        "a quarter of LSSTCam's median of 5.68 e⁻, which one-sided tests pass",
        _ONE_AMPLIFIER,
        Acts(on_truth=_noise),
        (READ_NOISE,),
    ),
    Fault(
        "noisy-amplifier",
        "An amplifier is noisy",
        25.0,
        "e⁻ of read noise",
        "beyond LSSTCam's 95 % point of 10.4 e⁻ and acceptance (8 e⁻); its worst have 100 e⁻",
        _ONE_AMPLIFIER,
        Acts(on_truth=_noise),
        (READ_NOISE,),
    ),
    Fault(
        "swapped-amplifiers",
        "Two amplifiers are swapped",
        2.0,
        "amplifiers in each other's place",
        "two cables of one detector",
        Where(amplifiers=2),
        Acts(on_pixels=_swapped),
        ("swapped_amplifiers",),
    ),
    Fault(
        "bias-jump",
        "A bias level jumps",
        25.0,
        "ADU from the second exposure on",
        "DESI calls 2 ADU an error (nightwatch); healthy levels move by less than 4 ADU from day to day",
        Where(skip=1, amplifiers=1),
        Acts(on_truth=_level),
        ("overscan_level_drift",),
    ),
    Fault(
        "bias-shift",
        "A bias level shifts within a frame",
        10.0,
        "ADU from the middle row on",
        "more than twice the read noise; ip_isr looks for shifts of three times the noise of its filtered rows",
        Where(image_types=("BIAS",), amplifiers=1),
        Acts(on_pixels=_add_a_shift),
        ("bias_shifts",),
    ),
    Fault(
        "bias-slope",
        "A bias rises along the rows",
        20.0,
        "ADU from the first row to the last",
        "five times the read noise, ten times the healthy slope",
        Where(image_types=("BIAS",), amplifiers=1),
        Acts(on_pixels=_add_a_slope),
        ("overscan_slope",),
    ),
    Fault(
        "settling",
        "Levels settle after a power cycle",
        40.0,
        "ADU at the first row read out, 1/e of it a frame later",
        "DESI's biases after a reset of VCCD (desispec issue 2777): the first half of them had to be dropped",
        Where(image_types=("BIAS",), detectors=None),
        Acts(on_pixels=_add_settling),
        ("settling",),
    ),
    Fault(
        "warm-ccd",
        "A sensor is too warm",
        20.0,
        "°C, ten times the dark current",
        "brings the median dark current of 0.02 e⁻/s to the 0.2 e⁻/s of acceptance (LCA-128)",
        Where(),
        Acts(on_truth=_warmth),
        ("dark_current", "sensor_temperature"),
    ),
    Fault(
        "banding",
        "Bands across a sensor",
        5.0,
        f"ADU of a sine along the rows, {_BAND_ROWS:.0f} rows long",
        "as strong as the read noise, so that the eye sees it",
        Where(),
        Acts(on_pixels=_add_bands),
        ("banding",),
    ),
    Fault(
        "saturated-overscan",
        "The overscan of flats is saturated",
        float(ADC_MAX),
        "ADU in every pixel of the serial overscan",
        "the upper end of an 18-bit converter; ZTF's went unnoticed until a user complained (2019)",
        Where(image_types=("FLAT",), amplifiers=1),
        Acts(on_pixels=_saturated_overscan),
        (OVERSCAN_LEVEL,),
    ),
    Fault(
        "gain-change",
        "A gain changes",
        1.10,
        "times the e⁻/ADU",
        "twice the 5 % that cp_verify allows a gain from a flat pair",
        _ONE_AMPLIFIER,
        Acts(on_truth=_gain),
        ("gain_change",),
    ),
    Fault(
        "stuck-bit",
        "A bit of a converter is stuck",
        16.0,
        "ADU, the bit that is always set",
        "the fifth bit: hidden in the noise of a flat, of which half of the pixels should lack it",
        _ONE_AMPLIFIER,
        Acts(on_pixels=_stuck_bit),
        ("stuck_bits",),
    ),
    Fault(
        "crosstalk-ten-times",
        "Crosstalk is ten times the usual",
        10.0,
        "times the usual crosstalk",
        "brings 0.03 % between neighbours to 0.3 %, beyond the 0.19 % of acceptance (LCA-128)",
        Where(image_types=("DARK", "FLAT", "PTC"), skip=2),
        Acts(on_truth=_crosstalk),
        ("crosstalk",),
    ),
)
