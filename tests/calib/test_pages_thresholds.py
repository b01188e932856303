"""The pages of limits: list, history, editor, activation, and judging a day again."""

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from playwright.sync_api import Browser, expect

from calib.models import Threshold
from dayops.models import Event, Note
from dayops.observing_day import ObservingDay
from tests.browser import WIDTHS, open_browser, open_page
from tests.calib.exposures import archived, assessed, exposure
from tests.people import ROLES, client_of, person

pytestmark = pytest.mark.django_db

PAGE = "/calib/thresholds/"
EDIT = f"{PAGE}edit/"
SCOPE = {"metric": "read_noise_e", "camera": "minicam"}
STRICTER = {**SCOPE, "do": "preview", "warn_high": "5.5", "error_high": "9", "reason": "quieter now", "days": "3"}


def measured(seq_num: int = 1) -> None:
    """A frame of today whose amplifiers have noises from 5 to 6.5 electrons."""
    day = ObservingDay.current()
    of = exposure(seq_num, day_obs=day.day_obs, began_at=day.begins, name=f"MC_{seq_num}")
    assessed(archived(of), read_noise_e=[5 + 0.1 * i for i in range(16)])


def read(path: str, words: dict[str, str] | None = None, status: int = 200, role: str = "observer") -> str:
    response = client_of(role).get(f"{path}?{urlencode(words or {})}")
    assert response.status_code == status, response.content
    return html.unescape(response.content.decode() if not response.streaming else response.getvalue().decode())


def hidden(words: dict[str, str], role: str = "scientist") -> dict[str, str]:
    """What the form of a preview would send."""
    fields = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', _raw(words, role))
    return {
        name: html.unescape(value) for name, value in fields if name in {"change", "digest", "seen", "days", "back"}
    }


def _raw(words: dict[str, str], role: str) -> str:
    return client_of(role).get(f"{EDIT}?{urlencode(words)}").content.decode()


def activate(sent: dict[str, str], role: str = "scientist") -> Any:
    return client_of(role).post(f"{PAGE}activate/", sent, follow=True)


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


def made(**fields: Any) -> Threshold:
    usual = {
        "metric": "read_noise_e",
        "camera": "minicam",
        "warn_high": 5.5,
        "author": "sofia",
        "reason": "quieter now",
    }
    return Threshold.objects.create(**{**usual, **fields})


class TestTheList:
    def test_shows_what_is_in_force_and_since_when_by_whom_and_why(self):
        made()
        text = read(PAGE, {"metric": "read_noise_e"})
        assert "read noise / e⁻" in text
        assert "IN FORCE" in text
        assert "quieter now" in text

    def test_leaves_out_what_has_ended_unless_asked(self):
        made(valid_from="2026-01-01T00:00Z", valid_until="2026-01-02T00:00Z", reason="long ago")
        assert "long ago" not in read(PAGE)
        assert "long ago" in read(PAGE, {"ended": "1", "q": "read_noise_e"})

    def test_is_exported_with_each_word_of_the_scope(self):
        made(detector="R22_S11")
        rows = list(
            csv.DictReader(io.StringIO(read(PAGE, {"format": "csv", "metric": "read_noise_e", "q": "R22_S11"})))
        )
        assert [(row["camera"], row["detector"], row["warn_high"]) for row in rows] == [("minicam", "R22_S11", "5.5")]

    def test_costs_the_same_however_many_rows(self):
        client = client_of()

        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                assert client.get(PAGE).status_code == 200
            return len(captured)

        few = queries()
        for name in ("R22_S00", "R22_S01", "R22_S02"):
            made(detector=name)
        assert queries() == few


