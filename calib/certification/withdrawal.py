"""Taking certifications back: for some slots and instants, or all that one deed did."""

from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q, QuerySet

from calib.certification import actions, rows
from calib.certification.instants import half_open, said
from calib.certification.refusals import ConflictingCertification, NotCertifiable
from calib.models import CalibrationSlot, CertificationAction, Product
from dayops import events
from dayops.models import Severity
from dayops.observing_day import ObservingDay


@transaction.atomic
def decertify(
    camera: str,
    collection: str,
    *,
    valid_from: int,
    valid_to: int | None,
    actor: str,
    reason: str,
    slots: QuerySet[CalibrationSlot] | None = None,
    seen: datetime | None = None,
) -> CertificationAction:
    """Let nothing be used in `slots` (all of the camera's unless told) within [valid_from, valid_to).

    Raises
    ------
    ConflictingCertification
        One of the slots was changed after `seen`.
    NotCertifiable
        Nothing is certified there, the range is empty, or no reason is given.
    """
    valid = half_open(valid_from, valid_to)
    action = actions.begin(
        camera,
        collection,
        CertificationAction.Kind.DECERTIFY,
        day_obs=ObservingDay.current().day_obs,
        actor=actor,
        reason=_reason(reason),
    )
    chosen = CalibrationSlot.objects.all() if slots is None else slots
    keys = list(chosen.filter(camera=camera, collection=collection).order_by().values_list("pk", flat=True))
    actions.expect_unchanged(action, keys, seen)
    ended = rows.end(action, keys, valid)
    until = "on" if valid_to is None else f"to {said(valid_to)}"
    if not ended:
        raise NotCertifiable(
            f"Nothing is certified for {camera} in {collection} from {said(valid_from)} {until}: "
            "there is nothing to take back."
        )
    _tell(action, "calib.decertified", f"{ended} decertified in {collection}, from {said(valid_from)} {until}")
    return action


@transaction.atomic
def roll_back(action: CertificationAction, actor: str, reason: str) -> CertificationAction:
    """Let what was known just before `action` be known again, for all its slots. A roll back can be rolled back.

    Raises
    ------
    ConflictingCertification
        The same slots have been changed since: that is to be rolled back first.
    NotCertifiable
        A product of before is flagged bad by now, or no reason is given.
    """
    reason = _reason(reason)
    actions.wait_for_turn(action.camera)
    _expect_newest(action)
    _expect_good_before(action)
    undoing = actions.begin(
        action.camera,
        action.collection,
        CertificationAction.Kind.ROLL_BACK,
        day_obs=action.day_obs,
        undoes=action,
        actor=actor,
        reason=reason,
    )
    ended = rows.end_made_by(undoing, action)
    restored = rows.insert_ended_by(undoing, action)
    deed = f"{action.get_kind_display().lower()} by {action.actor} at {action.at:%Y-%m-%d %H:%M:%S} UTC"
    _tell(undoing, "calib.rolled_back", f"what was {deed} is rolled back: {ended} ended, {restored} stand again")
    return undoing


def _expect_newest(action: CertificationAction) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(array_agg(DISTINCT slot_id), '{}') FROM calib_certification"
            " WHERE action_id = %(action)s OR ended_by_id = %(action)s",
            {"action": action.pk},
        )
        (slots,) = cursor.fetchone()
    same = CertificationAction.objects.filter(camera=action.camera, collection=action.collection)
    later = actions.newest_change(slots, same.filter(pk__gt=action.pk))
    if later is not None:
        raise ConflictingCertification(
            f"{actions.in_words(later)}, so that this cannot be rolled back by itself: roll that back first."
        )


def _expect_good_before(action: CertificationAction) -> None:
    before = Product.objects.filter(Q(certifications__ended_by=action), flagged_bad_at__isnull=False).first()
    if before is not None:
        raise NotCertifiable(
            f"{before}, which stood before, was flagged bad by {before.flagged_bad_by} ({before.flag_reason}): "
            "it is never used again. Certify something else instead."
        )


def _reason(reason: str) -> str:
    if not reason.strip():
        raise NotCertifiable("A reason is needed: say in a few words why, for those who read it later.")
    return reason.strip()


def _tell(action: CertificationAction, kind: str, text: str) -> None:
    events.record(
        kind,
        f"{action.camera}: {text}.",
        actor=action.actor,
        day_obs=action.day_obs,
        severity=Severity.WARN,
        reason=action.reason,
        subject=f"certification:{action.pk}",
        data={"action": action.pk},
    )
