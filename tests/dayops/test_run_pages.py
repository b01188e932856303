"""Runs, tasks, workers and events as people see them, and what each of them may do."""

import csv
import json
from datetime import timedelta
from io import StringIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from redis.exceptions import ConnectionError as RedisAway

from dayops import events, runs
from dayops.engine import claim, work_off
from dayops.engine.claim import unlock
from dayops.models import Attempt, Event, LogLine, Phase, Run, Severity, Task, WorkerProcess
from dayops.web import health
from dayops.web.work_pages import queues
from dayops.web.work_pages.run import Stage
from dayops.web.work_pages.subjects import subject_url
from dayops.web.work_pages.task import sentence_of
from tests.people import ROLES, client_of
from tests.work import DAY, run_of, task

pytestmark = pytest.mark.django_db

QUEUE = "alert-production"
DAY_URL = "/2026-11-22/"
REFUSAL = "frame 7 has 15 amplifiers where 16 were expected"
FRAGMENT = {"X-DayOps-Fragment": "1"}


def run_url(run: Run, then: str = "") -> str:
    return f"{DAY_URL}runs/{run.pk}/{then}"


def task_url(row: Task) -> str:
    return f"{DAY_URL}tasks/{row.pk}/"


def text_of(path: str, role: str = "observer") -> str:
    response = client_of(role).get(path)
    assert response.status_code == 200, path
    return response.content.decode()


TRACEBACK = 'Traceback (most recent call last):\n  File "/srv/dayops/jobs.py", line 3\nZeroDivisionError: a bug\n'


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


def every_page() -> list[str]:
    run = failed_run()
    bad = run.tasks.get(key="bad")
    return [f"{DAY_URL}runs/", run_url(run), task_url(bad), f"{DAY_URL}workers/", f"{DAY_URL}events/"]


class TestEveryPage:
    @pytest.mark.parametrize("role", ROLES)
    def test_is_for_everyone_who_is_signed_in(self, role):
        client = client_of(role)
        assert [client.get(path).status_code for path in every_page()] == [200] * 5

    def test_sends_others_to_sign_in(self):
        client = client_of("anonymous")
        for path in every_page():
            assert client.get(path)["Location"] == f"/sign-in/?next={path}"

    def test_takes_silly_page_numbers(self):
        for path in every_page():
            for number in ("999999999", "-1", "x", "9" * 40):
                text_of(f"{path}?page={number}&log={number}")

    def test_ignores_filters_and_orders_it_does_not_know(self):
        for path in every_page():
            text_of(f"{path}?phase=NONSENSE&sort=password&level=x&severity=%00&stage=nowhere")

    def test_is_kept_current_by_a_fragment_that_is_sent_only_when_it_changed(self):
        client = client_of("operator")
        for path in every_page():
            fragment = client.get(path, headers=FRAGMENT)
            assert "<html" not in fragment.content.decode()
            if "workers" not in path:  # there ages are counted
                again = client.get(path, headers={**FRAGMENT, "If-None-Match": fragment["ETag"]})
                assert again.status_code == 304, path

    def test_is_exported_as_csv_and_json(self):
        client = client_of()
        for path in every_page():
            rows = csv.reader(StringIO(client.get(f"{path}?format=csv").getvalue().decode()))
            found = json.loads(client.get(f"{path}?format=json").getvalue())
            assert len(list(rows)) == len(found) + 1

    @pytest.mark.parametrize(
        "path", ["runs/7/", "runs/" + "9" * 30 + "/", "runs/x/", "tasks/7/", "tasks/" + "9" * 30 + "/"]
    )
    def test_of_something_that_does_not_exist_is_not_found(self, path):
        response = client_of().get(DAY_URL + path)
        assert response.status_code == 404
        assert "There is nothing at" in response.content.decode()

    def test_of_another_day_is_not_found(self):
        run = run_of(task("one"))
        client = client_of()
        assert client.get(f"/2026-11-21/runs/{run.pk}/").status_code == 404
        assert client.get(f"/2026-11-21/tasks/{run.tasks.get().pk}/").status_code == 404

    def test_shows_what_came_from_outside_as_text(self):
        evil = "<script>alert(1)</script>"
        run = run_of(task(evil, arguments={evil: evil}))
        Run.objects.update(title=evil, error=evil, requested_by=evil, parameters={evil: evil}, subject=evil)
        Task.objects.update(error=evil, message=evil, result={evil: evil}, worker=evil)
        LogLine.objects.create(task=run.tasks.get(), attempt=1, level="INFO", text=evil)
        Attempt.objects.create(task=run.tasks.get(), number=1, worker=evil, host=evil, pid=1, error=evil)
        WorkerProcess.objects.create(name=evil, host=evil, pid=1, queue=evil)
        events.record(evil, evil, actor=evil, day_obs=DAY, reason=evil, subject=f"run:{run.pk}")
        for path in (
            f"{DAY_URL}runs/",
            run_url(run),
            task_url(run.tasks.get()),
            f"{DAY_URL}workers/",
            f"{DAY_URL}events/",
        ):
            text = text_of(path)
            assert "<script>alert" not in text, path
            assert "&lt;script&gt;alert(1)" in text, path

    def test_costs_the_same_however_much_there_is(self):
        client = client_of()

        def queries(path: str) -> int:
            with CaptureQueriesContext(connection) as captured:
                assert client.get(path).status_code == 200
            return len(captured)

        paths = every_page()
        LogLine.objects.create(task=Task.objects.get(key="bad"), attempt=1, level="INFO", text="line")
        for path in paths:
            queries(path)
        few = {path: queries(path) for path in paths}
        bad = Task.objects.get(key="bad")
        runs.add_tasks(bad.run, [task(f"more {i}") for i in range(30)])
        for i in range(30):
            run_of(task("one"), key=f"run {i}")
            Attempt.objects.create(task=bad, number=i + 2, worker="w", host="h", pid=i)
            LogLine.objects.create(task=bad, attempt=1, level="INFO", text="line")
            events.record("note", "text", actor="olivia", day_obs=DAY, subject=f"run:{bad.run_id}")
            WorkerProcess.objects.create(name=f"w{i}", host="h", pid=i, queue=QUEUE)
        assert {path: queries(path) for path in paths} == few
        assert max(few.values()) <= 16


