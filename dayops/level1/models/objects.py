"""DiaObject: what the sources at one place of the fixed sky have in common. A change is a new row."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from dayops.level1.as_of import ValidRows
from dayops.level1.fields import Double, Int, Long, Real


class DiaObject(models.Model):
    """One version of one DiaObject, valid from `validityStartMjdTai` until `validityEndMjdTai`. Ours: `healpix`."""

    pk = models.CompositePrimaryKey("diaObjectId", "validityStartMjdTai")
    diaObjectId = Long()
    validityStartMjdTai = Double("d")
    validityEndMjdTai = Double("d", null=True)
    ra = Double("deg")
    raErr = Real("deg", null=True)
    dec = Double("deg")
    decErr = Real("deg", null=True)
    ra_dec_Cov = Real("deg**2", null=True)
    firstDiaSourceMjdTai = Double("d", null=True)
    lastDiaSourceMjdTai = Double("d", null=True)
    nDiaSources = Int()
    healpix = Long(help_text="nested HEALPix pixel of order 29; ours")

    objects = ValidRows.as_manager()

    class Meta:
        db_table = "DiaObject"
        constraints: ClassVar = [
            models.CheckConstraint(name="dia_object_ids", condition=Q(diaObjectId__gt=0, nDiaSources__gte=0)),
            models.CheckConstraint(name="dia_object_place", condition=Q(ra__gte=0, ra__lt=360, dec__range=(-90, 90))),
            models.CheckConstraint(
                name="dia_object_validity", condition=Q(validityEndMjdTai__gt=F("validityStartMjdTai"))
            ),
            models.UniqueConstraint(
                fields=["diaObjectId"], condition=Q(validityEndMjdTai=None), name="dia_object_current"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["healpix"], name="dia_object_healpix")]

    def __str__(self) -> str:
        return f"DiaObject {self.diaObjectId}"


for band in "ugrizy":
    DiaObject.add_to_class(f"{band}_psfFluxMean", Real("nJy", null=True))
    DiaObject.add_to_class(f"{band}_psfFluxMeanErr", Real("nJy", null=True))
    DiaObject.add_to_class(f"{band}_psfFluxSigma", Real("nJy", null=True))
    DiaObject.add_to_class(f"{band}_psfFluxNdata", Int(default=0))
