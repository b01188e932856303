"""Real worker processes: killed, stopped, given poison, left without Valkey or PostgreSQL."""

import os
import resource
import signal
import subprocess
import time
import zlib
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from redis.exceptions import RedisError
from rq import Queue

from dayops import doorbell, embedded, heartbeat, runs, scheduler
from dayops.models import Attempt, Phase, Task, WorkerProcess
from dayops.processes import Child, manage
from dayops.worker import limit_memory
from tests.work import another_session, run_of, task

pytestmark = pytest.mark.django_db(transaction=True)

QUEUE = "alert-production"


def environment():
    """What a worker process needs to work on the test's own database."""
    name = connection.settings_dict["NAME"]
    url = settings.DATABASE_URL.replace("/dayops?", f"/{name}?")
    secret = {"DAYOPS_SECRET_KEY": settings.SECRET_KEY}
    return {"DATABASE_URL": url, "REDIS_URL": settings.REDIS_URL, "DAYOPS_DRILL": "1", "DAYOPS_LEASE_S": "2", **secret}


@contextmanager
def worker(*words):
    log = Path(settings.STATE_DIR) / "log" / "test-worker.log"
    child = Child("worker", manage("worker", "--queues", QUEUE, *words), log, environment())
    child.start()
    try:
        yield child
    finally:
        child.stop()


def wait_for(condition, what, limit_s=60.0):
    deadline = time.monotonic() + limit_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what}: not in {limit_s:.0f} s"
        time.sleep(0.05)
    return found


def slow_task(key="slow", seconds=30.0):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE IF NOT EXISTS drill_row (task_key text, part int, value text)")
        cursor.execute("TRUNCATE drill_row")
    return task(key, "drill.careful", arguments={"key": key, "seconds": seconds})


def rows():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM drill_row")
        return cursor.fetchone()[0]


def running_attempt():
    return Attempt.objects.filter(outcome="RUNNING").first()


def finish_quickly():
    Task.objects.update(arguments={"key": "slow", "seconds": 0.0})


def test_a_worker_does_what_waits_and_says_it_is_alive() -> None:
    run = run_of(slow_task(seconds=0.1))
    scheduler.tick()
    with worker("--burst") as child:
        child.process.wait(60)
    assert run.tasks.get().phase == Phase.COMPLETED
    seen = WorkerProcess.objects.get()
    assert (seen.queue, seen.pid) == (QUEUE, child.process.pid)
    assert seen.ended_at is not None


def test_a_killed_work_horse_loses_nothing() -> None:
    run_of(slow_task())
    with worker():
        attempt = wait_for(running_attempt, "an attempt")
        os.kill(attempt.pid, signal.SIGKILL)
        finish_quickly()
        wait_for(scheduler.recover, "recovery", 15)
        scheduler.tick()
        wait_for(lambda: Task.objects.get().phase == Phase.COMPLETED, "the second attempt")
    assert rows() == 5
    assert list(Attempt.objects.order_by("number").values_list("outcome", flat=True)) == ["LOST", "COMPLETED"]


def test_a_work_horse_dies_with_its_killed_parent() -> None:
    run_of(slow_task())
    with worker() as child:
        attempt = wait_for(running_attempt, "an attempt")
        child.process.kill()
        wait_for(lambda: not Path(f"/proc/{attempt.pid}").exists(), "the horse's end", 10)
        child.process.wait()
    assert scheduler.recover() == 1
    assert rows() == 0


def test_a_stopped_worker_finishes_the_task_in_hand_and_takes_no_other() -> None:
    run_of(slow_task("one", 2.0), task("two"))
    with worker() as child:
        wait_for(running_attempt, "an attempt")
        child.process.terminate()
        child.process.wait(30)
    assert list(Task.objects.order_by("id").values_list("phase", flat=True)) == [Phase.COMPLETED, Phase.QUEUED]


def test_an_aborted_task_ends_its_work_horse() -> None:
    run = run_of(slow_task())
    with worker():
        attempt = wait_for(running_attempt, "an attempt")
        runs.abort(run.pk, actor="olivia", reason="wrong filter")
        wait_for(lambda: not Path(f"/proc/{attempt.pid}").exists(), "the horse's end", 15)
    assert rows() == 0
    assert Task.objects.get().phase == Phase.ABORTED


@pytest.mark.parametrize(
    "message",
    [
        {"func": "os.system", "args": ["touch /tmp/dayops-was-here"], "kwargs": {}},
        {"func": "dayops.worker.answer", "args": ["alert-production", 1, 2], "kwargs": {}},
        {"func": "subprocess.check_call", "args": [], "kwargs": {"args": ["true"]}},
    ],
)
def test_a_worker_calls_nothing_but_the_bell(message):
    evil = Queue(QUEUE, connection=doorbell.connection(), serializer="json")
    evil.enqueue_call(message["func"], args=message["args"], kwargs=message["kwargs"])
    run = run_of(slow_task(seconds=0.1))
    scheduler.tick()
    with worker("--burst") as child:
        child.process.wait(60)
    assert not Path("/tmp/dayops-was-here").exists()
    assert run.tasks.get().phase == Phase.COMPLETED, "the worker goes on after a poisonous message"


