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
    """Every queue of the settings, and any other that has work (one query; Redis is asked only if it answers)."""
    claimable = Q(phase=Phase.QUEUED, not_before__lte=Now())
    counts: dict[str, dict[str, Any]] = {
        row["queue"]: {**row}
        for row in Task.objects.filter(phase__in=[Phase.QUEUED, Phase.EXECUTING])
        .order_by()
        .values("queue")
        .annotate(
            waiting=Count("id", filter=claimable),
            paused=Count("id", filter=Q(phase=Phase.QUEUED) & ~claimable),
            executing=Count("id", filter=Q(phase=Phase.EXECUTING)),
            waiting_since=Min("not_before", filter=claimable),
        )
    }
    names = [*settings.QUEUES, *sorted(set(counts) - set(settings.QUEUES))]
    return [_queue_state(name, counts.get(name, {}), processes) for name in names]


def _queue_state(name: str, counts: Mapping[str, Any], processes: list[WorkerState]) -> QueueState:
    return QueueState(
        name=name,
        workers=sum(one.process.queue == name and one.state == "ALIVE" for one in processes),
        executing=counts.get("executing", 0),
        waiting=counts.get("waiting", 0),
        waiting_since=counts.get("waiting_since"),
        paused=counts.get("paused", 0),
        rings=_rings(name),
    )


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
