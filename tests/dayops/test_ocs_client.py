"""The operator's command line and the simulated OCS, here and over HTTP."""

import json
import threading
from collections.abc import Iterator
from io import StringIO

import pytest
import requests
from django.core.management import CommandError, call_command
from django.db import connection

from dayops.devices import heart, registry
from dayops.devices.client import Devices, Refused
from dayops.devices.states import State
from dayops.engine import work_off
from dayops.models import Command, Device, Event
from dayops.simulator import ocs
from dayops.web import tokens
from tests.dayops.devices import BENCH, QUEUE, bench, brought_to, command, served, state_of, told
from tests.people import person
from tests.work import DAY

pytestmark = pytest.mark.django_db(transaction=True)
PIPELINE = {"pipeline": "tests.succeed", "data_query": {"day_obs": DAY}}


@pytest.fixture(autouse=True)
def _bench() -> Iterator[None]:
    with bench():
        yield


@pytest.fixture
def token() -> str:
    return tokens.create(person("operator"), "ocs", "ocs")[1]


@pytest.fixture
def devices(live_server, token: str) -> Devices:
    return Devices(live_server.url, token)


@pytest.fixture
def at_work() -> Iterator[None]:
    """A scheduler and a worker, as far as devices need them."""
    served()
    enough = threading.Event()

    def work() -> None:
        while not enough.wait(0.05):
            work_off(QUEUE, "tester")
            heart.look_after()
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    enough.set()
    thread.join()


def said(*words: str) -> str:
    out = StringIO()
    call_command("ocs", *words, stdout=out)
    return out.getvalue()


class TestTheCommandLine:
    def test_lists_devices_and_their_states(self):
        brought_to(State.ENABLED)
        lines = {line.split()[0]: line.split()[1:] for line in said().splitlines()}
        assert lines[BENCH] == ["ENABLED", "day"]
        assert lines["Archiver"] == ["OFFLINE"]
        assert said(BENCH).count("\n") == 1

    def test_commands_a_device_and_prints_what_it_came_to(self):
        brought_to(State.STANDBY)
        given = json.loads(said(BENCH, "start", "--configuration", "night", "--key", "k", "--reason", "by hand"))
        assert (given["ack"], given["key"]) == (303, "k")
        assert given["requested_by"].startswith("command line: ")
        assert state_of().configuration_name == "night"
        assert told("device.state")[-1].reason == "by hand"

    def test_waits_for_a_job(self, at_work):
        brought_to(State.ENABLED)
        words = ["--parameter", "pipeline=tests.succeed", "--parameter", 'data_query={"day_obs": 20261122}']
        given = json.loads(said(BENCH, "execute", *words, "--wait", "30"))
        assert (given["ack"], given["result"]["exit_code"]) == (303, 0)
        assert given["parameters"] == PIPELINE

    def test_fails_for_a_job_that_fails(self, at_work):
        brought_to(State.ENABLED)
        with pytest.raises(CommandError, match=r"-302 CMD_FAILED: Job .* 15 amplifiers"):
            said(BENCH, "execute", "--parameter", "pipeline=tests.refuse", "--wait", "30")

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            ([BENCH, "enable"], "Command enterControl first"),
            ([BENCH, "explode"], "is no command"),
            (["Toaster", "enable"], "There is no device 'Toaster'"),
            (["Toaster"], "There is no device 'Toaster'"),
            ([BENCH, "execute", "--parameter", "pipeline"], "is not NAME=VALUE"),
            ([BENCH, "enable", "--url", "http://127.0.0.1:1"], "needs a token of scope ocs"),
        ],
    )
    def test_says_what_is_wrong(self, words, sentence, monkeypatch):
        monkeypatch.delenv("DAYOPS_OCS_TOKEN", raising=False)
        with pytest.raises(CommandError, match=sentence):
            said(*words)

    def test_tells_what_devices_said(self):
        brought_to(State.STANDBY)
        lines = [json.loads(line) for line in said("--events").splitlines()]
        assert [line["kind"] for line in lines] == [event.kind for event in told()]
        assert said("--events", "--after", str(lines[-2]["id"])).count("\n") == 1
        assert said("Archiver", "--events") == ""

    def test_does_the_same_over_http(self, live_server, token, monkeypatch):
        monkeypatch.setenv("DAYOPS_OCS_TOKEN", token)
        there = ("--url", live_server.url)
        assert json.loads(said(BENCH, "enterControl", *there))["ack"] == 303
        assert said(BENCH, *there).split() == [BENCH, "STANDBY"]
        assert said("--events", *there) == said("--events")
        with pytest.raises(CommandError, match="It is STANDBY already"):
            said(BENCH, "enterControl", *there)
        assert Command.objects.earliest("pk").requested_by == "operator (token ocs)"


