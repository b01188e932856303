"""Start, extend, retry, abort and re-run: every change of a run that is not made by a worker.

One function is one transaction and, where people should know, one event. Workers change tasks through `dayops.engine`,
which calls `settle` here in the same transaction.

Locks are taken in one order, so that nobody waits in a circle: the run before its tasks. A claim looks for tasks first
and therefore waits for no run: PostgreSQL also keeps rows locked that a SELECT ... FOR UPDATE came upon and left out,
because they had changed since it began. A run that is over has no task that anybody could claim or commit.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Count, F, Max, Min, Q
from django.db.models.functions import Now

from dayops import events
from dayops.doorbell import ring_on_commit
from dayops.models import Attempt, Phase, Run, Severity, Task
from dayops.version import code_version

MAX_ATTEMPTS = 5
_LIVE = [Phase.QUEUED, Phase.EXECUTING]
_ANEW: dict[str, Any] = {  # of a task to be done again; what was before is kept with its attempts
    "phase": Phase.PENDING,
    "worker": "",
    "started_at": None,
    "ended_at": None,
    "error": "",
    "error_class": "",
    "progress": 0.0,
    "message": "",
}


class NotPossible(Exception):
    """The run is not in a phase that allows this; the message says which it is in and what can be done."""


@dataclass(frozen=True, slots=True)
class NewTask:
    """A task to be: `stage` must be one of the run's stages, `key` unique within the run."""

    stage: str
    key: str
    function: str
    arguments: dict[str, Any] = field(default_factory=dict)
    queue: str = "alert-production"
    priority: int = 0
    timeout_s: int = 600
    max_attempts: int = MAX_ATTEMPTS


@transaction.atomic
def start(
    *,
    activity: str,
    key: str,
    title: str,
    day_obs: int,
    tasks: Sequence[NewTask],
    stages: Sequence[str],
    parameters: dict[str, Any] | None = None,
    deadline: datetime | None = None,
    requested_by: str = "",
    subject: str = "",
) -> tuple[Run, bool]:
    """The run called `key`, and whether it is new. Asking again for the same key changes nothing.

    The tasks of the first stage are claimable as soon as the transaction commits.
    """
    run, created = Run.objects.get_or_create(
        key=key,
        defaults={
            "activity": activity,
            "title": title,
            "day_obs": day_obs,
            "phase": Phase.QUEUED,
            "stages": list(stages),
            "parameters": parameters or {},
            "deadline": deadline,
            "requested_by": requested_by,
            "subject": subject,
            "code_version": code_version(),
        },
    )
    if created:
        _insert(run, tasks)
        settle(run.pk)
    return run, created


@transaction.atomic
def add_tasks(run: Run, tasks: Sequence[NewTask]) -> int:
    """Add tasks to a run, also to one that has ended (it opens again). Keys already there are left alone."""
    run = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
    if run.phase == Phase.ABORTED:
        raise NotPossible(f"{run} was aborted and takes no new tasks. Re-run it first.")
    added = _insert(run, tasks)
    if added and run.is_over:
        phase = Phase.EXECUTING if run.started_at else Phase.QUEUED
        Run.objects.filter(pk=run.pk).update(phase=phase, ended_at=None, error="")
    settle(run.pk)
    return added


def _insert(run: Run, tasks: Sequence[NewTask]) -> int:
    present = set(run.tasks.filter(key__in=[task.key for task in tasks]).values_list("key", flat=True))
    rows = [
        Task(
            run=run,
            stage=task.stage,
            ordinal=run.stages.index(task.stage),
            key=task.key,
            queue=task.queue,
            priority=task.priority,
            function=task.function,
            arguments=task.arguments,
            timeout_s=task.timeout_s,
            max_attempts=task.max_attempts,
        )
        for task in tasks
        if task.key not in present
    ]
    return len(Task.objects.bulk_create(rows))


def lock(run_id: int) -> Run:
    """The run, locked until the transaction ends. Before any task of it is."""
    return Run.objects.select_for_update(no_key=True).get(pk=run_id)


def settle(run_id: int) -> None:
    """Bring a run up to date with its tasks: open the stage whose turn it is, or end the run. Idempotent.

    It is the turn of the first stage that is not COMPLETED; what waits in later ones is held back, also when a late
    task opens an earlier stage again. What executes there already goes on. The run ends when nothing is left that can
    be done; a task in ERROR keeps the later stages PENDING. The run row is locked, so that of two workers which finish
    the last two tasks of a stage at once, the second sees both.
    """
    run = lock(run_id)
    if run.is_over:
        return
    found = run.tasks.aggregate(
        turn=Min("ordinal", filter=~Q(phase=Phase.COMPLETED)),
        pending=Min("ordinal", filter=Q(phase=Phase.PENDING)),
        queued=Max("ordinal", filter=Q(phase=Phase.QUEUED)),
        live=Count("id", filter=Q(phase__in=_LIVE)),
        failed=Count("id", filter=Q(phase=Phase.ERROR)),
    )
    turn, queued = found["turn"], found["queued"]
    held_back = _hold_back(run, turn) if queued is not None and queued > turn else 0
    if turn is not None and found["pending"] == turn:
        _open(run, turn)
    elif found["live"] == held_back:
        _end(run, failed=found["failed"])


