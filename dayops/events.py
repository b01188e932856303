"""The one door through which events are written."""

from typing import Any

from dayops.models import Event, Severity
from dayops.observing_day import ObservingDay


def record(
    kind: str,
    text: str,
    *,
    actor: str,
    day_obs: int | None = None,
    severity: Severity = Severity.INFO,
    reason: str = "",
    subject: str = "",
    data: dict[str, Any] | None = None,
) -> Event:
    """Append one event. Called inside the transaction of the change it tells of, so that both happen or neither."""
    return Event.objects.create(
        kind=kind,
        text=text,
        actor=actor,
        day_obs=day_obs or ObservingDay.current().day_obs,
        severity=severity,
        reason=reason,
        subject=subject,
        data=data or {},
    )
