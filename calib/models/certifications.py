"""Which product is to be used when, and when that was known: certification in two times.

`valid` says for which instants of observation a product is to be used: a half-open range of nanoseconds of TAI since
1970-01-01T00:00:00 TAI, as the LSST Butler keeps its timespans. `known` says when the database said so: a half-open
range of PostgreSQL's own clock. Nothing is ever deleted; what is believed no more has an end of `known`.
"""

from typing import ClassVar

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, DateTimeRangeField
from django.contrib.postgres.fields.ranges import RangeStartsWith
from django.db import models
from django.db.models import F, Func, Value
from django.db.models.functions import Now

from calib.models.products import Product, ProductSet, ProductType


def _one(column: str) -> Func:
    """A range of one number: it overlaps itself only, so that core PostgreSQL's GiST compares numbers for equality."""
    return Func(F(column), F(column), Value("[]"), function="int8range")


class CalibrationSlot(models.Model):
    """What can have exactly one product at a time: a type, detector and filter ('' for none) in a collection."""

    collection = models.CharField(max_length=40)
    camera = models.CharField(max_length=40)
    type = models.CharField(max_length=12, choices=ProductType.choices)
    detector = models.PositiveSmallIntegerField()
    filter = models.CharField(max_length=40, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["collection", "camera", "type", "detector", "filter"], name="calibration_slot_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.collection}: {self.type} {self.filter} of detector {self.detector}"


class CertificationAction(models.Model):
    """One deed upon the calibration database: who, why, when. Append-only."""

    class Kind(models.TextChoices):
        CERTIFY = "CERTIFY", "Certified"
        DECERTIFY = "DECERTIFY", "Decertified"
        ROLL_BACK = "ROLL_BACK", "Rolled back"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    collection = models.CharField(max_length=40)
    camera = models.CharField(max_length=40)
    day_obs = models.IntegerField()
    product_set = models.ForeignKey(ProductSet, null=True, on_delete=models.PROTECT, related_name="actions")
    undoes = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="undone_by")
    override = models.BooleanField(default=False, help_text="a person certified what the gate had refused")
    actor = models.CharField(max_length=150)
    reason = models.TextField(blank=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["camera", "collection", "-id"], name="certification_actions")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.day_obs} by {self.actor}"


class Certification(models.Model):
    """`product` is to be used in `slot` at the instants `valid`, and the database said so during `known`."""

    slot = models.ForeignKey(CalibrationSlot, on_delete=models.PROTECT, related_name="certifications", db_index=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="certifications")
    valid = BigIntegerRangeField(help_text="nanoseconds of TAI since 1970-01-01 TAI")
    known = DateTimeRangeField(help_text="PostgreSQL's clock")
    action = models.ForeignKey(CertificationAction, on_delete=models.PROTECT, related_name="made")
    ended_by = models.ForeignKey(CertificationAction, null=True, on_delete=models.PROTECT, related_name="ended")

    class Meta:
        constraints: ClassVar = [
            ExclusionConstraint(
                name="certification_no_overlap",
                expressions=[(_one("slot_id"), "&&"), ("valid", "&&"), ("known", "&&")],
            ),
            models.CheckConstraint(
                name="certification_ranges_not_empty",
                condition=models.Q(valid__isempty=False, known__isempty=False),
            ),
        ]
        indexes: ClassVar = [
            # of what is known now, the one that begins last before an instant: the whole focal plane, slot by slot
            models.Index(
                "slot_id",
                RangeStartsWith("valid"),
                name="certification_known_now",
                condition=models.Q(known__upper_inf=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} in slot {self.slot_id}"
