"""What is wrong with an exposure, in a line."""

import numpy as np
import pytest

from calib.exposure_judgement import judge_exposure
from calib.what_is_wrong import what_is_wrong
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
    assert line == "R22_S00: Light in a bias: half of the amplifiers have 25 ADU above the overscan (limit 10 ADU)"
    assert set(what_is_wrong(DAY)) == {one.pk}


def test_an_amplifier_that_is_worse_than_the_check_comes_first() -> None:
    judged(exposure(1), median=4.0, read_noise_e=50.0)
    (line,) = what_is_wrong(DAY).values()
    assert line == "R22_S00 C10: read noise 50 e⁻ (limit 18 e⁻)"


def test_another_days_troubles_stay_there() -> None:
    assessed(archived(exposure(1, day_obs=20261121)), read_noise_e=50.0)
    assert what_is_wrong(DAY) == {}


def judged(one: Exposure, **metrics: float) -> Exposure:
    for detector in range(9):
        assessed(archived(one, detector), **metrics)
    judge_exposure(one)
    return one
