"""What people decide about linkages: one function, one transaction, one event."""

from django.db import transaction
from django.db.models.functions import Now

from dayops import events
from mops.models import Linkage, Night


class NotPossible(Exception):
    """The linkage cannot be judged so; the message says why and what can be done."""


@transaction.atomic
def review(linkage_id: int, verdict: Linkage.Review, *, actor: str, reason: str) -> Linkage:
    """Approve or reject a linkage, or open it again. The last word counts; the event log keeps all of them.

    Raises
    ------
    NotPossible
        No reason is given, it was refused by the machine and cannot be approved, or its night is not the published one.
    """
    linkage = Linkage.objects.select_for_update(no_key=True).select_related("night").get(pk=linkage_id)
    if not reason.strip():
        raise NotPossible("A reason is needed: say in a few words what you saw.")
    if linkage.night.state not in {Night.State.PUBLISHED, Night.State.REFUSED}:
        raise NotPossible(
            f"{linkage.night} is {linkage.night.get_state_display().lower()}: only linkages of a published or refused "
            "night are reviewed."
        )
    if verdict == Linkage.Review.APPROVED and linkage.verdict != Linkage.Verdict.ACCEPTED:
        raise NotPossible(f"The machine refused this linkage: {linkage.reason} It cannot be approved.")
    opened = verdict == Linkage.Review.OPEN
    linkage.review = verdict
    linkage.reviewed_by, linkage.review_reason = ("", "") if opened else (actor, reason)
    Linkage.objects.filter(pk=linkage_id).update(
        review=verdict,
        reviewed_by=linkage.reviewed_by,
        review_reason=linkage.review_reason,
        reviewed_at=None if opened else Now(),
    )
    events.record(
        f"mops.linkage.{verdict.lower()}",
        f"{actor} {_VERB[verdict]} linkage {linkage_id}: {reason}",
        actor=actor,
        day_obs=linkage.night.day_obs,
        subject=f"linkage:{linkage_id}",
    )
    linkage.refresh_from_db()
    return linkage


_VERB = {
    Linkage.Review.OPEN: "opened again",
    Linkage.Review.APPROVED: "approved",
    Linkage.Review.REJECTED: "rejected",
}
