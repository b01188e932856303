"""The list of runs, the page of one, and what may be done about it."""

import json
from datetime import timedelta

import pytest
from django.utils.timezone import now

from dayops.engine import work_off
from dayops.models import Event, Phase, Run
from dayops.web.work_pages.run import Stage
from tests.pages import DAY_URL, QUEUE, REFUSAL, failed_run, run_url, text_of
from tests.people import client_of
from tests.work import run_of, task

pytestmark = pytest.mark.django_db


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