class TestTheRunList:
    def test_shows_progress_and_who_asked(self):
        run = failed_run()
        Run.objects.update(requested_by="olivia")
        row = json.loads(client_of().get(f"{DAY_URL}runs/?format=json").getvalue())[0]
        assert (row["run"], row["phase"], row["tasks_done"], row["tasks"]) == (run.pk, "ERROR", 1, 2)
        assert row["requested_by"] == "olivia"

    @pytest.mark.parametrize(
        ("query", "number"), [("phase=ERROR", 1), ("phase=QUEUED", 2), ("activity=calib", 3), ("activity=mops", 0)]
    )
    def test_is_filtered(self, query, number):
        failed_run()
        run_of(task("one"))
        run_of(task("two"))
        assert len(json.loads(client_of().get(f"{DAY_URL}runs/?format=json&{query}").getvalue())) == number

    def test_offers_activities_that_are_no_lane_once_they_have_run(self):
        run_of(task("one"))
        Run.objects.update(activity="archiver")
        assert '<option value="archiver">' in text_of(f"{DAY_URL}runs/")

    def test_of_an_empty_day_says_so(self):
        assert "No runs on this day" in text_of("/2031-01-05/runs/")


class TestTheRunPage:
    def test_shows_stages_tasks_and_the_error(self):
        text = text_of(run_url(failed_run()))
        assert "1 of 2 tasks completed" in text
        assert REFUSAL in text
        assert "Events of this run" in text and "run.error" not in text

    def test_exports_its_tasks(self):
        rows = json.loads(client_of().get(f"{run_url(failed_run())}?format=json&phase=ERROR").getvalue())
        assert [(row["key"], row["phase"], row["attempt"]) for row in rows] == [("bad", "ERROR", 1)]

    def test_says_that_a_deadline_has_passed(self):
        run = run_of(task("one"))
        Run.objects.update(deadline=now() + timedelta(hours=1))
        assert "status-late" not in text_of(run_url(run))
        Run.objects.update(deadline=now() - timedelta(hours=1))
        assert "status-late" in text_of(run_url(run))

    @pytest.mark.parametrize(
        ("counts", "word"),
        [
            ({}, "no tasks"),
            ({"total": 2, "completed": 2}, "COMPLETED"),
            ({"total": 2, "completed": 1, "failed": 1}, "ERROR"),
            ({"total": 2, "queued": 1, "executing": 1}, "EXECUTING"),
            ({"total": 2, "completed": 1, "queued": 1}, "QUEUED"),
            ({"total": 2, "completed": 1, "aborted": 1}, "ABORTED"),
            ({"total": 2}, "PENDING"),
        ],
    )
    def test_gives_each_stage_the_phase_of_the_whole(self, counts, word):
        assert Stage("bias", **counts).word == word

    @pytest.mark.parametrize(
        ("role", "sentence"),
        [("observer", "Only the group “operator”"), ("scientist", "Only the group “operator”")],
    )
    def test_tells_who_may_not_operate_why(self, role, sentence):
        text = text_of(run_url(failed_run()), role)
        assert sentence in text
        assert "formaction" not in text

    @pytest.mark.parametrize("role", ["operator", "maintainer"])
    def test_offers_what_the_phase_allows_and_says_why_not_the_rest(self, role):
        run = failed_run()
        text = text_of(run_url(run), role)
        assert f'formaction="{run_url(run)}retry/"' in text
        assert f'formaction="{run_url(run)}rerun/"' in text
        assert f'formaction="{run_url(run)}abort/"' not in text
        assert "there is nothing to abort" in text


