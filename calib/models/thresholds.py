"""How bad is bad: levels, and the limits that decide."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from dayops.models import Note


class Level(models.IntegerChoices):
    """How bad. Levels roll up by their maximum: amplifier → detector → raft → exposure → day."""

    OK = 0, "OK"
    WARN = 1, "WARN"
    ERROR = 2, "ERROR"


class Threshold(models.Model):
    """Two-sided limits of one metric or check. Never edited: a new row replaces an old one from `valid_from` on.

    The scope is what the words name, an empty one meaning any; the most particular row counts: amplifier, then
    detector, then detector type (the sensor's vendor), camera, filter, image type. `valid_from` and `valid_until` are
    times of frames, not of judging: a frame is judged by the limits that were in force when it was taken. A limit that
    is null does not bind. Limits are in the metric's own unit.
    """

    metric = models.CharField(max_length=40)
    camera = models.CharField(max_length=40, blank=True)
    detector_type = models.CharField(max_length=40, blank=True, help_text="the sensor's vendor, as in the geometry")
    detector = models.CharField(max_length=20, blank=True, help_text="its name, such as R22_S11")
    amplifier = models.CharField(max_length=20, blank=True)
    image_type = models.CharField(max_length=20, blank=True)
    filter = models.CharField(max_length=40, blank=True)
    error_low = models.FloatField(null=True, blank=True)
    warn_low = models.FloatField(null=True, blank=True)
    warn_high = models.FloatField(null=True, blank=True)
    error_high = models.FloatField(null=True, blank=True)
    valid_from = models.DateTimeField(db_default=Now())
    valid_until = models.DateTimeField(null=True, blank=True)
    author = models.CharField(max_length=150)
    reason = models.TextField()
    cause = models.ForeignKey(
        Note, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="the intervention behind it"
    )
    created_at = models.DateTimeField(db_default=Now())

    SCOPE: ClassVar = ("camera", "detector_type", "detector", "amplifier", "image_type", "filter")

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                name="threshold_in_order",
                condition=(models.Q(error_low__isnull=True) | models.Q(error_low__lte=models.F("warn_low")))
                & (models.Q(error_high__isnull=True) | models.Q(error_high__gte=models.F("warn_high"))),
            ),
            models.CheckConstraint(
                name="threshold_valid_in_order",
                condition=models.Q(valid_until__isnull=True) | models.Q(valid_until__gte=models.F("valid_from")),
            ),
            models.UniqueConstraint(
                fields=["metric", "camera", "detector_type", "detector", "amplifier", "image_type", "filter"],
                condition=models.Q(valid_until__isnull=True),
                name="threshold_one_in_force",
            ),
        ]
        indexes: ClassVar = [
            # the limits of a frame, and the history of one limit
            models.Index(fields=["metric", "camera", "detector"], name="threshold_by_scope"),
        ]

    def __str__(self) -> str:
        return f"{self.metric} · {self.scope_in_words}"

    @property
    def scope_in_words(self) -> str:
        """``minicam R22_S11 C10 FLAT r``; ``every frame`` where nothing is named."""
        return " ".join(word for name in self.SCOPE if (word := getattr(self, name))) or "every frame"
