"""The JSON API: what it tells, what it changes, for whom, and how it says no."""

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLResolver, get_resolver

from dayops import events
from dayops.engine import work_off
from dayops.models import Event, Phase, Run, Severity
from dayops.web import tokens
from dayops.web.api.openapi import DOCUMENT
from tests.people import ROLES, client_of, person
from tests.work import DAY, run_of, task

pytestmark = pytest.mark.django_db

API = "/api/v1/"
DAY_URL = f"{API}days/2026-11-22"


def bearer(role: str = "operator", scope: str = "operate") -> dict[str, str]:
    _, key = tokens.create(person(role), f"{role}-{scope}", scope)
    return {"Authorization": f"Bearer {key}"}


def get(path: str, status: int = 200, role: str = "observer") -> dict[str, Any]:
    response = client_of(role).get(path)
    assert response.status_code == status, response.content
    answer: dict[str, Any] = response.json()
    return answer


def post(path: str, body: object, headers: dict[str, str]):
    return Client(enforce_csrf_checks=True).post(path, json.dumps(body), "application/json", headers=headers)


def finished_run() -> Run:
    run = run_of(task("one"))
    work_off("alert-production", "tester")
    return run


class TestADay:
    def test_tells_whether_one_can_observe_and_how_its_lanes_stand(self):
        day = get(DAY_URL)
        assert day["answer"] == {"word": "NOT KNOWN YET", "sentence": "The smoke test has not run."}
        assert day["day_obs"] == DAY
        assert day["sunset"].startswith("2026-11-22T23:")
        keys = ["calib", "products", "mops", "precovery", "smoketest", "maintenance"]
        assert [lane["activity"] for lane in day["lanes"]] == keys
        assert day["lanes"][2]["latest_safe_start"] is None
        assert "not measured yet" in day["lanes"][2]["latest_safe_start_from"]

    def test_counts_its_runs(self):
        finished_run()
        run_of(task("two"))
        summary = get(DAY_URL)["summary"]
        assert (summary["runs"], summary["completed"]) == (2, 1)

    @pytest.mark.parametrize("path", ["2026-02-30", "today", "2026-11-22/nothing", "1800-01-01"])
    def test_that_does_not_exist_is_not_found(self, path):
        assert "There is nothing at" in get(f"{API}days/{path}", 404)["error"]

    def test_lists_its_runs_newest_first(self):
        first, second = run_of(task("one")), run_of(task("one"), task("two"))
        found = get(f"{DAY_URL}/runs")
        assert [run["id"] for run in found["runs"]] == [second.pk, first.pk]
        assert found["runs"][0]["tasks_total"] == 2
        assert (found["total"], found["page"], found["pages"]) == (2, 1, 1)

    def test_lists_the_runs_one_asks_for(self):
        run_of(task("one"))
        done = finished_run()
        Run.objects.filter(pk=done.pk).update(phase=Phase.COMPLETED, activity="mops", title="Link tracklets")
        for query in ("phase=COMPLETED&activity=mops", "activity=mops", "q=tracklets"):
            assert [run["id"] for run in get(f"{DAY_URL}/runs?{query}")["runs"]] == [done.pk], query

    def test_lists_its_events_since_one_that_is_known(self):
        known = events.record("run.error", "It broke", actor="engine", day_obs=DAY, severity=Severity.ALARM)
        events.record("note", "It works", actor="olivia", day_obs=DAY)
        assert [event["text"] for event in get(f"{DAY_URL}/events")["events"]] == ["It works", "It broke"]
        assert [event["text"] for event in get(f"{DAY_URL}/events?since={known.pk}")["events"]] == ["It works"]
        assert [event["text"] for event in get(f"{DAY_URL}/events?severity=ALARM")["events"]] == ["It broke"]


class TestPages:
    def test_are_followed_to_the_last(self):
        for _ in range(5):
            run_of(task("one"))
        last = get(f"{DAY_URL}/runs?size=2&page=3")
        assert (len(last["runs"]), last["pages"], last["total"]) == (1, 3, 5)

    def test_beyond_the_last_are_not_found(self):
        assert get(f"{DAY_URL}/runs?page=999999999", 404)["error"] == "There is no page 999999999: there are 1."

    @pytest.mark.parametrize(
        "query", ["page=0", "page=x", "page=-1", "size=0", "size=" + "9" * 40, "size=²", "since=x", "since=" + "9" * 40]
    )
    def test_that_are_no_numbers_are_refused(self, query):
        assert "is not" in get(f"{DAY_URL}/events?{query}", 400)["error"]

    def test_that_are_too_large_are_refused(self):
        assert "at most 1000" in get(f"{DAY_URL}/runs?size=1001", 400)["error"]

    @pytest.mark.parametrize("kind", ["runs", "events"])
    def test_cost_the_same_however_long_they_are(self, kind):
        client = client_of()

        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert client.get(f"{DAY_URL}/{kind}").status_code == 200
            return len(captured)

        run_of(task("one"))
        events.record("note", "text", actor="olivia", day_obs=DAY)
        few = queries()
        for _ in range(20):
            run_of(task("one"), task("two"))
            events.record("note", "text", actor="olivia", day_obs=DAY)
        assert queries() == few <= 6


