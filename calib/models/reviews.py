"""What people say of frames. The machine's verdicts stay beside it."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from dayops.models import Exposure, RawFrame


class Review(models.Model):
    """A person's decision on a frame or a whole exposure (`frame` null). Append-only; the newest of each counts."""

    class Decision(models.TextChoices):
        ACCEPT = "ACCEPT", "Accepted"
        REJECT = "REJECT", "Rejected"
        WITHDRAW = "WITHDRAW", "Withdrawn"

    exposure = models.ForeignKey(Exposure, on_delete=models.PROTECT, related_name="reviews")
    frame = models.ForeignKey(RawFrame, null=True, blank=True, on_delete=models.PROTECT, related_name="reviews")
    decision = models.CharField(max_length=8, choices=Decision.choices)
    reason = models.TextField()
    author = models.CharField(max_length=150)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(name="review_has_reason", condition=~models.Q(reason="")),
            models.CheckConstraint(
                name="review_decision_known", condition=models.Q(decision__in=["ACCEPT", "REJECT", "WITHDRAW"])
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["exposure", "-id"], name="review_by_exposure")]

    def __str__(self) -> str:
        return f"{self.exposure_id} {self.frame_id or ''}: {self.decision}"
