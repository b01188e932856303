"""Conditions that last: a person is told when one begins, changes or ends, not each time it is looked at."""

from dataclasses import dataclass

from dayops import events
from dayops.archive.ingest import ACTOR
from dayops.models import Event, Severity


@dataclass(frozen=True, slots=True)
class Condition:
    """How `subject` is. `state` tells one trouble from another and is empty when all is well."""

    subject: str
    state: str
    kind: str
    text: str
    severity: Severity = Severity.INFO


def tell(*conditions: Condition) -> None:
    """Write an event for each condition that is not as its subject's newest event has it. One query when none is."""
    newest = Event.objects.filter(subject__in=[condition.subject for condition in conditions])
    known = dict(newest.order_by("subject", "-id").distinct("subject").values_list("subject", "data__state"))
    for condition in conditions:
        if condition.state != known.get(condition.subject, ""):
            events.record(
                condition.kind,
                condition.text,
                actor=ACTOR,
                severity=condition.severity,
                subject=condition.subject,
                data={"state": condition.state},
            )
