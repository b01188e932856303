"""What a message about an alarm says, to people and to programs. `docs/alarms.md` describes it for receivers."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from dayops.alarms import EMAIL
from dayops.models import Alarm, AlarmDelivery
from dayops.observing_day import ObservingDay

_LONGEST_SUBJECT = 150


def shown(delivery: AlarmDelivery) -> str:
    """The address for people: a webhook's path is often its password, so only its host is told."""
    if delivery.channel == EMAIL:
        return delivery.address
    parts = urlsplit(delivery.address)
    return f"{parts.scheme}://{parts.hostname}/…"


def alarm_url(alarm: Alarm) -> str:
    """The alarm's page; with the site's name where DAYOPS_ORIGINS gives one."""
    origin = next(iter(settings.CSRF_TRUSTED_ORIGINS), "")
    return origin.rstrip("/") + reverse("alarm", args=[alarm.day_obs, alarm.pk])


def subject_line(alarm: Alarm) -> str:
    over = "over: " if alarm.cleared_at else ""
    line = " ".join(f"[DayOps] {over}{alarm.severity} {alarm.sentence}".split())
    return line if len(line) <= _LONGEST_SUBJECT else f"{line[: _LONGEST_SUBJECT - 1]}…"


def text(alarm: Alarm) -> str:
    lines = [
        alarm.sentence,
        alarm.remedy and f"What to do: {alarm.remedy}",
        f"Severity {alarm.severity}, {alarm.activity}, dayObs {ObservingDay(alarm.day_obs)}",
        f"Since {_instant(alarm.raised_at)}, seen {alarm.times} time{'' if alarm.times == 1 else 's'}",
        f"Over since {_instant(alarm.cleared_at)}" if alarm.cleared_at else "",
        alarm.subject and f"About {alarm.subject}",
        alarm_url(alarm),
    ]
    return "\n\n".join(line for line in lines if line) + "\n"


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def body(delivery: AlarmDelivery) -> dict[str, Any]:
    """The JSON object that webhooks get; instants are ISO 8601 UTC, null where there is none."""
    alarm = delivery.alarm
    return {
        "version": 1,
        "delivery": delivery.pk,
        "sent_at": datetime.now(UTC).isoformat(),
        "alarm": alarm.pk,
        "key": alarm.key,
        "name": alarm.name,
        "activity": alarm.activity,
        "severity": alarm.severity,
        "day_obs": alarm.day_obs,
        "subject": alarm.subject,
        "sentence": alarm.sentence,
        "remedy": alarm.remedy,
        "times": alarm.times,
        "raised_at": alarm.raised_at.astimezone(UTC).isoformat(),
        "cleared_at": alarm.cleared_at and alarm.cleared_at.astimezone(UTC).isoformat(),
        "url": alarm_url(alarm),
    }
