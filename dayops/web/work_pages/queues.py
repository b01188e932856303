"""What waits and what is at work: queues, workers and the scheduler, by PostgreSQL's account."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, F, Min, Q
from django.db.models.functions import Now
from redis.exceptions import RedisError

from dayops.doorbell import rings_waiting
from dayops.models import Phase, Task, WorkerProcess
from dayops.web.health import DEAD_AFTER, SCHEDULER, redis_pulse

ENDED_SHOWN_FOR = timedelta(days=1)
MOST_WORKERS = 500
NOTHING_WAITS: Mapping[str, Any] = {"waiting": 0, "paused": 0, "waiting_since": None}


@dataclass(frozen=True, slots=True)
class QueueState:
    """One queue. `rings` is None where Redis does not say."""

    name: str
    workers: int
    executing: int
    waiting: int
    waiting_since: datetime | None
    paused: int
    rings: int | None


@dataclass(frozen=True, slots=True)
class WorkerState:
    """One worker process, and the task it has in hand."""

    process: WorkerProcess
    state: str
    seen_age: timedelta
    task: Task | None


def queue_states(processes: list[WorkerState]) -> list[QueueState]:
    """Every queue of the settings, and any other that has work (two queries; Redis is asked only if it answers)."""
    waiting, executing = _waiting(), _executing()
    names = [*settings.QUEUES, *sorted({*waiting, *executing} - set(settings.QUEUES))]
    return [
        QueueState(
            name=name,
            workers=sum(one.process.queue == name and one.state == "ALIVE" for one in processes),
            executing=executing.get(name, 0),
            rings=_rings(name),
            **waiting.get(name, NOTHING_WAITS),
        )
        for name in names
    ]


# One query for each phase: each has a partial index of its own, and finished tasks are never read.
def _waiting() -> dict[str, dict[str, Any]]:
    claimable = Q(not_before__lte=Now())
    rows = Task.objects.filter(phase=Phase.QUEUED).order_by().values_list("queue")
    counted = rows.annotate(
        waiting=Count("id", filter=claimable),
        paused=Count("id", filter=~claimable),
        waiting_since=Min("not_before", filter=claimable),
    )
    return {queue: dict(zip(NOTHING_WAITS, counts, strict=True)) for queue, *counts in counted}


def _executing() -> dict[str, int]:
    rows = Task.objects.filter(phase=Phase.EXECUTING).order_by().values_list("queue")
    return dict(rows.annotate(number=Count("id")))


def _rings(name: str) -> int | None:
    if not redis_pulse.answers():
        return None
    try:
        return rings_waiting(name)
    except (RedisError, OSError):
        return None


def worker_states(now: datetime) -> list[WorkerState]:
    """Workers that live or ended within a day, the living first, with the task each has in hand (two queries)."""
    lately = Q(ended_at=None, seen_at__gt=now - 7 * ENDED_SHOWN_FOR) | Q(ended_at__gt=now - ENDED_SHOWN_FOR)
    rows = WorkerProcess.objects.filter(lately).order_by(F("ended_at").desc(nulls_first=True), "-seen_at", "name")
    tasks = Task.objects.filter(phase=Phase.EXECUTING).select_related("run").order_by("id")
    in_hand = {task.worker: task for task in tasks[:MOST_WORKERS]}
    return [WorkerState(row, _state(row, now), now - row.seen_at, in_hand.get(row.name)) for row in rows[:MOST_WORKERS]]


def _state(process: WorkerProcess, now: datetime) -> str:
    if process.ended_at:
        return "ENDED"
    return "ALIVE" if now - process.seen_at <= DEAD_AFTER else "STALE"


def scheduler_seen_at(processes: list[WorkerState]) -> datetime | None:
    """The newest heartbeat of a scheduler; None where none has beaten lately."""
    return max((one.process.seen_at for one in processes if one.process.queue == SCHEDULER), default=None)