def test_a_pickled_message_is_not_opened() -> None:
    poison = Queue(QUEUE, connection=doorbell.connection(), serializer="pickle")
    poison.enqueue_call("os.system", args=["touch /tmp/dayops-was-here"])
    run = run_of(slow_task(seconds=0.1))
    scheduler.tick()
    with worker("--burst") as child:
        child.process.wait(60)
    assert not Path("/tmp/dayops-was-here").exists()
    assert run.tasks.get().phase == Phase.COMPLETED


def test_work_goes_on_after_all_of_valkey_is_lost() -> None:
    run_of(slow_task(seconds=0.2))
    doorbell.connection().flushall()
    scheduler.tick()
    with worker():
        wait_for(lambda: Task.objects.get().phase == Phase.COMPLETED, "the task")


def test_answered_rings_leave_nothing_behind_in_valkey() -> None:
    for _ in range(20):
        doorbell._enqueue(QUEUE)
    with worker("--burst") as child:
        child.process.wait(60)
    keys = doorbell.connection().keys("rq:*")
    assert [key for key in keys if b":job:" in key or b":execution" in key or b":failed" in key] == []


def test_a_worker_waits_for_a_valkey_that_is_away_and_says_so() -> None:
    log = Path(settings.STATE_DIR) / "log" / "test-early-worker.log"
    away = {**environment(), "REDIS_URL": "unix:///nowhere/valkey.sock"}
    child = Child("worker", manage("worker", "--queues", QUEUE), log, away)
    child.start()
    try:
        wait_for(lambda: "see that REDIS_URL is right and Valkey runs. Waiting." in log.read_text(), "the sentence")
        assert child.alive
        assert "Traceback" not in log.read_text()
    finally:
        child.stop()


@pytest.mark.parametrize(("allowed_gib", "expected_gib"), [(-1, 8), (4, 4), (16, 8)])
def test_a_work_horse_takes_no_more_memory_than_it_may(monkeypatch, allowed_gib, expected_gib):
    given = []
    allowed = allowed_gib * 2**30 if allowed_gib > 0 else resource.RLIM_INFINITY
    monkeypatch.setattr(resource, "getrlimit", lambda _: (allowed, allowed))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: given.append(limits))
    limit_memory()
    assert given == [(expected_gib * 2**30, expected_gib * 2**30)]


def test_rings_do_not_pile_up() -> None:
    doorbell.connection().flushdb()
    for _ in range(30):
        doorbell.ring(QUEUE)
    assert doorbell.rings_waiting(QUEUE) == doorbell.MOST_RINGS


def test_processes_gone_for_a_week_are_forgotten() -> None:
    for name in ("scheduler-old", "scheduler-new"):
        heartbeat.say_alive(name, "scheduler")
    WorkerProcess.objects.filter(name="scheduler-old").update(seen_at="2020-01-01T00:00Z")
    assert heartbeat.forget_old_processes() == 1
    assert WorkerProcess.objects.get().name == "scheduler-new"


def test_two_starts_of_one_process_id_have_two_names() -> None:
    """As in containers, where every start has the same host name and process id."""
    assert heartbeat.process_name(QUEUE) != heartbeat.process_name(QUEUE)


def test_a_worker_refuses_two_queues_in_words() -> None:
    done = subprocess.run(
        manage("worker", "--queues", "alert-production,archive-center"),
        env={**os.environ, **environment()},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "exactly one queue" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_servers_may_be_killed_under_a_worker() -> None:
    """PostgreSQL and Valkey die while a task computes: it is done once, later.

    The checkpoint spares the recovery what all tests before this one wrote.
    """
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    run_of(slow_task(seconds=3.0))
    with worker():
        wait_for(running_attempt, "an attempt")
        pids = embedded.running(embedded.state_dir())
        assert pids is not None
        os.kill(pids["Valkey"], signal.SIGKILL)
        os.kill(pids["PostgreSQL"], signal.SIGKILL)
        connection.close()
        wait_for(_database_is_back, "PostgreSQL", 30)
        deadline = time.monotonic() + 60
        while Task.objects.get().phase != Phase.COMPLETED and time.monotonic() < deadline:
            _tick_quietly()
            time.sleep(0.5)
    assert Task.objects.get().phase == Phase.COMPLETED
    assert rows() == 5


def _database_is_back():
    try:
        Task.objects.count()
    except OperationalError:
        connection.close()
        return False
    return True


def _tick_quietly():
    try:
        scheduler.tick()
    except RedisError:
        return


def test_two_schedulers_do_a_duty_once_at_a_time() -> None:
    done = []
    duty = scheduler.Duty("test duty", 1.0, lambda: done.append(1))
    with another_session() as other:
        other.execute("SELECT pg_advisory_lock(%s, %s)", [0x0DA8, zlib.crc32(b"test duty") % 2**31])
        scheduler._do(duty)
        assert done == []
        other.execute("SELECT pg_advisory_unlock_all()")
    scheduler._do(duty)
    assert done == [1]


def test_the_tick_rings_where_work_waits_and_no_more_than_needed() -> None:
    run_of(task("one"), task("two"))
    doorbell.connection().flushdb()
    scheduler.tick()
    scheduler.tick()
    assert doorbell.rings_waiting(QUEUE) == 2
    assert doorbell.rings_waiting("archive-center") == 0
