"""Camera geometry: the counts, the layouts, the places on the focal plane, and the real headers' word on them."""

import numpy as np
import pytest
from astropy.io import fits

from dayops import camera
from dayops.camera.geometry import Detector
from dayops.camera.sections import Section, parse
from tests.real_data import FOLDER, needs_real_data, real_file

LSST_FRAMES = {
    "3018092000065-det000.fits": ("latiss", "R00_S00"),
    "3019031900001-R10-S02-det029.fits": ("lsstcam", "R10_S02"),
    "3019032200002-R10-S22-det035.fits": ("lsstcam", "R10_S22"),
    "30211212000310-R22-S22-det098.fits": ("lsstcam", "R22_S22"),
    "CC_S_20240404_000780_R22_S01.fits": ("comcam", "R22_S01"),
    "e2v_spot.fits.gz": ("lsstcam", "R22_S11"),
}
cameras = pytest.mark.parametrize("name", camera.names())


def section(text: object) -> Section:
    read = parse(text)
    assert read is not None
    return read


def every_detector(name: str) -> list[Detector]:
    return list(camera.load(name).detectors)


def test_an_unknown_camera_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match="expected one of comcam, latiss, lsstcam, minicam"):
        camera.load("hubble")


def test_a_camera_is_built_once():
    assert camera.load("minicam") is camera.load("minicam")


def test_lsstcam_has_189_science_detectors_eight_guiders_and_eight_wavefront_sensors():
    kinds = [detector.kind for detector in every_detector("lsstcam")]
    assert (kinds.count("SCIENCE"), kinds.count("GUIDER"), kinds.count("WAVEFRONT")) == (189, 8, 8)


def test_lsstcam_reads_3024_science_amplifiers():
    assert sum(len(detector.amplifiers) for detector in camera.load("lsstcam").science_detectors) == 3_024


def test_lsstcam_has_thirteen_e2v_rafts():
    assert len({d.raft for d in every_detector("lsstcam") if d.vendor == "E2V"}) == 13


@pytest.mark.parametrize(("name", "id_"), [("R01_S00", 0), ("R10_S02", 29), ("R22_S11", 94), ("R43_S22", 188)])
def test_lsstcam_science_detectors_are_numbered_raft_by_raft(name, id_):
    assert camera.load("lsstcam").by_name[name].id == id_


def test_lsstcam_corner_detectors_follow_from_189():
    names = [camera.load("lsstcam").by_id[id_].name for id_ in range(189, 205)]
    assert names[:5] == ["R00_SG0", "R00_SG1", "R00_SW0", "R00_SW1", "R04_SG0"]
    assert names[-1] == "R44_SW1"


def test_minicam_is_nine_detectors_of_1024_pixels_square_with_16_amplifiers():
    detectors = every_detector("minicam")
    assert [(d.id, d.slot) for d in detectors] == list(
        enumerate(["S00", "S01", "S02", "S10", "S11", "S12", "S20", "S21", "S22"])
    )
    assert {(d.width, d.height, len(d.amplifiers)) for d in detectors} == {(1024, 1024, 16)}


def test_minicam_segments_are_164_by_528_pixels():
    amplifier = camera.load("minicam").detectors[0].amplifiers[0]
    assert (amplifier.raw_width, amplifier.raw_height, amplifier.name, amplifier.extension) == (
        164,
        528,
        "C10",
        "Segment10",
    )


@cameras
def test_amplifiers_cover_each_detector_exactly_once(name):
    for detector in {d.amplifiers: d for d in every_detector(name)}.values():
        times = np.zeros((detector.height, detector.width), dtype=np.uint8)
        for amplifier in detector.amplifiers:
            times[amplifier.place.slices] += 1
        assert times.min() == times.max() == 1


@cameras
def test_the_boxes_of_a_segment_never_overlap_and_leave_only_the_corners_of_the_parallel_overscan(name):
    for amplifiers in {d.amplifiers for d in every_detector(name)}:
        segment = amplifiers[0]
        times = np.zeros((segment.raw_height, segment.raw_width), dtype=np.uint8)
        for box in (segment.image, segment.prescan, segment.serial_overscan, segment.parallel_overscan):
            assert box is not None
            times[box.slices] += 1
        assert times.max() == 1
        assert (times == 0).sum() == (segment.raw_height - segment.image.y1) * (segment.raw_width - segment.image.width)


def footprint_mm(detector: Detector) -> tuple[float, float, float, float]:
    along_x, along_y = detector.width, detector.height
    if detector.rotation_deg in (90, 270):
        along_x, along_y = along_y, along_x
    half_x, half_y = along_x * detector.pixel_um / 2000, along_y * detector.pixel_um / 2000
    return detector.x_mm - half_x, detector.y_mm - half_y, detector.x_mm + half_x, detector.y_mm + half_y


