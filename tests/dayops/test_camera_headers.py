"""Header translation: every real file, and everything that can be wrong with a header."""

from datetime import UTC, datetime
from typing import Any

import pytest

from dayops import camera
from dayops.camera.geometry import Box
from dayops.camera.headers import BadFrame, FrameDescription, describe
from dayops.camera.sections import format_section
from dayops.camera.segments import amplifier_headers
from dayops.images import read_headers
from tests.real_data import FOLDER, needs_real_data, real_file

NOW = datetime(2026, 11, 23, tzinfo=UTC)
ABSENT = object()


def minicam_frame(**changes: Any) -> tuple[list[dict[str, Any]], list[tuple[int, ...] | None]]:
    """Headers and shapes of a good minicam flat, with primary cards changed, or taken out by ABSENT."""
    primary = {
        "INSTRUME": "MiniCam",
        "OBSID": "MC_S_20261122_000012",
        "DAYOBS": "20261122",
        "SEQNUM": 12,
        "IMGTYPE": "FLAT",
        "EXPTIME": 15.0,
        "FILTER": "r",
        "TIMESYS": "TAI",
        "DATE-BEG": "2026-11-22T16:20:37.000",
        "RAFTBAY": "R22",
        "CCDSLOT": "S11",
        "DAYSTEP": "flat-r",
    } | {name.replace("_", "-"): value for name, value in changes.items()}
    headers: list[dict[str, Any]] = [{name: value for name, value in primary.items() if value is not ABSENT}]
    shapes: list[tuple[int, ...] | None] = [None]
    for amplifier in camera.load("minicam").detectors[0].amplifiers:
        detsec = format_section(amplifier.place, flip_x=amplifier.flip_x, flip_y=amplifier.flip_y)
        datasec = format_section(amplifier.image)
        headers.append({"EXTNAME": amplifier.extension, "DATASEC": datasec, "DETSEC": detsec, "AVGBIAS": 25_000.5})
        shapes.append((amplifier.raw_height, amplifier.raw_width))
    return headers, shapes


def described(**changes: Any) -> FrameDescription:
    return describe(*minicam_frame(**changes), "frame.fits", now=NOW)


def problems(**changes: Any) -> list[str]:
    with pytest.raises(BadFrame) as refusal:
        described(**changes)
    return refusal.value.problems


