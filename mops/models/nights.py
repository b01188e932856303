"""One night's search for Solar System objects: with what it was made, what came of it, and whether it is published."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from dayops.models import Run


class Night(models.Model):
    """The processing of one night's detections, together with those of the nights of its window.

    `day_obs` is the night. `parameters` are the configuration, whole. `as_of_mjd_tai` is the instant (MJD TAI) as of
    which the Level 1 database was read. `counts` tell how many detections, attributions, tracklets, clusters and
    linkages there were, and the seconds of each step. `truth` holds completeness, purity and the loss waterfall where
    the detections carry their truth, else it is empty. A trial is never published: it is there to be compared.
    """

    class State(models.TextChoices):
        MAKING = "MAKING", "Being made"
        PUBLISHED = "PUBLISHED", "Published"
        REPLACED = "REPLACED", "Replaced"
        REFUSED = "REFUSED", "Refused"
        TRIAL = "TRIAL", "Trial"

    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="night")
    day_obs = models.IntegerField()
    configuration = models.CharField(max_length=80)
    parameters = models.JSONField(default=dict)
    trial = models.BooleanField(default=False)
    as_of_mjd_tai = models.FloatField(help_text="MJD TAI")
    reference_mjd_tdb = models.FloatField(help_text="MJD TDB to which the linker brings every tracklet")
    state = models.CharField(max_length=10, choices=State.choices, default=State.MAKING)
    reasons = models.JSONField(default=list, help_text="sentences: why it was refused")
    counts = models.JSONField(default=dict)
    truth = models.JSONField(default=dict)
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["day_obs"], condition=models.Q(state="PUBLISHED"), name="night_published_once"
            ),
            models.CheckConstraint(
                name="night_state_known",
                condition=models.Q(state__in=["MAKING", "PUBLISHED", "REPLACED", "REFUSED", "TRIAL"]),
            ),
            models.CheckConstraint(
                name="night_trial_unpublished",
                condition=models.Q(trial=False) | models.Q(state__in=["MAKING", "TRIAL", "REFUSED"]),
            ),
            models.CheckConstraint(
                name="night_decided", condition=models.Q(state="MAKING") | models.Q(decided_at__isnull=False)
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["-day_obs", "-id"], name="night_by_day")]

    def __str__(self) -> str:
        return f"night {self.day_obs} ({self.configuration})"


class KeptArrays(models.Model):
    """Arrays that one step of a night leaves to the next ones, as a file in the archive.

    `kind` is what they are, `key` tells those of one kind apart (the block of a hypothesis set). Tracklets are kept for
    the nights to come: `day_obs` is the night of the detections that they were made of.
    """

    class Kind(models.TextChoices):
        ATTRIBUTIONS = "attributions", "Attributions"
        TRACKLETS = "tracklets", "Tracklets"
        CLUSTERS = "clusters", "Clusters"
        LINKAGES = "linkages", "Linkages"

    night = models.ForeignKey(Night, on_delete=models.CASCADE, related_name="arrays")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    key = models.CharField(max_length=80, blank=True)
    day_obs = models.IntegerField()
    rows = models.BigIntegerField()
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField(help_text="bytes")
    made_with = models.CharField(max_length=64, help_text="SHA-256 of the parameters that decide what they hold")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["night", "kind", "key", "day_obs"], name="arrays_once_in_night"),
            models.CheckConstraint(name="arrays_sha256_hex", condition=models.Q(sha256__regex=r"^[0-9a-f]{64}$")),
        ]
        indexes: ClassVar = [
            # the newest tracklets of each night of a window
            models.Index(fields=["kind", "day_obs", "made_with", "-id"], name="arrays_by_day"),
            models.Index(fields=["sha256"], name="arrays_by_sha256"),
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [self.kind, self.key, str(self.day_obs)]))


class SyntheticTruth(models.Model):
    """What the simulated detections of one night really are: a file with diaSourceId and object, −1 for a false one.

    `population` is the file of the objects themselves: their orbits, zones and magnitudes.
    """

    day_obs = models.IntegerField(unique=True)
    sha256 = models.CharField(max_length=64)
    population_sha256 = models.CharField(max_length=64)
    rows = models.BigIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="truth_sha256_hex", condition=models.Q(sha256__regex=r"^[0-9a-f]{64}$")),
        ]
        verbose_name_plural = "synthetic truth"

    def __str__(self) -> str:
        return f"truth of {self.day_obs}"
