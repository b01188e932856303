"""What one raw frame says about each amplifier: levels, noise and pixels that misbehave.

Every number is defined once, in `METRICS`; the limits that define it are the constants below, with their sources.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calib.science.distribution import Distribution, Pixels, distribution
from calib.science.overscan import Overscan, measure_overscan, warm_up
from dayops.camera.geometry import Amplifier, Box, Detector

__all__ = ["METRICS", "DetectorStatistics", "MetricDefinition", "measure_amplifier", "measure_detector", "warm_up"]

DEAD_RESPONSE = 0.5  # of the amplifier's median in a flat; LSST masks defects from 0.8 on, a dead pixel is beyond doubt
LIT_SIGMA = 10.0  # a flat whose median is not this many read noises above the overscan is dark: nothing can be dead
HOT_RATE = 5.0  # electrons a second in a dark: a bright pixel in LSST's electro-optical tests (eo_pipe, SITCOMTN-148)
HOT_BIAS_ADU = 1000.0  # above the median in a bias: the default of cp_pipe's defect finder
HOT_SIGMA = 6.0  # a dark too short for HOT_RATE to rise from the noise must not call noise hot
_LIT = {"FLAT", "PTC"}


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """One number per amplifier: its name in tables and addresses, its unit, and what it is."""

    name: str
    unit: str
    description: str


METRICS: tuple[MetricDefinition, ...] = (
    MetricDefinition("overscan_level", "ADU", "Median of the serial overscan without its first three columns."),
    MetricDefinition(
        "read_noise_adu", "ADU", "Scatter of the serial overscan about row and column means, clipped at 5 sigma."
    ),
    MetricDefinition("read_noise_e", "e⁻", "The read noise in ADU times the amplifier's nominal gain."),
    MetricDefinition("mean", "ADU", "Mean of the image pixels less the overscan level (if there is overscan)."),
    MetricDefinition("median", "ADU", "Median of the image pixels less the overscan level (if there is overscan)."),
    MetricDefinition("robust_sigma", "ADU", "1.4826 times the median absolute deviation of the image pixels."),
    MetricDefinition(
        "saturated_fraction", "", "Share of image pixels at or above the amplifier's saturation, as read."
    ),
    MetricDefinition("dead_fraction", "", "Flats and PTC only: share of image pixels below half of the median signal."),
    MetricDefinition(
        "hot_pixels",
        "pixels",
        "Bias: image pixels 1000 ADU above the median. Dark: more than 5 e⁻/s (and 6 sigma) above it; "
        "cosmic rays count too.",
    ),
    MetricDefinition("invalid_fraction", "", "Share of image pixels that are not finite numbers; integers always are."),
)


@dataclass(frozen=True)
class DetectorStatistics:
    """`values[metric, amplifier]`, float64; `names` and `amplifiers` name its rows and columns.

    NaN where a metric does not apply: no overscan, no gain, no saturation, another image type, no finite pixel.
    `invalid_fraction` always applies.
    """

    names: tuple[str, ...]
    amplifiers: tuple[str, ...]
    values: npt.NDArray[np.float64]

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
        names=tuple(metric.name for metric in METRICS),
        amplifiers=tuple(amplifier.name for amplifier in detector.amplifiers),
        values=np.stack(columns, axis=1),
    )


def measure_amplifier(raw: Pixels, amplifier: Amplifier, exposure_s: float, image_type: str) -> npt.NDArray[np.float64]:
    """The metrics of one raw segment, shape (len(METRICS),); see `measure_detector`."""
    image = distribution(_cut(raw, amplifier.image))
    overscan = _overscan(raw, amplifier.serial_overscan)
    level = 0.0 if np.isnan(overscan.level) else overscan.level
    return np.array(
        [
            overscan.level,
            overscan.noise,
            overscan.noise * amplifier.gain,
            image.mean - level,
            image.median - level,
            image.robust_sigma,
            _saturated_fraction(image, amplifier.saturation),
            _dead_fraction(image, overscan) if image_type in _LIT else np.nan,
            _hot_pixels(image, _hot_limit(image_type, exposure_s, amplifier.gain, image.robust_sigma)),
            1.0 - image.count / (amplifier.image.width * amplifier.image.height),
        ]
    )


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