REAL = {
    # file: camera, detector, amplifiers, exposure, image type, seconds, filter, dayObs, begin (UTC)
    "lsst_headers/3018092000065-det000.fits": (
        ("latiss", "R00_S00", 16, "AT_C_20180920_000065"),
        ("SCIENCE", 27.0, "", 20180920, "2018-09-21T06:12:18.210000"),
    ),
    "lsst_headers/3019031900001-R10-S02-det029.fits": (
        ("lsstcam", "R10_S02", 16, "MC_C_20190319_000001"),
        ("BIAS", 0.0, "", 20190319, "2019-03-19T15:50:28.145000"),
    ),
    "lsst_headers/3019032200002-R10-S22-det035.fits": (
        ("lsstcam", "R10_S22", 16, "MC_C_20190322_000002"),
        ("FLAT", 1.0, "SDSSi~ND_OD0.5", 20190322, "2019-03-22T15:31:01.904000"),
    ),
    "lsst_headers/30211212000310-R22-S22-det098.fits": (
        ("lsstcam", "R22_S22", 16, "MC_C_20211212_000310"),
        ("FLAT", 7.83172, "SDSSi", 20211212, "2021-12-13T04:58:56.398000"),
    ),
    "lsst_headers/CC_S_20240404_000780_R22_S01.fits": (
        ("comcam", "R22_S01", 16, "CC_S_20240404_000780"),
        ("SCIENCE", 30.0, "r_03", 20240404, "2024-04-05T10:10:56.270000"),
    ),
    "lsst_headers/e2v_spot.fits.gz": (
        ("lsstcam", "R22_S11", 16, "MC_C_20191031_001985"),
        ("SPOT", 16.0, "", 20191031, "2019-11-01T02:50:06.589000"),
    ),
    "raw_frames/a8280271.fits": (
        ("generic", "CCD0", 1, "a8280271"),
        ("SCIENCE", 150.04, "48", 20130712, "2013-07-13T00:57:33"),
    ),
    "raw_frames/coj2m002-en12-20200321-0022-a00.fits.fz": (
        ("generic", "CCD0", 1, "coj2m002-en12-20200321-0022-a00"),
        ("ARC", 80.073, "air", 20200321, "2020-03-21T19:00:22.538000"),
    ),
    "raw_frames/coj2m002-en12-20200321-0023-w00.fits.fz": (
        ("generic", "CCD0", 1, "coj2m002-en12-20200321-0023-w00"),
        ("FLAT", 40.027, "air", 20200321, "2020-03-21T19:02:32.746000"),
    ),
    "raw_frames/coj2m002-en12-20210126-0004-w00.fits.fz": (
        ("generic", "CCD0", 1, "coj2m002-en12-20210126-0004-w00"),
        ("FLAT", 80.134, "air", 20210126, "2021-01-26T15:37:47.424000"),
    ),
    "raw_frames/coj2m002-en12-20210126-0005-a00.fits.fz": (
        ("generic", "CCD0", 1, "coj2m002-en12-20210126-0005-a00"),
        ("ARC", 40.063, "air", 20210126, "2021-01-26T15:39:58.094000"),
    ),
    "raw_frames/v_dark_1.fits.gz": (
        ("generic", "CCD0", 1, "v_dark_1"),
        ("DARK", 600.0, "", 20190912, "2019-09-12T15:37:39.697000"),
    ),
    "raw_frames/v_w_20180803_7_1_0_1.fits.gz": (
        ("generic", "CCD0", 1, "v_w_20180803_7_1_0_1"),
        ("FLAT", 1.0, "4020longpass", 20180803, "2018-08-03T20:21:09.357000"),
    ),
} | {
    f"raw_frames/v_e_20180810_12_{number}_0_0.fits.gz": (
        ("generic", "CCD0", 1, f"v_e_20180810_12_{number}_0_0"),
        ("SCIENCE", 120.0, "4020longpass", 20180810, began),
    )
    for number, began in enumerate(
        [
            "2018-08-10T23:22:58.628000",
            "2018-08-10T23:25:07.841000",
            "2018-08-10T23:27:16.110000",
            "2018-08-10T23:29:24.380000",
            "2018-08-10T23:31:32.648000",
        ],
        start=1,
    )
}


@needs_real_data
@pytest.mark.parametrize("place", REAL)
def test_every_real_frame_is_described_rightly(place):
    what, how = REAL[place]
    frame = describe(*read_headers(real_file(*place.split("/"))), place.split("/")[1])
    began = frame.began_at.replace(tzinfo=None).isoformat()
    assert (frame.camera, frame.detector.name, len(frame.detector.amplifiers), frame.exposure) == what
    assert (frame.image_type, frame.exposure_s, frame.filter, frame.day_obs, began) == how


@needs_real_data
def test_the_real_frames_are_all_in_the_table_above():
    there = {
        f"{path.parent.name}/{path.name}"
        for part in ("lsst_headers", "raw_frames")
        for path in (FOLDER / part).iterdir()
    }
    assert there - {"lsst_headers/bias-det000_2018-09-21.fits"} == set(REAL)


@needs_real_data
def test_a_real_master_bias_is_refused_as_no_raw_frame():
    headers, shapes = read_headers(real_file("lsst_headers", "bias-det000_2018-09-21.fits"))
    with pytest.raises(BadFrame, match="finished calibration product") as refusal:
        describe(headers, shapes, "bias-det000_2018-09-21.fits")
    assert len(refusal.value.problems) == 1


@needs_real_data
def test_a_real_overscan_lies_where_biassec_has_it():
    frame = describe(*read_headers(real_file("raw_frames", "a8280271.fits")), "a8280271.fits")
    amplifier = frame.detector.amplifiers[0]
    assert (amplifier.image, amplifier.serial_overscan) == (Box(16, 0, 528, 520), Box(3, 0, 13, 520))


