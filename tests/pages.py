"""Builders for tests of pages about work: where a page is, what it says, and a run that failed."""

from django.utils.timezone import now

from dayops import runs
from dayops.models import Attempt, Phase, Run, Task
from tests.people import client_of
from tests.work import run_of, task

QUEUE = "alert-production"
DAY_URL = "/2026-11-22/"
FRAGMENT = {"X-DayOps-Fragment": "1"}
REFUSAL = "frame 7 has 15 amplifiers where 16 were expected"
TRACEBACK = 'Traceback (most recent call last):\n  File "/srv/dayops/jobs.py", line 3\nZeroDivisionError: a bug\n'


def run_url(run: Run, then: str = "") -> str:
    return f"{DAY_URL}runs/{run.pk}/{then}"


def task_url(row: Task) -> str:
    return f"{DAY_URL}tasks/{row.pk}/"


def text_of(path: str, role: str = "observer") -> str:
    response = client_of(role).get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def failed_run(trace: str = "") -> Run:
    """A run of two tasks, of which one failed, as the engine leaves it."""
    run = run_of(task("bad"), task("good"))
    Task.objects.filter(run=run, key="good").update(phase=Phase.COMPLETED, ended_at=now(), attempt=1)
    bad = {"phase": Phase.ERROR, "ended_at": now(), "attempt": 1, "error": REFUSAL, "error_class": "BadInput"}
    Task.objects.filter(run=run, key="bad").update(**bad)
    for row in run.tasks.all():
        outcome, error = ("ERROR", trace or REFUSAL) if row.key == "bad" else ("COMPLETED", "")
        Attempt.objects.create(task=row, number=1, worker="w", host="h", pid=1, outcome=outcome, error=error)
    runs.settle(run.pk)
    run.refresh_from_db()
    assert run.phase == Phase.ERROR
    return run
