"""One task: every attempt at it, what it wrote, what it read and left behind."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import DurationField, ExpressionWrapper, F, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.views.decorators.http import conditional_page, require_safe

from dayops.models import Attempt, LogLine, Task
from dayops.observing_day import ObservingDay
from dayops.web.access import may
from dayops.web.refusals import is_fragment
from dayops.web.tables import Column, Table
from dayops.web.work_pages.facts import facts
from dayops.web.work_pages.texts import Unbroken

LEVELS = ("INFO", "WARNING", "ERROR")
LINES_PER_PAGE = 500
TRACEBACKS_SHOWN = 5
_IN_A_TRACEBACK = '  File "'


def sentence_of(error: str) -> str:
    """What a person needs of an attempt's error: of a traceback, its last line."""
    return error.rstrip().rpartition("\n")[2] if _IN_A_TRACEBACK in error else error


ATTEMPTS = Table(
    "attempts",
    (
        Column("number", "Attempt", lambda attempt: attempt.number, "number", order="number"),
        Column("outcome", "Outcome", lambda attempt: attempt.outcome, "status", order="outcome"),
        Column("worker", "Worker", lambda attempt: Unbroken(attempt.worker), order="worker"),
        Column("host", "Host", lambda attempt: attempt.host, order="host"),
        Column("pid", "Process", lambda attempt: attempt.pid, order="pid"),
        Column("code_version", "Code version", lambda attempt: attempt.code_version, order="code_version"),
        Column("started", "Started", lambda attempt: attempt.started_at, "instant", order="started_at", unit="UTC"),
        Column("took", "Took", lambda attempt: attempt.took, "duration", order="took"),
        Column(
            "max_rss", "Peak memory", lambda attempt: attempt.max_rss_mib, "number", order="max_rss_mib", unit="MiB"
        ),
        Column("error", "Error", lambda attempt: sentence_of(attempt.error)),
    ),
    page_size=50,
)


def tracebacks(task: Task) -> list[Attempt]:
    """The newest attempts that ended in a traceback, for maintainers (one query)."""
    failed = task.attempts.filter(error__contains=_IN_A_TRACEBACK).order_by("-number")
    return list(failed[:TRACEBACKS_SHOWN])


@dataclass(frozen=True, slots=True)
class Log:
    """One page of a task's log lines, at one level or all."""

    page: Page[LogLine]
    level: str
    levels: tuple[str, ...] = LEVELS


def log_of(task: Task, asked: Mapping[str, Any]) -> Log:
    """The page ``?log=`` of the lines of ``?level=``; the newest where none is asked for (two queries).

    Lines are only ever added at the end, so that a line's page is for ever.
    """
    level = asked.get("level", "")
    lines = task.log_lines.order_by("pk")
    if level in LEVELS:
        lines = lines.filter(level=level)
    pages = Paginator(lines, LINES_PER_PAGE)
    return Log(pages.get_page(asked.get("log") or pages.num_pages), level if level in LEVELS else "")


@require_safe
@conditional_page
def task_page(request: HttpRequest, day: ObservingDay, pk: int) -> HttpResponseBase:
    """A task of `day`, whole or as the fragment that keeps it current; its attempts are exported as CSV or JSON."""
    task = get_object_or_404(Task.objects.select_related("run"), pk=pk, run__day_obs=day.day_obs)
    context = {
        "task": task,
        "run": task.run,
        "arguments": facts(task.arguments),
        "result": facts(task.result),
        "log": log_of(task, request.GET),
        "tracebacks": tracebacks(task) if may(request, "dayops.maintain") else [],
        "crumbs": [
            (str(day), reverse("board", args=[day])),
            ("Runs", reverse("runs", args=[day])),
            (task.run.title, reverse("run", args=[day, task.run_id])),
            (task.key, ""),
        ],
    }
    template = "work/task_live.html" if is_fragment(request) else "work/task.html"
    table = replace(ATTEMPTS, name=f"attempts-of-task-{task.pk}")
    return table.respond(request, _attempts_of(task), template, context)


def _attempts_of(task: Task) -> QuerySet[Attempt]:
    took = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    return task.attempts.annotate(took=took).order_by("-number")
