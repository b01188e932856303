"""The search: straight to what is so called, everything else in groups, odd input in words, and never for long."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection

from dayops import alarms, events, notes
from dayops.models import Run
from dayops.observing_day import ObservingDay
from dayops.web import search
from dayops.web.search import Hit, NotSearchable, Source
from tests.calib.exposures import archived, exposure
from tests.pages import DAY_URL, text_of
from tests.people import client_of
from tests.work import DAY, run_of, task

pytestmark = pytest.mark.django_db
NAME = "MC_S_20261122_000001"
EXPOSURE_URL = f"{DAY_URL}calib/exposures/{NAME}/"
TODAY = ObservingDay.current().day_obs


def led_to(text: str) -> str:
    """Where the search box leads for `text`; empty where it lists."""
    response = client_of().get("/search/", {"q": text})
    return response.get("Location", "")


def found(text: str) -> dict[str, list[str]]:
    """Titles of what is listed, by group."""
    return {group.source.title: [hit.title for hit in group.hits] for group in search.everywhere(text)}


class TestExactNames:
    @pytest.mark.parametrize("text", [NAME, f"  {NAME}\t"])
    def test_of_an_exposure(self, text):
        exposure()
        assert led_to(text) == EXPOSURE_URL

    @pytest.mark.parametrize("words", ["{}", "run {}", "run:{}", "Run #{}"])
    def test_of_a_run(self, words):
        run = run_of(task("one"))
        assert led_to(words.format(run.pk)) == f"{DAY_URL}runs/{run.pk}/"

    def test_of_an_alarm(self):
        alarm = alarms.raise_alarm(key="k", name="n", activity="calib", day_obs=DAY, sentence="Too high.")
        assert led_to(f"alarm {alarm.pk}") == f"{DAY_URL}alarms/{alarm.pk}/"

    @pytest.mark.parametrize("text", ["20261122", "2026-11-22"])
    def test_of_a_day(self, text):
        assert led_to(text) == DAY_URL

    def test_of_a_file_by_the_beginning_of_its_sha256(self):
        frame = archived(exposure())
        assert led_to(frame.sha256[:8]) == led_to(frame.sha256.upper()) == EXPOSURE_URL

    def test_that_several_files_share_is_listed(self):
        first = exposure()
        archived(first, 0, sha256="ab" * 32)
        archived(first, 1, sha256="ab" * 31 + "cd")
        assert led_to("ab" * 8) == ""
        assert len(found("ab" * 8)["Files"]) == 2

    @pytest.mark.parametrize(
        "text", ["run 999999", "999999", "2026-02-30", "abcdef0123", "MC_S_20261122_999999", "9" * 30]
    )
    def test_that_do_not_exist_are_searched_for(self, text):
        assert led_to(text) == ""

    def test_are_listed_where_one_asks_for_all(self):
        exposure()
        assert NAME in text_of(f"/search/?q={NAME}&all=1")


class TestWords:
    def test_find_everything_that_has_them_in_groups(self):
        run = run_of(task("one"))
        Run.objects.update(title="Measure the flickering lamp", day_obs=TODAY)
        alarms.raise_alarm(key="k", name="n", activity="calib", day_obs=TODAY, sentence="The lamp flickers.")
        notes.write(f"run:{run.pk}", "A new lamp.", author="olivia", day_obs=TODAY)
        events.record("dome", "The lamp is on", actor="olivia", day_obs=TODAY)
        groups = found("LAMP")
        assert groups["Runs"] == ["Measure the flickering lamp"]
        assert groups["Alarms"] == ["The lamp flickers."]
        assert groups["Notes"] == ["A new lamp."]
        assert "The lamp is on" in groups["Events"]
        text = text_of("/search/?q=lamp")
        assert f'href="/{ObservingDay(TODAY)}/runs/{run.pk}/#notes">A new lamp.' in text

    def test_must_all_be_there(self):
        notes.write("run:1", "A new lamp.", author="olivia", day_obs=DAY)
        assert found("new lamp")["Notes"] == ["A new lamp."]
        assert "Notes" not in found("new filter")

    def test_find_exposures_of_the_day_they_name_and_detectors_and_pages(self):
        exposure()
        assert found("MC_S_20261122")["Exposures"] == [NAME]
        assert found("2026-11-22 bias")["Exposures"] == [NAME]
        assert "Exposures" not in found("2026-11-21 bias")
        assert found("s11")["Detectors"] == ["R22_S11"]
        assert found("work")["Pages"] == ["Workers"]

    @pytest.mark.parametrize("text", ["100%", "a_b", "a\\b", "%%", "__"])
    def test_are_taken_by_the_letter(self, text):
        notes.write("run:1", "axb 100 percent", author="olivia", day_obs=DAY)
        assert "Notes" not in found(text)
        notes.write("run:1", f"it is {text} here", author="olivia", day_obs=DAY)
        assert found(text)["Notes"] == [f"it is {text} here"]

    def test_old_events_and_runs_are_not_looked_through(self):
        old = ObservingDay(TODAY).date - timedelta(days=61)
        events.record("dome", "An old lamp", actor="olivia", day_obs=int(f"{old:%Y%m%d}"))
        assert "Events" not in found("lamp")

    def test_found_too_often_are_shown_in_part(self):
        for number in range(search.SHOWN + 1):
            notes.write("run:1", f"lamp {number}", author="olivia", day_obs=DAY)
        text = text_of("/search/?q=lamp")
        assert "lamp 12" in text
        assert ">lamp 0<" not in text
        assert "say more exactly" in text

    def test_found_nowhere_are_said_to_be_so(self):
        assert "Nothing was found" in text_of("/search/?q=xyzzy")


class TestOddInput:
    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("", "Type what"),
            (" \0\n", "Type what"),
            ("x", "too short"),
            ("x" * 201, "201 characters"),
            ("٣", "too short"),
        ],
    )
    def test_is_answered_in_words(self, text, sentence):
        assert sentence in client_of().get("/search/", {"q": text}).content.decode()
        with pytest.raises(NotSearchable, match=sentence):
            search.cleaned(text)

    @pytest.mark.parametrize(
        "text",
        ["'; DROP TABLE dayops_run; --", "<script>alert(1)</script>", "\udcff\ud800", "run ²", "\\", "٣٣", "🔭 ½"],
    )
    def test_does_no_harm(self, text):
        response = client_of().get("/search/", {"q": text.encode("utf-8", "surrogatepass")})
        assert response.status_code == 200
        assert b"<script>alert" not in response.content


class TestSources:
    @pytest.fixture(autouse=True)
    def _alone(self, monkeypatch) -> Iterator[None]:
        monkeypatch.setattr(search, "_sources", [])
        yield

    def test_of_apps_are_searched_too_and_once(self):
        masters = Source(
            "Masters", lambda words: [Hit(f"master {words[0]}", "/m/")], lambda text: "/m/" * (text == "m1")
        )
        search.add(masters)
        search.add(masters)
        assert found("bias") == {"Masters": ["master bias"]}
        assert search.exactly("m1") == "/m/"

    def test_that_are_slow_are_cut_off_and_hold_up_no_other(self, monkeypatch):
        monkeypatch.setattr(search, "PATIENCE_MS", 50)
        search.add(Source("Slow", lambda words: [Hit(str(_sleep()), "")], lambda text: str(_sleep())))
        search.add(Source("Quick", lambda words: [Hit("here", "/")], lambda text: "/quick/"))
        slow, quick = search.everywhere("lamp")
        assert "took too long" in slow.remark
        assert quick.hits == [Hit("here", "/")]
        assert search.exactly("lamp") == "/quick/"

    def test_that_are_broken_are_not_hidden(self):
        def broken(words):
            raise ZeroDivisionError

        search.add(Source("Broken", broken))
        with pytest.raises(ZeroDivisionError):
            search.everywhere("lamp")

    def test_have_their_patience_for_themselves(self):
        search.add(Source("Quick", lambda words: [Hit("here", "/")]))
        search.everywhere("lamp")
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("0",)


def _sleep() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_sleep(5)")
        return 1