class TestOneRow:
    def test_shows_the_history_of_its_scope_with_causes_and_what_people_did(self):
        note = Note.objects.create(subject="day:20261122", kind="INTERVENTION", text="new REB", author="o", day_obs=1)
        old = made(valid_from="2026-01-01T00:00Z", valid_until="2026-01-02T00:00Z", reason="long ago")
        new = made(cause=note)
        made(detector="R22_S11", reason="another scope")
        text = read(f"{PAGE}{new.pk}/")
        assert "long ago" in text
        assert "new REB" in text
        assert "another scope" not in text
        assert f"{PAGE}{old.pk}/" in text

    def test_is_retired_for_a_reason(self):
        row = made()
        response = client_of("scientist").post(f"{PAGE}{row.pk}/retire/", {"reason": "wrong"}, follow=True)
        assert said(response) == ["The limits of read noise for minicam are retired."]
        assert "wrong" in read(f"{PAGE}{row.pk}/")
        again = client_of("scientist").post(f"{PAGE}{row.pk}/retire/", {"reason": "wrong"}, follow=True)
        assert "nothing to retire" in said(again)[0]

    @pytest.mark.parametrize("role", ["observer", "operator"])
    def test_says_to_others_why_they_may_not_change_it(self, role):
        row = made()
        assert "Only the group “scientist” or the group “maintainer” may change thresholds" in read(
            f"{PAGE}{row.pk}/", role=role
        )

    def test_that_does_not_exist_is_not_found(self):
        assert client_of().get(f"{PAGE}999999/").status_code == 404

    def test_is_where_events_about_it_lead(self):
        row = made()
        assert client_of().get(f"/2026-11-22/calib/thresholds/{row.pk}/")["Location"] == f"{PAGE}{row.pk}/"


class TestTheEditor:
    @pytest.mark.parametrize("role", ROLES)
    def test_is_open_to_all_who_are_signed_in(self, role):
        made()
        assert "Of exactly this scope: WARN above 5.5 e⁻" in read(EDIT, SCOPE, role=role)

    def test_proposes_limits_into_its_fields(self):
        measured()
        text = read(EDIT, {**SCOPE, "do": "propose", "k_warn": "2", "k_error": "4"})
        assert "Proposed from 16 values: median 5.750 e⁻" in re.sub(r"<[^>]+>", "", text).replace("\u202f", " ")
        assert re.search(r'name="warn_high"[^>]* value="6\.9\d*"', text)

    def test_previews_what_would_change_with_links_and_export(self):
        measured()
        text = read(EDIT, STRICTER)
        assert "Of 16 values of the last 3 days" in text
        assert f"/{ObservingDay.current()}/calib/exposures/MC_1/R22_S00/" in text
        rows = json.loads(read(EDIT, {**STRICTER, "format": "json"}))
        assert len(rows) == 10
        assert {(row["was"], row["would_be"]) for row in rows} == {("OK", "WARN")}
        figure = json.loads(read(f"{EDIT}figure/", STRICTER))
        assert [trace["name"] for trace in figure["data"]][-1] == "WARN by the new limits"

    def test_says_so_where_nothing_was_measured(self):
        assert "Nothing to compare with" in read(EDIT, STRICTER)

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            ({"warn_high": "abc"}, "“abc” is not a number: write it like 12.5."),
            ({"warn_high": "9", "error_high": "5"}, "are in the wrong order"),
            ({"metric": "nonsense"}, "There is no metric “nonsense”"),
            ({"detector": "R99"}, "Minicam has no detector “R99”"),
            ({"amplifier": "Z9"}, "There is no amplifier “Z9” here"),
            ({"filter": "Q"}, "There is no filter “Q”"),
            ({"valid_from": "yesterday"}, "“yesterday” is not an instant"),
            ({"valid_from": "2020-01-01"}, "when today's dayObs began, or later"),
            ({"valid_from": "2999-01-01"}, "30 days from now, or earlier"),
            ({"reason": " "}, "A reason is needed"),
            ({"cause": "77777"}, "There is no intervention of number 77777"),
            ({"days": "1000"}, "1000 days are not possible"),
            ({"per": "raft", "do": "propose"}, "“raft” is not possible"),
            ({"do": "propose"}, "nothing was measured there"),
        ],
    )
    def test_says_what_is_wrong_beside_the_field(self, words, sentence):
        assert sentence in read(EDIT, STRICTER | words, status=400)

    def test_says_all_that_is_wrong_at_once(self):
        text = read(EDIT, STRICTER | {"warn_high": "abc", "reason": "", "camera": "megacam"}, status=400)
        for sentence in ("“abc” is not a number", "A reason is needed", "There is no camera “megacam”"):
            assert sentence in text

    def test_shows_markup_as_text(self):
        raw = _raw(STRICTER | {"reason": "<script>alert(1)</script>"}, "scientist")
        assert "<script>alert" not in raw


