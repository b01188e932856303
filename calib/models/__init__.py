"""Calibration's tables: what was measured, the limits, the machine's verdicts and people's."""

from calib.models.exposures import CheckResult, ExposureStatistic, Judgement
from calib.models.measurements import Assessment, Finding, Measurement
from calib.models.reviews import Review
from calib.models.thresholds import Level, Threshold

__all__ = [
    "Assessment",
    "CheckResult",
    "ExposureStatistic",
    "Finding",
    "Judgement",
    "Level",
    "Measurement",
    "Review",
    "Threshold",
]