class TestARun:
    def test_tells_its_stages(self):
        run = run_of(task("b", stage="bias"), task("d", stage="dark"), stages=("bias", "dark"))
        found = get(f"{API}runs/{run.pk}")
        assert [(stage["name"], stage["phase"], stage["total"]) for stage in found["stages"]] == [
            ("bias", "QUEUED", 1),
            ("dark", "PENDING", 1),
        ]

    @pytest.mark.parametrize("pk", ["7", "9" * 30])
    def test_that_does_not_exist_is_not_found(self, pk):
        assert "error" in get(f"{API}runs/{pk}", 404)
        assert post(f"{API}runs/{pk}/abort", {"reason": "x"}, bearer()).status_code == 404

    def test_is_aborted_with_a_token_that_may(self):
        run = run_of(task("one"))
        response = post(f"{API}runs/{run.pk}/abort", {"reason": "wrong filter"}, bearer())
        assert response.status_code == 200
        assert response.json()["run"]["phase"] == "ABORTED"
        told = Event.objects.get(kind="run.aborted")
        assert (told.actor, told.reason) == ("operator (token operator-operate)", "wrong filter")

    def test_is_run_again_and_retried(self):
        run, headers = finished_run(), bearer()
        assert post(f"{API}runs/{run.pk}/rerun", {"reason": "new code"}, headers).status_code == 200
        Run.objects.update(phase=Phase.ABORTED, ended_at="2026-11-22T15:00Z")
        assert post(f"{API}runs/{run.pk}/retry", {"reason": "again"}, headers).json()["done"].endswith("tried again.")

    def test_in_the_wrong_phase_is_a_conflict_in_words(self):
        run = finished_run()
        response = post(f"{API}runs/{run.pk}/abort", {"reason": "late"}, bearer())
        assert response.status_code == 409
        assert "there is nothing to abort" in response.json()["error"]

    @pytest.mark.parametrize(
        "body", [{}, {"reason": ""}, {"reason": "  "}, {"reason": 3}, {"reason": "x" * 501}, [], "x"]
    )
    def test_is_not_changed_without_a_reason(self, body):
        run = run_of(task("one"))
        response = post(f"{API}runs/{run.pk}/abort", body, bearer())
        assert response.status_code == 400
        assert "reason" in response.json()["error"]
        assert Run.objects.get().phase == Phase.QUEUED

    def test_is_not_changed_by_what_is_no_json(self):
        run = run_of(task("one"))
        response = Client().post(f"{API}runs/{run.pk}/abort", "\xff{", "application/json", headers=bearer())
        assert response.status_code == 400
        assert "not JSON" in response.json()["error"]


class TestTheDescription:
    def test_names_every_address(self):
        api = next(each for each in get_resolver().url_patterns if str(each.pattern) == API.removeprefix("/"))
        assert isinstance(api, URLResolver)
        routes = {re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{each.pattern}") for each in api.url_patterns}
        assert set(DOCUMENT["paths"]) == routes - {"/openapi.json"}

    def test_names_every_field_that_is_answered(self):
        events.record("note", "text", actor="olivia", day_obs=DAY)
        run = run_of(task("one"))
        day, found = get(DAY_URL), get(f"{API}runs/{run.pk}")
        runs, told = get(f"{DAY_URL}/runs"), get(f"{DAY_URL}/events")
        done = post(f"{API}runs/{run.pk}/abort", {"reason": "x"}, bearer()).json()
        schemas = DOCUMENT["components"]["schemas"]
        pairs = [
            (day, answered("/days/{day}")),
            (day["lanes"][0], schemas["Lane"]),
            (runs, answered("/days/{day}/runs")),
            (runs["runs"][0], schemas["Run"]),
            (told, answered("/days/{day}/events")),
            (told["events"][0], schemas["Event"]),
            (found, answered("/runs/{pk}")),
            (found["stages"][0], schemas["Stage"]),
            (done, answered("/runs/{pk}/abort", "post")),
            (get(f"{API}runs/999999", 404), schemas["Error"]),
        ]
        for answer, schema in pairs:
            assert set(answer) == set(schema["properties"])

    def test_is_served(self):
        assert get(f"{API}openapi.json")["openapi"] == "3.1.0"


def answered(path: str, method: str = "get") -> dict[str, Any]:
    """The schema that the description gives for the answer of `path`."""
    answer = DOCUMENT["paths"][path][method]["responses"]["200"]
    schema: dict[str, Any] = answer["content"]["application/json"]["schema"]
    return schema


class TestWhoMay:
    @pytest.mark.parametrize("role", ROLES)
    def test_everyone_who_is_signed_in_reads(self, role):
        run = run_of(task("one"))
        for path in (DAY_URL, f"{DAY_URL}/runs", f"{DAY_URL}/events", f"{API}runs/{run.pk}"):
            get(path, role=role)

    def test_strangers_are_told_to_bring_a_token(self):
        response = Client().get(DAY_URL)
        assert response.status_code == 401
        assert "not signed in" in response.json()["error"]

    @pytest.mark.parametrize(
        ("role", "scope"),
        [("operator", "read"), ("observer", "operate"), ("scientist", "judge"), ("scientist", "operate")],
    )
    def test_others_change_nothing(self, role, scope):
        run = run_of(task("one"))
        response = post(f"{API}runs/{run.pk}/abort", {"reason": "x"}, bearer(role, scope))
        assert response.status_code == 403
        assert response.json()["error"]
        assert Run.objects.get().phase == Phase.QUEUED

    def test_a_session_needs_the_csrf_token_that_a_bearer_does_not(self):
        run = run_of(task("one"))
        client = Client(enforce_csrf_checks=True)
        client.force_login(person("operator"))
        response = client.post(f"{API}runs/{run.pk}/abort", '{"reason": "x"}', "application/json")
        assert response.status_code == 403
        assert Run.objects.get().phase == Phase.QUEUED

    def test_a_wrong_method_is_refused_in_json(self):
        run = run_of(task("one"))
        response = client_of("operator").get(f"{API}runs/{run.pk}/abort")
        assert (response.status_code, response["Allow"]) == (405, "POST")
        assert response.json()["error"] == "GET is not possible here; use POST."
        assert client_of("operator").post(DAY_URL).status_code == 405
