"""What was loaded, from where, since when it is known, and what was refused."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now


class Load(models.Model):
    """One load of one file into one table.

    Its rows carry its number as `loadId` and are known from `knownFromMjdTai` on: the instant of its commit, later than
    any snapshot taken before (`dayops.level1.instants`).
    """

    table = models.CharField(max_length=40)
    source = models.TextField(help_text="the file, or what made the rows")
    nights = ArrayField(models.IntegerField(), default=list, help_text="dayObs of the rows that were loaded")
    rows_read = models.BigIntegerField(default=0)
    rows_loaded = models.BigIntegerField(default=0)
    rows_present = models.BigIntegerField(default=0, help_text="were there already, by id")
    rows_refused = models.BigIntegerField(default=0)
    reasons = models.JSONField(default=dict, help_text="refused rows by reason")
    knownFromMjdTai = models.FloatField(null=True, blank=True)
    began_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["knownFromMjdTai"], name="level1_load_known")]

    def __str__(self) -> str:
        return f"{self.table} of {self.source}"


class Refusal(models.Model):
    """A row that was not loaded, and why. A load keeps its first thousands; all are counted in `Load.reasons`."""

    load = models.ForeignKey(Load, on_delete=models.CASCADE, related_name="refusals")
    row = models.BigIntegerField(help_text="number in the file, from 0")
    identity = models.CharField(max_length=40, help_text="the id that the row gave itself")
    reason = models.TextField()

    def __str__(self) -> str:
        return f"row {self.row} ({self.identity}): {self.reason}"


class Clock(models.Model):
    """One row: the last instant that was given out. Its row lock makes instants and commits come in one order."""

    id = models.SmallIntegerField(primary_key=True)
    lastMjdTai = models.FloatField()

    def __str__(self) -> str:
        return f"{self.lastMjdTai}"
