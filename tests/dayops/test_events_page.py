"""The record of a day."""

import json

import pytest

from dayops import events
from dayops.models import Severity
from dayops.web.work_pages.subjects import subject_url
from tests.pages import DAY_URL, text_of
from tests.people import client_of
from tests.work import DAY

pytestmark = pytest.mark.django_db


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
        assert f'<a href="{DAY_URL}runs/1/">run 1</a>' in text
        assert '<td class="cell-text">token 1</td>' in text
        rows = json.loads(client_of().get(f"{DAY_URL}events/?format=json&sort=event").getvalue())
        assert [row["subject"] for row in rows] == ["", "run:1", "token:1"]

    @pytest.mark.parametrize(
        ("subject", "url"),
        [
            ("run:12", f"{DAY_URL}runs/12/"),
            ("exposure:minicam/MC_S_20261122_000001", f"{DAY_URL}calib/exposures/MC_S_20261122_000001/"),
            ("alarm:3", f"{DAY_URL}alarms/3/"),
            ("day:20261121", "/2026-11-21/"),
            ("day:yesterday", ""),
            ("workers:all", f"{DAY_URL}workers/"),
            ("run:x", ""),
            ("", ""),
            ("run:", ""),
            ("unheard:of", ""),
            ("admin:index", ""),
        ],
    )
    def test_links_to_what_an_event_is_about(self, subject, url):
        assert subject_url(subject, DAY) == url
