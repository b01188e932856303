"""Devices that the observatory's control system commands, and every command they were given."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from dayops.devices.acknowledgements import label_of
from dayops.devices.states import State
from dayops.models.runs import Phase, Run

STATES = [(state.value, state.title()) for state in State]


class Device(models.Model):
    """One commandable device. Changed only through `dayops.devices`, but for `locked_out`, which maintainers set.

    There is a configuration while it is DISABLED or ENABLED, none while OFFLINE or STANDBY; FAULT keeps what there was.
    """

    name = models.CharField(max_length=60, unique=True)
    state = models.CharField(max_length=8, choices=STATES, default=State.OFFLINE.value)
    state_since = models.DateTimeField(db_default=Now())
    configuration_name = models.CharField(max_length=80, blank=True)
    configuration = models.JSONField(default=dict, blank=True)
    reason = models.TextField(blank=True, help_text="why it is in FAULT")
    error_code = models.IntegerField(default=0, help_text="0 unless in FAULT")
    fault_from = models.CharField(max_length=8, choices=STATES, blank=True, help_text="the state that FAULT took over")
    locked_out = models.TextField(
        blank=True, help_text="engineering lock-out: a sentence saying why; empty where there is none"
    )
    heartbeat_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="device_state_known", condition=models.Q(state__in=[state.value for state in State])
            ),
            models.CheckConstraint(
                name="device_working_is_configured",
                condition=~models.Q(state__in=["DISABLED", "ENABLED"]) | ~models.Q(configuration_name=""),
            ),
            models.CheckConstraint(
                name="device_fault_has_reason", condition=~models.Q(state="FAULT") | ~models.Q(reason="")
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.state})"


class Command(models.Model):
    """One command to one device. `key` names it: the same key again is the same command. With a `run` it is a job.

    `ack` is the latest acknowledgement, a code of SAL (`dayops.devices.acknowledgements`), and `text` what it says.
    """

    class Refused(models.TextChoices):
        STATE = "STATE", "In this state it is not possible"
        PARAMETERS = "PARAMETERS", "Its parameters are wrong"

    device = models.ForeignKey(Device, on_delete=models.PROTECT, related_name="commands")
    key = models.CharField(max_length=200)
    name = models.CharField(max_length=40)
    parameters = models.JSONField(default=dict)
    phase = models.CharField(max_length=10, choices=Phase.choices, default=Phase.PENDING)
    ack = models.IntegerField(default=0)
    text = models.TextField(blank=True)
    refused = models.CharField(max_length=10, choices=Refused.choices, blank=True)
    result = models.JSONField(default=dict)
    run = models.ForeignKey(Run, null=True, blank=True, on_delete=models.SET_NULL, related_name="commands")
    requested_by = models.CharField(max_length=150)
    created_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["device", "key"], name="command_once_per_key"),
            models.CheckConstraint(name="command_phase_known", condition=models.Q(phase__in=Phase.values)),
            models.CheckConstraint(
                name="command_ended_has_time",
                condition=~models.Q(phase__in=["COMPLETED", "ERROR", "ABORTED"]) | models.Q(ended_at__isnull=False),
            ),
        ]
        indexes: ClassVar = [
            # the page of a device, newest first
            models.Index(fields=["device", "-id"], name="command_by_device"),
            # what the duty follows
            models.Index(fields=["id"], name="command_live", condition=models.Q(phase__in=["QUEUED", "EXECUTING"])),
        ]

    def __str__(self) -> str:
        return f"command {self.pk} · {self.name}"

    @property
    def is_over(self) -> bool:
        return self.phase in Phase.ended()

    @property
    def label(self) -> str:
        """SAL's name for the latest acknowledgement: ``CMD_COMPLETE``."""
        return label_of(self.ack)
