"""What people write down about anything: notes, and interventions that may explain a change."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Note(models.Model):
    """One note about a `subject` (``exposure:minicam/MC_S_…``, ``detector:minicam/R22_S11``, ``day:20261122``, …).

    Append-only but for `retracted_at`: what was once written stays readable. An intervention is something that was done
    to the hardware; it is drawn in trends, and numbers from before it are no reference for those after.
    """

    class Kind(models.TextChoices):
        NOTE = "NOTE", "Note"
        INTERVENTION = "INTERVENTION", "Intervention"

    subject = models.CharField(max_length=200)
    kind = models.CharField(max_length=12, choices=Kind.choices, default=Kind.NOTE)
    text = models.TextField()
    author = models.CharField(max_length=150)
    day_obs = models.IntegerField()
    happened_at = models.DateTimeField(db_default=Now(), help_text="UTC: when an intervention took place")
    written_at = models.DateTimeField(db_default=Now())
    retracted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="note_kind_known", condition=models.Q(kind__in=["NOTE", "INTERVENTION"])),
            models.CheckConstraint(name="note_has_text", condition=~models.Q(text="")),
        ]
        indexes: ClassVar = [
            # the notes of one thing, newest first; interventions in the order they happened
            models.Index(fields=["subject", "-id"], name="note_by_subject"),
            models.Index(fields=["kind", "happened_at"], name="note_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.subject}: {self.text[:60]}"
