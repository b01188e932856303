"""What was measured on raw calibration frames and how it was judged.

Numbers are kept in generic rows: one for each frame and metric, holding an array with one value per amplifier in the
order of the camera's geometry. An LSSTCam exposure is 189 frames × the number of metrics in rows, whatever the
instrument, and a focal plane of one metric is one index scan of 189 rows.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from dayops.models import Exposure, RawFrame


class Level(models.IntegerChoices):
    """How bad. Levels roll up by their maximum: amplifier → detector → raft → exposure → day."""

    OK = 0, "OK"
    WARN = 1, "WARN"
    ERROR = 2, "ERROR"


class Threshold(models.Model):
    """Two-sided limits of one metric. Never edited in place: a new row replaces an old one from its `valid_from` on.

    An empty `camera` or `image_type` means any; the most particular row in force counts. A limit that is null does not
    bind. Limits are in the metric's own unit.
    """

    metric = models.CharField(max_length=40)
    camera = models.CharField(max_length=40, blank=True)
    image_type = models.CharField(max_length=20, blank=True)
    error_low = models.FloatField(null=True, blank=True)
    warn_low = models.FloatField(null=True, blank=True)
    warn_high = models.FloatField(null=True, blank=True)
    error_high = models.FloatField(null=True, blank=True)
    valid_from = models.DateTimeField(db_default=Now())
    valid_until = models.DateTimeField(null=True, blank=True)
    author = models.CharField(max_length=150)
    reason = models.TextField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="threshold_in_order",
                condition=(models.Q(error_low__isnull=True) | models.Q(error_low__lte=models.F("warn_low")))
                & (models.Q(error_high__isnull=True) | models.Q(error_high__gte=models.F("warn_high"))),
            ),
            models.UniqueConstraint(
                fields=["metric", "camera", "image_type"],
                condition=models.Q(valid_until__isnull=True),
                name="threshold_one_in_force",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.metric} {self.camera or 'any camera'} {self.image_type or 'any type'}"


class Assessment(models.Model):
    """The machine's verdict on one raw frame: the worst level of its amplifiers."""

    frame = models.OneToOneField(RawFrame, on_delete=models.PROTECT, related_name="assessment")
    exposure = models.ForeignKey(Exposure, on_delete=models.PROTECT, related_name="assessments", db_index=False)
    detector = models.PositiveSmallIntegerField()
    level = models.SmallIntegerField(choices=Level.choices)
    amplifiers_warn = models.PositiveSmallIntegerField(default=0)
    amplifiers_error = models.PositiveSmallIntegerField(default=0)
    code_version = models.CharField(max_length=80)
    assessed_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes: ClassVar = [
            # the day's exposure table counts levels for each exposure from the index alone
            models.Index(fields=["exposure", "level"], name="assessment_by_exposure"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(name="assessment_level_known", condition=models.Q(level__in=Level.values)),
        ]

    def __str__(self) -> str:
        return f"{self.frame_id}: {self.get_level_display()}"


class Measurement(models.Model):
    """One metric of one frame: `values[i]` and `levels[i]` belong to the amplifier of index i.

    A value is NaN where the metric does not apply or could not be measured; its level says which (0 or ERROR).
    """

    exposure = models.ForeignKey(Exposure, on_delete=models.PROTECT, related_name="+", db_index=False)
    frame = models.ForeignKey(RawFrame, on_delete=models.PROTECT, related_name="measurements")
    detector = models.PositiveSmallIntegerField()
    metric = models.CharField(max_length=40)
    values = ArrayField(models.FloatField(), help_text="one per amplifier, in the metric's unit")
    levels = ArrayField(models.SmallIntegerField(), help_text="one per amplifier")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["frame", "metric"], name="measurement_once"),
        ]
        indexes: ClassVar = [
            # a focal plane of one metric
            models.Index(fields=["exposure", "metric"], name="measurement_focal_plane"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} of frame {self.frame_id}"


class Finding(models.Model):
    """One amplifier's metric outside its limits, with the value, the limit and the threshold row that said so."""

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="findings")
    metric = models.CharField(max_length=40)
    amplifier = models.CharField(max_length=20)
    level = models.SmallIntegerField(choices=Level.choices)
    value = models.FloatField(help_text="NaN: could not be measured")
    limit = models.FloatField(null=True, blank=True)
    threshold = models.ForeignKey(Threshold, null=True, on_delete=models.PROTECT)

    def __str__(self) -> str:
        return f"{self.amplifier} {self.metric} {self.value:.5g}"