def test_a_good_frame_is_described_without_remarks():
    frame = described()
    assert frame.remarks == ()
    assert (frame.camera, frame.exposure, frame.day_obs, frame.seq_num) == (
        "minicam",
        "MC_S_20261122_000012",
        20261122,
        12,
    )
    assert (frame.image_type, frame.exposure_s, frame.filter, frame.step) == ("FLAT", 15.0, "r", "flat-r")
    assert (frame.detector.name, frame.detectors_expected) == ("R22_S11", 9)


def test_a_start_in_tai_becomes_utc():
    assert described().began_at == datetime(2026, 11, 22, 16, 20, 0, tzinfo=UTC)


def test_a_start_without_a_clock_is_utc():
    assert described(TIMESYS=ABSENT).began_at == datetime(2026, 11, 22, 16, 20, 37, tzinfo=UTC)


def test_every_missing_card_is_named_at_once():
    found = " ".join(problems(IMGTYPE=ABSENT, EXPTIME=ABSENT, DATE_BEG=ABSENT, RAFTBAY=ABSENT, OBSID=ABSENT))
    for thing in ("image type", "exposure time", "start of the exposure", "detector", "OBSID"):
        assert thing in found


@pytest.mark.parametrize("value", [None, "abc", -1.0, 1e9, "nan", True])
def test_an_absurd_exposure_time_is_refused(value):
    assert "EXPTIME" in problems(EXPTIME=value)[0]


def test_a_flat_of_zero_seconds_contradicts_itself():
    assert problems(EXPTIME=0.0) == ["The header contradicts itself: a FLAT whose EXPTIME is 0 s."]


def test_a_bias_of_thirty_seconds_contradicts_itself():
    assert problems(IMGTYPE="BIAS", EXPTIME=30.0) == ["The header contradicts itself: a BIAS whose EXPTIME is 30 s."]


def test_a_bias_of_zero_seconds_is_good():
    assert described(IMGTYPE="BIAS", EXPTIME=0.0).image_type == "BIAS"


@pytest.mark.parametrize(
    ("said", "meant"),
    [("object", "SCIENCE"), ("EXPOSE", "SCIENCE"), ("LAMP-FLAT", "FLAT"), ("lampflat", "FLAT"), ("ptc", "PTC")],
)
def test_other_observatories_words_for_image_types_are_understood(said, meant):
    assert described(IMGTYPE=said).image_type == meant


@pytest.mark.parametrize("said", ["<script>alert(1)</script>", "A" * 21, "FLAT 1", "ПЛОСК"])
def test_an_image_type_that_is_no_short_word_is_refused(said):
    assert "is not one word" in problems(IMGTYPE=said)[0]


def test_an_unknown_detector_is_refused_by_name():
    assert problems(CCDSLOT="S33") == ["minicam has no detector R22_S33 (RAFTBAY and CCDSLOT)."]


def test_markup_in_a_header_stays_text_of_bounded_length():
    assert described(FILTER="<script>" + "x" * 500).filter == "<script>" + "x" * 17


def test_control_characters_never_come_through():
    assert described(DAYSTEP="flat\x00\x1b[31m\n r").step == "flat [31m r"


@pytest.mark.parametrize("name", ["../../etc/passwd", "a/b", "<b>", "x" * 101])
def test_an_exposure_name_that_could_not_stand_in_an_address_is_refused(name):
    assert "OBSID" in problems(OBSID=name)[0]


def test_a_segment_of_the_wrong_shape_is_named():
    headers, shapes = minicam_frame()
    shapes[3] = (528, 160)
    with pytest.raises(BadFrame, match="Segment12: not 164 × 528 pixels"):
        describe(headers, shapes, "frame.fits")


def test_a_missing_segment_is_named():
    headers, shapes = minicam_frame()
    with pytest.raises(BadFrame, match="Segment00: missing of the 16 segments of R22_S11"):
        describe(headers[:-1], shapes[:-1], "frame.fits")


