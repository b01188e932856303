"""Everything that is measured of an archived frame: simulated files through the archive, their truth beside them."""

import io
from datetime import UTC, datetime, timedelta
from functools import cache

import numpy as np
import pytest

from calib import reviews, services
from calib.comparison import partner_of
from calib.measurement import MeasuredFrame, measure_frame
from calib.models import Assessment, Judgement, Measurement
from dayops.archive import hooks, store
from dayops.archive.ingest import Origin, admit, examine
from dayops.camera import Detector, load
from dayops.day_plan import Plan, PlannedExposure
from dayops.engine import work_off
from dayops.models import Exposure, RawFrame, Task
from dayops.simulator.faults import fault_named
from dayops.simulator.frames import Shot, simulate
from dayops.simulator.truth import DetectorTruth, truth_for

DAY, SEED = 20261110, 7
BEGIN = datetime(2026, 11, 10, 16, 20, tzinfo=UTC)
MINICAM = load("minicam")
DETECTOR = MINICAM.by_id[4]
PLAN = Plan.load().exposures(DAY)
BIASES, DARKS = PLAN[:3], PLAN[3:6]
R_FLATS = [planned for planned in PLAN if planned.step == "flat-r"]
pytestmark = pytest.mark.django_db


def truth() -> DetectorTruth:
    return truth_for(MINICAM, DETECTOR.id, SEED, DAY)


def hit_by(name: str) -> tuple[Detector, int]:
    """The detector and the amplifier that a fault hits."""
    fault = fault_named(name)
    detector = MINICAM.by_id[fault.detectors(MINICAM, SEED, DAY)[0]]
    return detector, fault.amplifiers(detector, SEED, DAY)[0]


@cache
def content(taken: Shot, detector: int, fault: str) -> bytes:
    return simulate(taken, detector, SEED, fault_named(fault) if fault else None)


def shot(planned: PlannedExposure, day: int) -> Shot:
    return Shot(MINICAM, day, planned, BEGIN + timedelta(days=day - DAY, minutes=planned.seq_num))


def archive(planned: PlannedExposure, fault: str = "", detector: Detector = DETECTOR, day: int = DAY) -> RawFrame:
    archived, taken = store(), shot(planned, day)
    origin = Origin(taken.file_name(detector), "a test", verified=True)
    stored, inspection = examine(archived, archived.receive(io.BytesIO(content(taken, detector.id, fault))), origin)
    return admit(stored, inspection, origin).frame


def measure(planned: PlannedExposure, fault: str = "", detector: Detector = DETECTOR, day: int = DAY) -> MeasuredFrame:
    """Archive a frame, measure it, and keep what was measured, as the task does."""
    frame = archive(planned, fault, detector, day)
    found = measure_frame(frame, detector)
    services.record_assessment(frame, detector, found.values, found.remarks)
    return found


