"""Cameras that nobody described: geometry from section cards, and its way through JSON."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayops import camera
from dayops.camera import generic
from dayops.camera.cards import Findings
from dayops.camera.geometry import Box, Detector
from dayops.camera.json import detector_from_json, detector_to_json


def detector(
    *images: dict[str, Any], primary: dict[str, Any] | None = None, shape: tuple[int, ...] = (100, 60)
) -> Detector:
    findings = Findings()
    found = generic.detector([primary or {}, *images], [None, *(shape for _ in images)], findings)
    assert found is not None, findings.problems
    return found


def problem(card: dict[str, Any], shape: tuple[int, ...] = (100, 60)) -> str:
    findings = Findings()
    assert generic.detector([card], [shape], findings) is None
    return findings.problems[0]


def test_without_sections_the_whole_image_holds_light():
    amplifier = detector({}).amplifiers[0]
    assert (amplifier.image, amplifier.serial_overscan) == (Box(0, 0, 60, 100), None)


def test_trimsec_is_preferred_to_datasec():
    assert detector({"TRIMSEC": "[1:50,1:100]", "DATASEC": "[1:60,1:100]"}).amplifiers[0].image.width == 50


def test_a_biassec_beside_the_light_is_serial_overscan():
    amplifier = detector({"DATASEC": "[1:50,1:100]", "BIASSEC": "[51:60,1:100]"}).amplifiers[0]
    assert (amplifier.serial_overscan, amplifier.parallel_overscan) == (Box(50, 0, 60, 100), None)


def test_a_biassec_above_the_light_is_parallel_overscan():
    amplifier = detector({"DATASEC": "[1:60,1:90]", "BIASSEC": "[1:60,91:100]"}).amplifiers[0]
    assert (amplifier.serial_overscan, amplifier.parallel_overscan) == (None, Box(0, 90, 60, 100))


def test_amplifiers_go_where_detsec_puts_them_counted_from_the_detectors_own_corner():
    left, right = detector({"DETSEC": "[101:160,1:100]"}, {"DETSEC": "[220:161,1:100]"}).amplifiers
    assert (left.place, left.flip_x) == (Box(0, 0, 60, 100), False)
    assert (right.place, right.flip_x) == (Box(60, 0, 120, 100), True)


@pytest.mark.parametrize(
    "second",
    ["[30:89,1:100]", "UNKNOWN", "[61:180,1:100]", "[60001:60060,1:100]"],
    ids=["overlapping", "unknown", "binned", "far away"],
)
def test_amplifiers_whose_detsec_makes_no_sense_stand_in_a_row(second):
    both = detector({"DETSEC": "[60:1,1:100]"}, {"DETSEC": second})
    assert [(a.place.x0, a.flip_x) for a in both.amplifiers] == [(0, False), (60, False)]
    assert (both.width, both.height) == (120, 100)


@pytest.mark.parametrize(
    ("card", "word"),
    [
        ({"DATASEC": "[1:61,1:100]"}, "DATASEC reaches beyond the image of 60 × 100 pixels"),
        ({"BIASSEC": "[1:10,1:100]"}, "BIASSEC overlaps"),
        ({"TRIMSEC": "all of it"}, "is not a FITS section"),
    ],
)
def test_sections_that_cannot_be_are_refused(card, word):
    assert word in problem(card)


@pytest.mark.parametrize("shape", [(3, 100, 60), (100,), (0, 60), (100_000, 60)])
def test_an_image_that_is_no_plane_of_pixels_is_refused(shape):
    assert "expected two axes" in problem({}, shape)


def test_a_file_without_images_is_refused():
    findings = Findings()
    assert generic.detector([{}], [None], findings) is None
    assert findings.problems == ["The file holds no image: expected at least one HDU with two axes."]


def test_nominal_values_come_from_the_image_before_the_primary_header():
    cards = {"EPERDN": 9.0, "GAIN": 2.5, "SATURATE": 60_000}
    amplifier = detector(cards, primary={"GAIN": 1.0, "RDNOISE": 4.0}).amplifiers[0]
    assert (amplifier.gain, amplifier.read_noise, amplifier.saturation) == (2.5, 4.0, 60_000)


def test_an_unknown_gain_is_nan():
    assert math.isnan(detector({}).amplifiers[0].gain)


@pytest.mark.parametrize(("bzero", "top"), [(32_768, 65_535), (None, 32_767)])
def test_sixteen_bits_saturate_at_their_largest_number(bzero, top):
    card = {"BITPIX": 16} | ({"BZERO": bzero} if bzero else {})
    assert detector(card).amplifiers[0].saturation == top


def test_an_extension_is_named_only_where_the_name_is_its_own():
    same = detector({"EXTNAME": "SCI"}, {"EXTNAME": "SCI"})
    assert [amplifier.extension for amplifier in same.amplifiers] == ["1", "2"]


sizes = st.integers(4, 400)
numbers = st.none() | st.floats(0.1, 1e5)


@given(sizes, sizes, st.integers(1, 4), numbers, numbers)
def test_any_generic_detector_comes_back_from_json(width, height, count, gain, saturation):
    card = {"DATASEC": f"[1:{width - 2},1:{height}]", "BIASSEC": f"[{width - 1}:{width},1:{height}]"}
    card |= {"GAIN": gain, "SATURATE": saturation, "EXTNAME": "im"}
    before = detector(*[card] * count, shape=(height, width))
    written = json.dumps(detector_to_json(before), allow_nan=False)
    after = detector_from_json(json.loads(written))
    assert repr(after) == repr(before)
    assert repr(after.amplifiers) == repr(before.amplifiers)  # repr, because an unknown gain is NaN


def test_a_described_camera_comes_back_from_json_equal():
    before = camera.load("lsstcam").by_name["R00_SW0"]
    assert detector_from_json(json.loads(json.dumps(detector_to_json(before)))) == before


@pytest.mark.parametrize("data", [{}, {"amplifiers": [{}]}, {"amplifiers": 3}])
def test_json_that_is_no_geometry_is_refused(data):
    with pytest.raises(ValueError, match="not a detector's geometry"):
        detector_from_json(data)
