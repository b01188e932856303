"""Visits, and what processing says about each detector image of them."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from dayops.level1.fields import Double, Int, Long, Real, Short, Text


class Visit(models.Model):
    """One visit: where and when the telescope looked. Ours: `night`, `observatory`, `seeing`, `m5` (5σ)."""

    visit = Long(primary_key=True)
    night = Int(help_text="dayObs; ours")
    ra = Double("deg")
    dec = Double("deg")
    band = Text(max_length=1, null=True)
    expMidptMJD = Double("d", help_text="middle of the exposure, TAI")
    expTime = Double("s")
    airmass = Real(null=True)
    skyRotation = Double("deg", null=True)
    seeing = Real("arcsec", null=True, help_text="ours")
    m5 = Real("mag", null=True, help_text="ours")
    observatory = Text(max_length=4, default="X05", help_text="code of the Minor Planet Center; ours")

    class Meta:
        db_table = "Visit"
        constraints: ClassVar = [
            models.CheckConstraint(name="visit_ids", condition=Q(visit__gt=0)),
            models.CheckConstraint(name="visit_place", condition=Q(ra__gte=0, ra__lt=360, dec__range=(-90, 90))),
        ]
        indexes: ClassVar = [models.Index(fields=["night", "expMidptMJD"], name="visit_of_night")]

    def __str__(self) -> str:
        return f"visit {self.visit}"


class DetectorVisitProcessingSummary(models.Model):
    """One processing of one detector image."""

    pk = models.CompositePrimaryKey("visit", "detector")
    visit = Long()
    detector = Short()
    ra = Double("deg", null=True)
    dec = Double("deg", null=True)
    pixelScale = Real("arcsec/pixel", null=True)
    zeroPoint = Real("mag", null=True)
    psfSigma = Real("pixel", null=True)
    skyBg = Real("adu", null=True)
    skyNoise = Real("adu", null=True)
    seeing = Double("arcsec", null=True)
    xSize = Long("pixel")
    ySize = Long("pixel")
    llcra = Double("deg", null=True)
    llcdec = Double("deg", null=True)
    ulcra = Double("deg", null=True)
    ulcdec = Double("deg", null=True)
    urcra = Double("deg", null=True)
    urcdec = Double("deg", null=True)
    lrcra = Double("deg", null=True)
    lrcdec = Double("deg", null=True)
    astromOffsetMean = Double("arcsec", null=True)
    astromOffsetStd = Double("arcsec", null=True)
    nPsfStar = Int()

    class Meta:
        db_table = "DetectorVisitProcessingSummary"

    def __str__(self) -> str:
        return f"visit {self.visit}, detector {self.detector}"