@pytest.fixture
def no_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is archived here is measured by hand."""
    monkeypatch.setattr(hooks, "_hooks", [])


@pytest.mark.usefixtures("no_tasks")
class TestOneFrame:
    def test_a_bias_has_its_level_and_noise_and_says_which_file_it_was(self) -> None:
        found = measure(BIASES[0])
        assert found.values["overscan_level"] == pytest.approx(truth().bias_adu, abs=0.25)
        assert found.values["read_noise_adu"] == pytest.approx(truth().read_noise_e / truth().gain, rel=0.03)
        assert found.inputs == [RawFrame.objects.get().sha256]

    def test_the_header_of_a_simulated_frame_agrees_with_its_pixels(self) -> None:
        found = measure(BIASES[0])
        assert found.remarks == []
        assert found.values["header_contradicts_pixels"] == 0
        assert found.values["header_bias_level"] == pytest.approx(truth().bias_adu, abs=1)
        assert found.values["sensor_temperature"] == pytest.approx(truth().temperature_c + 100, abs=1e-3)

    def test_a_wrong_exposure_time_is_told(self) -> None:
        flat = next(planned for planned in PLAN if planned.step == "flat-i")
        found = measure(flat, "wrong-exposure-time")
        assert found.remarks == ["EXPTIME says 30 s, but DATE-BEG to DATE-END are 15 s."]

    def test_numbers_of_the_detector_are_single(self) -> None:
        found = measure(DARKS[2])
        single = {name for name, values in found.values.items() if len(values) == 1}
        assert single == {"cosmic_ray_rate", "crosstalk", "header_contradicts_pixels", "sensor_temperature"}


@pytest.mark.usefixtures("no_tasks")
class TestAgainstItsPast:
    def test_the_first_frame_has_no_past(self) -> None:
        found = measure(BIASES[0])
        assert np.isnan(found.values["overscan_level_drift"]).all()
        assert np.isnan(found.values["read_noise_change"]).all()

    def test_the_next_is_compared_with_it(self) -> None:
        measure(BIASES[0])
        found = measure(BIASES[1])
        assert np.abs(found.values["overscan_level_drift"]).max() < 0.3
        assert found.values["read_noise_change"] == pytest.approx(1, abs=0.04)

    def test_a_level_that_jumps_is_as_far_off_as_it_jumped(self) -> None:
        detector, hurt = hit_by("bias-jump")
        measure(BIASES[0], detector=detector)
        drift = measure(BIASES[1], "bias-jump", detector).values["overscan_level_drift"]
        assert drift[hurt] == pytest.approx(25, abs=0.3)
        assert np.abs(np.delete(drift, hurt)).max() < 0.3

    def test_dark_current_is_what_grew_beyond_the_biases(self) -> None:
        for bias in BIASES:
            measure(bias)
        found = measure(DARKS[2]).values["dark_current"]
        nominal = np.array([amplifier.gain for amplifier in DETECTOR.amplifiers])
        assert found == pytest.approx(truth().dark_e_s * nominal / truth().gain, abs=0.002)

    def test_without_biases_dark_current_is_unknown(self) -> None:
        assert np.isnan(measure(DARKS[2]).values["dark_current"]).all()

    def test_only_darks_have_a_dark_current(self) -> None:
        assert "dark_current" not in measure(BIASES[0]).values


@pytest.mark.usefixtures("no_tasks")
class TestFlatPairs:
    def test_the_first_flat_of_a_step_has_no_partner(self) -> None:
        found = measure(R_FLATS[0])
        assert "gain_from_flat_pair" not in found.values

    def test_the_second_gives_the_gain_and_names_both_files(self) -> None:
        measure(R_FLATS[0])
        found = measure(R_FLATS[1])
        ratio = found.values["gain_from_flat_pair"] / truth().gain
        assert ratio == pytest.approx(1.01, abs=0.03)  # 0.6 % by chance, 1 % by non-linearity
        assert len(found.inputs) == 2

    def test_the_third_is_compared_with_the_second(self) -> None:
        for flat in R_FLATS[:2]:
            measure(flat)
        assert measure(R_FLATS[2]).values["gain_change"] == pytest.approx(1, abs=0.03)

    def test_a_gain_that_changed_from_one_day_to_the_next_is_seen(self) -> None:
        detector, hurt = hit_by("gain-change")
        for flat in R_FLATS[:2]:
            measure(flat, detector=detector, day=DAY - 1)
        measure(R_FLATS[0], "gain-change", detector)
        change = measure(R_FLATS[1], "gain-change", detector).values["gain_change"]
        assert change[hurt] == pytest.approx(1.10, abs=0.03)
        assert np.delete(change, hurt) == pytest.approx(1, abs=0.03)

    def test_a_partner_is_of_the_same_step_filter_and_time(self) -> None:
        archive(R_FLATS[0])
        other = next(planned for planned in PLAN if planned.step == "flat-g")
        assert partner_of(archive(other)) is None

    def test_a_flat_that_comes_late_finds_the_next(self) -> None:
        second = archive(R_FLATS[1])
        first = archive(R_FLATS[0])
        assert partner_of(first) == second

    def test_the_one_before_is_preferred(self) -> None:
        frames = [archive(flat) for flat in R_FLATS]
        assert partner_of(frames[2]) == frames[1]
        assert partner_of(frames[1]) == frames[0]

    def test_one_that_people_rejected_is_no_partner(self) -> None:
        frames = [archive(flat) for flat in R_FLATS]
        reviews.reject(frames[1].exposure, frames[1], "sofia", "a lamp flickered")
        assert partner_of(frames[2]) == frames[0]
        reviews.reject(frames[0].exposure, None, "sofia", "the lamp was warming up")
        assert partner_of(frames[2]) is None

    def test_biases_and_darks_have_no_partner(self) -> None:
        archive(BIASES[0])
        assert partner_of(archive(BIASES[1])) is None


@pytest.mark.django_db(transaction=True)
class TestTheTask:
    def test_measures_judges_and_with_the_last_frame_judges_the_exposure(self) -> None:
        frame = archive(BIASES[0])
        Exposure.objects.update(detectors_expected=1)
        work_off(services.QUEUE, "tester")
        task = Task.objects.get()
        assert (task.phase, task.result, task.inputs) == ("COMPLETED", {"verdict": "OK"}, [frame.sha256])
        assert Assessment.objects.get().frame == frame
        assert Judgement.objects.get().measured == 1

    def test_leaves_an_exposure_alone_that_lacks_frames(self) -> None:
        archive(BIASES[0])
        work_off(services.QUEUE, "tester")
        assert Measurement.objects.exists()
        assert not Judgement.objects.exists()