@cameras
def test_no_two_detectors_touch_on_the_focal_plane(name):
    x0, y0, x1, y1 = np.array([footprint_mm(detector) for detector in every_detector(name)]).T
    apart = (x1[:, None] < x0) | (x1 < x0[:, None]) | (y1[:, None] < y0) | (y1 < y0[:, None])
    assert np.all(apart | np.eye(len(x0), dtype=bool))


def test_each_wavefront_sensor_is_nearer_the_centre_than_its_rafts_own():
    detectors = every_detector("lsstcam")
    for sensor in (d for d in detectors if d.kind == "WAVEFRONT"):
        assert np.hypot(sensor.x_mm, sensor.y_mm) < np.hypot(254, 254)


def first_light_pixel_on_focal_plane(header: fits.Header) -> tuple[float, float]:
    """Pixels, as the real FOCAL_PLANE WCS has it, of DETSEC's own first image pixel of Segment10's far column."""
    column = section(header["DATASEC"]).box.x1  # raw column, counted from 1, that lands on detector column 1
    return header["CRVAL1F"] + header["PC1_2F"] * 1, header["CRVAL2F"] + header["PC2_1F"] * column


def on_focal_plane(detector: Detector) -> tuple[float, float]:
    """Where geometry puts the centre of detector pixel (0, 0), in mm; LSST's detectors are turned by 90 degrees."""
    across = (0.5 - detector.width / 2) * detector.pixel_um / 1000
    along = (0.5 - detector.height / 2) * detector.pixel_um / 1000
    return detector.x_mm - along, detector.y_mm + across


@needs_real_data
@pytest.mark.parametrize("file_name", [name for name, (of, _) in LSST_FRAMES.items() if of == "lsstcam"])
def test_real_headers_put_the_detector_at_the_same_place_and_angle(file_name):
    camera_name, detector_name = LSST_FRAMES[file_name]
    detector = camera.load(camera_name).by_name[detector_name]
    header = fits.getheader(real_file("lsst_headers", file_name), 1)
    centre_px = 5 * 12_700 / 2  # the WCS counts from the corner of five rafts of 127 mm
    x, y = first_light_pixel_on_focal_plane(header)
    assert detector.rotation_deg == 90
    assert ((x - centre_px) / 100, (y - centre_px) / 100) == pytest.approx(on_focal_plane(detector), abs=0.3)


@needs_real_data
@pytest.mark.parametrize("file_name", LSST_FRAMES)
def test_every_amplifier_agrees_with_the_real_headers(file_name):
    camera_name, detector_name = LSST_FRAMES[file_name]
    with fits.open(real_file("lsst_headers", file_name)) as hdus:
        headers = [hdu.header for hdu in hdus if "DATASEC" in hdu.header]
    amplifiers = camera.load(camera_name).by_name[detector_name].amplifiers
    assert [amplifier.extension for amplifier in amplifiers] == [header["EXTNAME"] for header in headers]
    for amplifier, header in zip(amplifiers, headers, strict=True):
        place = section(header["DETSEC"])
        assert (amplifier.raw_width, amplifier.raw_height) == (header["NAXIS1"], header["NAXIS2"])
        assert amplifier.image == section(header["DATASEC"]).box
        assert (amplifier.place, amplifier.flip_x, amplifier.flip_y) == (place.box, place.flip_x, place.flip_y)


@needs_real_data
def test_the_real_frames_of_lsst_are_all_in_the_table_above():
    there = {path.name for path in (FOLDER / "lsst_headers").iterdir()}
    assert there - {"bias-det000_2018-09-21.fits"} == set(LSST_FRAMES)


@pytest.mark.parametrize(
    ("instrument", "name"), [("lsstCam", "lsstcam"), ("LSST_ATISS", "latiss"), ("MiniCam", "minicam")]
)
def test_a_camera_is_known_by_its_instrument(instrument, name):
    assert camera.for_instrument(instrument) is camera.load(name)


def test_an_unknown_instrument_is_of_no_camera():
    assert camera.for_instrument("SPRAT") is None


def test_the_detector_of_an_archived_frame_is_its_cameras():
    assert camera.detector_of("minicam", 4).name == "R22_S11"


def test_the_detector_of_a_generic_frame_is_the_one_kept_with_it():
    kept = camera.detector_to_json(camera.load("latiss").detectors[0])
    assert camera.detector_of("generic", 0, kept) == camera.load("latiss").detectors[0]


def test_a_detector_number_that_does_not_exist_is_refused_with_the_range():
    with pytest.raises(ValueError, match="minicam has no detector 9: expected 0 to 8"):
        camera.detector_of("minicam", 9)
