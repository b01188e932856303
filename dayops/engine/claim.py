"""Taking a task: one row, one lease, one advisory lock, one fencing token."""

import os
import socket
import time
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import DateTimeField, ExpressionWrapper
from django.db.models.expressions import Combinable
from django.db.models.functions import Now

from dayops.engine.work import Work
from dayops.models import Attempt, Phase, Run, Task
from dayops.version import code_version

PAUSE_S = 0.005  # before a task is looked for again whose run somebody else had
ADVISORY_CLASS = 0x0DA7  # first key of the advisory lock; the second is the task's id


def claim(queue: str, worker: str) -> Work | None:
    """Take the next task of `queue`, or None when there is nothing to take.

    The advisory lock is held before the claim becomes visible, so that nobody can think its holder dead. The first task
    of a run changes the run as well: while somebody else has it, the task is let go again (see `dayops.runs`).
    """
    while True:
        with transaction.atomic():
            task = _next(queue)
            if task is None:
                return None
            if _run_is_free(task.run_id):
                if _lock(task.pk):
                    return _take(task, worker)
                # An earlier holder has lost the task but has not noticed yet; let others go first.
                Task.objects.filter(pk=task.pk).update(not_before=after(1.0))
                continue
        time.sleep(PAUSE_S)


def unlock(task_id: int) -> None:
    """Give up the advisory lock; when the connection is gone, the server has freed it already."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s, %s)", [ADVISORY_CLASS, lock_key(task_id)])
    except (OperationalError, InterfaceError):
        connection.close()


def after(seconds: float) -> Combinable:
    """That much later than now, on PostgreSQL's clock."""
    return ExpressionWrapper(Now() + timedelta(seconds=seconds), output_field=DateTimeField())


def lock_key(task_id: int) -> int:
    """Advisory locks take a 32-bit second key; a collision after 2³¹ tasks only delays a claim."""
    return task_id % 2**31


def _next(queue: str) -> Task | None:
    claimable = Task.objects.filter(queue=queue, phase=Phase.QUEUED, not_before__lte=Now())
    return claimable.select_for_update(skip_locked=True, no_key=True).order_by("-priority", "id").first()


def _lock(task_id: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s, %s)", [ADVISORY_CLASS, lock_key(task_id)])
        return bool(cursor.fetchone()[0])


def _run_is_free(run_id: int) -> bool:
    """Whether the run needs no change, or is ours to change now."""
    queued = Run.objects.filter(pk=run_id, phase=Phase.QUEUED)
    ours = queued.select_for_update(no_key=True, skip_locked=True).values_list("pk").first()
    return ours is not None or not queued.exists()


def _take(task: Task, worker: str) -> Work:
    attempt = task.attempt + 1
    Task.objects.filter(pk=task.pk).update(
        phase=Phase.EXECUTING,
        attempt=attempt,
        worker=worker,
        progress=0.0,
        message="",
        lease_until=after(settings.LEASE_S),
        started_at=Now(),
        ended_at=None,
    )
    Run.objects.filter(pk=task.run_id, phase=Phase.QUEUED).update(phase=Phase.EXECUTING, started_at=Now())
    Attempt.objects.create(
        task=task,
        number=attempt,
        worker=worker,
        host=socket.gethostname(),
        pid=os.getpid(),
        code_version=code_version(),
    )
    return Work(task.pk, task.run_id, attempt, task.function, task.arguments, task.max_attempts, task.timeout_s)
