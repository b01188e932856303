"""Calibration's tables: what was measured, the limits, the machine's verdicts and people's, and the masters."""

from calib.models.certifications import CalibrationSlot, Certification, CertificationAction
from calib.models.exposures import CheckResult, ExposureStatistic, Judgement
from calib.models.measurements import Assessment, Finding, Measurement
from calib.models.products import Product, ProductSet, ProductType, Verification
from calib.models.reviews import Review
from calib.models.thresholds import Level, Threshold

__all__ = [
    "Assessment",
    "CalibrationSlot",
    "Certification",
    "CertificationAction",
    "CheckResult",
    "ExposureStatistic",
    "Finding",
    "Judgement",
    "Level",
    "Measurement",
    "Product",
    "ProductSet",
    "ProductType",
    "Review",
    "Threshold",
    "Verification",
]
