"""The machine's verdict on a whole exposure: its checks, its summary and its alarms."""

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.utils.timezone import now

from calib import exposure_alarms, exposure_judgement
from calib.exposure_judgement import GRACE, judge_exposure, judge_if_complete, judge_what_waits
from calib.models import Assessment, CheckResult, ExposureStatistic, Judgement, Level, Threshold
from dayops.camera import load
from dayops.models import Alarm, Event, Exposure
from tests.calib.exposures import BEGIN, archived, assessed, exposure

pytestmark = pytest.mark.django_db


def complete(seq_num: int = 1, *, image_type: str = "BIAS", detectors: int = 9, exposure_s: float = 0.0,
             filter: str = "", **metrics: Any) -> Exposure:  # fmt: skip
    """An exposure whose `detectors` frames are all measured, with these metrics."""
    one = exposure(seq_num, image_type=image_type, exposure_s=exposure_s, filter=filter)
    for detector in range(detectors):
        assessed(archived(one, detector), **metrics)
    return one


def check(of: Exposure, name: str) -> list[CheckResult]:
    return list(CheckResult.objects.filter(judgement__exposure=of, check_name=name).order_by("detector"))


class TestChecks:
    def test_a_healthy_bias_is_ok_and_raises_nothing(self) -> None:
        judgement = judge_exposure(complete())
        assert (judgement.level, judgement.measured, judgement.expected) == (Level.OK, 9, 9)
        assert not Alarm.objects.exists()

    def test_light_in_a_bias_is_named_for_each_detector_with_value_limit_and_row(self) -> None:
        judge_exposure(one := complete(median=15.0))
        found = check(one, "light_in_bias")
        assert len(found) == 9
        assert {(result.level, result.value) for result in found} == {(Level.ERROR, 15.0)}
        assert {result.limit for result in found} == {
            result.threshold and result.threshold.error_high for result in found
        }
        assert "15 ADU above the overscan" in found[0].sentence

    def test_one_bright_amplifier_is_no_light_in_a_bias(self) -> None:
        median = np.zeros(16)
        median[3] = 500.0
        judge_exposure(one := complete(median=median))
        assert all(result.level == Level.OK for result in check(one, "light_in_bias"))

    def test_light_in_a_dark_is_a_rate(self) -> None:
        judge_exposure(one := complete(image_type="DARK", exposure_s=60.0, dark_current=1.0))
        assert [result.level for result in check(one, "light_in_dark")] == [Level.ERROR] * 9
        assert check(one, "stuck_shutter")[0].level == Level.OK

    def test_much_light_in_a_dark_is_a_shutter_that_is_open(self) -> None:
        judge_exposure(one := complete(image_type="DARK", exposure_s=60.0, dark_current=50.0))
        assert check(one, "stuck_shutter")[0].level == Level.ERROR

    def test_a_flat_without_light_is_a_shutter_that_is_closed(self) -> None:
        judge_exposure(one := complete(image_type="FLAT", exposure_s=15.0, filter="r", flat_level=0.5))
        assert check(one, "stuck_shutter")[0].level == Level.ERROR

    def test_a_flat_that_deviates_from_its_filters_norm_says_where(self) -> None:
        flat: dict[str, Any] = {"image_type": "FLAT", "exposure_s": 15.0, "filter": "r", "median": 20_000.0}
        for number in range(1, 4):
            complete(number, flat_level=2_000.0, **flat)
        complete(4, flat_level=1_000.0, **{**flat, "filter": "y"})
        judge_exposure(one := complete(5, flat_level=1_000.0, **flat))
        found = check(one, "flat_deviates")
        assert [result.detector for result in found] == [detector.name for detector in load("minicam").detectors[:9]]
        assert {result.level for result in found} == {Level.ERROR}
        assert [result.value for result in found] == pytest.approx([0.5] * 9)

    def test_a_day_without_a_past_has_no_norm_to_deviate_from(self) -> None:
        judge_exposure(one := complete(image_type="FLAT", exposure_s=15.0, filter="r", flat_level=2_000.0))
        assert check(one, "flat_deviates") == []

    def test_swapped_amplifiers_are_named(self) -> None:
        usual = 25_000.0 + 100 * np.arange(16)
        for number in range(1, 4):
            complete(number, overscan_level=usual)
        swapped = usual.copy()
        swapped[[2, 5]] = usual[[5, 2]]
        judge_exposure(one := complete(4, overscan_level=swapped))
        found = check(one, "swapped_amplifiers")
        assert {(result.level, result.value) for result in found} == {(Level.ERROR, 2.0)}
        assert "show each other's overscan level" in found[0].sentence

    def test_settling_biases_are_proposed_to_be_dropped(self) -> None:
        complete(1, image_type="DARK", exposure_s=15.0)
        rows = [complete(2 + number, overscan_level=25_000.0 + 40 * np.exp(-number)) for number in range(3)]
        judge_exposure(rows[2])
        (result,) = check(rows[2], "settling")
        assert result.level == Level.ERROR
        assert result.proposal == {"drop": [one.name for one in rows]}

    def test_the_first_of_a_row_is_settling_once_those_after_it_show_that(self) -> None:
        complete(1, image_type="DARK", exposure_s=15.0)
        row = []
        for number, level in enumerate((25_040.0, 25_012.0, 25_000.0, 25_000.0)):
            row.append(complete(2 + number, overscan_level=level))
            judge_if_complete(row[-1])
        names = [one.name for one in row[:2]]
        assert [check(one, "settling")[0].value for one in row] == [2.0, 2.0, 0.0, 0.0]
        assert [check(one, "settling")[0].level for one in row] == [Level.ERROR, Level.ERROR, Level.OK, Level.OK]
        assert check(row[3], "settling")[0].proposal == {"drop": names}

    def test_an_exposure_that_only_seemed_to_settle_is_set_right(self) -> None:
        complete(1, image_type="DARK", exposure_s=15.0)
        row = []
        for number, level in enumerate((25_040.0, 25_012.0, 25_012.0)):
            row.append(complete(2 + number, overscan_level=level))
            judge_if_complete(row[-1])
        assert [check(one, "settling")[0].value for one in row] == [1.0, 0.0, 0.0]


