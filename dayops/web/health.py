"""Is everything there that work needs? Asked by monitors (/healthz, /readyz) and by every page's warnings."""

import shutil
import time
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from typing import Literal

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis.backoff import NoBackoff
from redis.retry import Retry

from dayops.models import WorkerProcess

Level = Literal["OK", "WARN", "ERROR"]
SCHEDULER = "scheduler"  # the scheduler's row in WorkerProcess: it has no queue of its own
DEAD_AFTER = timedelta(seconds=30)
DISK_WARN, DISK_ERROR = 0.10, 0.03  # free fraction of the state folder's disk
_REDIS_TIMEOUT_S = 0.3
_REDIS_REMEMBER_S = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """The state of one part, in a sentence that says the remedy where one is needed."""

    part: str
    level: Level
    text: str


class RedisPulse:
    """Whether Redis answers, asked at most every few seconds so that no page waits for a dead one twice."""

    def __init__(self) -> None:
        self._client = redis.Redis.from_url(
            settings.REDIS_URL,
            socket_timeout=_REDIS_TIMEOUT_S,
            socket_connect_timeout=_REDIS_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),  # redis-py's own three, with pauses, would keep a page waiting for seconds
        )
        self._asked_at = float("-inf")
        self._answers = False

    def answers(self) -> bool:
        if time.monotonic() - self._asked_at > _REDIS_REMEMBER_S:
            self._answers = self._ping()
            self._asked_at = time.monotonic()
        return self._answers

    def _ping(self) -> bool:
        try:
            return bool(self._client.ping())
        except (redis.RedisError, OSError):
            return False


redis_pulse = RedisPulse()


def work_findings() -> list[Finding]:
    """Workers, scheduler and Redis, in one query and at most one ping."""
    alive = set(
        WorkerProcess.objects.filter(ended_at=None, seen_at__gt=Now() - DEAD_AFTER).values_list("queue", flat=True)
    )
    return [_redis_finding(), *(_queue_finding(queue, alive) for queue in settings.QUEUES), _scheduler_finding(alive)]


def _redis_finding() -> Finding:
    if redis_pulse.answers():
        return Finding("redis", "OK", "Redis answers.")
    return Finding("redis", "ERROR", "Redis is away: no new work starts until it is back. Nothing is lost.")


def _queue_finding(queue: str, alive: set[str]) -> Finding:
    if queue in alive:
        return Finding(queue, "OK", f"At least one worker serves {queue}.")
    return Finding(
        queue, "WARN", f"No worker serves {queue}: its work waits. Start: python manage.py worker --queues {queue}"
    )


def _scheduler_finding(alive: set[str]) -> Finding:
    if SCHEDULER in alive:
        return Finding(SCHEDULER, "OK", "The scheduler ticks.")
    return Finding(
        SCHEDULER,
        "WARN",
        "The scheduler has not ticked lately: deadlines and retries wait. Start: python manage.py scheduler",
    )


def database_finding() -> Finding:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        return Finding("postgresql", "ERROR", "PostgreSQL does not answer.")
    return Finding("postgresql", "OK", "PostgreSQL answers.")


def disk_finding() -> Finding:
    try:
        usage = shutil.disk_usage(settings.STATE_DIR)
    except OSError as error:
        return Finding("disk", "ERROR", f"The state folder {settings.STATE_DIR} cannot be read: {error.strerror}.")
    free = usage.free / usage.total
    level: Level = "ERROR" if free < DISK_ERROR else "WARN" if free < DISK_WARN else "OK"
    return Finding("disk", level, f"{free:.0%} of the disk is free.")


def findings() -> list[Finding]:
    """Everything, in the order in which to mend it."""
    database = database_finding()
    if database.level == "ERROR":
        return [database, _redis_finding(), disk_finding()]
    return [database, disk_finding(), *work_findings()]


@login_not_required
@require_safe
@never_cache
def healthz(request: HttpRequest) -> HttpResponse:
    """Live: this process answers. For load balancers; asks nothing of anyone else."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Ready: work can be done. 503 where a part is in ERROR; levels only, for it is open to everyone."""
    parts = {finding.part: finding.level for finding in findings()}
    failed = "ERROR" in parts.values()
    status = HTTPStatus.SERVICE_UNAVAILABLE if failed else HTTPStatus.OK
    return JsonResponse({"ready": not failed, "parts": parts}, status=status)
