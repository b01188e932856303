"""Numbers of a frame that need other frames: its amplifiers' own past, and a flat's partner."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from django.db.models import QuerySet

from calib import reviews
from calib.models import Review
from calib.references import usual
from calib.science.amplifier import DetectorStatistics
from calib.science.distribution import Pixels
from calib.science.flat_pair import flat_pair, late_charge
from calib.science.overscan import measure_overscan
from dayops.camera import Amplifier, Detector
from dayops.models import Exposure, FrameState, RawFrame

Array = npt.NDArray[np.float64]

_LIT = {"FLAT", "PTC"}
BRIGHTEST_E = 60_000.0  # where a non-linearity of 1.5 % at 100,000 e⁻ makes the gain 2.7 % too large


def compared(exposure: Exposure, detector: Detector, statistics: DetectorStatistics, dark_s: float) -> dict[str, Array]:
    """The metrics that compare a frame with its amplifiers' past, but for those of a flat pair.

    `dark_s` is the time over which its charge collected, in seconds.
    """
    before = usual(exposure, [detector], "overscan_level", "read_noise_adu")
    level, noise = before["overscan_level", detector.id], before["read_noise_adu", detector.id]
    found = {
        "overscan_level_drift": statistics.of("overscan_level") - level,
        "read_noise_change": _ratio(statistics.of("read_noise_adu"), noise),
    }
    if exposure.image_type == "DARK":
        found["dark_current"] = _dark_current(exposure, detector, statistics, dark_s)
    return found


def paired(
    frame: RawFrame, detector: Detector, segments: Sequence[Pixels], partner: Sequence[Pixels]
) -> dict[str, Array]:
    """The gain from a flat and its partner, and how it compares with the same filter's usual one."""
    gain = np.array([_gain(*pair) for pair in zip(segments, partner, detector.amplifiers, strict=True)])
    if frame.exposure.image_type != "FLAT":
        return {"gain_from_flat_pair": gain}
    metric = "gain_from_flat_pair"
    before = usual(frame.exposure, [detector], metric, image_type="FLAT", filter=frame.exposure.filter)
    return {metric: gain, "gain_change": _ratio(gain, before[metric, detector.id])}


def _gain(first: Pixels, second: Pixels, amplifier: Amplifier) -> float:
    """NaN without overscan, and where the flats are too faint, too bright or too different for a gain."""
    if amplifier.serial_overscan is None:
        return np.nan
    one, other = (measure_overscan(raw[amplifier.serial_overscan.slices]) for raw in (first, second))
    images = [raw[amplifier.image.slices] for raw in (first, second)]
    pair = flat_pair(
        images[0], images[1], (one.level, other.level), (one.noise, other.noise), late_charge(first, amplifier)
    )
    return pair.gain if pair.signal * amplifier.gain <= BRIGHTEST_E else np.nan


def partner_of(frame: RawFrame) -> RawFrame | None:
    """The flat of the same detector, day, step, filter and time next to this one, preferably the one before.

    Where the one before came late, it finds this one as its next: each pair is measured once both are there.
    """
    exposure = frame.exposure
    if exposure.image_type not in _LIT:
        return None
    same = RawFrame.objects.select_related("exposure").filter(
        state=FrameState.ARCHIVED,
        detector=frame.detector,
        exposure__camera=exposure.camera,
        exposure__day_obs=exposure.day_obs,
        exposure__image_type=exposure.image_type,
        exposure__filter=exposure.filter,
        exposure__step=exposure.step,
        exposure__exposure_s=exposure.exposure_s,
    )
    before = same.filter(exposure__seq_num__lt=exposure.seq_num).order_by("-exposure__seq_num")
    after = same.filter(exposure__seq_num__gt=exposure.seq_num).order_by("exposure__seq_num")
    return _first_not_rejected(before) or _first_not_rejected(after)


def _first_not_rejected(frames: QuerySet[RawFrame]) -> RawFrame | None:
    for frame in frames:
        verdicts = (reviews.in_force(frame.exposure, frame), reviews.in_force(frame.exposure))
        if not any(verdict and verdict.decision == Review.Decision.REJECT for verdict in verdicts):
            return frame
    return None


def _dark_current(exposure: Exposure, detector: Detector, statistics: DetectorStatistics, dark_s: float) -> Array:
    """The biases' median carries the shape of the bias, so that only what grew with time is left."""
    gain = np.array([amplifier.gain for amplifier in detector.amplifiers])
    if dark_s <= 0:
        return np.full(gain.shape, np.nan)
    biases = usual(exposure, [detector], "median", image_type="BIAS")["median", detector.id]
    return np.asarray((statistics.of("median") - biases) * gain / dark_s)


def _ratio(values: Array, usual_values: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(usual_values > 0, values / usual_values, np.nan)
