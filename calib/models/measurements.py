"""What was measured on raw calibration frames, and how the machine judged each frame.

Numbers are kept in generic rows: one for each frame and metric, holding an array with one value per amplifier in the
order of the camera's geometry (or a single value for a metric of the whole detector). An LSSTCam exposure is 189 frames
× the number of metrics in rows, whatever the instrument, and a focal plane of one metric is one index scan of 189 rows.
"""

from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from calib.models.thresholds import Level, Threshold
from dayops.models import Exposure, RawFrame


class Assessment(models.Model):
    """The machine's verdict on one raw frame: the worst level of its amplifiers."""

    frame = models.OneToOneField(RawFrame, on_delete=models.PROTECT, related_name="assessment")
    exposure = models.ForeignKey(Exposure, on_delete=models.PROTECT, related_name="assessments", db_index=False)
    detector = models.PositiveSmallIntegerField()
    level = models.SmallIntegerField(choices=Level.choices)
    amplifiers_warn = models.PositiveSmallIntegerField(default=0)
    amplifiers_error = models.PositiveSmallIntegerField(default=0)
    remarks = models.JSONField(default=list, help_text="sentences: what the header says and the pixels contradict")
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

    A metric of the whole detector has one value and one level.

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
            # what an amplifier measured before, newest first: trends, and its own past as a reference
            models.Index(fields=["metric", "detector", "-exposure"], name="measurement_history"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} of frame {self.frame_id}"


class Finding(models.Model):
    """One amplifier's metric outside its limits, with the value, the limit and the threshold row that said so.

    `amplifier` is empty for a metric of the whole detector.
    """

    assessment = models.ForeignKey(Assessment, on_delete=models.CASCADE, related_name="findings")
    metric = models.CharField(max_length=40)
    amplifier = models.CharField(max_length=20, blank=True)
    level = models.SmallIntegerField(choices=Level.choices)
    value = models.FloatField(help_text="NaN: could not be measured")
    limit = models.FloatField(null=True, blank=True)
    threshold = models.ForeignKey(Threshold, null=True, on_delete=models.PROTECT)

    def __str__(self) -> str:
        return f"{self.amplifier} {self.metric} {self.value:.5g}"
