"""Reports to the Minor Planet Center: a queue that people let go or hold; nothing is ever sent twice."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from mops.models.linkages import Linkage
from mops.models.nights import Night


class Submission(models.Model):
    """One object's observations of one night's result, as ADES.

    `digest` names its observations, `observation_keys` each of them: the same ones are never queued twice.
    `psv_sha256` and `xml_sha256` are its files in the archive. `problems` are sentences of the validation; with any, it
    stays held. A dry run writes the files and sends nothing; `confirmation` is the MPC's own identifier.
    """

    class Kind(models.TextChoices):
        NEW = "NEW", "New object"
        REOBSERVED = "REOBSERVED", "Re-observed object"

    class State(models.TextChoices):
        HELD = "HELD", "Held"
        APPROVED = "APPROVED", "Approved"
        WRITTEN = "WRITTEN", "Written (dry run)"
        SENT = "SENT", "Sent"
        CONFIRMED = "CONFIRMED", "Confirmed"

    night = models.ForeignKey(Night, on_delete=models.PROTECT, related_name="submissions")
    linkage = models.ForeignKey(Linkage, on_delete=models.PROTECT, null=True, blank=True, related_name="submissions")
    ss_object_id = models.BigIntegerField(null=True, blank=True)
    kind = models.CharField(max_length=10, choices=Kind.choices)
    tracklet_name = models.CharField(max_length=8, help_text="trkSub, the observer's own name of the object")
    sources = ArrayField(models.BigIntegerField())
    observation_keys = ArrayField(models.TextField(), default=list, help_text="observatory, time and place of each")
    digest = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.HELD)
    problems = models.JSONField(default=list)
    psv_sha256 = models.CharField(max_length=64, blank=True)
    xml_sha256 = models.CharField(max_length=64, blank=True)
    confirmation = models.CharField(max_length=80, blank=True)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="submission_flawless_or_held", condition=models.Q(state="HELD") | models.Q(problems=[])
            ),
            models.CheckConstraint(
                name="submission_decided", condition=models.Q(state="HELD") | models.Q(decided_at__isnull=False)
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["state", "-id"], name="submission_queue")]

    def __str__(self) -> str:
        return f"{self.tracklet_name} ({self.get_state_display()})"
