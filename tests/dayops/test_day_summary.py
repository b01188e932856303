"""One day in a few numbers."""

import pytest
from django.utils.timezone import now

from dayops.day_summary import day_summary
from dayops.models import Phase, Run
from tests.calib.exposures import DAY, archived, exposure, quarantined

pytestmark = pytest.mark.django_db


def run(number: int, phase: Phase, day_obs: int = DAY) -> None:
    ended = now() if phase in Phase.ended() else None
    Run.objects.create(activity="calib", day_obs=day_obs, key=str(number), phase=phase, ended_at=ended)


def test_runs_are_counted_by_how_they_stand() -> None:
    for number, phase in enumerate(Phase):
        run(number, phase)
    run(99, Phase.COMPLETED, DAY + 1)
    found = day_summary(DAY)
    assert (found.runs, found.completed, found.failed, found.live) == (6, 1, 2, 3)


def test_quarantined_frames_do_not_count_as_archived() -> None:
    of = exposure()
    archived(of)
    quarantined(of)
    found = day_summary(DAY)
    assert (found.exposures, found.frames) == (1, 1)


def test_everything_is_in_when_nothing_is_offered_beyond_it_and_no_run_lives() -> None:
    assert not day_summary(DAY).everything_is_in(0), "nothing offered is not a day"
    archived(exposure())
    assert day_summary(DAY).everything_is_in(1)
    assert not day_summary(DAY).everything_is_in(2)
    run(1, Phase.EXECUTING)
    assert not day_summary(DAY).everything_is_in(1)


def test_what_is_not_built_yet_is_null() -> None:
    written = day_summary(DAY).as_json()
    assert written["products_certified"] == 0, "no product of that day"
    for part in ("candidates", "forced_rows", "recommendation"):
        assert written[part] is None


def test_it_takes_three_queries_and_one_each_for_masters_and_candidates(django_assert_num_queries) -> None:
    with django_assert_num_queries(5):
        day_summary(DAY)
