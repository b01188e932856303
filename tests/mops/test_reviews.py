"""What people decide about linkages: with a reason, told to everybody, the last word counts."""

import pytest
from django.db import IntegrityError, transaction

from dayops.models import Event
from mops import reviews
from mops.models import Linkage
from tests.mops.nights import linkage, night

pytestmark = pytest.mark.django_db
APPROVED, REJECTED, OPEN = Linkage.Review.APPROVED, Linkage.Review.REJECTED, Linkage.Review.OPEN


def judged(one: Linkage, verdict: Linkage.Review, reason: str = "a clean arc") -> Linkage:
    return reviews.review(one.pk, verdict, actor="sonia", reason=reason)


@pytest.mark.parametrize("verdict", [APPROVED, REJECTED])
def test_a_review_says_who_when_and_why_and_is_an_event(verdict):
    one = judged(linkage(night()), verdict)
    assert (one.review, one.reviewed_by, one.review_reason) == (verdict, "sonia", "a clean arc")
    assert one.reviewed_at is not None
    event = Event.objects.get(subject=f"linkage:{one.pk}")
    assert event.kind == f"mops.linkage.{verdict.lower()}"
    assert "sonia" in event.text
    assert "a clean arc" in event.text


def test_the_last_word_counts_and_every_word_is_kept():
    one = linkage(night())
    for verdict in (APPROVED, REJECTED, APPROVED):
        judged(one, verdict)
    one.refresh_from_db()
    assert one.review == APPROVED
    assert Event.objects.filter(subject=f"linkage:{one.pk}").count() == 3


def test_opening_again_forgets_who_judged_but_not_that_somebody_did():
    one = judged(linkage(night()), APPROVED)
    one = judged(one, OPEN, "look again")
    assert (one.review, one.reviewed_by, one.review_reason, one.reviewed_at) == (OPEN, "", "", None)
    assert Event.objects.filter(subject=f"linkage:{one.pk}").count() == 2


@pytest.mark.parametrize("reason", ["", "  \n"])
def test_without_a_reason_nothing_is_decided(reason):
    one = linkage(night())
    with pytest.raises(reviews.NotPossible, match="reason is needed"):
        judged(one, APPROVED, reason)
    one.refresh_from_db()
    assert one.review == OPEN
    assert not Event.objects.filter(subject=f"linkage:{one.pk}").exists()


def test_what_the_machine_refused_cannot_be_approved_but_rejected():
    one = linkage(night(), verdict="REFUSED")
    with pytest.raises(reviews.NotPossible, match="cannot be approved"):
        judged(one, APPROVED)
    assert judged(one, REJECTED).review == REJECTED


@pytest.mark.parametrize("state", ["TRIAL", "REPLACED", "MAKING"])
def test_only_linkages_of_a_published_or_refused_night_are_reviewed(state):
    one = linkage(night(state=state))
    with pytest.raises(reviews.NotPossible, match="only linkages of a published or refused"):
        judged(one, APPROVED)


def test_linkages_of_a_refused_night_can_be_looked_through():
    assert judged(linkage(night(state="REFUSED")), REJECTED).review == REJECTED


def test_the_database_refuses_a_verdict_without_a_person():
    one = linkage(night())
    with pytest.raises(IntegrityError, match="linkage_reviewed_by_somebody"), transaction.atomic():
        Linkage.objects.filter(pk=one.pk).update(review=APPROVED)


def test_the_database_refuses_a_refusal_without_its_reason():
    with pytest.raises(IntegrityError, match="linkage_refused_with_reason"), transaction.atomic():
        linkage(night(), verdict="REFUSED", reason="")


def test_the_database_refuses_residuals_that_do_not_belong_to_the_detections():
    with pytest.raises(IntegrityError, match="linkage_residuals_match"), transaction.atomic():
        linkage(night(), residual_ra=[0.1])


def test_a_night_is_published_once():
    night()
    with pytest.raises(IntegrityError, match="night_published_once"), transaction.atomic():
        night()


def test_a_trial_is_never_published():
    with pytest.raises(IntegrityError, match="night_trial_unpublished"), transaction.atomic():
        night(trial=True)
