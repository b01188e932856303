"""Defects: against the simulator's truth, and the rules of columns, dark regions, edges and boxes one by one."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.science.defects import DefectLimits, Defects, find_defects, sensitivity_share
from calib.science.mask_planes import Plane, flagged
from dayops import camera
from dayops.camera.geometry import Box, Detector
from dayops.simulator.truth import DetectorTruth, truth_for

MINICAM = camera.load("minicam")
SEED, DAY = 1, 20261122


def tall(rows: int, columns: int = 64) -> Detector:
    """A detector of one amplifier."""
    first = MINICAM.detectors[0].amplifiers[0]
    only = replace(first, place=Box(0, 0, columns, rows))
    return replace(MINICAM.detectors[0], width=columns, height=rows, amplifiers=(only,))


def dark(detector: Detector) -> np.ndarray:
    return np.full((detector.height, detector.width), 0.02, dtype=np.float32)


def flat(detector: Detector) -> np.ndarray:
    return np.ones((detector.height, detector.width), dtype=np.float32)


def kinds(found: Defects) -> list[tuple[str, int, int, int]]:
    return [(box.kind, box.x0, box.y0, box.height) for box in found.boxes]


@cache
def truth(detector_id: int) -> DetectorTruth:
    return truth_for(MINICAM, detector_id, SEED, DAY)


def masters(it: DetectorTruth, rates: np.ndarray, response: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Dark, e⁻/s, its variance, and flat, with the noise of 25 frames of 30 s; the flat still has the gains in it."""
    rng = np.random.default_rng(it.detector.id)
    variance = ((2 * 6.0**2 + rates * 30) / 25 / 30**2).astype(np.float32)
    rate = rates + np.sqrt(variance) * rng.standard_normal(rates.shape, dtype=np.float32)
    lit = response * (1 + 0.002 * rng.standard_normal(rates.shape, dtype=np.float32))
    for gain, amplifier in zip(it.gain, it.detector.amplifiers, strict=True):
        lit[amplifier.place.slices] /= gain
    return rate, variance, lit


@pytest.mark.parametrize("detector_id", [0, 1, 4, 8])
def test_every_defect_of_the_simulator_is_found_and_nothing_else(detector_id):
    it = truth(detector_id)
    rate, variance, lit = masters(it, it.dark_map_e_s, it.response)
    found = find_defects(it.detector, rate, lit, variance)
    np.testing.assert_array_equal(flagged(found.mask, Plane.HOT), it.dark_map_e_s > 5.0)
    np.testing.assert_array_equal(flagged(found.mask, Plane.COLD), it.response < 0.8)
    np.testing.assert_array_equal(flagged(found.mask, Plane.BAD), flagged(found.mask, Plane.HOT | Plane.COLD))


def test_pixels_of_every_rate_and_sensitivity_are_told_apart_beyond_a_tenth_of_the_limits():
    it, rng = truth(0), np.random.default_rng(3)
    some = rng.random(it.response.shape) < 0.02
    rates = np.where(some, rng.uniform(2, 8, some.shape), it.dark_map_e_s).astype(np.float32)
    response = np.where(rng.random(some.shape) < 0.02, rng.uniform(0.5, 1, some.shape), 1.0).astype(np.float32)
    rate, variance, lit = masters(it, rates, response)
    mask = find_defects(it.detector, rate, lit, variance).mask
    for plane, true, value, limit in ((Plane.HOT, rates > 5, rates, 5.0), (Plane.COLD, response < 0.8, response, 0.8)):
        clear = np.abs(value / limit - 1) > 0.1
        np.testing.assert_array_equal(flagged(mask, plane)[clear], true[clear])
        assert true[clear].sum() > 5_000


def test_every_column_of_the_simulator_is_one_box():
    it = truth(4)  # one bright column and two dark ones
    found = find_defects(it.detector, it.dark_map_e_s, it.response)
    expected = [("BRIGHT_COLUMN", box) for box in it.defects.bright_columns]
    expected += [("DARK_COLUMN", box) for box in it.defects.dark_columns]
    columns = [each for each in kinds(found) if "COLUMN" in each[0]]
    assert sorted(columns) == sorted((kind, box.x0, box.y0, box.height) for kind, box in expected)
    assert len(columns) == 3


def test_noise_that_exceeds_the_limit_makes_no_pixel_hot():
    detector, rng = tall(512), np.random.default_rng(4)
    noisy = (3 * rng.standard_normal((512, 64))).astype(np.float32)  # e⁻/s: a dark of two seconds
    noisy[100, 10] = 60.0
    assert (noisy > 5).sum() > 1_000
    found = find_defects(detector, noisy, None, np.full_like(noisy, 9.0))
    assert kinds(found) == [("HOT", 10, 100, 1)]


def test_the_limits_can_be_those_of_lsstcams_production():
    detector = tall(512)
    rate, lit = dark(detector), flat(detector)
    rate[7, 9], lit[8, 9] = 4.0, 0.85
    assert kinds(find_defects(detector, rate, lit)) == []
    stricter = find_defects(detector, rate, lit, limits=DefectLimits(hot_e_s=3.0, cold=0.9))
    assert kinds(stricter) == [("HOT", 9, 7, 1), ("COLD", 9, 8, 1)]


