"""Which night is searched when: over, not decided, newest first, not for ever, one at a time."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from dayops import runs
from dayops.models import Phase, Run
from dayops.observing_day import ObservingDay
from mops.models import Night
from mops.pipeline import backlog
from tests.mops import nights

DAYS = [20261117, 20261118, 20261119, 20261120]
AFTER = ObservingDay(20261120).sunrise + timedelta(minutes=1)
NEWEST_FIRST = DAYS[::-1]


@pytest.fixture(autouse=True)
def _partitions(monkeypatch):
    monkeypatch.setattr(backlog, "nights_of", lambda table: list(DAYS))


def waiting(now=AFTER) -> list[int]:
    return backlog.nights_waiting(now)


pytestmark = pytest.mark.django_db


def test_before_the_first_search_only_the_newest_night_waits():
    assert waiting() == [20261120]


def test_where_nothing_was_loaded_nothing_waits(monkeypatch):
    monkeypatch.setattr(backlog, "nights_of", lambda table: [])
    assert waiting() == []


def test_a_night_waits_from_its_sunrise_on():
    sunrise = ObservingDay(20261120).sunrise
    nights.night(DAYS[0])
    assert 20261120 not in waiting(sunrise - timedelta(seconds=1))
    assert 20261120 in waiting(sunrise)


def test_nights_wait_in_reverse_chronological_order():
    nights.night(DAYS[0])
    assert waiting() == [20261120, 20261119, 20261118]


def test_what_lies_before_the_first_search_is_history():
    nights.night(20261119)
    assert waiting() == [20261120]


@pytest.mark.parametrize("state", ["PUBLISHED", "REFUSED", "REPLACED"])
def test_a_night_that_was_decided_waits_no_longer(state):
    nights.night(DAYS[0])
    nights.night(20261119, state)
    assert waiting() == [20261120, 20261118]


def test_a_trial_decides_nothing_and_is_no_first_search():
    nights.night(20261118, "TRIAL")
    assert waiting() == [20261120]
    nights.night(DAYS[0])
    assert waiting() == [20261120, 20261119, 20261118]


def test_a_night_whose_search_came_to_nothing_waits_again_but_not_for_ever():
    nights.night(DAYS[0])
    for tries in range(1, backlog.MOST_TRIES + 1):
        assert 20261120 in waiting(), tries
        nights.night(20261120, "MAKING")
    assert waiting() == [20261119, 20261118]


def ended(run: Run, phase: Phase = Phase.ERROR) -> None:
    Run.objects.filter(pk=run.pk).update(phase=phase, ended_at=Now())


def test_the_newest_is_started_and_the_next_one_only_when_it_has_ended(monkeypatch):
    monkeypatch.setattr(backlog, "nights_of", lambda table: [20251117, 20251118, 20251119])
    published = nights.night(20251117)
    ended(published.run, Phase.COMPLETED)
    first = backlog.start_what_waits()
    assert first is not None
    assert first.night.day_obs == 20251119
    assert backlog.start_what_waits() is None
    ended(first, Phase.COMPLETED)
    Night.objects.filter(run=first).update(state="REFUSED", decided_at=Now())
    second = backlog.start_what_waits()
    assert second is not None
    assert second.night.day_obs == 20251118


def test_a_night_that_failed_is_tried_again_as_a_new_run_and_then_left_to_a_person(monkeypatch):
    monkeypatch.setattr(backlog, "nights_of", lambda table: [20251119])
    started = []
    for _ in range(backlog.MOST_TRIES):
        run = backlog.start_what_waits()
        assert run is not None
        started.append(run.pk)
        ended(run)
    assert len(set(started)) == backlog.MOST_TRIES
    assert backlog.start_what_waits() is None


def test_work_of_other_activities_holds_nothing_up(monkeypatch):
    monkeypatch.setattr(backlog, "nights_of", lambda table: [20251119])
    runs.start(activity="calib", key="other", title="t", day_obs=20251120, tasks=[], stages=("only",))
    assert backlog.start_what_waits() is not None


def test_an_aborted_search_frees_the_way_for_the_next_night(monkeypatch):
    monkeypatch.setattr(backlog, "nights_of", lambda table: [20251119])
    run = backlog.start_what_waits()
    assert run is not None
    runs.abort(run.pk, actor="otto", reason="a test")
    monkeypatch.setattr(backlog, "nights_of", lambda table: [20251119, 20251120])
    following = backlog.start_what_waits()
    assert following is not None
    assert Night.objects.get(run=following).day_obs == 20251120


def test_a_night_that_a_person_aborted_is_left_to_people():
    nights.night(DAYS[0])
    aborted = nights.night(20261120, state="MAKING")
    runs.abort(aborted.run_id, actor="otto", reason="the catalogue is wrong")
    assert waiting() == [20261119, 20261118]
