"""The tick: once a second, look for work nobody does and ring; beside it, duties that repeat.

Any number of schedulers may run; what they do is idempotent, and a duty is done by whoever holds its advisory lock.

1. A task whose holder has died (its advisory lock is free) or whose lease has lapsed goes back to its queue.
2. Where tasks can be claimed, the bell is rung, at most `MOST_RINGS` at a time.
3. Duties (`every`) run in threads of their own, so that one that hangs does not stop the tick.
"""

import logging
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.db.models.functions import Now
from redis.exceptions import RedisError

from dayops import events, runs
from dayops.doorbell import MOST_RINGS, ring, rings_waiting
from dayops.engine.claim import ADVISORY_CLASS, lock_key
from dayops.heartbeat import HEARTBEAT_S, process_name, say_alive, say_ended
from dayops.models import Attempt, Phase, Severity, Task

log = logging.getLogger(__name__)

TICK_S = 1.0
ROLE = "scheduler"
_DUTY_CLASS = 0x0DA8


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to do every so often, by one scheduler at a time."""

    name: str
    every_s: float
    function: Callable[[], object]


_duties: dict[str, Duty] = {}


def every(seconds: float, name: str, function: Callable[[], object]) -> None:
    """Register a duty. Called from an app's `ready()`."""
    _duties[name] = Duty(name, seconds, function)


def run(stop: threading.Event) -> None:
    """Tick until `stop` is set. A database or Redis that is away is waited for."""
    threads = [threading.Thread(target=_repeat, args=(duty, stop), daemon=True) for duty in _duties.values()]
    for thread in threads:
        thread.start()
    name = process_name(ROLE)
    beat = 0.0
    while not stop.is_set():
        if time.monotonic() > beat:
            say_alive(name, ROLE)
            beat = time.monotonic() + HEARTBEAT_S
        _guarded("tick", tick)
        stop.wait(TICK_S)
    say_ended(name)


def _repeat(duty: Duty, stop: threading.Event) -> None:
    while not stop.wait(duty.every_s):
        _guarded(duty.name, lambda: _do(duty))


def _guarded(name: str, function: Callable[[], object]) -> object:
    try:
        return function()
    except (DatabaseError, InterfaceError, RedisError) as error:
        log.warning("%s: %s", name, error)
        connection.close()
    except Exception:
        log.exception("%s failed; it will be tried again", name)
        connection.close()
    return None


def _do(duty: Duty) -> None:
    """Do a duty unless another scheduler is at it."""
    key = zlib.crc32(duty.name.encode()) % 2**31
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [_DUTY_CLASS, key])
        if not cursor.fetchone()[0]:
            return
    try:
        duty.function()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [_DUTY_CLASS, key])


def tick() -> None:
    """One round of looking after the work. Idempotent."""
    recover()
    for queue, claimable in runs.queues_with_work():
        for _ in range(min(claimable, MOST_RINGS) - rings_waiting(queue)):
            ring(queue)


def recover() -> int:
    """Give back the tasks of dead holders; returns how many. One that cannot be given back stands in no other's way."""
    return sum(bool(_guarded(f"giving back task {found[0]}", partial(_give_back, *found))) for found in _abandoned())


def _abandoned() -> list[tuple[int, int, bool]]:
    """(task, attempt, lease lapsed) of every executing task without a living holder, by PostgreSQL's own account."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT task.id, task.attempt, task.lease_until < clock_timestamp()
            FROM dayops_task task
            WHERE task.phase = 'EXECUTING'
              AND (task.lease_until < clock_timestamp() OR NOT EXISTS (
                    SELECT FROM pg_locks held
                    WHERE held.locktype = 'advisory' AND held.objsubid = 2 AND held.granted
                      AND held.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                      AND held.classid = %s AND held.objid = task.id %% 2147483648))
            """,
            [ADVISORY_CLASS],
        )
        return list(cursor.fetchall())


@transaction.atomic
def _give_back(task_id: int, attempt: int, lapsed: bool) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '2s'")  # the tick does not wait for a run that somebody holds
    runs.lock(Task.objects.values_list("run_id", flat=True).get(pk=task_id))
    executing = Task.objects.select_for_update(no_key=True, skip_locked=True)
    task = executing.filter(pk=task_id, attempt=attempt, phase=Phase.EXECUTING).first()
    if task is None:
        return False  # it ended, or somebody else gave it back, while we looked
    if lapsed:
        _end_session_of(task_id)
    sentence = f"worker {task.worker} {'stalled' if lapsed else 'died'} during attempt {attempt}"
    again = attempt < task.max_attempts
    ended = {} if again else {"ended_at": Now(), "error_class": "WorkerLost", "error": sentence}
    phase = Phase.QUEUED if again else Phase.ERROR
    Task.objects.filter(pk=task_id).update(phase=phase, lease_until=None, not_before=Now(), **ended)
    attempts = Attempt.objects.filter(task_id=task_id, number=attempt)
    attempts.update(outcome=Attempt.Outcome.LOST, ended_at=Now(), error=sentence)
    events.record(
        "task.lost",
        f"{sentence.capitalize()} of {task.key}; {'it is queued again' if again else 'no attempts are left'}.",
        actor="scheduler",
        severity=Severity.WARN,
        subject=f"run:{task.run_id}",
    )
    runs.settle(task.run_id)
    return True


def _end_session_of(task_id: int) -> None:
    """Free the advisory lock of a holder that stalled: its next statement will fail, and it will end itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            " AND classid = %s AND objid = %s",
            [ADVISORY_CLASS, lock_key(task_id)],
        )