@pytest.mark.parametrize(
    ("rows", "count", "gap", "joined"),
    [(2000, 50, 29, True), (2000, 49, 29, False), (2000, 50, 30, False), (500, 13, 7, True), (500, 11, 7, False)],
)
def test_a_column_with_many_bad_pixels_is_bad_between_them_unless_the_gap_is_wide(rows, count, gap, joined):
    detector = tall(rows)
    rate = dark(detector)
    last = 10 + count - 1 + gap
    rate[10 : 10 + count - 1, 30] = rate[last, 30] = 20.0
    column = flagged(find_defects(detector, rate, None).mask, Plane.BAD)[:, 30]
    assert column[10 : last + 1].all() == joined
    assert column.sum() == (last + 1 - 10 if joined else count)


def test_columns_are_those_of_one_amplifier():
    it = truth(3).detector
    rate = dark(it)
    rate[508:516, 40] = rate[492:508:2, 40] = rate[516:532:2, 40] = 20.0  # 12 bad pixels on either side
    assert not flagged(find_defects(it, rate, None).mask, Plane.COLUMN).any()


def test_flats_are_compared_with_their_surroundings_not_with_their_amplifiers_level():
    detector = tall(512)
    lit = flat(detector) * np.linspace(0.6, 1.4, 512, dtype=np.float32)[:, None]
    lit[20, 5] *= 0.7
    assert kinds(find_defects(detector, None, lit)) == [("COLD", 5, 20, 1)]
    assert sensitivity_share(lit, detector)[20, 5] == pytest.approx(0.7, abs=0.02)


def test_a_region_without_light_is_cold_although_it_is_like_its_surroundings():
    detector = tall(512)
    lit = flat(detector)
    lit[128:256, :32] = 0.01
    cold = flagged(find_defects(detector, None, lit).mask, Plane.COLD)
    assert cold[128:256, :32].all()
    assert cold.sum() == 128 * 32


def test_an_amplifier_without_light_is_cold():
    it = truth(0).detector
    lit = flat(it)
    lit[it.amplifiers[5].place.slices] = 0.001
    cold = flagged(find_defects(it, None, lit).mask, Plane.COLD)
    assert cold[it.amplifiers[5].place.slices].all()
    assert cold.sum() == 128 * 512


def test_pixels_that_a_master_does_not_know_have_no_data_and_are_not_bad():
    detector = tall(64)
    rate, lit = dark(detector), flat(detector)
    rate[3, 4], lit[9, 9] = np.nan, np.nan
    found = find_defects(detector, rate, lit)
    assert found.mask[3, 4] == found.mask[9, 9] == Plane.NO_DATA
    assert kinds(found) == [("NO_DATA", 4, 3, 1), ("NO_DATA", 9, 9, 1)]
    assert np.isnan(found.boxes[0].value)


def test_edges_are_marked_and_are_boxes_that_do_not_overlap():
    detector = tall(100, 50)
    found = find_defects(detector, dark(detector), None, limits=DefectLimits(edge_rows=7, edge_columns=8))
    covered = np.zeros((100, 50), dtype=int)
    for box in found.boxes:
        assert box.kind == "EDGE"
        covered[box.y0 : box.y0 + box.height, box.x0 : box.x0 + box.width] += 1
    np.testing.assert_array_equal(covered, flagged(found.mask, Plane.EDGE))
    assert covered[7:-7, 8:-8].sum() == 0
    assert covered.sum() == 100 * 50 - 86 * 34
    assert not flagged(found.mask, Plane.BAD).any()


@given(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 0.2, 0.6]))
@settings(max_examples=40, deadline=None)
def test_boxes_cover_what_the_mask_marks_once_and_tell_its_mean(seed, share):
    rng, detector = np.random.default_rng(seed), tall(90, 40)
    rate, lit = dark(detector), flat(detector)
    hot, cold, gone = (rng.random(rate.shape) < share * each for each in (1, 0.3, 0.1))
    rate[hot], lit[cold], rate[gone] = 20.0, 0.5, np.nan
    found = find_defects(detector, rate, lit)
    covered = np.zeros(rate.shape, dtype=int)
    for box in found.boxes:
        at = slice(box.y0, box.y0 + box.height), slice(box.x0, box.x0 + box.width)
        covered[at] += 1
        if box.kind in ("HOT", "COLD"):
            np.testing.assert_allclose(box.value, np.mean((rate if box.kind == "HOT" else lit)[at]), rtol=0.1)
    np.testing.assert_array_equal(covered, found.mask != 0)
    starts = {(box.kind, box.x0, box.y0) for box in found.boxes}
    assert not any((box.kind, box.x0, box.y0 + box.height) in starts for box in found.boxes)  # as high as they can be


def test_a_good_detector_has_no_boxes():
    detector = tall(64)
    assert find_defects(detector, dark(detector), flat(detector)).boxes == []


def test_without_masters_there_is_nothing_to_say():
    with pytest.raises(ValueError, match="Defects of R22_S00 need a dark, a flat or both: none came"):
        find_defects(tall(64), None, None)


@pytest.mark.parametrize("which", ["dark", "flat", "dark's variance"])
def test_a_master_of_another_detector_is_refused(which):
    detector, wrong = tall(64), np.zeros((64, 63), dtype=np.float32)
    images = {name: wrong if name == which else dark(detector) for name in ("dark", "flat", "dark's variance")}
    with pytest.raises(
        ValueError, match=rf"The {which} is not of R22_S00: its shape is \(64, 63\), expected \(64, 64\)"
    ):
        find_defects(detector, images["dark"], images["flat"], images["dark's variance"])
