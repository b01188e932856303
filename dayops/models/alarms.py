"""Conditions that someone must know of. An alarm is raised once, however often its condition is seen."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from dayops.models.events import Severity


class Alarm(models.Model):
    """One condition from when it was first seen until it was over.

    `key` names the condition; at most one alarm of a key is open. `name` is the check that saw it, `subject` what it is
    about, `sentence` what is wrong in numbers, `remedy` what to do.
    """

    key = models.CharField(max_length=200)
    name = models.CharField(max_length=60)
    activity = models.CharField(max_length=40)
    day_obs = models.IntegerField()
    severity = models.CharField(max_length=8, choices=Severity.choices, default=Severity.ALARM)
    subject = models.CharField(max_length=200, blank=True)
    sentence = models.TextField()
    remedy = models.TextField(blank=True)
    times = models.PositiveIntegerField(default=1, help_text="how often the condition was seen")
    raised_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now(), help_text="when the condition was last seen")
    cleared_at = models.DateTimeField(null=True, blank=True)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)
    snoozed_until = models.DateTimeField(null=True, blank=True)
    snoozed_by = models.CharField(max_length=150, blank=True)
    reason = models.TextField(blank=True, help_text="why it was acknowledged or snoozed")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["key"], condition=models.Q(cleared_at__isnull=True), name="alarm_one_open_per_key"
            ),
            models.CheckConstraint(name="alarm_severity_known", condition=models.Q(severity__in=Severity.values)),
        ]
        indexes: ClassVar = [
            # the list of a day; what is open now; whether a key was cleared a moment ago
            models.Index(fields=["day_obs", "-id"], name="alarm_by_day"),
            models.Index(fields=["key", "-id"], name="alarm_by_key"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.sentence[:80]}"


class AlarmDelivery(models.Model):
    """One message about an alarm by one channel to one address, tried until it is sent or given up."""

    class State(models.TextChoices):
        WAITING = "WAITING", "Waiting"
        SENT = "SENT", "Sent"
        FAILED = "FAILED", "Failed"

    alarm = models.ForeignKey(Alarm, on_delete=models.CASCADE, related_name="deliveries")
    channel = models.CharField(max_length=10, help_text="email or webhook")
    address = models.CharField(max_length=500)
    state = models.CharField(max_length=8, choices=State.choices, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=Now())
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["alarm", "channel", "address"], name="alarm_delivery_once"),
            models.CheckConstraint(
                name="alarm_delivery_state_known", condition=models.Q(state__in=["WAITING", "SENT", "FAILED"])
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["not_before"], name="alarm_delivery_waiting", condition=models.Q(state="WAITING")),
        ]

    def __str__(self) -> str:
        return f"{self.channel} to {self.address}: {self.state}"
