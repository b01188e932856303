"""The pages of devices: what people see, what they may press, and why not."""

import json
import re
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape
from playwright.sync_api import Browser, expect

from dayops.devices import jobs
from dayops.devices.changes import lock_out
from dayops.devices.states import State
from dayops.engine import work_off
from dayops.models import Command, Device, Event, Run
from tests.browser import WIDTHS, open_browser, open_page
from tests.dayops.devices import BENCH, QUEUE, bench, brought_to, command, state_of, told
from tests.people import client_of, person

PAGE = f"/devices/{BENCH}/"


@pytest.fixture(autouse=True)
def _bench() -> Iterator[None]:
    with bench():
        yield


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


def text_of(path: str, role: str = "operator", status: int = 200) -> str:
    response = client_of(role).get(path)
    assert response.status_code == status
    return response.content.decode()


def exported(form: str) -> str:
    return b"".join(client_of().get(f"{PAGE}?format={form}").streaming_content).decode()  # type: ignore[attr-defined]


def press(name: str, role: str = "operator", **fields: str) -> str:
    """Post a button, and the page that follows."""
    response = client_of(role).post(f"{PAGE}{name}/", {"reason": "by hand", **fields}, follow=True)
    assert response.redirect_chain == [(PAGE, 303)]
    return str(response.content.decode())


def buttons(text: str) -> tuple[set[str], set[str]]:
    """The commands that may be pressed, and those that may not."""
    return set(re.findall(r'formaction="/devices/Bench/(\w+)/"', text)), set(
        re.findall(r"disabled title=[^>]*>(\w+)<", text)
    )


@pytest.mark.django_db
class TestADevice:
    @pytest.mark.parametrize("state", State)
    def test_offers_what_its_state_allows_and_says_why_not_the_rest(self, state):
        brought_to(state)
        text = text_of(PAGE)
        assert f">{state}</span>" in re.sub(r"<svg.*?</svg>", "", text)
        allowed, forbidden = buttons(text)
        reasons = {name: command(name, configuration="day").text for name in ("enable", "disable") if name in forbidden}
        assert not allowed & forbidden
        assert len(allowed | forbidden) == 11
        assert reasons
        assert all(escape(why.partition(".")[0]) in text for why in reasons.values() if "takes" not in why)

    def test_is_commanded_with_a_reason(self):
        brought_to(State.STANDBY)
        text = press("start", configuration="night")
        assert "start was answered with 303 CMD_COMPLETE: Bench is DISABLED." in text
        assert state_of().configuration_name == "night"
        assert Command.objects.latest("pk").requested_by == "operator"
        assert told("device.state")[-1].reason == "by hand"

    def test_says_why_a_command_was_refused(self):
        assert "enable was answered with -302 CMD_FAILED: enable is not possible while it is OFFLINE" in press("enable")

    @pytest.mark.parametrize("role", ["observer", "scientist"])
    def test_is_shown_to_those_who_may_not_command_it_without_buttons(self, role):
        text = text_of(PAGE, role)
        assert buttons(text)[0] == set()
        assert "may command devices" in text
        assert client_of(role).post(f"{PAGE}enterControl/").status_code == 403
        assert state_of().state == State.OFFLINE

    def test_in_fault_says_why_and_what_to_do(self):
        brought_to(State.ENABLED)
        Device.objects.update(heartbeat_at="2020-01-01T00:00Z")
        text = text_of(PAGE)
        assert "In FAULT" in text
        assert "No heartbeat for" in text
        assert "standby" in buttons(text)[0]

    def test_that_is_locked_out_says_so(self):
        lock_out(BENCH, "New disks are put in.", actor="maria")
        assert text_of(PAGE).count("New disks are put in.") > 3
        assert "Locked out for engineering: New disks are put in." in text_of("/devices/")

    def test_shows_its_job_with_its_progress_and_lets_it_be_aborted(self):
        brought_to(State.ENABLED)
        job = command("execute", pipeline="tests.succeed")
        text = text_of(PAGE)
        assert f"/2026-11-22/runs/{job.run_id}/" in text
        assert "0 of 1 task<" in text
        assert "abort_job was answered with -303 CMD_ABORTED" in press("abort_job", job=str(job.pk))
        assert Run.objects.get().phase == "ABORTED"
        assert "nothing to abort" not in press("abort_job", job=str(job.pk))
        assert "Say which job" in press("abort_job", job="x")

    def test_shows_how_its_commands_were_answered_and_what_happened(self):
        brought_to(State.ENABLED)
        command("execute", pipeline="tests.refuse")
        work_off(QUEUE, "tester")
        jobs.follow()
        text = text_of(PAGE)
        assert "-302 CMD_FAILED" in text
        assert "15 amplifiers" in text
        states = json.loads(exported("json&kind=device.state"))
        assert [row["state"] for row in states] == ["ENABLED", "DISABLED", "STANDBY"]
        assert exported("csv").startswith("event,at,kind,state,ack,text,reason,actor,command,job_id")

    def test_is_where_events_and_notes_about_it_lead(self):
        brought_to(State.STANDBY)
        day = Event.objects.latest("pk").day_obs
        found = client_of().get(f"/{day // 10000}-{day // 100 % 100:02}-{day % 100:02}/events/").content.decode()
        link = re.search(r'href="(/[0-9-]+/devices/Bench/)"', found)
        assert link
        assert "Bench" in text_of(link[1])

    def test_that_there_is_not_is_not_found(self):
        text_of("/devices/Toaster/", status=404)
        assert client_of("operator").post("/devices/Toaster/enable/").status_code == 404
        assert client_of("operator").post(f"{PAGE}explode/").status_code == 404

    def test_costs_the_same_however_much_has_happened(self):
        client = client_of()

        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert client.get(PAGE).status_code == 200
            return len(captured)

        brought_to(State.ENABLED)
        command("execute", pipeline="tests.succeed")
        few = queries()
        for _ in range(5):
            command("execute", pipeline="tests.succeed")
        assert queries() == few <= 22