class TestOperating:
    def post(self, run: Run, operation: str, role: str = "operator", reason: str = "a cable was loose"):
        return client_of(role).post(run_url(run, f"{operation}/"), {"reason": reason}, follow=False)

    def test_retry_queues_what_failed_and_keeps_who_and_why(self):
        run = failed_run()
        response = self.post(run, "retry")
        assert (response.status_code, response["Location"]) == (303, run_url(run))
        assert run.tasks.get(key="bad").phase == Phase.QUEUED
        told = Event.objects.get(kind="run.retried")
        assert (told.actor, told.reason) == ("operator", "a cable was loose")

    def test_abort_ends_a_live_run(self):
        run = run_of(task("one"))
        self.post(run, "abort")
        assert Run.objects.get().phase == Phase.ABORTED

    def test_rerun_does_everything_again(self):
        run = run_of(task("one"))
        work_off(QUEUE, "tester")
        self.post(run, "rerun")
        assert run.tasks.get().phase == Phase.QUEUED

    def test_without_a_reason_changes_nothing_and_says_so(self):
        run = run_of(task("one"))
        response = client_of("operator").post(run_url(run, "abort/"), {"reason": " "}, follow=True)
        assert "A reason is needed" in response.content.decode()
        assert Run.objects.get().phase == Phase.QUEUED

    def test_what_is_not_possible_any_more_is_said_on_the_page(self):
        run = failed_run()
        response = client_of("operator").post(run_url(run, "abort/"), {"reason": "late"}, follow=True)
        assert "there is nothing to abort" in response.content.decode()

    @pytest.mark.parametrize("role", ["observer", "scientist"])
    @pytest.mark.parametrize("operation", ["retry", "abort", "rerun"])
    def test_is_refused_to_those_who_may_not(self, role, operation):
        run = run_of(task("one"))
        response = self.post(run, operation, role)
        assert response.status_code == 403
        assert "Only the group “operator”" in response.content.decode()
        assert Run.objects.get().phase == Phase.QUEUED

    def test_sends_strangers_to_sign_in(self):
        run = run_of(task("one"))
        assert self.post(run, "abort", "anonymous").status_code == 302
        assert Run.objects.get().phase == Phase.QUEUED

    def test_is_never_a_get(self):
        run = run_of(task("one"))
        assert client_of("operator").get(run_url(run, "abort/")).status_code == 405

    def test_of_an_unknown_kind_or_run_is_not_found(self):
        run = run_of(task("one"))
        assert self.post(run, "delete").status_code == 404
        assert client_of("operator").post(f"{DAY_URL}runs/999999/abort/", {"reason": "x"}).status_code == 404


