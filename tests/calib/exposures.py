"""Builders of exposures, frames and verdicts: rows only, no pixels."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from calib import services
from calib.models import Assessment, Threshold
from calib.science.metrics import METRICS
from dayops.camera import Detector, load
from dayops.models import Exposure, FrameState, RawFrame

DAY = 20261122
BEGIN = datetime(2026, 11, 22, 16, 20, tzinfo=UTC)


def exposure(seq_num: int = 1, *, camera: str = "minicam", image_type: str = "BIAS", **fields: Any) -> Exposure:
    """One exposure of 2026-11-22, half a minute after the one before; keywords replace fields."""
    usual = {
        "name": f"MC_S_{DAY}_{seq_num:06d}",
        "day_obs": DAY,
        "exposure_s": 0.0,
        "step": image_type.lower(),
        "began_at": BEGIN + timedelta(seconds=30 * seq_num),
        "detectors_expected": 9,
    }
    return Exposure.objects.create(camera=camera, seq_num=seq_num, image_type=image_type, **{**usual, **fields})


def archived(of: Exposure, detector: int = 0, **fields: Any) -> RawFrame:
    """The frame of one detector, of content that no other test frame has."""
    name = fields.pop("detector_name", None) or load(of.camera).by_id[detector].name
    file_name = f"{of.name}_{name}.fits"
    content = f"{of.pk}/{detector}/{fields.get('state', '')}".encode()
    usual = {
        "sha256": sha256(content).hexdigest(),
        "size": 123_456,
        "file_name": file_name,
        "source": "a test",
        "verified": True,
        "header": {"OBSID": of.name},
    }
    return RawFrame.objects.create(exposure=of, detector=detector, detector_name=name, **{**usual, **fields})


def quarantined(of: Exposure, detector: int = 0, reason: str = "other bytes came before") -> RawFrame:
    return archived(of, detector, state=FrameState.QUARANTINED, reason=reason)


def assessed(frame: RawFrame, **metrics: ArrayLike) -> Assessment:
    """Judge a frame: every amplifier healthy, but for the `metrics` given (one value, or one for each amplifier)."""
    detector = load(frame.exposure.camera).by_id[frame.detector]
    return services.record_assessment(frame, detector, measured(detector, **metrics))


def limits_of(metric: str, **fields: Any) -> Threshold:
    """Limits of minicam's `metric`, in force since long before any frame; keywords replace fields."""
    usual = {"camera": "minicam", "author": "sofia", "reason": "a test", "valid_from": "2000-01-01T00:00Z"}
    return Threshold.objects.create(metric=metric, **{**usual, **fields})


def measured(detector: Detector, **metrics: ArrayLike) -> dict[str, NDArray[np.float64]]:
    """What a healthy frame of `detector` measures of its own pixels, but for the `metrics` given."""
    own = {metric.name: 0.0 for metric in METRICS if metric.source == "pixels" and metric.per == "amplifier"}
    healthy = own | {"read_noise_e": 5.7, "read_noise_adu": 3.8, "overscan_level": 25_000.0}
    healthy |= {"flat_level": np.nan, "flat_snr": np.nan}
    count = {metric.name: len(detector.amplifiers) if metric.per == "amplifier" else 1 for metric in METRICS}
    return {
        name: np.array(np.broadcast_to(value, count[name]), dtype=np.float64)
        for name, value in {**healthy, **metrics}.items()
    }
