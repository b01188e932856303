"""What was archived: exposures, and the raw frame of each detector."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now


class Exposure(models.Model):
    """One exposure of one camera. All image types share this table: calibrations are archived like science images.

    `began_at` is UTC; `exposure_s` seconds. `name` is the observation id, as LSST's OBSID (``MC_S_20261122_000012``).
    """

    camera = models.CharField(max_length=40)
    name = models.CharField(max_length=100)
    day_obs = models.IntegerField()
    seq_num = models.IntegerField()
    image_type = models.CharField(max_length=20, help_text="BIAS, DARK, FLAT, PTC, SCIENCE, ... upper case")
    exposure_s = models.FloatField()
    filter = models.CharField(max_length=40, blank=True)
    step = models.CharField(max_length=60, blank=True, help_text="step of the day's plan it was taken for")
    began_at = models.DateTimeField(help_text="start of exposure, UTC")
    detectors_expected = models.PositiveSmallIntegerField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["camera", "name"], name="exposure_once"),
            models.CheckConstraint(
                name="exposure_time_sane", condition=models.Q(exposure_s__gte=0, exposure_s__lt=1e5)
            ),
        ]
        indexes: ClassVar = [
            # the exposure table of a day, in the order taken
            models.Index(fields=["day_obs", "camera", "began_at"], name="exposure_by_day"),
            # what a camera took before some instant, newest first
            models.Index(fields=["camera", "-began_at"], name="exposure_newest"),
        ]

    def __str__(self) -> str:
        return self.name


class FrameState(models.TextChoices):
    ARCHIVED = "ARCHIVED", "Archived"
    QUARANTINED = "QUARANTINED", "Quarantined"


class RawFrame(models.Model):
    """The immutable raw file of one detector in one exposure, by the SHA-256 of its bytes.

    The first content archived for (exposure, detector) stays; other content for the same pair is kept too, but
    quarantined. `verified` says that a checksum given by the sender was compared.
    """

    exposure = models.ForeignKey(Exposure, on_delete=models.PROTECT, related_name="frames")
    detector = models.PositiveSmallIntegerField()
    detector_name = models.CharField(max_length=20)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField(help_text="bytes")
    file_name = models.CharField(max_length=255, help_text="as the sender called it")
    source = models.CharField(max_length=200)
    verified = models.BooleanField()
    header = models.JSONField(default=dict, help_text="primary header cards")
    amplifier_headers = models.JSONField(default=list, help_text="per amplifier: AVERAGE, AVGBIAS, STDVBIAS, ...")
    geometry = models.JSONField(default=dict, help_text="detector geometry where the camera has no TOML")
    remarks = models.JSONField(default=list, help_text="sentences about oddities that did not prevent archiving")
    state = models.CharField(max_length=12, choices=FrameState.choices, default=FrameState.ARCHIVED)
    reason = models.TextField(blank=True, help_text="why it is quarantined")
    archived_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["exposure", "detector"], condition=models.Q(state="ARCHIVED"), name="frame_archived_once"
            ),
            models.UniqueConstraint(fields=["exposure", "detector", "sha256"], name="frame_content_once"),
            models.CheckConstraint(name="frame_sha256_hex", condition=models.Q(sha256__regex=r"^[0-9a-f]{64}$")),
        ]
        indexes: ClassVar = [
            # catch-up asks which offered names are already here; scrub walks by checksum
            models.Index(fields=["file_name"], name="frame_by_name"),
            models.Index(fields=["sha256"], name="frame_by_sha256"),
        ]

    def __str__(self) -> str:
        return f"{self.exposure_id}/{self.detector_name}"
