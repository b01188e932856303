"""What is stored of a measured frame, and what is said about it."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib import services
from calib.judging import findings, judged, worst_of_amplifiers
from calib.models import Assessment, Finding, Level, Measurement, Threshold
from calib.science.judgement import ERROR, OK, WARN, Limits, broken_limit, judge
from calib.thresholds import InForce
from dayops.camera import load
from dayops.engine import work_off
from dayops.models import Event, Run, Task
from tests.calib.exposures import BEGIN, archived, assessed, exposure, limits_of, measured

DETECTOR = load("minicam").by_id[0]
APPLY = {name for name, values in measured(DETECTOR).items() if np.isfinite(values).any()}
limits_of_any_kind = st.tuples(*[st.floats(-100, 100)] * 4).map(lambda four: Limits(*sorted(four)))


class TestJudging:
    @given(st.lists(st.floats(-1000, 1000), min_size=1, max_size=20), limits_of_any_kind)
    def test_is_what_the_four_limits_say(self, values: list[float], limits: Limits) -> None:
        for value, level in zip(values, judge(np.array(values), limits), strict=True):
            low, warn_low, warn_high, high = limits.error_low, limits.warn_low, limits.warn_high, limits.error_high
            assert low is not None and warn_low is not None and warn_high is not None and high is not None
            wanted = ERROR if value < low or value > high else WARN if value < warn_low or value > warn_high else OK
            assert level == wanted

    @given(st.floats(-1000, 1000), limits_of_any_kind)
    def test_names_the_limit_that_was_broken(self, value: float, limits: Limits) -> None:
        level = int(judge(np.array([value]), limits)[0])
        limit = broken_limit(value, level, limits)
        assert (limit is None) == (level == OK)
        if limit is not None:
            assert limit in (limits.error_low, limits.warn_low, limits.warn_high, limits.error_high)

    def test_a_number_of_the_whole_detector_is_not_its_only_amplifiers(self) -> None:
        values = {"sensor_temperature": np.array([9.0]), "read_noise_e": np.array([5.0])}
        limits = {"sensor_temperature": InForce(Limits(warn_high=1.0, error_high=3.0), None)}
        levels = judged(values, limits, ["only"])
        assert worst_of_amplifiers(levels, 1).tolist() == [OK]
        assert [finding.amplifier for finding in findings(values, levels, limits, ["only"])] == [""]

    def test_a_value_on_its_limit_is_inside(self) -> None:
        assert judge(np.array([1.0, 2.0, 3.0, 4.0]), Limits(1.0, 2.0, 3.0, 4.0)).tolist() == [WARN, OK, OK, WARN]

    def test_one_value_that_could_not_be_measured_is_an_error(self) -> None:
        assert judge(np.array([5.0, np.nan, np.inf]), Limits()).tolist() == [OK, ERROR, ERROR]

    def test_a_metric_that_does_not_apply_is_no_error(self) -> None:
        assert judge(np.full(16, np.nan), Limits(0.0, 0.0, 1.0, 1.0)).tolist() == [OK] * 16


@pytest.mark.django_db
class TestQueueing:
    def test_each_archived_frame_becomes_one_task_of_its_exposures_run(self) -> None:
        frames = [archived(exposure(), detector) for detector in (0,)]
        frames += [archived(frames[0].exposure, detector) for detector in (1, 2)]
        for frame in frames:
            services.queue_assessment(frame)
        run = Run.objects.get()
        assert run.title == f"Assess {frames[0].exposure.name} (bias)"
        assert run.subject == f"exposure:minicam/{frames[0].exposure.name}"
        assert [task.arguments["frame"] for task in run.tasks.order_by("id")] == [frame.pk for frame in frames]

    def test_asking_twice_for_the_same_frame_queues_it_once(self) -> None:
        frame = archived(exposure())
        services.queue_assessment(frame)
        services.queue_assessment(frame)
        assert Task.objects.count() == 1


@pytest.mark.django_db
class TestRecording:
    def test_every_metric_that_applies_is_a_row_with_a_value_for_each_amplifier(self) -> None:
        assessed(archived(exposure()))
        rows = Measurement.objects.all()
        assert {row.metric for row in rows} == APPLY
        assert all(len(row.values) == len(row.levels) == 16 for row in rows)

    def test_a_metric_of_the_detector_is_a_row_with_one_value(self) -> None:
        assessed(archived(exposure()), sensor_temperature=0.1)
        row = Measurement.objects.get(metric="sensor_temperature")
        assert (row.values, row.levels) == ([0.1], [Level.OK])

    def test_an_error_of_the_detector_names_no_amplifier(self) -> None:
        limits_of("temper", warn_high=1, error_high=2)
        frame = archived(exposure())
        values = measured(DETECTOR) | {"temper": np.array([20.0])}
        assessment = services.record_assessment(frame, DETECTOR, values)
        assert (assessment.level, assessment.amplifiers_error) == (Level.ERROR, 0)
        assert Finding.objects.get().amplifier == ""

    def test_an_amplifier_with_limits_of_its_own_is_judged_by_them(self) -> None:
        name = DETECTOR.amplifiers[3].name
        own = limits_of("read_noise_e", detector=DETECTOR.name, amplifier=name, warn_high=5.0, error_high=5.5)
        assessed(archived(exposure()))
        found = Finding.objects.get()
        assert (found.amplifier, found.threshold, found.limit) == (name, own, 5.5)

    def test_limits_that_began_after_the_frame_was_taken_do_not_judge_it(self) -> None:
        limits_of("read_noise_e", warn_high=1.0, error_high=2.0, valid_from=BEGIN + timedelta(hours=1))
        assert assessed(archived(exposure())).level == Level.OK
        assert assessed(archived(exposure(2, began_at=BEGIN + timedelta(hours=2)))).level == Level.ERROR

    def test_an_amplifier_that_cannot_be_measured_by_its_own_pixels_is_an_error(self) -> None:
        noise = np.full(16, 5.7)
        noise[4] = np.nan
        assert assessed(archived(exposure()), read_noise_e=noise).level == Level.ERROR

    @pytest.mark.parametrize("metric", ["gain_from_flat_pair", "overscan_level_drift", "header_bias_noise"])
    def test_one_that_lacks_a_past_a_partner_or_a_card_is_none(self, metric: str) -> None:
        values = np.full(16, 1.5)
        values[4] = np.nan
        flat = exposure(image_type="FLAT", exposure_s=15.0, filter="r")
        assert assessed(archived(flat), median=9_000.0, **{metric: values}).level == Level.OK
        assert Measurement.objects.get(metric=metric).levels == [Level.OK] * 16

    def test_remarks_stay_with_the_verdict(self) -> None:
        values = measured(DETECTOR)
        services.record_assessment(archived(exposure()), DETECTOR, values, ["EXPTIME says 30 s."])
        assert Assessment.objects.get().remarks == ["EXPTIME says 30 s."]

    def test_a_healthy_frame_is_ok_and_silent(self) -> None:
        assessment = assessed(archived(exposure()))
        assert assessment.level == Level.OK
        assert not Finding.objects.exists()
        assert not Event.objects.exists()

    def test_a_noisy_amplifier_is_named_with_value_limit_and_threshold(self) -> None:
        noise = np.full(16, 5.7)
        noise[3] = 50.0
        assessment = assessed(archived(exposure()), read_noise_e=noise)
        found = Finding.objects.get()
        threshold = Threshold.objects.get(metric="read_noise_e", image_type="")
        assert (assessment.level, assessment.amplifiers_error) == (Level.ERROR, 1)
        assert (found.amplifier, found.value, found.level) == (DETECTOR.amplifiers[3].name, 50.0, Level.ERROR)
        assert (found.limit, found.threshold) == (threshold.error_high, threshold)

    def test_a_too_quiet_amplifier_is_an_error_too(self) -> None:
        noise = np.full(16, 5.7)
        noise[9] = 0.0
        assert assessed(archived(exposure()), read_noise_e=noise).level == Level.ERROR

    def test_measuring_again_replaces_what_was_there(self) -> None:
        frame = archived(exposure())
        assessed(frame, read_noise_e=np.full(16, 99.0))
        assessed(frame)
        assert Assessment.objects.get().level == Level.OK
        assert not Finding.objects.exists()
        assert Measurement.objects.count() == len(APPLY)

    def test_an_amplifier_counts_once_however_many_metrics_complain(self) -> None:
        bad = np.full(16, 5.7)
        bad[2] = 99.0
        dead = np.zeros(16)
        dead[2] = 1.0
        assessment = assessed(archived(exposure(image_type="FLAT")), read_noise_e=bad, dead_fraction=dead, median=9e3)
        assert assessment.amplifiers_error == 1


@pytest.mark.django_db(transaction=True)
def test_a_frame_whose_file_is_gone_ends_with_a_sentence_and_no_verdict() -> None:
    frame = archived(exposure())
    services.queue_assessment(frame)
    work_off("alert-production", "tester")
    task = Task.objects.get()
    assert frame.sha256[:8] in task.error
    assert not Assessment.objects.exists()
