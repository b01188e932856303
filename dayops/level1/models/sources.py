"""Sources: what was detected on a difference image, and what was measured there by force. Partitioned by night."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from dayops.level1.as_of import LoadedRows
from dayops.level1.fields import Double, Flag, Int, Long, Real, Short, Text

BANDS = "ugrizy"
MJD_RANGE = (47_892.0, 88_069.0)  # 1990 to 2100, as `ObservingDay`; a Julian Date or seconds are far outside


class DiaSource(models.Model):
    """A source detected on a difference image.

    `ssObjectId` and `diaObjectId` are what prompt processing gave; a row never changes but for its withdrawal, and what
    DayMOPS finds out later is an `SSSource` (docs/level1.md). Ours: `night` (dayObs), `healpix` (nested, order 29),
    `loadId`.
    """

    pk = models.CompositePrimaryKey("diaSourceId", "night")
    diaSourceId = Long()
    night = Int(help_text="dayObs; ours, the key of the partitions")
    visit = Long()
    detector = Short()
    diaObjectId = Long(null=True)
    ssObjectId = Long(null=True)
    parentDiaSourceId = Long(null=True)
    ssObjectReassocTimeMjdTai = Double("d", null=True)
    midpointMjdTai = Double("d")
    ra = Double("deg")
    raErr = Real("deg", null=True)
    dec = Double("deg")
    decErr = Real("deg", null=True)
    ra_dec_Cov = Real("deg**2", null=True)
    x = Real("pixel")
    xErr = Real("pixel", null=True)
    y = Real("pixel")
    yErr = Real("pixel", null=True)
    centroid_flag = Flag()
    apFlux = Real("nJy", null=True)
    apFluxErr = Real("nJy", null=True)
    isNegative = Flag()
    snr = Real(null=True)
    psfFlux = Real("nJy", null=True)
    psfFluxErr = Real("nJy", null=True)
    psfChi2 = Real(null=True)
    psfFlux_flag = Flag()
    trailLength = Real("arcsec", null=True)
    trailAngle = Real("deg", null=True)
    isDipole = Flag()
    scienceFlux = Real("nJy", null=True)
    scienceFluxErr = Real("nJy", null=True)
    templateFlux = Real("nJy", null=True)
    templateFluxErr = Real("nJy", null=True)
    extendedness = Real(null=True)
    reliability = Real(null=True)
    band = Text(max_length=1, null=True)
    timeProcessedMjdTai = Double("d")
    timeWithdrawnMjdTai = Double("d", null=True)
    bboxSize = Int("pixel")
    pixelFlags_edge = Flag()
    pixelFlags_saturated = Flag()
    pixelFlags_streak = Flag()
    glint_trail = Flag()
    healpix = Long(help_text="nested HEALPix pixel of order 29; ours")
    loadId = Int(help_text="the load that brought it; ours")

    objects = LoadedRows.as_manager()

    class Meta:
        db_table = "DiaSource"
        constraints: ClassVar = [
            models.CheckConstraint(name="dia_source_ids", condition=Q(diaSourceId__gt=0, visit__gt=0)),
            models.CheckConstraint(name="dia_source_place", condition=Q(ra__gte=0, ra__lt=360, dec__range=(-90, 90))),
            models.CheckConstraint(name="dia_source_time", condition=Q(midpointMjdTai__range=MJD_RANGE)),
            models.CheckConstraint(name="dia_source_band", condition=Q(band=None) | Q(band__in=list(BANDS))),
        ]
        indexes: ClassVar = [
            # cones and matches by place
            models.Index(fields=["healpix"], name="dia_source_healpix"),
            # the light curve of an object
            models.Index(fields=["diaObjectId"], name="dia_source_object"),
            # what prompt processing knew to be a Solar System object: few rows
            models.Index(fields=["ssObjectId"], name="dia_source_ss", condition=Q(ssObjectId__isnull=False)),
            # the sources of a frame
            models.Index(fields=["visit", "detector"], name="dia_source_frame"),
        ]

    def __str__(self) -> str:
        return f"DiaSource {self.diaSourceId}"


class DiaForcedSource(models.Model):
    """A flux measured at a known place in one image. Ours: `night`, `healpix`, `loadId`."""

    pk = models.CompositePrimaryKey("diaObjectId", "visit", "detector", "night")
    diaForcedSourceId = Long()
    diaObjectId = Long()
    night = Int(help_text="dayObs; ours, the key of the partitions")
    ra = Double("deg")
    dec = Double("deg")
    visit = Long()
    detector = Short()
    psfFlux = Real("nJy", null=True)
    psfFluxErr = Real("nJy", null=True)
    midpointMjdTai = Double("d")
    scienceFlux = Real("nJy", null=True)
    scienceFluxErr = Real("nJy", null=True)
    band = Text(max_length=1, null=True)
    timeProcessedMjdTai = Double("d")
    timeWithdrawnMjdTai = Double("d", null=True)
    healpix = Long(help_text="nested HEALPix pixel of order 29; ours")
    loadId = Int(help_text="the load that brought it; ours")

    objects = LoadedRows.as_manager()

    class Meta:
        db_table = "DiaForcedSource"
        constraints: ClassVar = [
            models.CheckConstraint(
                name="dia_forced_source_ids", condition=Q(diaForcedSourceId__gt=0, diaObjectId__gt=0, visit__gt=0)
            ),
            models.CheckConstraint(
                name="dia_forced_source_place", condition=Q(ra__gte=0, ra__lt=360, dec__range=(-90, 90))
            ),
            models.CheckConstraint(name="dia_forced_source_time", condition=Q(midpointMjdTai__range=MJD_RANGE)),
            models.CheckConstraint(name="dia_forced_source_band", condition=Q(band=None) | Q(band__in=list(BANDS))),
        ]
        indexes: ClassVar = [
            models.Index(fields=["diaForcedSourceId"], name="dia_forced_source_id"),
            models.Index(fields=["visit", "detector"], name="dia_forced_source_frame"),
        ]

    def __str__(self) -> str:
        return f"DiaForcedSource {self.diaForcedSourceId}"
