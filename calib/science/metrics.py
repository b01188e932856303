"""Every number that is taken of a raw frame: its name in tables and addresses, its unit, and what it is.

The names are the vocabulary of limits, findings, trends and the fault catalogue. Where a number is computed says its
definition's `source`: from the frame's own pixels, from its headers, or by comparing it with other frames.
"""

from dataclasses import dataclass
from typing import Literal

Per = Literal["amplifier", "detector"]
Source = Literal["pixels", "header", "comparison"]


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """One number per amplifier, or one per detector."""

    name: str
    unit: str
    description: str
    per: Per = "amplifier"
    source: Source = "pixels"


METRICS: tuple[MetricDefinition, ...] = (
    MetricDefinition("overscan_level", "ADU", "Median of the serial overscan without its first three columns."),
    MetricDefinition(
        "read_noise_adu", "ADU", "Scatter of the serial overscan about row and column means, clipped at 5 sigma."
    ),
    MetricDefinition("read_noise_e", "e⁻", "The read noise in ADU times the amplifier's nominal gain."),
    MetricDefinition(
        "overscan_slope", "ADU", "Rise of the serial overscan from its first row to its last, by a straight line."
    ),
    MetricDefinition("overscan_rms", "ADU", "Scatter of the serial overscan's row means about that straight line."),
    MetricDefinition(
        "overscan_maximum", "ADU", "Largest distance of a row mean of the serial overscan from the straight line."
    ),
    MetricDefinition(
        "bias_shifts", "ADU", "Largest step of the overscan level from 30 rows to the next 30, less the straight line."
    ),
    MetricDefinition(
        "banding", "ADU", "Amplitude of the strongest periodic line in the overscan's row means, noise taken off."
    ),
    MetricDefinition("mean", "ADU", "Mean of the image pixels less the overscan level (if there is overscan)."),
    MetricDefinition("median", "ADU", "Median of the image pixels less the overscan level (if there is overscan)."),
    MetricDefinition("robust_sigma", "ADU", "1.4826 times the median absolute deviation of the image pixels."),
    MetricDefinition(
        "corner_mean", "ADU", "Mean of the 200 × 200 image pixels nearest to the amplifier, less the overscan level."
    ),
    MetricDefinition("gradient", "ADU", "Range of a plane fitted to the image, from its lowest to its highest corner."),
    MetricDefinition(
        "row_structure", "ADU", "Scatter of the image's row means about the plane, pixel noise taken off."
    ),
    MetricDefinition(
        "column_structure", "ADU", "Scatter of the image's column means about the plane, pixel noise taken off."
    ),
    MetricDefinition(
        "line_amplitude", "ADU", "Bias and dark: amplitude of the strongest periodic line along the image's rows."
    ),
    MetricDefinition(
        "amplifier_correlation", "", "Largest correlation of the overscan's noise with another amplifier's."
    ),
    MetricDefinition(
        "saturated_fraction", "", "Share of image pixels at or above the amplifier's saturation, as read."
    ),
    MetricDefinition("dead_fraction", "", "Flats and PTC only: share of image pixels below half of the median signal."),
    MetricDefinition("cold_pixels", "pixels", "Flats and PTC only: image pixels below 80 % of the median signal."),
    MetricDefinition(
        "hot_pixels",
        "pixels",
        "Bias: image pixels 1000 ADU above the median. Dark: more than 5 e⁻/s (and 6 sigma) above it, without the "
        "tracks of cosmic rays.",
    ),
    MetricDefinition(
        "stuck_bits", "bits", "Bits that are set in none or all of the pixels though their values span both."
    ),
    MetricDefinition("invalid_fraction", "", "Share of image pixels that are not finite numbers; integers always are."),
    MetricDefinition(
        "flat_level", "e⁻/s", "Flats and PTC only: median signal by the nominal gain in a second of EXPTIME."
    ),
    MetricDefinition("flat_snr", "", "Flats and PTC only: median signal over the robust sigma of the image."),
    MetricDefinition("cosmic_ray_rate", "/cm²/min", "Darks only: tracks of cosmic rays.", per="detector"),
    MetricDefinition(
        "crosstalk",
        "",
        "Darks only: share of a bright pixel's signal that appears in the neighbouring amplifiers.",
        per="detector",
    ),
    MetricDefinition(
        "amplifier_scatter",
        "",
        "Flats and PTC only: standard deviation over mean of the amplifiers' signals in electrons.",
        per="detector",
    ),
    MetricDefinition("header_bias_level", "ADU", "AVGBIAS of the header, where it has one.", source="header"),
    MetricDefinition(
        "header_bias_noise", "ADU", "STDVBIAS of the header (unclipped), where it has one.", source="header"
    ),
    MetricDefinition(
        "header_contradicts_pixels",
        "",
        "How many statements of the header the pixels or its other cards contradict.",
        per="detector",
        source="header",
    ),
    MetricDefinition(
        "sensor_temperature", "°C", "Temperature of the sensor less the one wanted.", per="detector", source="header"
    ),
    MetricDefinition(
        "overscan_level_drift", "ADU", "Overscan level less the amplifier's recent median.", source="comparison"
    ),
    MetricDefinition("read_noise_change", "", "Read noise over the amplifier's recent median.", source="comparison"),
    MetricDefinition(
        "dark_current",
        "e⁻/s",
        "Darks only: signal above the amplifier's recent biases by the nominal gain in a second of dark time.",
        source="comparison",
    ),
    MetricDefinition(
        "gain_from_flat_pair", "e⁻/ADU", "Gain from this flat and its partner of equal light.", source="comparison"
    ),
    MetricDefinition(
        "gain_change", "", "Gain from the flat pair over the amplifier's recent median.", source="comparison"
    ),
)
BY_NAME = {metric.name: metric for metric in METRICS}