class TestIncompleteExposures:
    def test_a_missing_detector_is_told_once_nothing_more_will_come(self) -> None:
        one = complete(detectors=8)
        assert not judge_if_complete(one)
        judge_exposure(one)
        (result,) = check(one, "expected_frames")
        assert (result.level, result.value) == (Level.ERROR, 1.0)
        assert "1 of 9 detectors did not arrive" in result.sentence

    def test_the_duty_waits_for_the_grace_and_then_judges_what_is_there(self) -> None:
        one = complete(detectors=8)
        assert judge_what_waits() == 0
        Assessment.objects.filter(exposure=one).update(assessed_at=now() - GRACE - timedelta(seconds=1))
        assert judge_what_waits() == 1
        assert Judgement.objects.get().measured == 8

    def test_the_grace_is_by_the_databases_clock(self, monkeypatch: pytest.MonkeyPatch) -> None:
        complete(detectors=8)
        in_an_hour = now() + timedelta(hours=1)
        monkeypatch.setattr(exposure_judgement, "now", lambda: in_an_hour, raising=False)
        assert judge_what_waits() == 0

    def test_the_duty_judges_a_complete_exposure_whose_worker_died(self) -> None:
        complete()
        assert judge_what_waits() == 1
        assert judge_what_waits() == 0

    def test_a_late_frame_has_its_exposure_judged_again(self) -> None:
        one = complete(detectors=8)
        judge_exposure(one)
        assessed(archived(one, 8))
        assert judge_what_waits() == 1
        assert check(one, "expected_frames")[0].level == Level.OK

    def test_one_that_cannot_be_judged_stands_in_no_others_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        broken, sound = complete(1), complete(2)

        def judge(one: Exposure) -> Judgement:
            assert one != broken
            return judge_exposure(one)

        monkeypatch.setattr(exposure_judgement, "judge_exposure", judge)
        assert judge_what_waits() == 1
        assert Judgement.objects.get().exposure == sound

    def test_an_exposure_of_which_nothing_is_measured_is_left_alone(self) -> None:
        archived(exposure())
        assert judge_what_waits() == 0

    def test_the_last_frame_has_its_exposure_judged_at_once(self) -> None:
        assert judge_if_complete(complete())


