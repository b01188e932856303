"""The certification drill's own judgement: which frames are hit, what departs from its twin, what counts as what."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from calib.drills import certification, twins
from calib.drills.certification import SetSeen
from calib.drills.narrowed import narrowed
from calib.models import Product
from calib.products.made import Made
from dayops import camera
from dayops.models import Exposure, RawFrame
from dayops.simulator.faults import FAULTS, fault_named
from dayops.simulator.observatory import Programme

DAY = 20261122
FAULT = fault_named("light-in-a-bias")


def seen(**changes: Any) -> SetSeen:
    """A set of a day with a fault, none of whose frames was used, certified."""
    plain = SetSeen(
        fault=FAULT,
        day_obs=DAY,
        certified=True,
        reasons=(),
        complete=True,
        hit=27,
        used=0,
        held_out=0,
        departures=(),
    )
    return replace(plain, **changes)


def programme(fault: str) -> Programme:
    return Programme(camera.load("minicam"), DAY, 22, datetime(2026, 11, 22, 16, tzinfo=UTC), fault=fault_named(fault))


def frame(seq_num: int, detector: int, day_obs: int = DAY) -> RawFrame:
    return RawFrame(exposure=Exposure(day_obs=day_obs, seq_num=seq_num), detector=detector)


class TestWhatASetCountsAs:
    def test_one_without_a_frame_that_was_hit_is_good(self) -> None:
        assert seen().is_good
        assert seen().verdict == "certified"
        assert seen(certified=False).verdict == "REFUSED GOOD"

    def test_that_of_a_healthy_day_is_good_whatever_it_lacks(self) -> None:
        assert seen(fault=None, complete=False, certified=False).verdict == "REFUSED GOOD"

    def test_one_with_a_product_that_departs_is_bad_and_must_be_refused(self) -> None:
        bad = seen(used=1, departures=("R22_S11 bias departs.",))
        assert bad.is_bad
        assert not bad.is_good
        assert bad.verdict == "CERTIFIED BAD"
        assert replace(bad, certified=False).verdict == "refused"

    def test_one_whose_hit_frames_changed_nothing_may_be_certified(self) -> None:
        harmless = seen(used=9)
        assert not harmless.is_bad
        assert harmless.verdict == "certified with harmless"

    @pytest.mark.parametrize("changes", [{"complete": False}, {"held_out": 1}, {"used": 1}])
    def test_the_gate_may_refuse_one_that_lacks_products_or_met_hit_frames(self, changes: dict[str, Any]) -> None:
        assert seen(certified=False, **changes).verdict == "refused"

    def test_the_counts_tell_bad_sets_that_were_certified_from_good_ones_that_were_not(self) -> None:
        bad = seen(used=1, departures=("It departs.",))
        sets = [seen(fault=None), seen(certified=False), bad, replace(bad, certified=False), seen(held_out=1)]
        counts = certification.summary(sets)
        assert (counts["bad_sets"], counts["departing_sets"], counts["certified_bad"]) == (4, 2, 1)
        assert (counts["good_sets"], counts["refused_good"]) == (2, 1)
        assert counts["healthy_sets"] == 1

    def test_the_line_of_a_refused_set_says_why(self) -> None:
        said = certification.line(seen(certified=False, complete=False, reasons=("One.", "Two.", "Three.")))
        assert "light-in-a-bias" in said
        assert said.endswith("One.; Two. (and 1 more)")


class TestWhichFramesAreHit:
    def test_every_detector_of_the_days_biases_by_light_in_a_bias(self) -> None:
        assert all(twins.is_hit(frame(seq_num, 4), programme("light-in-a-bias")) for seq_num in (1, 2, 3))
        assert not twins.is_hit(frame(4, 4), programme("light-in-a-bias"))

    def test_none_of_another_day(self) -> None:
        assert not twins.is_hit(frame(1, 4, day_obs=20261121), programme("light-in-a-bias"))

    def test_one_detector_alone_by_a_fault_of_one(self) -> None:
        hit = [detector for detector in range(9) if twins.is_hit(frame(1, detector), programme("bias-shift"))]
        assert len(hit) == 1

    def test_none_of_a_healthy_day(self) -> None:
        healthy = replace(programme("bias-shift"), fault=None)
        assert not any(twins.is_hit(frame(1, detector), healthy) for detector in range(9))


class TestWhatDeparts:
    def crosstalk(self, coefficients: list[list[float]]) -> tuple[Product, Made]:
        numbers = {"coefficients": [[0.0, 1e-4], [2e-4, 0.0]], "errors": [[0.0, 1e-6], [1e-6, 0.0]]}
        made = Made(content=b"", statistics=numbers | {"coefficients": coefficients}, provenance={}, inputs=())
        return Product(type="crosstalk", statistics=numbers), made

    def test_a_number_by_as_many_of_its_errors_as_it_differs(self) -> None:
        assert twins.crosstalk_departure(*self.crosstalk([[0.0, 1.06e-4], [2e-4, 0.0]])) == pytest.approx(6.0)
        assert twins.crosstalk_departure(*self.crosstalk([[0.0, 1e-4], [2e-4, 0.0]])) == 0

    def test_a_number_that_is_known_of_one_alone_departs_in_any_case(self) -> None:
        assert twins.crosstalk_departure(*self.crosstalk([[0.0, np.nan], [2e-4, 0.0]])) == np.inf

    def test_a_curve_of_other_exposure_times_departs_in_any_case(self) -> None:
        numbers = {"gain": [1.5], "gain_error": [0.01], "exposure_s": [15.0, 30.0]}
        made = Made(content=b"", statistics=numbers | {"exposure_s": [15.0, 15.0]}, provenance={}, inputs=())
        assert twins.curve_departure(Product(type="ptc", statistics=numbers), made) == np.inf
        assert twins.curve_departure(Product(type="ptc", statistics=numbers), replace(made, statistics=numbers)) == 0

    @pytest.mark.parametrize(("added", "departs"), [(0.0, False), (0.1, False), (0.5, True)])
    def test_an_image_by_the_worst_median_of_its_patches(self, added: float, departs: bool) -> None:
        detector = camera.load("minicam").by_name["R22_S11"]
        image = np.zeros((detector.height, detector.width), dtype=np.float32)
        spoilt = image.copy()
        spoilt[:32, :32] += added
        far = twins.image_departure(spoilt, image, detector, np.ones(len(detector.amplifiers)))
        assert (far > twins.CHANCES) is departs

    def test_an_image_that_lost_pixels_departs_in_any_case(self) -> None:
        detector = camera.load("minicam").by_name["R22_S11"]
        image = np.zeros((detector.height, detector.width), dtype=np.float32)
        lost = image.copy()
        lost[detector.amplifiers[0].place.slices] = np.nan
        assert twins.image_departure(lost, image, detector, np.ones(len(detector.amplifiers))) == np.inf
        assert twins.image_departure(image, image, detector, np.ones(len(detector.amplifiers))) == 0


def test_faults_whose_twins_are_alike_are_in_the_catalogue() -> None:
    assert {fault.name for fault in FAULTS} >= twins.TWINS_ALIKE


def test_a_narrowed_camera_has_the_named_detectors_alone() -> None:
    whole = camera.load("comcam")
    before = whole.science_detectors
    try:
        alone = narrowed("comcam", ["R22_S11"])
        assert [detector.name for detector in alone.detectors] == ["R22_S11"]
        assert [detector.name for detector in camera.load("comcam").science_detectors] == ["R22_S11"]
    finally:
        vars(whole)["science_detectors"] = before
