"""What happened: every state change, command, verdict and override is one event, written once, never changed."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Severity(models.TextChoices):
    INFO = "INFO", "Info"
    WARN = "WARN", "Warning"
    ALARM = "ALARM", "Alarm"


class Event(models.Model):
    """Append-only; a database trigger refuses UPDATE, DELETE and TRUNCATE. Write through `dayops.events.record`."""

    at = models.DateTimeField(db_default=Now())
    day_obs = models.IntegerField()
    kind = models.CharField(max_length=60, help_text="dotted, most general first: run.aborted")
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.INFO)
    actor = models.CharField(max_length=150, help_text="user name, token name or the part of DayOps that acted")
    text = models.TextField(help_text="one sentence for a person")
    reason = models.TextField(blank=True)
    subject = models.CharField(max_length=200, blank=True, help_text="what it is about: run:12, exposure:MC_S_...")
    data = models.JSONField(default=dict)

    class Meta:
        indexes: ClassVar = [
            # the day's event list and its alarms
            models.Index(fields=["day_obs", "-id"], name="event_by_day"),
            # the history of one thing
            models.Index(fields=["subject", "-id"], name="event_by_subject"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="event_severity_known", condition=models.Q(severity__in=Severity.values)),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.text}"
