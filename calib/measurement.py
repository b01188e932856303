"""Everything that is measured of one archived frame: its pixels, its headers, and against other frames."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calib.comparison import compared, paired, partner_of
from calib.science.amplifier import measure_detector
from calib.science.header_checks import contradictions, dark_time_s, header_values, temperature_offset
from dayops.archive import store
from dayops.camera import Detector
from dayops.images import read_segments
from dayops.images.pixels import Segment
from dayops.models import RawFrame


@dataclass(frozen=True)
class MeasuredFrame:
    """`values` by metric: one number for each amplifier, or one for the detector. `inputs` are the files read."""

    values: dict[str, npt.NDArray[np.float64]]
    remarks: list[str]
    inputs: list[str]


def measure_frame(frame: RawFrame, detector: Detector) -> MeasuredFrame:
    """Measure `frame`; a flat together with its partner of equal light, if that has come."""
    segments, exposure = _segments(frame, detector), frame.exposure
    dark_s = dark_time_s(frame.header, exposure.exposure_s)
    statistics = measure_detector(segments, detector, exposure.exposure_s, exposure.image_type, dark_s)
    remarks = contradictions(frame.header, frame.amplifier_headers, statistics)
    whole = statistics.detector_values | {
        "header_contradicts_pixels": float(len(remarks)),
        "sensor_temperature": temperature_offset(frame.header),
    }
    values = {name: statistics.of(name) for name in statistics.names}
    values |= header_values(frame.amplifier_headers, len(detector.amplifiers))
    values |= {name: np.array([value]) for name, value in whole.items()}
    values |= compared(exposure, detector, statistics, dark_s)
    inputs = [frame.sha256]
    if (partner := partner_of(frame)) is not None:
        values |= paired(frame, detector, segments, _segments(partner, detector))
        inputs.append(partner.sha256)
    return MeasuredFrame(values, remarks, inputs)


def _segments(frame: RawFrame, detector: Detector) -> list[Segment]:
    with store().local_path(frame.sha256) as path:
        return read_segments(path, detector)
