"""Health: what monitors ask, and what every page warns of."""

import socket
import time
from collections import namedtuple
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client

from dayops import doorbell
from dayops.models import WorkerProcess
from dayops.web import health

pytestmark = pytest.mark.django_db
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def redis_answers(monkeypatch) -> None:
    monkeypatch.setattr(health, "redis_pulse", health.RedisPulse())


def worker(queue: str, *, age_s: float = 0, **fields: object) -> None:
    seen = datetime.now(UTC) - timedelta(seconds=age_s)
    WorkerProcess.objects.create(name=f"{queue}-1", host="h", pid=1, queue=queue, seen_at=seen, **fields)


def levels() -> dict[str, str]:
    return {finding.part: finding.level for finding in health.findings()}


def without_redis(monkeypatch, settings, tmp_path) -> None:
    settings.REDIS_URL = f"unix://{tmp_path}/nobody.sock"
    monkeypatch.setattr(health, "redis_pulse", health.RedisPulse())


@pytest.fixture
def hanging(settings) -> Iterator[None]:
    """A Redis that takes the connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        doorbell._hurried.cache_clear()
        yield
    doorbell._hurried.cache_clear()


def test_no_page_waits_for_a_redis_that_hangs(hanging):
    began = time.monotonic()
    assert not health.RedisPulse().answers()
    doorbell.ring("alert-production")
    assert time.monotonic() - began < 2.0


def test_a_live_process_says_so_to_anyone_and_asks_nobody(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert Client().get("/healthz").content == b"ok\n"


def test_with_everything_at_work_nothing_is_to_be_warned_of():
    for queue in ("alert-production", "archive-center", health.SCHEDULER):
        worker(queue)
    assert set(levels().values()) == {"OK"}


def test_a_queue_without_a_worker_is_a_warning_that_says_the_command():
    worker("alert-production")
    finding = next(each for each in health.findings() if each.part == "archive-center")
    assert finding.level == "WARN"
    assert "manage.py worker --queues archive-center" in finding.text


@pytest.mark.parametrize("fields", [{"age_s": 31}, {"ended_at": datetime.now(UTC)}])
def test_a_worker_that_is_silent_or_has_ended_counts_for_nothing(fields):
    worker("alert-production", **fields)
    assert levels()["alert-production"] == "WARN"


def test_a_redis_that_is_away_is_an_error_and_readiness_ends(monkeypatch, settings, tmp_path):
    without_redis(monkeypatch, settings, tmp_path)
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["parts"]["redis"] == "ERROR"


def test_a_dead_redis_is_asked_once_and_then_remembered(monkeypatch, settings, tmp_path):
    without_redis(monkeypatch, settings, tmp_path)
    asked = []

    def ping() -> bool:
        asked.append(1)
        return False

    monkeypatch.setattr(health.redis_pulse, "_ping", ping)
    for _ in range(5):
        assert not health.redis_pulse.answers()
    assert len(asked) == 1


def test_a_database_that_is_away_is_an_error_and_not_a_crash(monkeypatch):
    def refuse() -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(connection, "cursor", refuse)
    answer = Client().get("/readyz")
    assert (answer.status_code, answer.json()["parts"]["postgresql"]) == (503, "ERROR")


@pytest.mark.parametrize(("free", "level"), [(50, "OK"), (9, "WARN"), (2, "ERROR")])
def test_a_disk_that_fills_is_said_before_it_is_full(monkeypatch, free, level):
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(100, 100 - free, free))
    assert levels()["disk"] == level


def test_a_state_folder_that_is_gone_is_an_error(settings, tmp_path):
    settings.STATE_DIR = tmp_path / "gone"
    assert levels()["disk"] == "ERROR"


def test_readiness_tells_levels_and_no_more():
    parts = Client().get("/readyz").json()["parts"]
    assert set(parts.values()) <= {"OK", "WARN", "ERROR"}


def test_the_workers_cost_one_query_however_many_they_are(django_assert_num_queries):
    for number in range(20):
        WorkerProcess.objects.create(name=str(number), host="h", pid=1, queue="alert-production")
    with django_assert_num_queries(1):
        health.work_findings()