class TestTheTaskPage:
    def test_shows_attempts_arguments_and_result(self):
        run = run_of(task("one", arguments={"frame": 31}))
        work_off(QUEUE, "worker-7")
        text = text_of(task_url(run.tasks.get()))
        assert "worker-7" in text
        assert "<dt>frame</dt><dd>31</dd>" in text

    def test_shows_a_traceback_to_maintainers_only(self):
        row = failed_run(TRACEBACK).tasks.get(key="bad")
        assert "Traceback" in text_of(task_url(row), "maintainer")
        for role in ("observer", "operator", "scientist"):
            text = text_of(task_url(row), role)
            assert "Traceback" not in text and "File &quot;" not in text
            assert "ZeroDivisionError: a bug" in text

    def test_exports_no_traceback_either(self):
        row = failed_run(TRACEBACK).tasks.get(key="bad")
        exported = client_of("operator").get(f"{task_url(row)}?format=json").getvalue().decode()
        assert "ZeroDivisionError: a bug" in exported
        assert "Traceback" not in exported

    @pytest.mark.parametrize(
        ("error", "sentence"),
        [
            ("", ""),
            ("two\nlines for a person", "two\nlines for a person"),
            ('Traceback:\n  File "a.py", line 1\n    x\nValueError: no\n', "ValueError: no"),
        ],
    )
    def test_keeps_of_a_traceback_its_last_line(self, error, sentence):
        assert sentence_of(error) == sentence

    def test_filters_the_log_by_level(self):
        row = run_of(task("one")).tasks.get()
        for level, text in [("INFO", "all is well"), ("WARNING", "overscan slopes")]:
            LogLine.objects.create(task=row, attempt=1, level=level, text=text)
        assert "all is well" in text_of(task_url(row))
        warnings = text_of(f"{task_url(row)}?level=WARNING")
        assert "overscan slopes" in warnings and "all is well" not in warnings

    def test_links_to_each_log_line_on_its_page_for_ever(self):
        row = run_of(task("one")).tasks.get()
        lines = LogLine.objects.bulk_create(
            LogLine(task=row, attempt=1, level="INFO", text=f"line {i}") for i in range(501)
        )
        newest, first = lines[-1].pk, lines[0].pk
        assert f'href="?log=2#line-{newest}"' in text_of(task_url(row))
        assert f'id="line-{first}"' in text_of(f"{task_url(row)}?log=1")

    def test_shows_the_lease_of_a_task_in_hand_and_the_next_try_of_a_waiting_one(self):
        row = run_of(task("one")).tasks.get()
        assert "First try" in text_of(task_url(row))
        work = claim(QUEUE, "tester")
        assert work is not None
        try:
            assert "Lease until" in text_of(task_url(row))
        finally:
            unlock(work.task_id)

    def test_shows_checksums_of_files(self):
        row = run_of(task("one")).tasks.get()
        Task.objects.update(inputs=["ab" * 32], outputs=["cd" * 32])
        text = text_of(task_url(row))
        assert "ab" * 32 in text and "cd" * 32 in text


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


class TestTheEventsPage:
    def record(self) -> None:
        events.record(
            "run.aborted", "Olivia aborted", actor="olivia", day_obs=DAY, severity=Severity.WARN, reason="dome"
        )
        events.record("run.error", "It broke", actor="engine", day_obs=DAY, severity=Severity.ALARM, subject="run:1")
        events.record("run.error", "On another day", actor="engine", day_obs=20261121)

    @pytest.mark.parametrize(
        ("query", "texts"),
        [
            ("", ["It broke", "Olivia aborted"]),
            ("severity=ALARM", ["It broke"]),
            ("actor=olivia", ["Olivia aborted"]),
            ("kind=run.error", ["It broke"]),
            ("q=dome", ["Olivia aborted"]),
            ("q=run:1", ["It broke"]),
        ],
    )
    def test_is_filtered(self, query, texts):
        self.record()
        rows = json.loads(client_of().get(f"{DAY_URL}events/?format=json&{query}").getvalue())
        assert [row["text"] for row in rows] == texts

    def test_of_an_empty_day_says_so(self):
        assert "Nothing has happened on this day" in text_of("/2031-01-05/events/")

    def test_links_what_has_a_page_and_exports_it_plain(self):
        self.record()
        events.record("token.made", "A token", actor="olivia", day_obs=DAY, subject="token:1")
        text = text_of(f"{DAY_URL}events/")
        assert f'<a href="{DAY_URL}runs/1/">run:1</a>' in text
        assert '<td class="cell-text">token:1</td>' in text
        rows = json.loads(client_of().get(f"{DAY_URL}events/?format=json&sort=event").getvalue())
        assert [row["subject"] for row in rows] == ["", "run:1", "token:1"]

    @pytest.mark.parametrize(
        ("subject", "url"),
        [
            ("run:12", f"{DAY_URL}runs/12/"),
            ("exposure:minicam/MC_S_20261122_000001", f"{DAY_URL}calib/exposures/MC_S_20261122_000001/"),
            ("run:x", ""),
            ("", ""),
            ("run:", ""),
            ("unheard:of", ""),
            ("admin:index", ""),
        ],
    )
    def test_links_to_what_an_event_is_about(self, subject, url):
        assert subject_url(subject, DAY) == url