class TestSummary:
    def test_each_metric_that_applies_is_summarised_over_all_amplifiers(self) -> None:
        noise = np.linspace(5.0, 8.0, 16)
        judge_exposure(one := complete(read_noise_e=noise))
        row = ExposureStatistic.objects.get(exposure=one, metric="read_noise_e")
        assert (row.count, row.minimum, row.maximum) == (144, 5.0, 8.0)
        assert row.median == pytest.approx(6.5)
        assert not ExposureStatistic.objects.filter(metric="flat_level").exists()

    def test_judging_again_replaces_everything(self) -> None:
        judge_exposure(one := complete())
        before = ExposureStatistic.objects.count(), CheckResult.objects.count()
        judge_exposure(one)
        assert Judgement.objects.count() == 1
        assert (ExposureStatistic.objects.count(), CheckResult.objects.count()) == before

    def test_the_verdict_is_the_worst_of_frames_and_checks(self) -> None:
        assert judge_exposure(complete(read_noise_e=15.0)).level == Level.WARN


class TestAlarms:
    def test_one_alarm_for_a_check_however_many_detectors(self) -> None:
        judge_exposure(one := complete(median=15.0))
        alarm = Alarm.objects.get(name="light_in_bias")
        assert alarm.subject == f"exposure:minicam/{one.name}"
        assert "R22_S00, R22_S01, R22_S02 and 6 more" in alarm.sentence
        assert "take the biases again" in alarm.remedy

    def test_what_a_check_explains_has_no_alarm_of_its_own(self) -> None:
        judge_exposure(complete(median=30.0, corner_mean=30.0))
        assert set(Alarm.objects.values_list("name", flat=True)) == {"light_in_bias"}

    def test_what_it_does_not_explain_has(self) -> None:
        judge_exposure(complete(median=30.0, read_noise_e=50.0))
        assert set(Alarm.objects.values_list("name", flat=True)) == {"light_in_bias", "read_noise_e"}

    def test_a_check_of_one_detector_explains_nothing_of_another(self) -> None:
        one = exposure()
        for detector in range(9):
            assessed(archived(one, detector), **({"median": 30.0} if detector == 4 else {"corner_mean": 30.0}))
        judge_exposure(one)
        assert "R22_S00" in Alarm.objects.get(name="corner_mean").sentence
        assert not Alarm.objects.filter(name="median").exists()

    def test_a_stuck_shutter_rings_once(self) -> None:
        flat: dict[str, Any] = {"flat_level": 0.5, "flat_snr": 0.1, "median": 3.0, "amplifier_scatter": 0.5}
        judge_exposure(complete(image_type="FLAT", exposure_s=15.0, filter="r", **flat))
        assert Alarm.objects.get().name == "stuck_shutter"

    def test_a_limit_of_nothing_is_said_in_words(self) -> None:
        one = complete(detectors=8)
        judge_exposure(one)
        assert "(none is allowed)" in Alarm.objects.get(name="expected_frames").sentence

    def test_one_alarm_for_a_metric_names_the_first_amplifier_and_counts_the_others(self) -> None:
        judge_exposure(complete(read_noise_e=50.0))
        sentence = Alarm.objects.get(name="read_noise_e").sentence
        assert "R22_S00 C10 is 50 e⁻ (limit 18 e⁻), and 143 more" in sentence

    def test_the_next_bad_exposure_raises_no_second_alarm(self) -> None:
        judge_exposure(complete(1, median=15.0))
        judge_exposure(complete(2, median=15.0))
        assert Alarm.objects.filter(name="light_in_bias").count() == 1
        assert Event.objects.filter(kind="alarm.raised", text__contains="Light in a bias").count() == 1

    def test_the_next_good_exposure_of_the_kind_clears_it(self) -> None:
        judge_exposure(complete(1, median=15.0))
        judge_exposure(complete(2, image_type="DARK", exposure_s=15.0))
        assert Alarm.objects.filter(name="light_in_bias", cleared_at=None).exists()
        judge_exposure(complete(3))
        assert not Alarm.objects.filter(name="light_in_bias", cleared_at=None).exists()

    def test_a_good_flat_in_another_filter_clears_nothing(self) -> None:
        flat: dict[str, Any] = {"image_type": "FLAT", "exposure_s": 15.0, "median": 20_000.0}
        judge_exposure(complete(1, filter="r", flat_level=0.5, **flat))
        judge_exposure(complete(2, filter="i", flat_level=1_900.0, **flat))
        assert Alarm.objects.filter(name="stuck_shutter", cleared_at=None).exists()
        judge_exposure(complete(3, filter="r", flat_level=2_000.0, **flat))
        assert not Alarm.objects.filter(name="stuck_shutter", cleared_at=None).exists()

    def test_an_older_exposure_clears_nothing(self) -> None:
        older = complete(1)
        judge_exposure(complete(2, median=15.0))
        judge_exposure(older)
        assert Alarm.objects.filter(name="light_in_bias", cleared_at=None).exists()

    def test_a_bad_exposure_that_is_judged_after_a_newer_good_one_leaves_none_open(self) -> None:
        bad = complete(1, median=15.0)
        judge_exposure(complete(2))
        judge_exposure(bad)
        assert Alarm.objects.filter(name="light_in_bias").exclude(cleared_at=None).exists()
        assert not Alarm.objects.filter(cleared_at=None).exists()

    def test_one_taken_days_before_the_newest_raises_none(self) -> None:
        old = complete(1, median=15.0)
        Exposure.objects.filter(pk=old.pk).update(began_at=BEGIN - timedelta(days=2))
        judge_exposure(complete(2))
        judge_exposure(Exposure.objects.get(pk=old.pk))
        assert not Alarm.objects.exists()

    def test_an_exposure_that_does_not_measure_it_does_not_end_it(self) -> None:
        judge_exposure(complete(1, read_noise_change=9.0))
        judge_exposure(complete(2))
        assert Alarm.objects.get(name="read_noise_change").cleared_at is None
        judge_exposure(complete(3, read_noise_change=1.0))
        assert Alarm.objects.get(name="read_noise_change").cleared_at is not None

    def test_what_nothing_measures_any_more_is_over_after_two_days(self) -> None:
        judge_exposure(complete(1, read_noise_change=9.0))
        Alarm.objects.update(seen_at=now() - timedelta(days=3))
        judge_exposure(complete(2))
        assert Alarm.objects.get(name="read_noise_change").cleared_at is not None
        assert "Nothing has measured it since" in Event.objects.get(kind="alarm.cleared").reason

    def test_many_bad_metrics_cost_no_query_each_to_find(self, django_assert_max_num_queries: Any) -> None:
        one = complete(1, read_noise_e=50.0, overscan_level=1.0, robust_sigma=99.0, hot_pixels=1e5, gradient=99.0)
        judge_exposure(one)
        with django_assert_max_num_queries(3):
            assert len(exposure_alarms._of_metrics(one, {})) == 5

    def test_history_that_is_judged_again_raises_none(self) -> None:
        judge_exposure(complete(median=15.0), alarm=False)
        assert not Alarm.objects.exists()


def test_limits_are_those_of_when_the_exposure_was_taken() -> None:
    Threshold.objects.filter(metric="light_in_bias").delete()
    Threshold.objects.create(metric="light_in_bias", camera="minicam", warn_high=100.0, error_high=200.0, author="x",
                             reason="x", valid_from=BEGIN + timedelta(days=1))  # fmt: skip
    judge_exposure(one := complete(median=15.0))
    assert check(one, "light_in_bias")[0].limit is None


def test_the_duty_is_registered_with_the_scheduler() -> None:
    from dayops.scheduler import _duties

    assert _duties["judge exposures"].function is exposure_judgement.judge_what_waits
