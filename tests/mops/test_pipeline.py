"""From nights of detections to a published catalogue: every step for real, on a small sky whose truth is known."""

import numpy as np
import pytest

from dayops.level1.models import MpcOrbit, SSObject, SSSource
from dayops.level1.reading import dia_sources
from dayops.models import Event, Run
from mops.lane import candidates_of_day
from mops.models import KeptArrays, Linkage, Night, Submission
from mops.pipeline import kept
from mops.pipeline.start import start
from tests.mops.searched import BEFORE, LAST, NIGHTS, load, search, work

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def night():
    load()
    return search()


def test_a_night_becomes_a_catalogue_that_is_complete_and_pure(night):
    assert (night.state, night.reasons) == (Night.State.PUBLISHED, [])
    assert night.run.phase == "COMPLETED"
    assert night.truth["findable"] >= 5
    assert night.truth["completeness"] == 1.0
    assert night.truth["purity"] == 1.0
    accepted = night.linkages.filter(verdict="ACCEPTED")
    assert accepted.count() == night.counts["accepted"] == candidates_of_day(20261122) >= night.truth["findable"]
    _the_catalogue_holds(accepted)
    _each_is_explained(accepted)
    _reports_wait(night, accepted)
    _tonight_is_predicted(night, accepted)
    assert Event.objects.filter(kind="mops.night.published", subject=f"night:{night.pk}").count() == 1


def _the_catalogue_holds(accepted):
    objects = {row.ssObjectId: row for row in SSObject.objects.current()}
    assert set(objects) == {linkage.ss_object_id for linkage in accepted}
    assert MpcOrbit.objects.current().count() == len(objects)
    sources = dict(SSSource.objects.current().values_list("diaSourceId", "ssObjectId"))
    for linkage in accepted:
        used = [source for source, is_used in zip(linkage.sources, linkage.used, strict=True) if is_used]
        assert {sources[source] for source in used} == {linkage.ss_object_id}
        assert objects[linkage.ss_object_id].nObs == len(linkage.sources)
    unattributed = dia_sources([LAST], unattributed=True, columns=("diaSourceId",))["diaSourceId"]
    assert not set(unattributed) & set(sources)


def _each_is_explained(accepted):
    for linkage in accepted:
        assert len(linkage.nights) >= 3
        assert linkage.sources == sorted(linkage.sources)
        assert 0 < linkage.rms_arcsec < 0.2
        assert linkage.covariance is not None
        assert np.linalg.eigvalsh(np.array(linkage.covariance, float).reshape(6, 6)).min() > 0
        assert linkage.hypothesis["zone"]
        assert linkage.orbit_class
        assert linkage.h_mag is not None
        assert linkage.moid_au is not None


def _reports_wait(night, accepted):
    reports = list(Submission.objects.filter(night=night))
    assert len(reports) == accepted.count()
    for report in reports:
        assert (report.state, report.problems) == (Submission.State.HELD, [])
        assert {report.psv_sha256, report.xml_sha256} <= kept.referenced()


def _tonight_is_predicted(night, accepted):
    rows = night.counts["tonight"]
    assert {row["linkage"] for row in rows} <= set(accepted.values_list("pk", flat=True))
    assert len(rows) >= 3
    for row in rows:
        assert 0 <= row["minor_arcsec"] <= row["major_arcsec"] < 60
        assert 61366.5 < row["mjd_tai"] < 61367.5
        assert row["outlook"]


def test_what_every_step_left_is_kept_from_the_archives_cleaning(night):
    kinds = KeptArrays.objects.filter(night=night).values_list("kind", flat=True)
    assert set(kinds) == set(KeptArrays.Kind.values)
    assert set(KeptArrays.objects.values_list("sha256", flat=True)) <= kept.referenced()


def test_the_next_night_finds_the_objects_of_the_one_before_and_makes_their_orbits_better():
    load(leave_out=(LAST,))
    first = search(BEFORE)
    before = {row.ss_object_id: row for row in first.linkages.filter(verdict="ACCEPTED")}
    load()
    second = search()
    assert second.counts["known"] == len(before) >= 3
    assert second.counts["attributed"] > 0
    assert second.counts["increment"] is True
    improved = [row for row in second.linkages.filter(verdict="ACCEPTED") if row.ss_object_id in before]
    assert len(improved) == second.counts["improved"] > 0
    for row in improved:
        old = before[row.ss_object_id]
        assert set(old.sources) < set(row.sources)
        assert LAST in row.nights
        assert _size(row) < _size(old)
    assert second.truth["completeness"] == 1.0
    _the_first_nights_catalogue_is_still_read(first, before)


