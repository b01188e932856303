"""Header translation: what a good header says, and everything that can be wrong with one."""

import pytest

from dayops.camera.headers import BadFrame, describe
from dayops.camera.segments import amplifier_headers
from tests.raw_headers import ABSENT, NOW, described, minicam_frame, problems


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
