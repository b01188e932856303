"""Master calibrations: sets of them, as one job makes them, and what was verified of each before it may be used."""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models.functions import Now

from dayops.models import RawFrame, Run


class ProductType(models.TextChoices):
    """In the order in which they are made."""

    BIAS = "bias", "Bias"
    DARK = "dark", "Dark"
    FLAT = "flat", "Flat"
    DEFECTS = "defects", "Defects"
    PTC = "ptc", "Photon transfer curve"
    LINEARITY = "linearity", "Linearity"
    CROSSTALK = "crosstalk", "Crosstalk"


class ProductSet(models.Model):
    """The products that one job makes for one camera and dayObs. They are certified together or not at all."""

    class State(models.TextChoices):
        MAKING = "MAKING", "Being made"
        REFUSED = "REFUSED", "Refused"
        CERTIFIED = "CERTIFIED", "Certified"

    run = models.OneToOneField(Run, on_delete=models.PROTECT, related_name="product_set")
    camera = models.CharField(max_length=40)
    day_obs = models.IntegerField()
    configuration = models.CharField(max_length=80)
    parameters = models.JSONField(default=dict, help_text="the processing parameters, whole")
    state = models.CharField(max_length=10, choices=State.choices, default=State.MAKING)
    reasons = models.JSONField(default=list, help_text="sentences: why it was refused")
    decided_by = models.CharField(max_length=150, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [models.Index(fields=["day_obs", "camera", "-id"], name="product_set_by_day")]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="product_set_state_known", condition=models.Q(state__in=["MAKING", "REFUSED", "CERTIFIED"])
            ),
            models.CheckConstraint(
                name="product_set_decided", condition=models.Q(state="MAKING") | models.Q(decided_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"set {self.pk} of {self.day_obs}"


class Product(models.Model):
    """One master: an image or table of one detector, in the archive under the SHA-256 of its bytes.

    `inputs` and `held_out` are keys of raw frames: those it was made of, and those kept aside to verify it with.
    `calibrations` are keys of the products it was derived with. `statistics` are its numbers, arrays in the order of
    the amplifiers; `provenance` is what DMS-REQ-0132 asks for. One that a person flagged bad is never used.
    """

    product_set = models.ForeignKey(ProductSet, on_delete=models.PROTECT, related_name="products")
    type = models.CharField(max_length=12, choices=ProductType.choices)
    camera = models.CharField(max_length=40)
    detector = models.PositiveSmallIntegerField()
    detector_name = models.CharField(max_length=20)
    filter = models.CharField(max_length=40, blank=True)
    day_obs = models.IntegerField()
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField(help_text="bytes")
    inputs = ArrayField(models.BigIntegerField(), default=list)
    held_out = ArrayField(models.BigIntegerField(), default=list)
    calibrations = ArrayField(models.BigIntegerField(), default=list)
    statistics = models.JSONField(default=dict)
    provenance = models.JSONField(default=dict)
    flagged_bad_at = models.DateTimeField(null=True, blank=True)
    flagged_bad_by = models.CharField(max_length=150, blank=True)
    flag_reason = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["product_set", "type", "detector", "filter"], name="product_once_in_set"),
            models.CheckConstraint(name="product_type_known", condition=models.Q(type__in=ProductType.values)),
            models.CheckConstraint(name="product_sha256_hex", condition=models.Q(sha256__regex=r"^[0-9a-f]{64}$")),
        ]
        indexes: ClassVar = [
            # trends of one detector's product, newest first
            models.Index(fields=["type", "detector", "filter", "-id"], name="product_history"),
            models.Index(fields=["sha256"], name="product_by_sha256"),
            # which products a rejected frame went into
            GinIndex(fields=["inputs"], name="product_by_input"),
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [self.detector_name, self.type, self.filter, str(self.day_obs)]))


class Verification(models.Model):
    """One test of one product: its values, the limits they must lie within, and how the incumbent does in it.

    `values` has one number for each amplifier, or one for the whole. `frame` is the held-out frame it was made on.
    """

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="verifications")
    test = models.CharField(max_length=40)
    frame = models.ForeignKey(RawFrame, null=True, on_delete=models.PROTECT, related_name="+")
    values = ArrayField(models.FloatField())
    lower = models.FloatField(null=True, blank=True)
    upper = models.FloatField(null=True, blank=True)
    incumbent = models.FloatField(null=True, blank=True, help_text="the certified product's value on the same frame")
    passed = models.BooleanField()
    sentence = models.TextField(blank=True, help_text="what is wrong, in numbers; empty where nothing is")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["product", "test"], name="verification_once")]

    def __str__(self) -> str:
        return f"{self.test} of {self.product_id}: {'passed' if self.passed else 'failed'}"
