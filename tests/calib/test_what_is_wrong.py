"""What is wrong with an exposure, in a line."""

import numpy as np
import pytest

from calib.check_rows import check_rows
from calib.exposure_judgement import judge_exposure
from calib.models import Finding, Level
from calib.what_is_wrong import troubles, what_is_wrong
from dayops.models import Exposure
from tests.calib.exposures import DAY, archived, assessed, exposure

pytestmark = pytest.mark.django_db


def test_a_healthy_exposure_and_one_that_is_not_measured_have_no_line() -> None:
    assessed(archived(exposure(1)))
    archived(exposure(2))
    assert what_is_wrong(DAY) == {}


def test_the_line_names_the_worst_amplifier_its_value_and_its_limit() -> None:
    one = exposure(1)
    assessed(archived(one, 0), read_noise_e=15.0)
    assessed(archived(one, 4), read_noise_e=np.where(np.arange(16) == 13, 28.19, 5.0))
    assert what_is_wrong(DAY) == {one.pk: "R22_S11 C02: read noise 28.19 e⁻ (limit 18 e⁻)"}


def test_what_could_not_be_measured_is_said_so() -> None:
    one = exposure(1)
    assessed(archived(one, 0), read_noise_e=np.where(np.arange(16) == 0, np.nan, 5.0))
    assert what_is_wrong(DAY) == {one.pk: "R22_S00 C10: read noise could not be measured"}


def test_a_failed_check_comes_before_the_amplifiers_that_fail_with_it() -> None:
    one = judged(exposure(1), median=25.0)
    (line,) = what_is_wrong(DAY).values()
    assert line == "R22_S00: Light in a bias: 25 ADU (limit 10 ADU)"
    assert set(what_is_wrong(DAY)) == {one.pk}


def test_a_check_that_is_passed_or_not_is_told_by_its_sentence() -> None:
    one = exposure(1)
    assessed(archived(one))
    judge_exposure(one)
    assert what_is_wrong(DAY) == {one.pk: "Detectors are missing: 8 of 9 detectors did not arrive"}


def test_a_stuck_shutter_explains_what_else_is_wrong_with_a_flat() -> None:
    one = exposure(1, image_type="FLAT", filter="r", exposure_s=15.0)
    for detector in range(9):
        assessed(archived(one, detector), flat_level=0.1 + 0.02 * detector)
    judge_exposure(one)
    failed = [row.check.name for row in check_rows(one) if row.worst.level == Level.ERROR]
    assert len(failed) > 1
    assert failed[0] == "stuck_shutter"
    assert what_is_wrong(DAY)[one.pk].startswith("The shutter is stuck: 0.18 e⁻/s (limit 5 e⁻/s)")


def test_an_amplifier_that_is_worse_than_the_check_comes_first() -> None:
    judged(exposure(1), median=4.0, read_noise_e=50.0)
    (line,) = what_is_wrong(DAY).values()
    assert line == "R22_S00 C10: read noise 50 e⁻ (limit 18 e⁻)"


def test_another_days_troubles_stay_there() -> None:
    assessed(archived(exposure(1, day_obs=20261121)), read_noise_e=50.0)
    assert what_is_wrong(DAY) == {}


def test_metrics_are_told_one_by_one_with_the_amplifier_that_is_furthest_off() -> None:
    one = exposure(1)
    assessed(archived(one, 0), read_noise_e=np.where(np.arange(16) < 3, [15.0, 16.0, 17.0, *[5.0] * 13], 5.0))
    assessed(archived(one, 4), median=np.where(np.arange(16) < 2, [-25.0, -30.0, *[0.0] * 14], 0.0))
    first, second = troubles(Finding.objects.all())
    assert (first.title, first.unit, first.error, first.warn) == ("median", "ADU", 2, 0)
    assert (first.worst.amplifier, first.worst.value, first.worst.limit) == ("C11", -30.0, -20.0)
    assert (second.title, second.error, second.warn, second.worst.value) == ("read noise", 0, 3, 17.0)


def test_a_metric_that_could_not_be_measured_is_worse_than_any_value() -> None:
    one = exposure(1)
    assessed(archived(one), read_noise_e=np.where(np.arange(16) == 7, np.nan, 50.0))
    (only,) = (each for each in troubles(Finding.objects.all()) if each.worst.metric == "read_noise_e")
    assert (only.error, only.worst.limit) == (16, None)


def judged(one: Exposure, **metrics: float) -> Exposure:
    for detector in range(9):
        assessed(archived(one, detector), **metrics)
    judge_exposure(one)
    return one