def test_an_image_that_is_no_segment_is_named():
    headers, shapes = minicam_frame()
    with pytest.raises(BadFrame, match="PREVIEW: not among the segments"):
        describe([*headers, {"EXTNAME": "PREVIEW"}], [*shapes, (8, 8)], "frame.fits")


@pytest.mark.parametrize(
    ("card", "value"), [("DATASEC", "[1:128,1:512]"), ("DETSEC", "[1:128,1:512]"), ("DETSEC", "?")]
)
def test_sections_that_disagree_with_geometry_are_named(card, value):
    headers, shapes = minicam_frame()
    headers[2][card] = value
    with pytest.raises(BadFrame, match=f"Segment11: {card} is not"):
        describe(headers, shapes, "frame.fits")


def test_a_day_obs_that_contradicts_the_start_is_remarked_and_the_start_wins():
    frame = described(DAYOBS="20261120")
    assert frame.day_obs == 20261122
    assert frame.remarks == ("The header says dayObs 20261120; by its start the exposure belongs to 20261122.",)


def test_a_start_in_the_future_is_a_remark_about_the_clock():
    frame = described(DATE_BEG="2031-01-01T16:00:00", DAYOBS=ABSENT)
    assert frame.remarks[0].startswith("Clock: the exposure says it began in the future")


def test_a_clock_that_was_never_set_leaves_the_day_to_the_header():
    frame = described(DATE_BEG="1970-01-01T00:00:12")
    assert frame.day_obs == 20261122
    assert frame.remarks[0].startswith("Clock:")


@pytest.mark.parametrize("date", ["2026-13-01T00:00:00", "yesterday", "2026-11-22"])
def test_a_start_that_is_no_usable_date_is_refused(date):
    assert "start of the exposure is" in problems(DATE_BEG=date)[0]


@pytest.mark.parametrize("date", ["1066-10-14T09:00:00", "1969-12-31T23:59:59", "9999-12-31T23:59:59"])
def test_a_start_outside_the_age_of_such_cameras_is_refused(date):
    assert "expected 1970 to 2100" in problems(DATE_BEG=date)[0]


def test_an_unknown_clock_is_refused():
    assert "TIMESYS 'SIDEREAL' is not a known clock" in problems(TIMESYS="SIDEREAL")[0]


def test_a_julian_date_serves_where_no_date_does():
    frame = described(DATE_BEG=ABSENT, MJD_BEG=61366.681_25, TIMESYS="UTC")
    assert abs((frame.began_at - datetime(2026, 11, 22, 16, 21, tzinfo=UTC)).total_seconds()) < 0.001


def test_an_asked_camera_overrides_the_instrument_with_a_remark():
    frame = describe(*minicam_frame(INSTRUME="LATISS"), "frame.fits", "minicam", now=NOW)
    assert frame.remarks == ("INSTRUME says LATISS; the frame was taken as minicam's, as asked.",)


def test_an_asked_camera_that_does_not_exist_is_refused_with_the_choices():
    with pytest.raises(BadFrame, match="expected one of comcam, latiss, lsstcam, minicam, generic"):
        describe(*minicam_frame(), "frame.fits", "hubble")


def test_a_frame_asked_to_be_generic_is_named_after_its_file():
    frame = describe(*minicam_frame(), "/drop/../odd name<1>.fits.gz", "generic", now=NOW)
    assert (frame.camera, frame.exposure) == ("generic", "odd_name_1_")


def test_the_number_of_detectors_expected_may_be_said_by_the_header():
    assert described(NEXPECT=3).detectors_expected == 3


@pytest.mark.parametrize("number", [0, 10, -1, None])
def test_an_impossible_number_of_detectors_is_not_believed(number):
    assert described(NEXPECT=number).detectors_expected == 9


def test_what_the_readout_measured_is_kept_for_each_amplifier():
    headers, shapes = minicam_frame()
    kept = amplifier_headers(describe(headers, shapes, "frame.fits").detector, headers)
    assert kept[8] == {"name": "C07", "AVGBIAS": 25_000.5}
    assert len(kept) == 16


def test_no_headers_at_all_are_refused():
    with pytest.raises(BadFrame, match="no image"):
        describe([], [], "frame.fits")
