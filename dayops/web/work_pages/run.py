"""One run: its stages and tasks, what may be done about it, and what was done."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus

from django.contrib import messages
from django.db.models import Count, DurationField, ExpressionWrapper, F, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import conditional_page, require_POST, require_safe

from dayops.models import Event, Phase, Run, Task
from dayops.observing_day import ObservingDay
from dayops.runs import NotPossible
from dayops.web.access import require, why_not
from dayops.web.refusals import is_fragment
from dayops.web.tables import Column, Filter, Table
from dayops.web.work_pages.facts import facts
from dayops.web.work_pages.operations import MAY_OPERATE, OPERATIONS, REASON_LIMIT, Operation, actor_of
from dayops.web.work_pages.subjects import linked, subject_url
from dayops.web.work_pages.texts import Unbroken

EVENTS_SHOWN = 50


def task_url(task: Task) -> str:
    return reverse("task", args=[task.run.day_obs, task.pk])


TASKS = Table(
    "tasks",
    (
        Column("task", "Task", lambda task: task.pk, order="pk", link=task_url),
        Column("stage", "Stage", lambda task: task.stage, order="ordinal"),
        Column("key", "Name", lambda task: task.key, order="key", link=task_url),
        Column("phase", "Phase", lambda task: task.phase, "status", order="phase"),
        Column("says", "Says", lambda task: task.error or task.message),
        Column("progress", "Progress", lambda task: round(100 * task.progress), "number", order="progress", unit="%"),
        Column("attempt", "Attempt", lambda task: task.attempt, "number", order="attempt"),
        Column("worker", "Worker", lambda task: Unbroken(task.worker), order="worker"),
        Column("started", "Started", lambda task: task.started_at, "instant", order="started_at", unit="UTC"),
        Column("took", "Took", lambda task: task.took, "duration", order="took"),
    ),
    search=("key", "worker", "error", "message"),
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a run, and how many of its tasks are where."""

    name: str
    total: int = 0
    completed: int = 0
    failed: int = 0
    aborted: int = 0
    executing: int = 0
    queued: int = 0

    @property
    def word(self) -> str:
        """The phase of the whole: the worst that has happened, or else the liveliest that goes on."""
        if not self.total:
            return "no tasks"
        in_order = {"ERROR": self.failed, "EXECUTING": self.executing, "ABORTED": self.aborted, "QUEUED": self.queued}
        over = "COMPLETED" if self.completed == self.total else "PENDING"
        return next((word for word, number in in_order.items() if number), over)


def stages_of(run: Run) -> list[Stage]:
    """The run's stages in order, those without tasks too (one query)."""
    counts = (
        run.tasks.order_by()
        .values(name=F("stage"))
        .annotate(
            total=Count("id"),
            completed=Count("id", filter=Q(phase=Phase.COMPLETED)),
            failed=Count("id", filter=Q(phase=Phase.ERROR)),
            aborted=Count("id", filter=Q(phase=Phase.ABORTED)),
            executing=Count("id", filter=Q(phase=Phase.EXECUTING)),
            queued=Count("id", filter=Q(phase=Phase.QUEUED)),
        )
    )
    found = {row["name"]: Stage(**row) for row in counts}
    return [found.get(name, Stage(name)) for name in run.stages]


@dataclass(frozen=True, slots=True)
class Button:
    """An operation as this user sees it on this run; `blocked` says why it may not be pressed."""

    operation: Operation
    blocked: str


def buttons(run: Run) -> Iterator[Button]:
    return (Button(operation, operation.why_not(run)) for operation in OPERATIONS.values())


@require_safe
@conditional_page
def run_page(request: HttpRequest, day: ObservingDay, pk: int) -> HttpResponseBase:
    """A run of `day`, whole or as the fragment that keeps it current; its tasks are exported as CSV or JSON."""
    run = get_object_or_404(Run, pk=pk, day_obs=day.day_obs)
    stages = stages_of(run)
    context = {
        "run": run,
        "subject": f"run:{run.pk}",
        "stages": stages,
        "done": sum(stage.completed for stage in stages),
        "total": sum(stage.total for stage in stages),
        "took": run.ended_at and run.started_at and run.ended_at - run.started_at,
        "is_late": run.deadline is not None and run.deadline < (run.ended_at or datetime.now(UTC)),
        "subject_url": subject_url(run.subject, run.day_obs),
        "parameters": facts(run.parameters),
        "summary": facts(run.summary),
        "buttons": buttons(run),
        "may_not": why_not(request, MAY_OPERATE),
        "reason_limit": REASON_LIMIT,
        "events": linked(Event.objects.filter(subject=f"run:{run.pk}").order_by("-id")[:EVENTS_SHOWN]),
        "crumbs": [(str(day), reverse("board", args=[day])), ("Runs", reverse("runs", args=[day])), (run.title, "")],
    }
    template = "runs/run_live.html" if is_fragment(request) else "runs/run.html"
    return _tasks(run, stages).respond(request, _tasks_of(run), template, context)


def _tasks(run: Run, stages: Iterable[Stage]) -> Table:
    filters = (
        Filter("stage", "Stage", [(stage.name, stage.name) for stage in stages], "stage"),
        Filter("phase", "Phase", Phase.choices, "phase"),
    )
    return replace(TASKS, name=f"tasks-of-run-{run.pk}", filters=filters)


def _tasks_of(run: Run) -> QuerySet[Task]:
    took = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    return run.tasks.select_related("run").annotate(took=took).order_by("ordinal", "pk")


@require_POST
@require(MAY_OPERATE)
def operate(request: HttpRequest, day: ObservingDay, pk: int, operation: str) -> HttpResponse:
    """Retry, abort or re-run a run, for the reason given, and show it again."""
    if operation not in OPERATIONS:
        raise Http404(operation)
    run = get_object_or_404(Run, pk=pk, day_obs=day.day_obs)
    reason = request.POST.get("reason", "")[:REASON_LIMIT]
    try:
        messages.success(request, OPERATIONS[operation].do(run.pk, actor_of(request), reason))
    except NotPossible as error:
        messages.error(request, str(error))
    response = redirect("run", day=day, pk=pk)
    response.status_code = HTTPStatus.SEE_OTHER
    return response