class TestActivating:
    def test_puts_in_force_what_was_previewed(self):
        measured()
        response = activate(hidden(STRICTER))
        row = Threshold.objects.get(reason="quieter now")
        assert response.redirect_chain == [(f"{PAGE}{row.pk}/", 303)]
        assert (row.warn_high, row.error_high, row.author) == (5.5, 9.0, "scientist")
        assert "Limits of read noise for minicam from" in said(response)[0]

    def test_tells_of_values_that_came_since_the_preview(self):
        measured()
        sent = hidden(STRICTER)
        measured(2)
        assert "Since the preview 16 values were measured that it did not show." in said(activate(sent))[0]

    def test_of_something_else_changes_nothing(self):
        sent = hidden(STRICTER)
        sent["change"] = sent["change"].replace("5.5", "6.5")
        response = activate(sent)
        assert "not the limits that were previewed" in said(response)[0]
        assert response.redirect_chain[0][0].startswith(f"{EDIT}?metric=read_noise_e")
        assert not Threshold.objects.filter(reason="quieter now").exists()

    def test_of_two_who_previewed_the_same_the_second_is_told(self):
        first, second = hidden(STRICTER), hidden({**STRICTER, "warn_high": "6"}, "maintainer")
        activate(first)
        assert "somebody has changed them meanwhile" in said(activate(second, "maintainer"))[0]
        assert Threshold.objects.get(reason="quieter now").author == "scientist"

    @pytest.mark.parametrize(
        "spoilt", [{"change": "{"}, {"change": "[]"}, {"seen": "many"}, {"change": '{"rows": [[1]]}'}, {"digest": "é"}]
    )
    def test_of_a_spoilt_form_is_refused_in_words(self, spoilt):
        response = activate(hidden(STRICTER) | spoilt)
        assert said(response)
        assert "review" in said(response)[0]
        assert not Threshold.objects.filter(reason="quieter now").exists()

    def test_of_a_row_for_each_amplifier_is_one_event(self):
        for number in range(10):
            measured(number)
        Threshold.objects.filter(metric="read_noise_e").update(valid_until="2100-01-01T00:00Z")
        words = {**SCOPE, "do": "propose", "per": "detector", "reason": "each its own"}
        response = activate(hidden(words))
        assert [row.detector for row in Threshold.objects.filter(reason="each its own")] == ["R22_S00"]
        assert response.status_code == 200
        assert Event.objects.filter(kind="calib.threshold.activated").count() == 1

    @pytest.mark.parametrize("role", ["observer", "operator"])
    def test_is_for_those_who_may(self, role):
        sent = hidden(STRICTER)
        assert client_of(role).post(f"{PAGE}activate/", sent).status_code == 403
        assert not hidden(STRICTER, role)
        assert "Only the group “scientist” or the group “maintainer” may change thresholds" in read(
            EDIT, STRICTER, role=role
        )


class TestJudgingADayAgain:
    def test_is_offered_once_limits_of_today_changed_and_leads_to_its_run(self):
        measured()
        activate(hidden(STRICTER))
        row, day = Threshold.objects.get(reason="quieter now"), ObservingDay.current()
        assert f"/{day}/calib/rejudge/" in read(f"{PAGE}{row.pk}/", role="scientist")
        response = client_of("scientist").post(f"/{day}/calib/rejudge/", {"reason": "new limits"}, follow=True)
        assert "will be judged again" in said(response)[0]
        assert "/runs/" in response.redirect_chain[0][0]

    @pytest.mark.parametrize(("reason", "sentence"), [("", "A reason is needed"), ("x", "nothing to judge again")])
    def test_without_a_reason_or_frames_is_refused_in_words(self, reason, sentence):
        response = client_of("scientist").post("/2026-11-22/calib/rejudge/", {"reason": reason}, follow=True)
        assert sentence in said(response)[0]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.mark.browser
@pytest.mark.django_db(transaction=True, serialized_rollback=True)
class TestInABrowser:
    def test_limits_are_proposed_compared_and_activated(self, browser, live_server):
        measured()
        width, height = WIDTHS[0]
        size: Any = {"width": width, "height": height}
        with open_page(browser, live_server.url, person("scientist"), viewport=size) as page:
            page.goto(f"{EDIT}?{urlencode(SCOPE)}")
            page.get_by_role("button", name="Propose limits").click()
            page.get_by_label("Reason").fill("as measured")
            page.get_by_role("button", name="Compare verdicts").click()
            page.locator("[data-figure]").scroll_into_view_if_needed()
            expect(page.locator("[data-figure]")).to_have_attribute("data-state", "drawn")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
            page.get_by_role("button", name="Activate").click()
            expect(page.get_by_role("status").first).to_contain_text("Limits of read noise for minicam from")
        assert Threshold.objects.filter(reason="as measured").exists()
