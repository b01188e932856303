"""RQ entry points of the calibration activity."""

from calib import rejudging, services
from calib.exposure_judgement import judge_if_complete
from calib.measurement import measure_frame
from dayops.camera import detector_of
from dayops.engine import Work, job_function
from dayops.models import Exposure, RawFrame


@job_function("calib.measure")
def measure(work: Work) -> None:
    """Measure one raw frame and judge it; with the exposure's last frame, judge the exposure."""
    frame = RawFrame.objects.select_related("exposure").get(pk=work.arguments["frame"])
    detector = detector_of(frame.exposure.camera, frame.detector, frame.geometry)
    measured = measure_frame(frame, detector)
    with work.commit(inputs=measured.inputs) as result:
        assessment = services.record_assessment(frame, detector, measured.values, measured.remarks)
        result["verdict"] = assessment.get_level_display()
    judge_if_complete(frame.exposure)


@job_function("calib.rejudge")
def judge_again(work: Work) -> None:
    """Judge the stored numbers of one exposure by the limits in force now."""
    exposure = Exposure.objects.get(pk=work.arguments["exposure"])
    with work.commit() as result:
        result["frames with another verdict"] = rejudging.rejudge(exposure)
