"""The queue of reports to the Minor Planet Center: approved, held, confirmed by people; each a transaction, an event.

DayOps sends nothing by itself: approving writes the ADES files ready to be sent (a dry run), and the confirmation that
the MPC answers with is entered by a person.
"""

from django.db import transaction
from django.db.models.functions import Now

from dayops import events
from mops.models import Linkage, Submission


class NotPossible(Exception):
    """The submission cannot be changed so; the message says why and what can be done."""


def approve(submission_id: int, *, actor: str, reason: str) -> Submission:
    """Let a held report go: its files are written and stay in the archive; nothing is sent (dry run).

    Raises
    ------
    NotPossible
        No reason, not held, faults found in validation, or its linkage was rejected by a person.
    """
    with transaction.atomic():
        submission = _locked(submission_id, reason)
        _expect(submission, Submission.State.HELD, "approved")
        if submission.problems:
            raise NotPossible(f"{submission.tracklet_name} has faults: {submission.problems[0]} Mend them first.")
        if submission.linkage is not None and submission.linkage.review == Linkage.Review.REJECTED:
            raise NotPossible(f"Linkage {submission.linkage_id} was rejected by {submission.linkage.reviewed_by}.")
        return _change(submission, Submission.State.WRITTEN, actor, reason)


def hold(submission_id: int, *, actor: str, reason: str) -> Submission:
    """Take a report back that is not confirmed yet. Raises NotPossible without a reason or after its confirmation."""
    with transaction.atomic():
        submission = _locked(submission_id, reason)
        if submission.state in {Submission.State.HELD, Submission.State.CONFIRMED}:
            raise NotPossible(f"{submission} cannot be held: it is {submission.get_state_display().lower()}.")
        return _change(submission, Submission.State.HELD, actor, reason)


def confirm(submission_id: int, confirmation: str, *, actor: str, reason: str) -> Submission:
    """Keep the identifier with which the MPC confirmed a report. Raises NotPossible where it was not let go before."""
    with transaction.atomic():
        submission = _locked(submission_id, reason)
        if not confirmation.strip():
            raise NotPossible("The MPC's identifier of the submission is needed, as in its answer.")
        if submission.state not in {Submission.State.WRITTEN, Submission.State.SENT}:
            raise NotPossible(f"{submission} cannot be confirmed: approve it, and send its file to the MPC first.")
        Submission.objects.filter(pk=submission_id).update(confirmation=confirmation.strip()[:80])
        return _change(submission, Submission.State.CONFIRMED, actor, reason)


def _locked(submission_id: int, reason: str) -> Submission:
    if not reason.strip():
        raise NotPossible("A reason is needed: say in a few words why.")
    rows = Submission.objects.select_for_update(of=("self",), no_key=True).select_related("linkage", "night")
    return rows.get(pk=submission_id)


def _expect(submission: Submission, state: Submission.State, done: str) -> None:
    if submission.state != state:
        raise NotPossible(
            f"{submission.tracklet_name} cannot be {done}: it is {submission.get_state_display().lower()}, "
            f"not {state.label.lower()}."
        )


def _change(submission: Submission, state: Submission.State, actor: str, reason: str) -> Submission:
    Submission.objects.filter(pk=submission.pk).update(
        state=state, decided_by=actor, decided_at=Now(), reason=reason.strip()
    )
    events.record(
        f"mops.submission.{state.lower()}",
        f"{actor}: report {submission.tracklet_name} is {state.label.lower()}: {reason.strip()}",
        actor=actor,
        day_obs=submission.night.run.day_obs,
        subject=f"submission:{submission.pk}",
        reason=reason.strip(),
    )
    submission.refresh_from_db()
    return submission