@pytest.mark.django_db
def test_all_devices_are_listed_with_their_states_and_jobs():
    brought_to(State.ENABLED)
    command("execute", pipeline="tests.succeed")
    text = text_of("/devices/", "observer")
    for title in ("Archiver", "Processing Cluster", "Bench"):
        assert f">{title}</a>" in text
    assert "0 of 1 task<" in text
    assert '<a href="/devices/" data-key="g v"' in text


@pytest.mark.django_db
def test_a_maintainer_locks_a_device_out_and_changes_nothing_else_by_hand():
    device = brought_to(State.STANDBY)
    page = f"/admin/dayops/device/{device.pk}/change/"
    given = {"locked_out": "New disks are put in.", "state": "ENABLED"}
    assert client_of("maintainer").post(page, given).status_code == 302
    assert (state_of().state, state_of().locked_out) == (State.STANDBY, "New disks are put in.")
    assert told("device.lock-out")[0].actor == "maintainer"
    assert client_of("operator").post(page, given).status_code in {302, 403}
    assert client_of("maintainer").get("/admin/dayops/command/").status_code == 200


@pytest.mark.browser
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
@pytest.mark.parametrize("width", WIDTHS)
def test_an_operator_brings_a_device_up_and_sees_its_state_change(browser, live_server, width):
    size = {"width": width[0], "height": width[1]}
    with open_page(browser, live_server.url, person("operator"), viewport=size) as page:
        page.goto(PAGE)
        page.get_by_label("Reason").fill("the day begins")
        page.get_by_role("button", name="enterControl").click()
        expect(page.get_by_text("enterControl was answered with 303")).to_be_visible()
        command("start", configuration="night")
        expect(page.locator("#state")).to_contain_text("DISABLED", timeout=15_000)
        expect(page.get_by_role("button", name="standby")).to_be_enabled()
        page.get_by_role("button", name="enable", exact=True).click()
        expect(page.get_by_label("Reason")).to_be_focused()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert state_of().state == State.DISABLED