def _size(linkage):
    """Of the error of its place, au."""
    return np.sqrt(np.trace(np.array(linkage.covariance, float).reshape(6, 6)[:3, :3]))


def _the_first_nights_catalogue_is_still_read(first, before):
    then = SSObject.objects.as_of(Night.objects.get(day_obs=LAST).as_of_mjd_tai)
    assert {row.ssObjectId: row.nObs for row in then} == {key: len(row.sources) for key, row in before.items()}


def test_a_night_searched_again_takes_the_place_of_its_first_result_and_doubles_nothing(night):
    objects = set(SSObject.objects.current().values_list("ssObjectId", flat=True))
    reports = Submission.objects.count()
    again = search()
    night.refresh_from_db()
    assert (night.state, again.state) == (Night.State.REPLACED, Night.State.PUBLISHED)
    assert set(SSObject.objects.current().values_list("ssObjectId", flat=True)) == objects
    assert Submission.objects.count() == reports
    identities = [
        set(row.linkages.filter(verdict="ACCEPTED").values_list("identity", flat=True)) for row in (night, again)
    ]
    assert identities[0] == identities[1]


def test_two_searches_of_one_night_at_once_leave_one_catalogue():
    load()
    runs = [start(LAST, requested_by=who, key=who) for who in ("otto", "olivia")]
    for run in runs:
        work(run)
    states = sorted(Night.objects.values_list("state", flat=True))
    assert states == [Night.State.PUBLISHED, Night.State.REPLACED]
    objects = SSObject.objects.current().values_list("ssObjectId", flat=True)
    assert len(objects) == len(set(objects)) == Night.objects.get(state="PUBLISHED").counts["accepted"]


def test_starting_with_the_same_key_is_the_same_search():
    load(nights=3)
    one, other = (start(LAST, requested_by="otto", key="button") for _ in range(2))
    assert one.pk == other.pk
    assert Night.objects.count() == Run.objects.filter(activity="mops").count() == 1


def test_a_worse_result_is_refused_with_its_figure_and_kept_for_inspection(night):
    published = set(SSObject.objects.current().values_list("ssObjectId", "nObs"))
    worse = search(changes={"tracklet_max_deg_per_day": 0.05})
    assert worse.state == Night.State.REFUSED
    assert any("would be lost" in reason or "explain" in reason for reason in worse.reasons)
    night.refresh_from_db()
    assert night.state == Night.State.PUBLISHED
    assert set(SSObject.objects.current().values_list("ssObjectId", "nObs")) == published
    assert Event.objects.filter(kind="mops.night.refused", severity="ALARM").count() == 1
    assert not Submission.objects.filter(night=worse).exists()


def test_a_trial_is_there_to_be_compared_and_changes_nothing(night):
    trial = search(configuration="strict", trial=True)
    assert trial.state == Night.State.TRIAL
    night.refresh_from_db()
    assert night.state == Night.State.PUBLISHED
    assert trial.linkages.filter(verdict="ACCEPTED").exists()
    assert not trial.linkages.filter(ss_object_id__isnull=False).exists()
    assert all(len(row.nights) >= 4 for row in trial.linkages.filter(verdict="ACCEPTED"))


def test_a_night_that_is_missing_in_the_window_is_done_without():
    load(nights=NIGHTS + 1, leave_out=(20261119,))
    night = search()
    assert night.state == Night.State.PUBLISHED
    assert 20261119 not in {day for row in night.linkages.all() for day in row.nights}
    assert night.truth["completeness"] == 1.0


def test_a_night_without_detections_is_refused_in_words():
    load(leave_out=(LAST,))
    night = search(may_fail=True)
    assert night.state == Night.State.REFUSED
    assert night.reasons == ["No detection of the night was there to be searched: load it, and search again."]
    assert not Linkage.objects.filter(night=night, ss_object_id__isnull=False).exists()
