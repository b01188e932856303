"""The raw calibrations' lane on the day board: what it says in each situation."""

import numpy as np
import pytest
from django.utils.timezone import now

from calib.board import ACTIVITIES, raw_lane
from calib.exposure_judgement import judge_exposure
from dayops.day_plan import Plan
from dayops.models import Phase, Run
from dayops.observing_day import ObservingDay
from tests.calib.exposures import DAY, archived, assessed, exposure, quarantined

pytestmark = pytest.mark.django_db

TODAY = ObservingDay.current().day_obs
EXPECTED = len(Plan.load().exposures(DAY))


def lane(day_obs: int = TODAY):
    return raw_lane(ObservingDay(day_obs))


def whole_day(day_obs: int = TODAY) -> None:
    for number in range(1, EXPECTED + 1):
        assessed(archived(exposure(number, day_obs=day_obs)))


def test_a_day_without_frames_has_not_run_and_says_who_would_do_it() -> None:
    found = lane()
    assert (found.state, found.done, found.expected) == ("NONE", 0, EXPECTED)
    assert "Archiver" in found.sentence


def test_a_day_in_the_making_is_executing() -> None:
    assessed(archived(exposure(day_obs=TODAY)))
    assert (lane().state, lane().done) == ("EXECUTING", 1)


def test_a_whole_healthy_day_is_ok() -> None:
    whole_day()
    found = lane()
    assert (found.state, found.blocked_by) == ("OK", "")
    assert found.sentence == "Every measured frame is within its limits."


def test_a_day_that_is_over_and_incomplete_is_missing_frames() -> None:
    assessed(archived(exposure(day_obs=20251122)))
    assert lane(20251122).state == "MISSING"


def test_one_bad_frame_turns_the_lane_and_says_what_to_do() -> None:
    assessed(archived(exposure(day_obs=TODAY)), read_noise_e=np.full(16, 99.0))
    found = lane()
    assert found.state == "ERROR"
    assert found.blocked_by.startswith("1 frame in ERROR: look")


def test_a_failed_run_comes_first() -> None:
    assessed(archived(exposure(day_obs=TODAY)), read_noise_e=np.full(16, 99.0))
    Run.objects.create(activity="calib", day_obs=TODAY, key="k", phase=Phase.ERROR, ended_at=now())
    assert lane().blocked_by.startswith("1 run failed: open it")


def test_a_quarantined_frame_is_named() -> None:
    whole_day()
    of = exposure(99, day_obs=TODAY)
    assessed(archived(of))
    quarantined(of)
    assert lane().state == "WARN"
    assert "quarantined" in lane().blocked_by


def test_frames_of_another_camera_do_not_count() -> None:
    archived(exposure(camera="latiss", day_obs=TODAY))
    assert lane().state == "NONE"


def test_reading_the_lane_takes_the_same_few_queries_however_full_the_day(django_assert_num_queries) -> None:
    with django_assert_num_queries(5):
        lane()
    whole_day()
    with django_assert_num_queries(5):
        lane()


def test_a_failed_check_blocks_with_its_name_and_remedy() -> None:
    one = exposure(1, day_obs=TODAY)
    for detector in range(9):
        assessed(archived(one, detector), median=15.0)  # a warning of each amplifier, an error of them together
    judge_exposure(one)
    found = lane()
    assert found.state == "ERROR"
    assert found.sentence.endswith("Light in a bias.")
    assert found.blocked_by.startswith("Light in a bias. Look for light in the dome")


@pytest.mark.parametrize("activity", ACTIVITIES, ids=lambda activity: activity.key)
def test_each_deadline_lies_between_sunrise_and_observing(activity) -> None:
    day = ObservingDay(DAY)
    assert day.previous.sunrise < activity.deadline(day) < day.evening_twilight
