"""What one raw frame says about each amplifier: levels, noise and pixels that misbehave.

What each number is says `calib.science.metrics`; the limits that define it are the constants below, with their sources.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calib.science.distribution import Distribution, Pixels, distribution
from calib.science.overscan import Overscan, measure_overscan, warm_up
from dayops.camera.geometry import Amplifier, Box, Detector

__all__ = ["DetectorStatistics", "measure_amplifier", "measure_detector", "warm_up"]

DEAD_RESPONSE = 0.5  # of the amplifier's median in a flat; LSST masks defects from 0.8 on, a dead pixel is beyond doubt
LIT_SIGMA = 10.0  # a flat whose median is not this many read noises above the overscan is dark: nothing can be dead
HOT_RATE = 5.0  # electrons a second in a dark: a bright pixel in LSST's electro-optical tests (eo_pipe, SITCOMTN-148)
HOT_BIAS_ADU = 1000.0  # above the median in a bias: the default of cp_pipe's defect finder
HOT_SIGMA = 6.0  # a dark too short for HOT_RATE to rise from the noise must not call noise hot
_LIT = {"FLAT", "PTC"}


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
    segments: Sequence[Pixels], detector: Detector, exposure_s: float, image_type: str
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

    Raises
    ------
    ValueError
        The segments are not those of `detector`.
    """
    if len(segments) != len(detector.amplifiers):
        raise ValueError(f"{detector.name} has {len(detector.amplifiers)} amplifiers: {len(segments)} segments came.")
    wrong = [
        amplifier.name
        for amplifier, segment in zip(detector.amplifiers, segments, strict=True)
        if segment.shape != (amplifier.raw_height, amplifier.raw_width)
    ]
    if wrong:
        raise ValueError(f"The segments {', '.join(wrong)} do not have the shape of {detector.name}'s amplifiers.")
    columns = [
        measure_amplifier(segment, amplifier, exposure_s, image_type)
        for amplifier, segment in zip(detector.amplifiers, segments, strict=True)
    ]
    return DetectorStatistics(
        names=tuple(columns[0]),
        amplifiers=tuple(amplifier.name for amplifier in detector.amplifiers),
        values=np.array([list(column.values()) for column in columns]).T,
        detector_values={},
    )


def measure_amplifier(raw: Pixels, amplifier: Amplifier, exposure_s: float, image_type: str) -> dict[str, float]:
    """The metrics of one raw segment by name; see `measure_detector`."""
    image = distribution(_cut(raw, amplifier.image))
    overscan = _overscan(raw, amplifier.serial_overscan)
    level = 0.0 if np.isnan(overscan.level) else overscan.level
    return {
        "overscan_level": overscan.level,
        "read_noise_adu": overscan.noise,
        "read_noise_e": overscan.noise * amplifier.gain,
        "mean": image.mean - level,
        "median": image.median - level,
        "robust_sigma": image.robust_sigma,
        "saturated_fraction": _saturated_fraction(image, amplifier.saturation),
        "dead_fraction": _dead_fraction(image, overscan) if image_type in _LIT else np.nan,
        "hot_pixels": _hot_pixels(image, _hot_limit(image_type, exposure_s, amplifier.gain, image.robust_sigma)),
        "invalid_fraction": 1.0 - image.count / (amplifier.image.width * amplifier.image.height),
    }


def _cut(raw: Pixels, box: Box) -> Pixels:
    return raw[box.slices]


def _overscan(raw: Pixels, box: Box | None) -> Overscan:
    return Overscan(np.nan, np.nan) if box is None else measure_overscan(_cut(raw, box))


def _saturated_fraction(image: Distribution, saturation: float) -> float:
    if not image.count or np.isnan(saturation):
        return np.nan
    return 1.0 - image.below(saturation) / image.count


def _dead_fraction(image: Distribution, overscan: Overscan) -> float:
    signal = image.median - overscan.level
    if not signal > LIT_SIGMA * overscan.noise:  # also where either is NaN
        return np.nan
    return image.below(overscan.level + DEAD_RESPONSE * signal) / image.count


def _hot_limit(image_type: str, exposure_s: float, gain: float, sigma: float) -> float:
    """ADU above the median from which a pixel is hot; NaN where the image type says nothing about hot pixels."""
    if image_type == "BIAS":
        return HOT_BIAS_ADU
    if image_type == "DARK":
        return float(np.fmax(HOT_RATE * exposure_s / gain, HOT_SIGMA * sigma)) if gain > 0 else np.nan
    return np.nan


def _hot_pixels(image: Distribution, limit: float) -> float:
    return float(image.above(image.median + limit)) if image.count and np.isfinite(limit) else np.nan
