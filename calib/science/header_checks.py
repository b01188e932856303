"""What a raw header says of its pixels, and where the two contradict each other.

LSST's readout writes AVERAGE, AVGBIAS and STDVBIAS of each segment into its header, so that a frame can be triaged
before a pixel is read.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from calib.science.amplifier import DetectorStatistics

Header = Mapping[str, Any]

SHUTTER_EARLY_S = 1.0  # dates may round; they never end before the exposure does
SHUTTER_LATE_S = 6.0  # and may count the readout: 3.05 s in LSST's ComCam
LEVEL_ADU = 20.0  # between the mean of the header and our median: charge trails and rays are in the one only
LEVEL_SHARE = 0.02


def header_values(headers: Sequence[Header], count: int) -> dict[str, npt.NDArray[np.float64]]:
    """`header_bias_level` and `header_bias_noise` of `count` amplifiers, ADU; NaN where a header does not say."""
    return {
        "header_bias_level": _column(headers, "AVGBIAS", count),
        "header_bias_noise": _column(headers, "STDVBIAS", count),
    }


def temperature_offset(header: Header) -> float:
    """Temperature of the sensor less the one wanted, °C; NaN where the header lacks either."""
    return _number(header, "CCDTEMP") - _number(header, "TEMP_SET")


def dark_time_s(header: Header, exposure_s: float) -> float:
    """Seconds over which dark current collects: DARKTIME, or the exposure time where that is not said."""
    said = _number(header, "DARKTIME")
    return said if math.isfinite(said) and said > 0 else exposure_s


def contradictions(header: Header, headers: Sequence[Header], statistics: DetectorStatistics) -> list[str]:
    """One sentence for each statement of the header that its other cards or the pixels contradict."""
    return [*_shutter(header), *_segments(headers, statistics)]


def _shutter(header: Header) -> list[str]:
    said, began, ended = _number(header, "EXPTIME"), _instant(header, "DATE-BEG"), _instant(header, "DATE-END")
    if began is None or ended is None or not math.isfinite(said):
        return []
    span = (ended - began).total_seconds()
    latest = max(said, dark_time_s(header, said)) + SHUTTER_LATE_S
    if said - SHUTTER_EARLY_S <= span <= latest:
        return []
    return [f"EXPTIME says {said:g} s, but DATE-BEG to DATE-END are {span:g} s."]


def _segments(headers: Sequence[Header], statistics: DetectorStatistics) -> list[str]:
    """AVGBIAS against the overscan level, AVERAGE against level and mean of the image; one sentence for each card."""
    level = statistics.of("overscan_level")
    count = len(statistics.amplifiers)
    pairs = (
        ("AVGBIAS", _column(headers, "AVGBIAS", count), level),
        ("AVERAGE", _column(headers, "AVERAGE", count), np.where(np.isnan(level), 0, level) + statistics.of("mean")),
    )
    sentences = []
    for card, said, found in pairs:
        wrong = np.flatnonzero(np.abs(said - found) > np.maximum(LEVEL_ADU, LEVEL_SHARE * np.abs(found)))
        if wrong.size:
            first = int(wrong[0])
            sentences.append(
                f"{card} differs from the pixels in {wrong.size} of {count} amplifiers; the first is "
                f"{statistics.amplifiers[first]}: {said[first]:.1f} ADU said, {found[first]:.1f} ADU found."
            )
    return sentences


def _column(headers: Sequence[Header], card: str, count: int) -> npt.NDArray[np.float64]:
    found = [_number(header, card) for header in headers[:count]]
    return np.array(found + [math.nan] * (count - len(found)))


def _number(header: Header, card: str) -> float:
    value = header.get(card)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    return float(value)


def _instant(header: Header, card: str) -> datetime | None:
    try:
        return datetime.fromisoformat(str(header.get(card)))
    except ValueError:
        return None