class TestTheClient:
    def test_sends_again_under_the_same_key_while_nobody_answers(self, devices, monkeypatch):
        real, tries = requests.Session.request, []

        def flaky(self, method, url, **words):
            answer = real(self, method, url, **words)
            tries.append(answer.status_code)
            if len(tries) == 1:
                raise requests.ConnectionError  # it was done, but the answer was lost
            return answer

        monkeypatch.setattr(requests.Session, "request", flaky)
        monkeypatch.setattr("dayops.devices.client.POLL_S", 0.01)
        assert devices.command(BENCH, "enterControl")["ack"] == 303
        assert tries == [202, 202]
        assert Command.objects.count() == 1

    def test_gives_up_in_a_sentence(self, monkeypatch):
        monkeypatch.setattr("dayops.devices.client.POLL_S", 0.01)
        with pytest.raises(Refused, match=r"http://127.0.0.1:1/api/ocs/v1 does not answer: ConnectionError\."):
            Devices("http://127.0.0.1:1", "x").devices()

    def test_aborts_a_job(self, devices):
        brought_to(State.ENABLED)
        job = devices.command(BENCH, "execute", PIPELINE)
        assert devices.abort(job, "clouds")["ack"] == -303
        assert devices.wait(job, 5)["phase"] == "ABORTED"


class TestTheSimulatedOcs:
    @pytest.mark.parametrize("state", State)
    def test_brings_a_device_up_from_any_state(self, devices, state):
        brought_to(state)
        assert ocs.bring(devices, BENCH, "night")["state"] == "ENABLED"
        assert state_of().configuration_name == "night"

    def test_leaves_alone_what_is_up(self, devices):
        brought_to(State.ENABLED)
        before = Event.objects.count()
        assert ocs.bring(devices, BENCH)["configuration"]["name"] == "day"
        assert Event.objects.count() == before

    def test_says_why_a_device_does_not_come_up(self, devices, monkeypatch):
        with pytest.raises(Refused, match="camera that is not there"):
            ocs.bring(devices, BENCH, "broken")
        Device.objects.update(heartbeat_at="2020-01-01T00:00Z")
        monkeypatch.setattr(ocs, "_PATIENCE_S", 0.0)
        with pytest.raises(ocs.NotBrought, match="no scheduler looks after it"):
            ocs.bring(devices, BENCH)

    def test_runs_a_day(self, live_server, token, at_work):
        lines: list[str] = []
        looks = iter([False, True])
        with bench(ocs.GENERATOR):
            found = ocs.run_day(
                live_server.url, token, DAY, lambda: next(looks), lines.append, threading.Event(), PIPELINE
            )
        assert found["exit_code"] == 0
        assert len(lines) == 5
        assert lines[-1].startswith("OCS: CalibrationGenerator answers execute with 303 CMD_COMPLETE")
        states = {device.name: (device.state, device.configuration_name) for device in registry.devices()}
        assert states["Archiver"] == ("ENABLED", "catch-up")
        assert states["ProcessingCluster"] == ("ENABLED", "daytime")

    def test_stops_when_told(self, live_server, token):
        stop = threading.Event()
        stop.set()
        with bench(ocs.GENERATOR):
            assert ocs.run_day(live_server.url, token, DAY, lambda: False, lambda line: None, stop) == {}
        assert not Command.objects.filter(name="execute").exists()
        assert command("enterControl").ack == 303
