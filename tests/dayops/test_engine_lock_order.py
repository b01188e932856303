"""Nobody who holds tasks waits for their run: whoever holds the run may wait for its tasks.

PostgreSQL keeps a row locked that a SELECT ... FOR UPDATE came upon and then left out, because it had changed
meanwhile: a claim may hold tasks that it does not know of. While somebody else has the run, it must let go.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from dayops import runs
from dayops.engine import claim
from dayops.models import Phase, Run, Task
from tests.work import run_of, task

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "alert-production"


@contextmanager
def beside(action: Callable[[], Any]) -> Iterator[list[Any]]:
    """`action` at work in a session of its own; what it gave or raised is there at the end."""
    found: list[Any] = []

    def act() -> None:
        try:
            found.append(action())
        except Exception as error:
            found.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=act)
    thread.start()
    try:
        yield found
    finally:
        thread.join(30)


def hold(run: Run) -> None:
    Run.objects.select_for_update(no_key=True).get(pk=run.pk)


def touch_every_task(run: Run) -> None:
    """As a retry or an opening stage does; a session that waits in a circle is ended by PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '10s'")
    run.tasks.update(message="touched")


@contextmanager
def beside_a_holder_of(run: Run, action: Callable[[], Any]) -> Iterator[list[Any]]:
    """`action` begins when the run is held already."""
    with transaction.atomic():
        hold(run)
        started = beside(action)
        found = started.__enter__()
        yield found
    started.__exit__(None, None, None)


def abort(run: Run) -> Callable[[], Any]:
    return lambda: runs.abort(run.pk, actor="otto", reason="a test")


@pytest.mark.parametrize("what", ["abort", "claim"])
def test_whoever_holds_the_run_gets_its_tasks_while_somebody_would_have_both(what):
    run = run_of(*(task(f"task-{number}", queue=QUEUE) for number in range(3)))
    action = abort(run) if what == "abort" else lambda: claim(QUEUE, "worker")
    with beside_a_holder_of(run, action) as found:
        threading.Event().wait(0.5)  # time enough to lock tasks and to come upon the run
        touch_every_task(run)
    assert not isinstance(found[0], Exception), found
    if what == "abort":
        assert set(run.tasks.values_list("phase", flat=True)) == {Phase.ABORTED}
    else:  # it may have found nothing while the tasks were being touched
        assert found[0] is not None or claim(QUEUE, "worker") is not None
        assert Task.objects.filter(run=run, phase=Phase.EXECUTING).count() == 1
        assert Run.objects.get(pk=run.pk).phase == Phase.EXECUTING


def test_a_claim_of_a_run_that_executes_waits_for_nobody():
    run = run_of(*(task(f"task-{number}", queue=QUEUE) for number in range(2)))
    assert claim(QUEUE, "first") is not None
    with transaction.atomic():
        hold(run)
        with beside(lambda: claim(QUEUE, "second")) as found:
            pass
        assert found[0] is not None
        assert not isinstance(found[0], Exception)
