"""Linkages: detections of several nights that one orbit explains, or that were refused, with the reason."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from mops.models.nights import Night


class Linkage(models.Model):
    """One linkage of one night, with its orbit.

    `sources` are diaSourceIds in the order of their times; `used`, `residual_ra` and `residual_dec` (arcsec, observed
    minus computed, on the sky) belong to them one to one. `state` is the heliocentric state at `epoch_mjd_tdb`, ICRF
    axes, au and au/day; `covariance` its 6 × 6 matrix, row by row. Angles are degrees, ecliptic of J2000. `hypothesis`
    tells what made the linker believe it: zone, heliocentric distance and its rates, spread of the cluster.
    `identity` is the SHA-256 of the sorted sources: the same linkage found again has the same.
    """

    class Verdict(models.TextChoices):
        ACCEPTED = "ACCEPTED", "Accepted"
        REFUSED = "REFUSED", "Refused"

    class Review(models.TextChoices):
        OPEN = "OPEN", "Not reviewed"
        APPROVED = "APPROVED", "Approved"
        REJECTED = "REJECTED", "Rejected"

    night = models.ForeignKey(Night, on_delete=models.CASCADE, related_name="linkages")
    identity = models.CharField(max_length=64)
    sources = ArrayField(models.BigIntegerField())
    nights = ArrayField(models.IntegerField(), help_text="dayObs")
    tracklets = models.PositiveSmallIntegerField()
    arc_days = models.FloatField()
    hypothesis = models.JSONField(default=dict)
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    reason = models.TextField(blank=True, help_text="why it was refused")
    epoch_mjd_tdb = models.FloatField()
    state = ArrayField(models.FloatField(), size=6)
    covariance = ArrayField(models.FloatField(), size=36, null=True, blank=True)
    chi2 = models.FloatField(null=True, blank=True)
    degrees_of_freedom = models.IntegerField(null=True, blank=True)
    rms_arcsec = models.FloatField(null=True, blank=True)
    used = ArrayField(models.BooleanField(), default=list)
    residual_ra = ArrayField(models.FloatField(), default=list)
    residual_dec = ArrayField(models.FloatField(), default=list)
    a_au = models.FloatField(null=True, blank=True)
    e = models.FloatField(null=True, blank=True)
    q_au = models.FloatField(null=True, blank=True)
    incl = models.FloatField(null=True, blank=True)
    node = models.FloatField(null=True, blank=True)
    argperi = models.FloatField(null=True, blank=True)
    mean_anomaly = models.FloatField(null=True, blank=True)
    peri_time_mjd_tdb = models.FloatField(null=True, blank=True)
    h_mag = models.FloatField(null=True, blank=True)
    h_by_band = models.JSONField(default=dict)
    u_parameter = models.SmallIntegerField(null=True, blank=True)
    moid_au = models.FloatField(null=True, blank=True)
    orbit_class = models.CharField(max_length=40, blank=True)
    ss_object_id = models.BigIntegerField(null=True, blank=True)
    review = models.CharField(max_length=10, choices=Review.choices, default=Review.OPEN)
    reviewed_by = models.CharField(max_length=150, blank=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)
    review_reason = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["night", "identity"], name="linkage_once_in_night"),
            models.CheckConstraint(
                name="linkage_refused_with_reason", condition=models.Q(verdict="ACCEPTED") | ~models.Q(reason="")
            ),
            models.CheckConstraint(
                name="linkage_reviewed_by_somebody",
                condition=models.Q(review="OPEN")
                | (models.Q(reviewed_at__isnull=False) & ~models.Q(reviewed_by="") & ~models.Q(review_reason="")),
            ),
            models.CheckConstraint(
                name="linkage_residuals_match",
                condition=models.Q(residual_ra__len=models.F("sources__len"))
                & models.Q(residual_dec__len=models.F("sources__len"))
                & models.Q(used__len=models.F("sources__len")),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["night", "verdict", "review"], name="linkage_queue"),
            models.Index(fields=["identity"], name="linkage_by_identity"),
            models.Index(fields=["ss_object_id"], name="linkage_by_object"),
            # which linkages a detection belongs to
            GinIndex(fields=["sources"], name="linkage_by_source"),
        ]

    def __str__(self) -> str:
        return f"linkage {self.pk} of {self.night_id}"
