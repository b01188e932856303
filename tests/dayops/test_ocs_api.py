"""The OCS's API: what it commands and reads, how it says no, what it replays, and that its description is true."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.utils.http import urlencode

from dayops.devices import jobs
from dayops.devices.states import State
from dayops.engine import work_off
from dayops.models import Command, Device
from dayops.web import tokens
from dayops.web.api import ocs_urls
from dayops.web.api.ocs_events import MOST_STREAMS
from dayops.web.api.ocs_openapi import DOCUMENT
from tests.dayops.devices import BENCH, QUEUE, bench, brought_to, state_of, told
from tests.people import ROLES, client_of, person

pytestmark = pytest.mark.django_db

API = "/api/ocs/v1"
COMMANDS = f"{API}/devices/{BENCH}/commands"
STREAM = {"Accept": "text/event-stream"}


@pytest.fixture(autouse=True)
def _bench() -> Iterator[None]:
    with bench():
        yield


def bearer(role: str = "operator", scope: str = "ocs") -> dict[str, str]:
    person(role).api_tokens.filter(name=scope).delete()
    _, key = tokens.create(person(role), scope, scope)
    return {"Authorization": f"Bearer {key}"}


def get(path: str, status: int = 200, headers: dict[str, str] | None = None) -> dict[str, Any]:
    response = client_of().get(API + path, headers=headers or {})
    assert response.status_code == status, response.content
    answer: dict[str, Any] = response.json()
    return answer


def post(body: object, key: str = "", headers: dict[str, str] | None = None, path: str = COMMANDS) -> Any:
    sent = (headers or bearer()) | ({"Idempotency-Key": key} if key else {})
    return Client(enforce_csrf_checks=True).post(path, json.dumps(body), "application/json", headers=sent)


def streamed(query: str = "", headers: dict[str, str] | None = None) -> str:
    response = client_of().get(f"{API}/events?seconds=0{query}", headers=STREAM | (headers or {}))
    assert response.status_code == 200
    assert response["Content-Type"] == "text/event-stream"
    return b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]


def a_job() -> dict[str, Any]:
    brought_to(State.ENABLED)
    answer: dict[str, Any] = post({"name": "execute", "parameters": {"pipeline": "tests.succeed"}}, "job").json()
    return answer


class TestACommand:
    def test_is_accepted_with_its_address(self):
        response = post({"name": "enterControl"}, "k")
        assert response.status_code == 202
        assert response["Location"] == f"{API}/commands/{response.json()['id']}"
        found = get(response["Location"].removeprefix(API))
        assert (found["phase"], found["ack"], found["label"]) == ("COMPLETED", 303, "CMD_COMPLETE")
        assert found["requested_by"] == "operator (token ocs)"

    def test_takes_its_key_from_the_body_too(self):
        assert post({"name": "enterControl", "key": "k"}).status_code == 202
        assert Command.objects.get().key == "k"

    def test_sent_again_is_the_same_command(self):
        first, second = (post({"name": "enterControl"}, "k").json() for _ in range(2))
        assert first == second
        assert Command.objects.count() == 1

    def test_of_another_kind_under_the_same_key_is_a_conflict(self):
        post({"name": "enterControl"}, "k")
        response = post({"name": "exitControl"}, "k")
        assert (response.status_code, response["Content-Type"]) == (409, "application/json")
        assert "Take a new key" in response.json()["error"]

    def test_in_the_wrong_state_is_a_conflict_that_is_written_down(self):
        response = post({"name": "enable"}, "k")
        assert response.status_code == 409
        assert "Command enterControl first." in response.json()["error"]
        assert get(response["Location"].removeprefix(API))["ack"] == -302

    @pytest.mark.parametrize(
        ("name", "parameters"),
        [("start", {}), ("start", {"configuration": "nought"}), ("start", {"configuration": "broken"})],
    )
    def test_with_a_bad_configuration_cannot_be_processed(self, name, parameters):
        brought_to(State.STANDBY)
        response = post({"name": name, "parameters": parameters}, "k")
        assert response.status_code == 422
        assert response.json()["error"] == Command.objects.latest("pk").text

    @pytest.mark.parametrize(
        "body",
        [
            {"name": "enterControl"},
            {"name": "enterControl", "key": ""},
            {"name": "enterControl", "key": 7},
            {"name": "explode", "key": "k"},
            {"name": 3, "key": "k"},
            {"key": "k"},
            {"name": "start", "key": "k", "parameters": []},
            {"name": "start", "key": "k", "reason": 3},
        ],
    )
    def test_that_lacks_something_cannot_be_processed(self, body):
        response = post(body)
        assert response.status_code == 422
        assert response.json()["error"].endswith(".")
        assert not Command.objects.exists()

    @pytest.mark.parametrize("body", ["\xff{", "[]", "null", ""])
    def test_that_is_no_json_object_is_a_bad_request(self, body):
        assert Client().post(COMMANDS, body, "application/json", headers=bearer()).status_code == 400

    def test_to_an_unknown_device_is_not_found(self):
        response = post({"name": "enable"}, "k", path=f"{API}/devices/Toaster/commands")
        assert response.status_code == 404
        assert "there are Archiver, ProcessingCluster" in response.json()["error"]
        assert not Device.objects.filter(name="Toaster").exists()

    def test_is_read_with_get_and_aborted_with_delete_only(self):
        given = post({"name": "enterControl"}, "k")
        response = client_of("operator").post(given["Location"])
        assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, DELETE")

    @pytest.mark.parametrize("pk", ["7", "9" * 30])
    def test_that_there_is_not_is_not_found(self, pk):
        get(f"/commands/{pk}", 404)
        assert client_of("operator").delete(f"{API}/commands/{pk}").status_code == 404


class TestAJob:
    def test_is_followed_to_its_result(self):
        job = a_job()
        assert (job["ack"], job["phase"], job["result"]) == (301, "EXECUTING", {"job_id": job["job_id"]})
        assert [each["id"] for each in get(f"/devices/{BENCH}")["jobs"]] == [job["id"]]
        work_off(QUEUE, "tester")
        jobs.follow()
        done = get(f"/commands/{job['id']}")
        assert (done["ack"], done["result"]["exit_code"]) == (303, 0)
        assert get(f"/devices/{BENCH}")["jobs"] == []

    def test_is_aborted_by_delete_and_again_without_an_error(self):
        job = a_job()
        for _ in range(2):
            response = Client().delete(f"{API}/commands/{job['id']}", headers=bearer() | {"X-Reason": "clouds"})
            assert (response.status_code, response.json()["ack"]) == (200, -303)
        assert "clouds" in response.json()["text"]

    def test_that_is_over_cannot_be_aborted(self):
        job = a_job()
        work_off(QUEUE, "tester")
        for _ in range(2):
            response = Client().delete(f"{API}/commands/{job['id']}", headers=bearer())
            assert response.status_code == 409
            assert "COMPLETED already" in response.json()["error"]
            jobs.follow()


class TestADevice:
    def test_says_what_it_may_be_commanded_and_why_not_the_rest(self):
        brought_to(State.DISABLED)
        found = get(f"/devices/{BENCH}")
        assert (found["state"], found["code"], found["configuration"]["name"]) == ("DISABLED", 1, "day")
        assert found["configurations"] == ["day", "night", "broken"]
        allowed = {each["name"] for each in found["commands"] if each["allowed"]}
        assert allowed == {"enable", "standby", "configure", "release", "abort", "reset", "abort_job"}
        assert all(each["allowed"] == (each["why_not"] == "") for each in found["commands"])
        assert found["software_version"].startswith("0.")
        assert 0 <= found["heartbeat_age_s"] < 15

    def test_is_among_all(self):
        assert {"Archiver", "ProcessingCluster", BENCH} <= {each["device"] for each in get("/devices")["devices"]}

    def test_that_there_is_not_is_not_found(self):
        assert "'Toaster'" in get("/devices/Toaster", 404)["error"]
        assert "'Toaster'" in get("/events?device=Toaster", 404)["error"]


class TestEvents:
    def test_are_replayed_from_any_of_them_on(self):
        brought_to(State.STANDBY)
        every = get("/events")
        assert [event["kind"] for event in every["events"]] == [event.kind for event in told()]
        assert every["last"] == every["events"][-1]["id"]
        page = get(f"/events?after={every['events'][1]['id']}&device={BENCH}&limit=1")
        assert page["events"] == every["events"][2:3]
        assert get(f"/events?after={every['last']}") == {"events": [], "last": every["last"]}
        assert get("/events?device=Archiver")["events"] == []

    @pytest.mark.parametrize("query", ["after=x", "after=-1", "limit=1001", "after=" + "9" * 40, "limit=²"])
    def test_that_are_asked_for_in_no_numbers_are_a_bad_request(self, query):
        assert "is not a whole number" in get(f"/events?{query}", 400)["error"]

    def test_stream_from_where_the_client_left_off_with_heartbeats_between(self):
        brought_to(State.STANDBY)
        known = told()[1]
        text = streamed(headers={"Last-Event-ID": str(known.pk)})
        assert re.findall(r"^id: (\d+)$", text, re.MULTILINE) == [str(event.pk) for event in told()[2:]]
        beats = re.findall(r"event: heartbeat\ndata: (.*)\n\n", text)
        devices = {beat["device"]: beat["state"] for beat in json.loads(beats[0])}
        assert devices[BENCH] == "STANDBY"
        assert streamed(f"&after={known.pk}&{urlencode({'device': BENCH})}").count("event: device.") == 2

    def test_stream_from_now_on_unless_told(self):
        brought_to(State.STANDBY)
        assert "event: device." not in streamed()

    @pytest.mark.django_db(transaction=True)
    def test_stream_to_few_at_once_and_give_their_places_back(self):
        ask = lambda: client_of().get(f"{API}/events", headers=STREAM)  # noqa: E731
        streams = [ask() for _ in range(MOST_STREAMS)]
        refused = ask()
        assert (refused.status_code, refused["Retry-After"]) == (503, "5")
        for stream in streams:
            stream.close()
            stream.close()
        streamed()

    @pytest.mark.parametrize("query", ["&seconds=26", "&after=x"])
    def test_stream_no_nonsense(self, query):
        response = client_of().get(f"{API}/events?{query}", headers=STREAM)
        assert response.status_code == 400


class TestWhoMay:
    @pytest.mark.parametrize("role", ROLES)
    def test_everyone_who_is_signed_in_reads(self, role):
        for path in ("/devices", f"/devices/{BENCH}", "/events", "/openapi.json"):
            assert client_of(role).get(API + path).status_code == 200

    @pytest.mark.parametrize(
        ("role", "scope"), [("observer", "ocs"), ("scientist", "ocs"), ("operator", "operate"), ("operator", "read")]
    )
    def test_others_command_nothing(self, role, scope):
        job = a_job()
        response = post({"name": "disable"}, "k", bearer(role, scope))
        assert response.status_code == 403
        assert state_of().state == State.ENABLED
        assert Client().delete(f"{API}/commands/{job['id']}", headers=bearer(role, scope)).status_code == 403
        assert Command.objects.get(pk=job["id"]).phase == "EXECUTING"

    def test_an_attempt_is_on_the_record(self):
        assert post({"name": "disable"}, "k", bearer("observer")).status_code == 403
        attempt = told()[-1]
        assert (attempt.data["ack"], attempt.actor) == (-300, "observer (token ocs)")
        assert "may command devices" in attempt.text

    def test_a_token_of_the_ocs_does_nothing_else(self):
        response = post({"reason": "x"}, headers=bearer(), path="/api/v1/alarms/1/acknowledge")
        assert response.status_code == 403

    def test_strangers_are_told_to_bring_a_token(self):
        assert Client().get(f"{API}/devices").status_code == 401
        assert Client().post(COMMANDS).status_code == 401


class TestTheDescription:
    def test_names_every_address(self):
        routes = {re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{each.pattern}") for each in ocs_urls.urlpatterns}
        assert set(DOCUMENT["paths"]) == routes - {"/openapi.json"}
        assert get("/openapi.json")["openapi"] == "3.1.0"

    def test_names_every_field_that_is_answered(self):
        job = a_job()
        device, events = get(f"/devices/{BENCH}"), get("/events")
        beat = json.loads(streamed().partition("data: ")[2].partition("\n")[0])[0]
        schemas = DOCUMENT["components"]["schemas"]
        device_fields = schemas["Device"]["properties"]
        pairs = [
            (job, schemas["Command"]),
            (device, schemas["Device"]),
            (device["commands"][0], device_fields["commands"]["items"]),
            (device["configuration"], device_fields["configuration"]),
            (events["events"][0], schemas["Event"]),
            (beat, schemas["Beat"]),
            (get("/devices/Toaster", 404), schemas["Error"]),
        ]
        for answer, schema in pairs:
            assert set(answer) == set(schema["properties"])
        listed = DOCUMENT["paths"]["/events"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert set(events) == set(listed["properties"])
