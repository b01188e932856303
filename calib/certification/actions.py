"""One deed upon the calibration database at a time, and the instant from which it is known."""

from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.db.models import QuerySet

from calib.certification.refusals import ConflictingCertification
from calib.models import CertificationAction

NEVER = datetime(1970, 1, 1, tzinfo=UTC)
NOW = "infinity"  # every range of `known` that has not ended contains it


def wait_for_turn(camera: str) -> None:
    """Wait for whoever is changing the camera's certifications; the turn lasts to the end of the transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"certification/{camera}"])


def database_time(camera: str) -> datetime:
    """An instant after every deed upon the camera's certifications, even where the clock was set back meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT greatest(clock_timestamp(), (SELECT at + interval '1 microsecond' FROM calib_certificationaction"
            " WHERE camera = %s ORDER BY id DESC LIMIT 1))",
            [camera],
        )
        (at,) = cursor.fetchone()
    found: datetime = at
    return found


def begin(camera: str, collection: str, kind: CertificationAction.Kind, **fields: Any) -> CertificationAction:
    """Wait for one's turn, then note the deed; what it makes known is known from its `at` on. Inside a transaction.

    The clock is read after the turn came: `now()` is the beginning of the transaction, maybe before a deed that was
    waited for, so that the database would claim to have known what nobody could see yet.
    """
    wait_for_turn(camera)
    at = database_time(camera)
    return CertificationAction.objects.create(camera=camera, collection=collection, kind=kind, at=at, **fields)


def state_seen(camera: str, collection: str) -> datetime:
    """What to hand to `certify` as `seen`, read before looking: the instant of the newest deed that can be seen.

    Deeds become visible in the order of their instants, so that this one stands for all before it, whatever clocks do.
    """
    deeds = CertificationAction.objects.filter(camera=camera, collection=collection)
    return deeds.order_by("-id").values_list("at", flat=True).first() or NEVER


def expect_unchanged(action: CertificationAction, slots: list[int], seen: datetime | None) -> None:
    """Raise ConflictingCertification where any of `slots` was changed after `seen`, other than by `action`."""
    if seen is None:
        return
    same = CertificationAction.objects.filter(camera=action.camera, collection=action.collection)
    later = newest_change(slots, same.filter(at__gt=seen, pk__lt=action.pk))
    if later is not None:
        raise ConflictingCertification(f"{in_words(later)}, after you looked. Nothing was changed: look again.")


def newest_change(slots: list[int], among: QuerySet[CertificationAction]) -> CertificationAction | None:
    """The newest of `among` that made or ended a certification of one of `slots`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT max(action) FROM calib_certification, unnest(ARRAY[action_id, ended_by_id]) action"
            " WHERE (action_id = ANY(%(among)s) OR ended_by_id = ANY(%(among)s))"
            " AND action = ANY(%(among)s) AND slot_id = ANY(%(slots)s)",
            {"among": list(among.values_list("pk", flat=True)), "slots": slots},
        )
        (found,) = cursor.fetchone()
    return None if found is None else CertificationAction.objects.get(pk=found)


def in_words(action: CertificationAction) -> str:
    """``sofia certified the same at 2026-11-22 20:15:03 UTC``."""
    deed = action.get_kind_display().lower()
    return f"{action.actor} {deed} the same at {action.at:%Y-%m-%d %H:%M:%S} UTC"
