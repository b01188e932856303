"""RQ entry points of the calibration activity."""

from calib import services
from calib.science.amplifier import measure_detector
from dayops.archive import store
from dayops.camera import detector_of
from dayops.engine import Work, job_function
from dayops.images import read_segments
from dayops.models import RawFrame


@job_function("calib.measure")
def measure(work: Work) -> None:
    """Measure one raw frame and judge it."""
    frame = RawFrame.objects.select_related("exposure").get(pk=work.arguments["frame"])
    detector = detector_of(frame.exposure.camera, frame.detector, frame.geometry)
    with store().local_path(frame.sha256) as path:
        segments = read_segments(path, detector)
    statistics = measure_detector(segments, detector, frame.exposure.exposure_s, frame.exposure.image_type)
    with work.commit(inputs=[frame.sha256]) as result:
        assessment = services.record_assessment(frame, statistics)
        result["verdict"] = assessment.get_level_display()
