"""Alarms on pages and in the API: what is open, who may do what about it, and what is remembered."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect

from dayops import alarms
from dayops.models import Alarm, AlarmDelivery, Event, Severity
from dayops.observing_day import ObservingDay
from dayops.web.api.openapi import DOCUMENT
from dayops.web.work_pages.alarms import OPEN_SHOWN
from tests.browser import open_browser, open_page
from tests.dayops.test_api import bearer
from tests.pages import DAY_URL, FRAGMENT, text_of
from tests.people import client_of, person
from tests.work import DAY

pytestmark = pytest.mark.django_db
API = "/api/v1/alarms"
WHY = "a cable was loose"


def an_alarm(key: str = "noise", **changes: Any) -> Alarm:
    said: dict[str, Any] = {"name": "noise", "activity": "calib", "day_obs": DAY, "sentence": f"The {key} is too high."}
    return alarms.raise_alarm(key=key, **(said | changes))


def page_of(alarm: Alarm) -> str:
    return f"/{ObservingDay(alarm.day_obs)}/alarms/{alarm.pk}/"


def names(query: str = "", path: str = "/alarms/") -> list[str]:
    rows = json.loads(client_of().get(f"{path}?format=json&{query}").getvalue())
    return [row["sentence"] for row in rows]


def one_of_each_state() -> dict[str, Alarm]:
    found = {state: an_alarm(state) for state in ("over", "snoozed", "acknowledged", "open")}
    alarms.clear("over", why="measured again")
    alarms.snooze(found["snoozed"].pk, actor="otto", reason=WHY, until=datetime.now(UTC) + timedelta(hours=1))
    alarms.acknowledge(found["acknowledged"].pk, actor="olivia", reason=WHY)
    return found


class TestTheList:
    def test_gives_what_is_open_first_and_what_is_over_last(self):
        one_of_each_state()
        an_alarm("warning", severity=Severity.WARN)
        order = ("open", "warning", "acknowledged", "snoozed", "over")
        assert names() == [f"The {word} is too high." for word in order]

    @pytest.mark.parametrize(
        ("query", "keys"),
        [
            ("state=OPEN", ["open"]),
            ("state=SNOOZED", ["snoozed"]),
            ("severity=WARN", []),
            ("activity=calib&q=acknow", ["acknowledged"]),
            ("activity=mops", []),
            ("q=100%", []),
        ],
    )
    def test_is_filtered(self, query, keys):
        one_of_each_state()
        assert names(query) == [f"The {key} is too high." for key in keys]

    def test_says_what_to_do_since_when_how_often_and_about_what(self):
        an_alarm(remedy="Look at the cable.", subject="run:7")
        an_alarm(remedy="Look at the cable.", subject="run:7")
        text = text_of("/alarms/")
        assert "Look at the cable." in text
        assert f'<a href="{DAY_URL}runs/7/">run 7</a>' in text
        assert "times, last" in text

    def test_of_a_day_has_the_day_only(self):
        an_alarm("today")
        an_alarm("before", day_obs=20261121)
        assert names(path=f"{DAY_URL}alarms/") == ["The today is too high."]
        assert len(names()) == 2

    def test_shows_a_bounded_number_at_the_top(self):
        for number in range(OPEN_SHOWN + 1):
            an_alarm(str(number))
        text = text_of("/alarms/")
        assert text.count('<article class="panel alarm') == OPEN_SHOWN
        assert "There are more open ones" in text

    def test_without_alarms_says_that_nothing_is_wrong(self):
        assert "Nothing is wrong" in text_of("/alarms/")

    def test_brings_itself_up_to_date_without_its_form(self):
        an_alarm()
        fragment = client_of("operator").get("/alarms/", headers=FRAGMENT).content.decode()
        assert "<html" not in fragment
        assert 'name="reason"' not in fragment
        assert "/acknowledge/" in fragment


class TestTheBadge:
    def test_counts_what_asks_for_attention_on_every_page(self):
        one_of_each_state()
        for path in ("/notes/", f"{DAY_URL}runs/", "/alarms/badge/"):
            assert '<span class="badge badge-error" title="1 open alarm,' in text_of(path)

    def test_of_warnings_looks_like_a_warning(self):
        an_alarm(severity=Severity.WARN)
        assert "badge-warn" in text_of("/alarms/badge/")

    def test_is_absent_where_nothing_asks(self):
        an_alarm()
        alarms.clear("noise", why="")
        assert text_of("/alarms/badge/").strip() == ""


class TestOneAlarm:
    def test_shows_its_history_its_deliveries_and_the_reason_of_a_failure(self):
        alarm = an_alarm()
        alarms.acknowledge(alarm.pk, actor="olivia", reason=WHY)
        AlarmDelivery.objects.create(
            alarm=alarm, channel="webhook", address="https://x.example.org/s3cret", state="FAILED", tries=8, error="500"
        )
        text = text_of(page_of(alarm))
        for part in ("olivia acknowledged", WHY, "https://x.example.org/…", "Given up: 500", "8 of 8 tries"):
            assert part in text
        assert "s3cret" not in text

    def test_says_that_nobody_was_told_and_why(self):
        assert "DAYOPS_ALARM_EMAILS" in text_of(page_of(an_alarm()))

    def test_lists_the_other_times_of_the_same_condition(self):
        earlier = an_alarm()
        Alarm.objects.update(cleared_at="2026-01-01T00:00Z", raised_at="2026-01-01T00:00Z")
        assert page_of(earlier) in text_of(page_of(an_alarm()))

    def test_of_another_day_or_number_is_not_found(self):
        alarm = an_alarm()
        assert client_of().get(f"/2026-11-21/alarms/{alarm.pk}/").status_code == 404
        assert client_of().get(f"{DAY_URL}alarms/999999/").status_code == 404

    def test_does_not_tell_strangers_who_was_told(self, settings):
        settings.PUBLIC_READ = True
        settings.ALARM_EMAILS = ["shift@example.org"]
        text = text_of(page_of(an_alarm()), "anonymous")
        assert "shift@example.org" not in text
        assert "Sign in to see who was told" in text

    @pytest.mark.parametrize("role", ["observer", "scientist"])
    def test_tells_who_may_not_act_why(self, role):
        text = text_of(page_of(an_alarm()), role)
        assert "Only the group “operator”" in text
        assert "formaction" not in text

    def test_offers_what_its_state_allows_and_says_why_not_the_rest(self):
        found = one_of_each_state()
        text = text_of(page_of(found["acknowledged"]), "operator")
        assert "was acknowledged by olivia" in text
        assert f'formaction="/alarms/{found["acknowledged"].pk}/snooze/"' in text
        assert "there is nothing to silence" in text_of(page_of(found["over"]), "operator")


class TestActing:
    def post(self, alarm: Alarm, deed: str, role: str = "operator", **fields: str):
        return client_of(role).post(f"/alarms/{alarm.pk}/{deed}/", {"reason": WHY, **fields})

    def test_acknowledging_keeps_who_and_why_and_leads_back(self):
        alarm = an_alarm()
        response = self.post(alarm, "acknowledge", back="list")
        assert (response.status_code, response["Location"]) == (303, "/alarms/")
        event = Event.objects.get(kind="alarm.acknowledged")
        assert (event.actor, event.reason) == ("operator", WHY)
        assert self.post(alarm, "acknowledge")["Location"] == page_of(alarm)

    def test_snoozing_lasts_as_long_as_was_chosen(self):
        alarm = an_alarm()
        self.post(alarm, "snooze", hours="4")
        alarm.refresh_from_db()
        assert alarm.snoozed_until is not None
        left = alarm.snoozed_until - datetime.now(UTC)
        assert timedelta(hours=3.9) < left < timedelta(hours=4.1)

    @pytest.mark.parametrize(
        ("deed", "fields", "sentence"),
        [
            ("acknowledge", {"reason": " "}, "A reason is needed"),
            ("snooze", {"hours": "9999"}, "is no time to snooze for"),
            ("snooze", {}, "is no time to snooze for"),
        ],
    )
    def test_what_is_not_possible_is_said_and_changes_nothing(self, deed, fields, sentence):
        client, alarm = client_of("operator"), an_alarm()
        response = client.post(f"/alarms/{alarm.pk}/{deed}/", {"reason": WHY, **fields}, follow=True)
        assert sentence in response.content.decode()
        assert alarms.asking().count() == 1

    def test_is_refused_to_those_who_may_not(self):
        alarm = an_alarm()
        assert self.post(alarm, "acknowledge", "scientist").status_code == 403
        assert alarms.asking().exists()

    def test_of_an_unknown_kind_is_not_found(self):
        assert self.post(an_alarm(), "delete").status_code == 404


class TestTheBoard:
    def test_shows_the_worst_open_alarm_and_how_many_more(self):
        an_alarm("warning", severity=Severity.WARN)
        one_of_each_state()
        text = text_of(DAY_URL)
        assert f'<a href="{page_of(Alarm.objects.get(key="open"))}">The open is too high.</a>' in text
        assert "and 2 more open alarms" in text

    def test_of_another_day_shows_that_days(self):
        an_alarm("mine", day_obs=20250101)
        an_alarm("other", day_obs=20250102)
        text = text_of("/2025-01-01/")
        assert "The mine is too high." in text
        assert "The other is too high." not in text

    def test_shows_none_where_none_is_open(self):
        one_of_each_state()
        Alarm.objects.filter(cleared_at=None).update(cleared_at="2026-11-22T15:00Z")
        assert "worst-alarm" not in text_of(DAY_URL)


class TestTheApi:
    def get(self, query: str = "", status: int = 200) -> dict[str, Any]:
        response = client_of().get(f"{API}?{query}")
        assert response.status_code == status, response.content
        answer: dict[str, Any] = response.json()
        return answer

    def post(self, alarm: Alarm, deed: str, body: object, role: str = "operator", scope: str = "operate"):
        headers = bearer(role, scope)
        path = f"{API}/{alarm.pk}/{deed}"
        return Client(enforce_csrf_checks=True).post(path, json.dumps(body), "application/json", headers=headers)

    def test_lists_alarms_and_chooses_among_them(self):
        one_of_each_state()
        assert [alarm["key"] for alarm in self.get()["alarms"]] == ["open", "acknowledged", "snoozed", "over"]
        assert [alarm["key"] for alarm in self.get("state=SNOOZED&day=2026-11-22")["alarms"]] == ["snoozed"]
        assert self.get("day=2026-11-21")["total"] == 0
        assert "is not a dayObs" in self.get("day=yesterday", 400)["error"]

    def test_answers_what_its_description_says(self):
        alarm = an_alarm()
        listed = self.get()
        schemas, paths = DOCUMENT["components"]["schemas"], DOCUMENT["paths"]
        assert set(listed["alarms"][0]) == set(schemas["Alarm"]["properties"])
        done = self.post(alarm, "acknowledge", {"reason": WHY}).json()
        wanted = paths["/alarms/{pk}/acknowledge"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert set(done) == set(wanted["properties"])
        assert (done["alarm"]["state"], done["alarm"]["acknowledged_by"]) == (
            "ACKNOWLEDGED",
            "operator (token operator-operate)",
        )

    def test_snoozes_until_an_instant_with_its_time_zone(self):
        alarm, until = an_alarm(), datetime.now(UTC) + timedelta(hours=2)
        done = self.post(alarm, "snooze", {"reason": WHY, "until": until.isoformat()}).json()
        assert done["alarm"]["state"] == "SNOOZED"

    @pytest.mark.parametrize("until", [None, 7, "tomorrow", "2026-11-22T18:00:00"])
    def test_refuses_an_end_that_is_none(self, until):
        response = self.post(an_alarm(), "snooze", {"reason": WHY, "until": until})
        assert response.status_code == 400
        assert "time zone" in response.json()["error"]

    def test_says_why_something_is_not_possible(self):
        alarm = an_alarm()
        alarms.clear(alarm.key, why="")
        response = self.post(alarm, "acknowledge", {"reason": WHY})
        assert response.status_code == 409
        assert "has been over since" in response.json()["error"]

    def test_does_not_let_an_alarm_be_silenced_for_long(self):
        late = datetime.now(UTC) + timedelta(days=8)
        response = self.post(an_alarm(), "snooze", {"reason": WHY, "until": late.isoformat()})
        assert response.status_code == 409
        assert "7 days at most" in response.json()["error"]

    @pytest.mark.parametrize(("role", "scope"), [("observer", "operate"), ("operator", "read")])
    def test_lets_only_those_act_who_may(self, role, scope):
        assert self.post(an_alarm(), "acknowledge", {"reason": WHY}, role, scope).status_code == 403
        assert alarms.asking().exists()


def test_an_event_of_an_alarm_leads_to_its_page():
    alarm = an_alarm()
    assert f'<a href="{page_of(alarm)}">alarm {alarm.pk}</a>' in text_of(f"{DAY_URL}events/")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.mark.browser
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_an_operator_sees_an_alarm_come_and_acknowledges_it(browser, live_server):
    with open_page(browser, live_server.url, person("operator"), viewport={"width": 1280, "height": 800}) as page:
        page.goto("/alarms/")
        expect(page.get_by_text("Nothing is wrong")).to_be_visible()
        expect(page.get_by_label("Reason")).to_be_hidden()
        an_alarm(sentence="The noise of R22_S11 is " + "very " * 60 + "high.")
        expect(page.locator("#alarm-badge")).to_contain_text("1", timeout=15_000)
        expect(page.get_by_role("button", name="Acknowledge")).to_be_visible(timeout=15_000)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.get_by_label("Reason")).to_be_focused()
        page.get_by_label("Reason").fill(WHY)
        page.get_by_role("button", name="Acknowledge").click()
        expect(page.get_by_text(f"“{WHY}”")).to_be_visible()
        expect(page.locator("#alarm-badge")).to_be_empty()
    assert Event.objects.filter(kind="alarm.acknowledged").exists()
