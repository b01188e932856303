"""Programs' keys: tokens are shown once and kept only as a hash."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class ApiToken(models.Model):
    """A user's revocable key for programs. `digest` is the SHA-256 of 256 random bits; the key itself is not kept."""

    class Scope(models.TextChoices):
        READ = "read", "Read"
        OPERATE = "operate", "Read, and start, retry and abort runs"
        JUDGE = "judge", "Read, and give verdicts and thresholds"
        OCS = "ocs", "Read, and command devices"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    scope = models.CharField(max_length=10, choices=Scope.choices, default=Scope.READ)
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "API token"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "name"], name="token_name_once_per_user"),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}/{self.name}"
