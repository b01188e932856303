"""Who is at work, and what waits."""

from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import conditional_page, require_safe

from dayops.observing_day import ObservingDay
from dayops.web.health import redis_pulse, work_findings
from dayops.web.refusals import is_fragment
from dayops.web.tables import Column, Filter, Table
from dayops.web.work_pages.queues import WorkerState, queue_states, scheduler_seen_at, worker_states
from dayops.web.work_pages.run import task_url
from dayops.web.work_pages.texts import Linked, Unbroken

STATES = ("ALIVE", "STALE", "ENDED")


def _in_hand(worker: WorkerState) -> Linked | None:
    return Linked(worker.task.key, task_url(worker.task)) if worker.task else None


WORKERS = Table(
    "workers",
    (
        Column("worker", "Worker", lambda row: Unbroken(row.process.name), order="worker"),
        Column("state", "State", lambda row: row.state, "status", order="state"),
        Column("queue", "Queue", lambda row: Unbroken(row.process.queue), order="queue"),
        Column("task", "Doing", _in_hand, order="task"),
        Column("host", "Host", lambda row: row.process.host, order="host"),
        Column("pid", "Process", lambda row: row.process.pid, order="pid"),
        Column("code_version", "Code version", lambda row: row.process.code_version, order="code_version"),
        Column("seen", "Last seen", lambda row: row.process.seen_at, "instant", order="seen", unit="UTC"),
        Column("seen_age", "Seen", lambda row: row.seen_age, "duration", order="seen_age", unit="ago"),
    ),
    search=("worker", "host", "task"),
    filters=(Filter("state", "State", [(state, state.capitalize()) for state in STATES], "state"),),
)


@require_safe
@conditional_page
def worker_list(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """Workers, queues and the scheduler as they are now, by PostgreSQL; without Redis a warning, not an error."""
    workers = worker_states(datetime.now(UTC))
    context = {
        "queues": queue_states(workers),
        "scheduler_seen_at": scheduler_seen_at(workers),
        "findings": work_findings(),
        "redis_answers": redis_pulse.answers(),
        "crumbs": [(str(day), reverse("board", args=[day])), ("Workers", "")],
    }
    template = "work/workers_live.html" if is_fragment(request) else "work/workers.html"
    return WORKERS.respond(request, workers, template, context)
