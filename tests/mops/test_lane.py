"""DayMOPS' lane on the day board: what it says in each situation, with a constant number of queries."""

import pytest
from django.db.models.functions import Now

from dayops.models import Phase, Run, Task
from dayops.observing_day import ObservingDay
from mops.lane import candidates_of_day, lane
from mops.models import Night
from tests.mops import nights

TODAY, NIGHT_BEFORE = 20261122, 20261121
pytestmark = pytest.mark.django_db


def today():
    return lane(ObservingDay(TODAY))


def night(state: str = "PUBLISHED", **fields) -> Night:
    return nights.night(NIGHT_BEFORE, state, **fields)


def fail(one: Night, error: str, phase: Phase = Phase.ERROR) -> None:
    Run.objects.filter(pk=one.run_id).update(phase=phase, error=error, ended_at=Now())


def test_before_the_first_search_it_says_what_will_be_done():
    found = today()
    assert (found.state, found.done, found.expected, found.facts) == ("NONE", 0, None, ())
    assert found.sentence.startswith("No run yet. Detections of the night 2026-11-21")


def test_a_published_night_is_good_and_tells_what_was_found():
    night()
    found = today()
    assert found.state == "OK"
    assert found.sentence == "398 new objects linked, 1204 detections of known ones, in the night 2026-11-21."
    assert (found.done, found.expected, found.unit) == (3, 3, "tasks")
    assert found.facts == (("detections", "109,042"), ("tracklets", "33,347"), ("linkages", "402"))
    assert found.url == "/2026-11-21/mops/"


def test_a_search_under_way_tells_how_far_it_is():
    making = night("MAKING")
    Task.objects.filter(run=making.run, stage="attribute").update(
        phase=Phase.COMPLETED, started_at=Now(), ended_at=Now()
    )
    found = today()
    assert (found.state, found.done, found.expected) == ("EXECUTING", 1, 3)
    assert found.sentence == "The night 2026-11-21 is being searched."


def test_a_refused_result_blocks_with_its_first_reason():
    night("REFUSED")
    found = today()
    assert found.state == "ERROR"
    assert found.blocked_by == "Fewer than half as many linkages as last night."
    assert found.sentence == "The result of the night 2026-11-21 was refused."


def test_a_refused_result_beside_a_published_one_only_warns():
    night()
    night("REFUSED")
    found = today()
    assert found.state == "WARN"
    assert found.sentence.endswith("was refused; the search published before stays.")
    assert found.facts


def test_a_search_that_failed_says_why():
    fail(night("MAKING"), "The night has 9 tracklets.")
    found = today()
    assert found.state == "ERROR"
    assert "ended: The night has 9 tracklets." in found.sentence


def test_a_search_that_was_aborted_says_so():
    fail(night("MAKING"), "", Phase.ABORTED)
    assert "it was aborted" in today().sentence


def test_a_failed_search_beside_a_published_one_only_warns():
    night()
    fail(night("MAKING"), "no memory")
    found = today()
    assert found.state == "WARN"
    assert found.sentence.endswith("; the search published before stays.")


@pytest.mark.parametrize("before", ["PUBLISHED", "REPLACED"])
def test_an_error_that_is_a_sentence_does_not_end_the_lanes_twice(before):
    night(before)
    fail(night("MAKING"), "The night has 9 tracklets.")
    assert today().sentence.count("tracklets.") == (before == "REPLACED")
    assert not today().sentence.endswith("..")


def test_a_trial_is_not_what_the_day_is_about():
    night("TRIAL")
    assert today().state == "NONE"


def test_other_nights_are_other_days():
    nights.night(20261120)
    nights.night(TODAY)
    assert today().state == "NONE"


def test_candidates_are_the_accepted_linkages_of_the_published_night():
    assert candidates_of_day(TODAY) is None
    nights.linkages(night("REFUSED"), 3)
    assert candidates_of_day(TODAY) is None
    nights.linkages(night(), 2)
    assert candidates_of_day(TODAY) == 2


@pytest.mark.parametrize("searches", [0, 1, 6])
def test_however_many_searches_there_were_three_queries_are_enough(searches, django_assert_max_num_queries):
    for _ in range(searches):
        nights.linkages(night("REFUSED"), 2)
    with django_assert_max_num_queries(3):
        today()
