"""The queue of reports to the MPC: people let go, hold and confirm; nothing goes out twice or by itself."""

import pytest
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from dayops.models import Event
from mops import reviews, submissions
from mops.models import Linkage, Submission
from mops.submissions import NotPossible
from tests.mops.nights import linkage, night

pytestmark = pytest.mark.django_db
State = Submission.State
WHO = {"actor": "sonia", "reason": "good orbit"}


def report(digest: str = "a" * 64, **fields) -> Submission:
    one = linkage(night())
    values = {
        "night": one.night,
        "linkage": one,
        "kind": Submission.Kind.NEW,
        "tracklet_name": "D0000001",
        "sources": one.sources,
        "digest": digest,
        **fields,
    }
    return Submission.objects.create(**values)


def test_a_report_is_held_until_a_person_lets_it_go():
    one = report()
    assert one.state == State.HELD
    assert submissions.approve(one.pk, **WHO).state == State.WRITTEN
    event = Event.objects.get(subject=f"submission:{one.pk}")
    assert (event.actor, event.reason) == ("sonia", "good orbit")


def test_a_confirmed_report_keeps_the_identifier_of_the_mpc():
    one = report()
    submissions.approve(one.pk, **WHO)
    one = submissions.confirm(one.pk, " 2026-11-22T12:00:00.000_0000ABCD ", **WHO)
    assert (one.state, one.confirmation) == (State.CONFIRMED, "2026-11-22T12:00:00.000_0000ABCD")


def test_what_was_not_let_go_cannot_be_confirmed():
    with pytest.raises(NotPossible, match="approve it"):
        submissions.confirm(report().pk, "an-identifier", **WHO)


def test_a_confirmation_needs_its_identifier():
    one = report()
    submissions.approve(one.pk, **WHO)
    with pytest.raises(NotPossible, match="identifier"):
        submissions.confirm(one.pk, " ", **WHO)
    one.refresh_from_db()
    assert one.state == State.WRITTEN


def test_a_report_can_be_taken_back_until_it_is_confirmed():
    one = report()
    submissions.approve(one.pk, **WHO)
    assert submissions.hold(one.pk, **WHO).state == State.HELD
    submissions.approve(one.pk, **WHO)
    submissions.confirm(one.pk, "an-identifier", **WHO)
    with pytest.raises(NotPossible, match="confirmed"):
        submissions.hold(one.pk, **WHO)


def test_a_held_report_cannot_be_held_again():
    with pytest.raises(NotPossible, match="it is held"):
        submissions.hold(report().pk, **WHO)


def test_a_report_is_let_go_once():
    one = report()
    submissions.approve(one.pk, **WHO)
    with pytest.raises(NotPossible, match="cannot be approved"):
        submissions.approve(one.pk, **WHO)


def test_a_report_with_faults_stays():
    one = report(problems=["rmsRA: 9.9 arcsec is more than 5."])
    with pytest.raises(NotPossible, match="rmsRA"):
        submissions.approve(one.pk, **WHO)
    with pytest.raises(IntegrityError, match="submission_flawless_or_held"), transaction.atomic():
        Submission.objects.filter(pk=one.pk).update(state=State.APPROVED, decided_at=Now())


def test_a_report_of_a_rejected_linkage_stays():
    one = report()
    assert one.linkage is not None
    reviews.review(one.linkage.pk, Linkage.Review.REJECTED, actor="sonia", reason="two stars")
    with pytest.raises(NotPossible, match="rejected by sonia"):
        submissions.approve(one.pk, **WHO)


@pytest.mark.parametrize("change", ["approve", "hold"])
def test_nothing_changes_without_a_reason(change):
    one = report()
    with pytest.raises(NotPossible, match="reason is needed"):
        getattr(submissions, change)(one.pk, actor="sonia", reason=" ")
    assert not Event.objects.filter(subject=f"submission:{one.pk}").exists()


def test_the_same_observations_are_queued_once():
    first = report()
    with pytest.raises(IntegrityError, match="digest"), transaction.atomic():
        Submission.objects.create(
            night=first.night, kind="NEW", tracklet_name="D0000002", sources=first.sources, digest=first.digest
        )
