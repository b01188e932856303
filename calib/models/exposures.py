"""What the machine says of a whole exposure once its frames are measured."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from calib.models.thresholds import Level, Threshold
from dayops.models import Exposure


class Judgement(models.Model):
    """The machine's verdict on one exposure, its frames and its checks together, made anew whenever a frame is.

    `measured` frames had been measured by then, of `expected`.
    """

    exposure = models.OneToOneField(Exposure, on_delete=models.PROTECT, related_name="judgement")
    level = models.SmallIntegerField(choices=Level.choices)
    measured = models.PositiveSmallIntegerField()
    expected = models.PositiveSmallIntegerField()
    code_version = models.CharField(max_length=80)
    judged_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.exposure_id}: {self.get_level_display()}"


class CheckResult(models.Model):
    """One check of an exposure (or of one detector in it) and how it came out, with the number behind it."""

    judgement = models.ForeignKey(Judgement, on_delete=models.CASCADE, related_name="checks")
    check_name = models.CharField(max_length=40)
    detector = models.CharField(max_length=20, blank=True, help_text="empty: the exposure as a whole")
    level = models.SmallIntegerField(choices=Level.choices)
    value = models.FloatField()
    limit = models.FloatField(null=True, blank=True)
    threshold = models.ForeignKey(Threshold, null=True, on_delete=models.PROTECT)
    sentence = models.TextField(help_text="what is wrong, in numbers; empty where nothing is")
    proposal = models.JSONField(default=dict, help_text="what a person may do about it, such as exposures to drop")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["judgement", "check_name", "detector"], name="check_once"),
        ]

    def __str__(self) -> str:
        return f"{self.check_name} {self.detector} {self.value:.5g}"


class ExposureStatistic(models.Model):
    """One metric over all amplifiers (or detectors) of an exposure, so that a trend over months is a short scan."""

    exposure = models.ForeignKey(Exposure, on_delete=models.PROTECT, related_name="+")
    metric = models.CharField(max_length=40)
    count = models.PositiveIntegerField(help_text="how many values are finite")
    minimum = models.FloatField()
    p5 = models.FloatField()
    median = models.FloatField()
    p95 = models.FloatField()
    maximum = models.FloatField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["exposure", "metric"], name="exposure_statistic_once"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} of {self.exposure_id}: {self.median:.5g}"
