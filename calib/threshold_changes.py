"""Changes of limits: activated after a preview, and retired.

No row is edited. A change appends rows, and each ends the one of its own scope at the moment from which it is valid
itself, so that at any instant at most one row of a scope is in force. What is activated is what was previewed: the
preview gives a digest of the change and of the rows it replaces, and without that digest nothing is activated.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import F, Q
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.timezone import now

from calib.metric_words import limits_in_words, stored_title, stored_unit
from calib.models import Threshold
from calib.threshold_request import Change, NotPossible, Row, check, problems_of_reason, said
from calib.threshold_scope import Scope
from dayops import events

_LOCK = (0x7123, 1)  # changes of limits happen one after another


@dataclass(frozen=True, slots=True)
class Activated:
    """The rows that an activation made, and what it did as a sentence."""

    rows: list[Threshold]
    sentence: str


def digest_of(change: Change, seen: int) -> str:
    """A signed digest of `change`, of the rows it would replace as they are now, and of the `seen` values previewed."""
    rows = [{**row.scope.words, **asdict(row.limits)} for row in change.rows]
    replaced = sorted((row.pk, str(row.valid_until)) for row in latest_of(change.rows).values())
    begins = change.valid_from.isoformat() if change.valid_from else ""
    content = json.dumps([rows, begins, change.reason.strip(), change.cause, replaced, seen], sort_keys=True)
    return salted_hmac("calib.threshold_changes", content, algorithm="sha256").hexdigest()


@transaction.atomic
def activate(change: Change, digest: str, seen: int, actor: str, at: datetime | None = None) -> Activated:
    """Put previewed limits in force: one transaction, one event.

    Raises
    ------
    BadChange
        The change makes no sense (any more).
    NotPossible
        It is not what was previewed, somebody else changed the same limits meanwhile, or later ones are decided.
    """
    _one_after_another()
    at = at or now()
    check(change, at)
    if not constant_time_compare(digest, digest_of(change, seen)):
        raise NotPossible(
            "These are not the limits that were previewed, or somebody has changed them meanwhile. Nothing was "
            "activated: look at what is in force, and preview again."
        )
    begins = change.valid_from or at
    _end(latest_of(change.rows).values(), begins)
    rows = Threshold.objects.bulk_create(
        Threshold(
            **row.scope.words,
            **asdict(row.limits),
            valid_from=begins,
            author=actor,
            reason=change.reason.strip(),
            cause_id=change.cause,
        )
        for row in change.rows
    )
    sentence = _sentence(change.rows, begins)
    _tell("calib.threshold.activated", sentence, actor, change.reason.strip(), rows)
    return Activated(rows, sentence)


@transaction.atomic
def retire(threshold: int, actor: str, reason: str, at: datetime | None = None) -> str:
    """End the row `threshold` now, so that more general limits hold again; return what was done as a sentence.

    One that has not begun never will, and the row it would have replaced goes on.

    Raises
    ------
    NotPossible
        There is no such row, it has ended already, or no reason is given.
    """
    _one_after_another()
    at = at or now()
    if problem := problems_of_reason(reason):
        raise NotPossible(problem)
    row = Threshold.objects.filter(pk=threshold).first()
    if row is None:
        raise NotPossible(f"There are no limits of number {threshold}.")
    if row.valid_until is not None:
        raise NotPossible(f"These limits end at {said(row.valid_until)} already: there is nothing to retire.")
    Threshold.objects.filter(pk=row.pk).update(valid_until=max(at, row.valid_from))
    if row.valid_from > at:
        same = Threshold.objects.filter(**Scope.of(row).words, valid_from__lt=row.valid_from)
        same.filter(valid_until=row.valid_from).update(valid_until=None)
    sentence = f"The limits of {stored_title(row.metric)} for {row.scope_in_words} are retired."
    _tell("calib.threshold.retired", sentence, actor, reason.strip(), [row])
    return sentence


def latest_of(rows: Iterable[Row]) -> dict[Scope, Threshold]:
    """The stored row of each scope that began (or is to begin) last, ended or not; one query. Those that never held
    are left out.
    """
    wanted = {row.scope for row in rows}
    stored = Threshold.objects.filter(metric__in={scope.metric for scope in wanted})
    held = stored.filter(Q(valid_until=None) | Q(valid_until__gt=F("valid_from"))).order_by("valid_from", "pk")
    return {scope: row for row in held if (scope := Scope.of(row)) in wanted}


def _end(rows: Iterable[Threshold], at: datetime) -> None:
    """Let `rows` hold until `at` only. Raises NotPossible where one begins later."""
    rows = list(rows)
    for row in rows:
        if row.valid_from > at:
            raise NotPossible(
                f"For {row.scope_in_words}, limits from {said(row.valid_from)} on are decided already by {row.author} "
                f"({row.reason}). Begin after that, or retire them first."
            )
    longer = [row.pk for row in rows if row.valid_until is None or row.valid_until > at]
    Threshold.objects.filter(pk__in=longer).update(valid_until=at)


def _one_after_another() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", _LOCK)


def _sentence(rows: Sequence[Row], begins: datetime) -> str:
    metrics = ", ".join(sorted({stored_title(row.scope.metric) for row in rows}))
    if len(rows) > 1:
        return f"{len(rows)} limits of {metrics} hold from {said(begins)} on."
    (row,) = rows
    words = limits_in_words(row.limits, stored_unit(row.scope.metric))
    return f"Limits of {metrics} for {row.scope.in_words} from {said(begins)} on: {words}."


def _tell(kind: str, sentence: str, actor: str, reason: str, rows: Sequence[Threshold]) -> None:
    keys = [row.pk for row in rows]
    subject = f"threshold:{keys[0]}"
    events.record(kind, sentence, actor=actor, reason=reason, subject=subject, data={"thresholds": keys})
