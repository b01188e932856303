"""The numbers of a night: what it explains, what it knows, why it refused, and how long it took."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayops.models import Task
from mops.pipeline.counting import _kind_of, counts_of, standing, standing_of
from tests.mops import nights
from tests.mops.linked import FIRST, known, linked, refused

FOUND = linked(3)
LATEST = FIRST + 3


@pytest.fixture
def night(db):
    made = nights.night(LATEST, "MAKING")
    Task.objects.filter(run=made.run, stage="attribute").update(result={"detections": 100, "known": 7})
    return made


def used_tonight(*numbers: int) -> int:
    tonight = FOUND.detections.night[FOUND.members] == LATEST
    return int((tonight & FOUND.orbits.used & np.isin(FOUND.owner, numbers)).sum())


def test_what_accepted_linkages_use_of_tonight_is_explained(night):
    made = standing(night, FOUND, np.array([1, 2, 3]))
    assert (made.detections, made.explained) == (100, used_tonight(0, 1, 2))
    assert made.objects == {1, 2, 3}
    assert made.rms_arcsec == FOUND.orbits.rms_arcsec.tolist()


def test_what_a_refused_linkage_has_is_not_explained(night):
    made = standing(night, refused(FOUND, 1, "because"), np.array([1, 0, 3]))
    assert made.explained == used_tonight(0, 2)
    assert made.objects == {1, 3}
    assert len(made.rms_arcsec) == 2


def test_objects_that_other_nights_know_are_not_lost(night):
    early = datetime.now(UTC) - timedelta(days=1)
    nights.linkage(nights.night(LATEST - 1, decided_at=early), ss_object_id=77)
    assert standing(night, FOUND, np.array([1, 2, 3])).objects == {1, 2, 3, 77}


def test_objects_of_an_older_search_of_the_same_night_do_not_count_as_known(night):
    early = datetime.now(UTC) - timedelta(days=1)
    nights.linkage(nights.night(LATEST, decided_at=early), ss_object_id=77)
    assert 77 not in standing(night, FOUND, np.array([1, 2, 3])).objects


def test_a_night_whose_first_task_has_told_nothing_has_no_detections(db):
    assert standing(nights.night(LATEST, "MAKING"), FOUND, np.array([1, 2, 3])).detections == 0


@pytest.mark.django_db
def test_a_published_night_stands_by_its_accepted_linkages():
    published = nights.night(counts={"detections": 50, "explained": 20})
    nights.linkage(published, ss_object_id=5, rms_arcsec=0.04)
    nights.linkage(published, ss_object_id=6, rms_arcsec=None)
    nights.linkage(published, verdict="REFUSED", rms_arcsec=9.0)
    made = standing_of(published)
    assert made is not None
    assert (made.detections, made.explained) == (50, 20)
    assert list(made.rms_arcsec) == [0.04]
    assert made.objects == {5, 6}
    assert standing_of(None) is None


def test_known_and_new_linkages_are_told_apart(night):
    counts = counts_of(night, known(FOUND, 0, 9, 0), attributed=2)
    assert (counts["accepted"], counts["improved"], counts["linkages"], counts["attributed"]) == (2, 1, 3, 2)
    assert (counts["detections"], counts["known"]) == (100, 7)


def test_reasons_are_counted_by_what_they_say_before_their_figures(night):
    found = refused(refused(FOUND, 0, "χ² too large: 812 of 40."), 1, "χ² too large: 90 of 40.")
    counts = counts_of(night, refused(found, 2, "Too few (3)."), attributed=0)
    assert counts["refused"] == {"χ² too large": 2, "Too few": 1}
    assert counts["accepted"] == 0


@given(st.sampled_from(["It does not fit", "Too few detections"]), st.floats(0, 1e6), st.sampled_from([":", " ("]))
def test_a_reason_is_of_one_kind_whatever_its_figures(words, figure, cut):
    assert _kind_of(f"{words}{cut}{figure})") == words
    assert _kind_of(f"{words}.") == words


def test_seconds_are_summed_by_stage_of_the_tasks_that_ended(night):
    began = datetime(2026, 11, 22, 12, tzinfo=UTC)
    tasks = {task.stage: task for task in Task.objects.filter(run=night.run)}
    Task.objects.filter(pk=tasks["attribute"].pk).update(started_at=began, ended_at=began + timedelta(seconds=2.5))
    Task.objects.filter(pk=tasks["link"].pk).update(started_at=began)
    assert counts_of(night, FOUND, 0)["seconds"] == {"attribute": 2.5}
