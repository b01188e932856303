"""Who is at work: one row for each worker process, refreshed by its heartbeat."""

from django.db import models
from django.db.models.functions import Now


class WorkerProcess(models.Model):
    """A `manage.py worker` process. `seen_at` is refreshed every few seconds; a stale row is a dead worker."""

    name = models.CharField(max_length=120, unique=True)
    host = models.CharField(max_length=120)
    pid = models.PositiveIntegerField()
    queue = models.CharField(max_length=40)
    code_version = models.CharField(max_length=80, blank=True)
    started_at = models.DateTimeField(db_default=Now())
    seen_at = models.DateTimeField(db_default=Now())
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name_plural = "worker processes"

    def __str__(self) -> str:
        return self.name
