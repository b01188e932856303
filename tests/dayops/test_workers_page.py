"""Who is at work and what waits, with Redis and without."""

import json
from datetime import timedelta

import pytest
from django.utils.timezone import now
from redis.exceptions import ConnectionError as RedisAway

from dayops.engine import claim
from dayops.engine.claim import unlock
from dayops.models import Task, WorkerProcess
from dayops.web import health
from dayops.web.work_pages import queues
from tests.pages import DAY_URL, QUEUE, task_url, text_of
from tests.people import client_of
from tests.work import run_of, task

pytestmark = pytest.mark.django_db


class TestTheWorkersPage:
    path = f"{DAY_URL}workers/"

    def worker(self, name: str, **fields) -> WorkerProcess:
        return WorkerProcess.objects.create(name=name, host="vm3", pid=7, queue=QUEUE, **fields)

    def rows(self) -> dict[str, dict[str, object]]:
        return {row["worker"]: row for row in json.loads(client_of().get(f"{self.path}?format=json").getvalue())}

    def test_tells_the_living_from_the_stale_and_the_ended(self):
        self.worker("living")
        self.worker("silent", seen_at=now() - timedelta(minutes=2))
        self.worker("gone", ended_at=now() - timedelta(hours=1))
        self.worker("long gone", ended_at=now() - timedelta(days=2))
        assert {name: row["state"] for name, row in self.rows().items()} == {
            "living": "ALIVE",
            "silent": "STALE",
            "gone": "ENDED",
        }

    def test_links_to_the_task_in_hand(self):
        self.worker("tester")
        row = run_of(task("measure R22_S11")).tasks.get()
        work = claim(QUEUE, "tester")
        assert work is not None
        try:
            assert f'<a href="{task_url(row)}">measure R22_S11</a>' in text_of(self.path)
        finally:
            unlock(work.task_id)

    def test_counts_what_waits_and_since_when(self):
        self.worker("living")
        run_of(task("one"), task("two"), task("three"))
        Task.objects.filter(key="one").update(not_before=now() + timedelta(hours=1))
        state = queues.queue_states(queues.worker_states(now()))[0]
        assert (state.name, state.workers, state.waiting, state.paused, state.executing) == (QUEUE, 1, 2, 1, 0)
        assert state.waiting_since and state.rings is not None

    def test_shows_work_on_a_queue_that_nobody_configured(self):
        run_of(task("lost", queue="typo"))
        assert "typo" in [state.name for state in queues.queue_states([])]

    def test_warns_and_works_while_redis_is_away(self, monkeypatch):
        monkeypatch.setattr(health.redis_pulse, "answers", lambda: False)
        run_of(task("one"))
        text = text_of(self.path)
        assert "Redis is away, so its rings cannot be counted" in text

    def test_works_when_redis_goes_away_between_two_questions(self, monkeypatch):
        def away(queue: str) -> int:
            raise RedisAway("gone")

        monkeypatch.setattr(queues, "rings_waiting", away)
        assert queues.queue_states([])[0].rings is None

    def test_says_when_the_scheduler_was_last_seen(self):
        assert "Scheduler last seen: not lately" in text_of(self.path)
        WorkerProcess.objects.create(name="scheduler-1", host="vm3", pid=8, queue=health.SCHEDULER)
        assert "not lately" not in text_of(self.path)
