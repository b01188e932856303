"""What one raw frame says about each amplifier: levels, noise and pixels that misbehave.

What each number is says `calib.science.metrics`; the limits that define it are the constants below, with their sources.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from calib.science.correlation import strongest_correlations
from calib.science.dark import measure_dark
from calib.science.distribution import Distribution, Pixels, distribution
from calib.science.flat import UNLIT, amplifier_scatter, measure_flat
from calib.science.lines import line_amplitude
from calib.science.overscan import Overscan, measure_overscan
from calib.science.profile import Profile, measure_profile
from calib.science.structure import corner_mean, measure_structure
from calib.science.stuck_bits import stuck_bits
from dayops.camera.geometry import Amplifier, Box, Detector

HOT_BIAS_ADU = 1000.0  # above the median in a bias: the default of cp_pipe's defect finder
_LIT = {"FLAT", "PTC"}
_DARK = {"BIAS", "DARK"}
_UNEVEN = ("corner_mean", "gradient", "row_structure", "column_structure", "line_amplitude")


@dataclass(frozen=True)
class DetectorStatistics:
    """`values[metric, amplifier]`, float64; `names` and `amplifiers` name its rows and columns.

    NaN where a metric does not apply: no overscan, no gain, no saturation, another image type, no finite pixel.
    `invalid_fraction` always applies. `detector_values` are the metrics of the detector as a whole, by name.
    """

    names: tuple[str, ...]
    amplifiers: tuple[str, ...]
    values: npt.NDArray[np.float64]
    detector_values: dict[str, float]

    def of(self, metric: str) -> npt.NDArray[np.float64]:
        """The values of one metric for all amplifiers. Raises KeyError, in words, for an unknown one."""
        if metric not in self.names:
            raise KeyError(f"There is no metric {metric!r}: expected one of {', '.join(self.names)}.")
        return np.asarray(self.values[self.names.index(metric)])


def measure_detector(
    segments: Sequence[Pixels],
    detector: Detector,
    exposure_s: float,
    image_type: str,
    dark_time_s: float | None = None,
) -> DetectorStatistics:
    """Measure every amplifier of a raw frame.

    Parameters
    ----------
    segments
        Raw pixels of each amplifier in ADU, rows first, as `dayops.images.read_segments` gives them.
    exposure_s
        Exposure time in seconds.
    image_type
        BIAS, DARK, FLAT, ... upper case.
    dark_time_s
        Seconds over which charge collects; the exposure time where it is not given.

    Raises
    ------
    ValueError
        The segments are not those of `detector`.
    """
    _refuse_those_of_another(segments, detector)
    overscans = [
        None if amplifier.serial_overscan is None else measure_overscan(_cut(segment, amplifier.serial_overscan))
        for amplifier, segment in zip(detector.amplifiers, segments, strict=True)
    ]
    columns = [
        measure_amplifier(segment, overscan, amplifier, exposure_s, image_type)
        for amplifier, overscan, segment in zip(detector.amplifiers, overscans, segments, strict=True)
    ]
    metrics = {name: np.array([column[name] for column in columns]) for name in columns[0]}
    metrics["amplifier_correlation"] = strongest_correlations(overscans)
    whole: dict[str, float] = {}
    if image_type in _LIT:
        signals_e = metrics["median"] * [amplifier.gain for amplifier in detector.amplifiers]
        whole["amplifier_scatter"] = amplifier_scatter(signals_e)
    if image_type == "DARK":
        images = [
            _cut(segment, amplifier.image) for amplifier, segment in zip(detector.amplifiers, segments, strict=True)
        ]
        levels = metrics["median"] + np.where(np.isnan(metrics["overscan_level"]), 0.0, metrics["overscan_level"])
        dark_s = exposure_s if dark_time_s is None else dark_time_s
        hot, rates = measure_dark(images, levels, metrics["robust_sigma"], detector, exposure_s, dark_s)
        metrics["hot_pixels"] = hot
        whole |= rates
    return DetectorStatistics(
        names=tuple(metrics),
        amplifiers=tuple(amplifier.name for amplifier in detector.amplifiers),
        values=np.stack(list(metrics.values())),
        detector_values=whole,
    )


def measure_amplifier(
    raw: Pixels, overscan: Overscan | None, amplifier: Amplifier, exposure_s: float, image_type: str
) -> dict[str, float]:
    """The metrics of one raw segment by name, all but those that need other amplifiers; see `measure_detector`."""
    pixels = _cut(raw, amplifier.image)
    image = distribution(pixels)
    level = 0.0 if overscan is None or np.isnan(overscan.level) else overscan.level
    return {
        **_overscan_metrics(overscan, amplifier.gain),
        "mean": image.mean - level,
        "median": image.median - level,
        "robust_sigma": image.robust_sigma,
        **_structure_metrics(pixels, image, level, image_type),
        "saturated_fraction": _saturated_fraction(image, amplifier.saturation),
        "hot_pixels": _hot_pixels(image, image_type),
        "stuck_bits": stuck_bits(image, amplifier.saturation),
        "invalid_fraction": 1.0 - image.count / (amplifier.image.width * amplifier.image.height),
        **(measure_flat(image, overscan, amplifier.gain, exposure_s) if image_type in _LIT else UNLIT),
    }


def warm_up() -> None:
    """Compile (or load from the cache) every kernel for the types that raw pixels have."""
    for dtype in ("int32", "uint16", "int16", "float32"):
        segment: npt.NDArray[Any] = np.zeros((8, 16), dtype=dtype)
        overscan = measure_overscan(segment[:, 1:])  # a view, as every cut of a segment is
        strongest_correlations([overscan, overscan])
        for pixels in (segment, segment[:, 1:]):  # whole, as in a frame without sections, and cut
            measure_structure(pixels, distribution(pixels))


def _refuse_those_of_another(segments: Sequence[Pixels], detector: Detector) -> None:
    if len(segments) != len(detector.amplifiers):
        raise ValueError(f"{detector.name} has {len(detector.amplifiers)} amplifiers: {len(segments)} segments came.")
    wrong = [
        amplifier.name
        for amplifier, segment in zip(detector.amplifiers, segments, strict=True)
        if segment.shape != (amplifier.raw_height, amplifier.raw_width)
    ]
    if wrong:
        raise ValueError(f"The segments {', '.join(wrong)} do not have the shape of {detector.name}'s amplifiers.")


def _cut(raw: Pixels, box: Box) -> Pixels:
    return raw[box.slices]


def _overscan_metrics(overscan: Overscan | None, gain: float) -> dict[str, float]:
    profile = Profile() if overscan is None else measure_profile(overscan.rows)
    noise = np.nan if overscan is None else overscan.noise
    return {
        "overscan_level": np.nan if overscan is None else overscan.level,
        "read_noise_adu": noise,
        "read_noise_e": noise * gain,
        "overscan_slope": profile.slope,
        "overscan_rms": profile.rms,
        "overscan_maximum": profile.maximum,
        "bias_shifts": profile.shift,
        "banding": profile.banding,
    }


def _structure_metrics(pixels: Pixels, image: Distribution, level: float, image_type: str) -> dict[str, float]:
    structure = measure_structure(pixels, image)
    if structure is None:
        return dict.fromkeys(_UNEVEN, np.nan)
    return {
        "corner_mean": corner_mean(pixels, structure) - level,
        "gradient": structure.gradient,
        "row_structure": structure.row_structure,
        "column_structure": structure.column_structure,
        "line_amplitude": line_amplitude(pixels, structure) if image_type in _DARK else np.nan,
    }


def _saturated_fraction(image: Distribution, saturation: float) -> float:
    if not image.count or np.isnan(saturation):
        return np.nan
    return 1.0 - image.below(saturation) / image.count


def _hot_pixels(image: Distribution, image_type: str) -> float:
    """Of a bias; those of a dark are found among its cosmic rays, see `calib.science.dark`."""
    if image_type != "BIAS" or not image.count:
        return np.nan
    return float(image.above(image.median + HOT_BIAS_ADU))