def _open(run: Run, turn: int) -> None:
    opened = run.tasks.filter(phase=Phase.PENDING, ordinal=turn)
    queues = set(opened.order_by().values_list("queue", flat=True).distinct())
    opened.update(phase=Phase.QUEUED, not_before=Now())
    ring_on_commit(queues)


def _hold_back(run: Run, turn: int) -> int:
    """Take the tasks of later stages from their queues again, but for those that a worker is claiming just now."""
    waiting = run.tasks.filter(phase=Phase.QUEUED, ordinal__gt=turn).select_for_update(skip_locked=True, no_key=True)
    return Task.objects.filter(pk__in=[task.pk for task in waiting.only("pk")]).update(phase=Phase.PENDING)


def _end(run: Run, *, failed: int) -> None:
    phase = Phase.ERROR if failed else Phase.COMPLETED
    error = ""
    if failed:
        first = run.tasks.filter(phase=Phase.ERROR).order_by("ordinal", "id").values_list("key", "error")[0]
        error = f"{failed} task{'s' if failed > 1 else ''} failed; the first is {first[0]}: {first[1]}"
    Run.objects.filter(pk=run.pk).update(phase=phase, ended_at=Now(), error=error)
    if failed:
        events.record(
            "run.error",
            f"{run.title}: {error}",
            actor="engine",
            day_obs=run.day_obs,
            severity=Severity.ALARM,
            subject=f"run:{run.pk}",
        )


@transaction.atomic
def retry(run_id: int, *, actor: str, reason: str) -> int:
    """Queue the failed (or aborted) tasks of an ended run again; what is done stays done. Returns their number."""
    run = _locked(run_id, reason)
    if run.phase not in {Phase.ERROR, Phase.ABORTED}:
        raise NotPossible(f"{run} is {run.phase}; only a run in ERROR or ABORTED can be retried. Re-run it instead.")
    failed = run.tasks.filter(phase__in=[Phase.ERROR, Phase.ABORTED])
    number = failed.update(**_ANEW)
    Run.objects.filter(pk=run_id).update(phase=Phase.QUEUED, ended_at=None, error="", abort_requested=False)
    _grant_attempts(run)
    settle(run_id)
    _tell("run.retried", run, f"{actor} retries {number} tasks of {run.title}", actor, reason)
    return number


@transaction.atomic
def rerun(run_id: int, *, actor: str, reason: str) -> None:
    """Do everything again, with today's code. Results are replaced when the new ones commit, not before."""
    run = _locked(run_id, reason)
    if not run.is_over:
        raise NotPossible(f"{run} is {run.phase}: wait until it ends, or abort it first.")
    run.tasks.update(**_ANEW)
    Run.objects.filter(pk=run_id).update(
        phase=Phase.QUEUED, started_at=None, ended_at=None, error="", abort_requested=False, code_version=code_version()
    )
    _grant_attempts(run)
    settle(run_id)
    _tell("run.rerun", run, f"{actor} runs {run.title} again", actor, reason)


@transaction.atomic
def abort(run_id: int, *, actor: str, reason: str) -> None:
    """End a run now: waiting tasks are ABORTED, executing ones lose their lease and cannot commit any more."""
    run = _locked(run_id, reason)
    if run.is_over:
        raise NotPossible(f"{run} is {run.phase} already; there is nothing to abort.")
    run.tasks.exclude(phase__in=Phase.ended()).update(phase=Phase.ABORTED, ended_at=Now(), lease_until=None)
    attempts = Attempt.objects.filter(task__run=run_id, outcome=Attempt.Outcome.RUNNING)
    attempts.update(outcome=Attempt.Outcome.ABORTED, ended_at=Now())
    Run.objects.filter(pk=run_id).update(phase=Phase.ABORTED, ended_at=Now(), abort_requested=True)
    _tell("run.aborted", run, f"{actor} aborted {run.title}", actor, reason, severity=Severity.WARN)


def _locked(run_id: int, reason: str) -> Run:
    if not reason.strip():
        raise NotPossible("A reason is needed: say in a few words why, so that the next shift understands.")
    return lock(run_id)


def _grant_attempts(run: Run) -> None:
    """A person's retry is worth as many tries as the first time."""
    run.tasks.filter(phase=Phase.PENDING).update(max_attempts=F("attempt") + MAX_ATTEMPTS)


def _tell(kind: str, run: Run, text: str, actor: str, reason: str, severity: Severity = Severity.INFO) -> None:
    events.record(
        kind,
        text,
        actor=actor,
        day_obs=run.day_obs,
        severity=severity,
        reason=reason,
        subject=f"run:{run.pk}",
    )


def queues_with_work() -> Iterable[tuple[str, int]]:
    """Every queue on which a task could be claimed now, and how many."""
    claimable = Task.objects.filter(phase=Phase.QUEUED, not_before__lte=Now())
    return claimable.order_by().values_list("queue").annotate(number=Count("id"))
