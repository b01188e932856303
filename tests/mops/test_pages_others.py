"""Hypotheses, comparison, known objects, reports and predictions: what they show, and what they say without data."""

import io
from typing import Any

import pytest

from dayops.archive import store
from dayops.web.work_pages.subjects import subject_url
from mops.comparison import CHANGED, COMMON, GAINED, LOST, Comparison
from mops.models import Linkage, Night, Submission
from mops.views.coverage import HYPOTHESES as HYPOTHESES_TABLE
from mops.views.known_object import SOURCES
from mops.views.night import SEARCHES
from mops.views.objects import OBJECTS as OBJECTS_TABLE
from mops.views.queue import CANDIDATES
from mops.views.submissions import QUEUE
from mops.views.tonight import PREDICTED as PREDICTED_TABLE
from tests.mops.in_level1 import NAME, OBJECT, detected, known_object
from tests.mops.nights import linkage, linkages, night
from tests.mops.test_pages_candidates import exported
from tests.mops.test_pages_night import page, queries, refusal, text
from tests.people import client_of

pytestmark = pytest.mark.django_db

DAY_PAGE = "/2026-11-22/mops/"
HYPOTHESES, COMPARE, OBJECTS = (f"{DAY_PAGE}{name}/" for name in ("hypotheses", "compare", "objects"))
REPORTS, TONIGHT = f"{DAY_PAGE}submissions/", f"{DAY_PAGE}tonight/"
PSV = "# version=2022\n# observatory\n! mpcCode X05\ntrkSub |mode|stn |obsTime\n"
PREDICTED = [
    {"linkage": 1, "ra": 30.0, "dec": -5.0, "mjd_tai": 61_368.1, "major_arcsec": 4.0, "minor_arcsec": 0.5,
     "pa_deg": 71.0, "mag": 22.4, "field": "WFD 12", "confirms": True},
    {"designation": NAME, "ra": 31.0, "dec": -4.0, "mjd_tai": 61_368.2, "major_arcsec": 0.2, "minor_arcsec": 0.1,
     "pa_deg": 10.0, "mag": 20.1, "field": "WFD 13", "confirms": False},
]  # fmt: skip


def report(of: Linkage, state: str = "HELD", **fields: Any) -> Submission:
    """A report of a linkage with its files in the archive."""
    kept = store().put(io.BytesIO(PSV.encode()))
    given = {"psv_sha256": kept.sha256, "xml_sha256": kept.sha256, "tracklet_name": f"DO{of.pk:06d}"[:8], **fields}
    decided = None if state == "HELD" else of.night.decided_at
    return Submission.objects.create(
        night=of.night, linkage=of, kind="NEW", sources=of.sources, digest=of.identity, state=state,
        decided_at=decided, **given,
    )  # fmt: skip


class TestHypotheses:
    def test_are_tabled_drawn_and_summed_in_the_caption(self):
        night()
        context = page(HYPOTHESES).context
        assert "15 hypotheses, r from 2 to 40 au" in context["caption"]
        assert page(context["figure_url"]).json()["data"]
        assert {row["zone"] for row in exported(f"{HYPOTHESES}?zone=distant")} == {"distant"}

    @pytest.mark.parametrize("colour", ["tracklets", "clusters", "accepted"])
    def test_are_coloured_by_what_is_asked_for(self, colour):
        night()
        found = page(f"{HYPOTHESES}figure/?colour={colour}").json()
        assert found["layout"]["coloraxis"]["colorbar"]["title"]["text"] == colour

    def test_another_colour_is_refused_in_a_sentence(self):
        night()
        assert "Choose tracklets, clusters, accepted." in refusal(f"{HYPOTHESES}?colour=moon", 404)

    @pytest.mark.parametrize("counts", [{}, {"coverage": "odd"}, {"coverage": [1, None]}])
    def test_that_were_not_counted_are_said_to_be_none(self, counts):
        assert "No hypothesis was counted" in text(HYPOTHESES)
        night(counts=counts)
        assert "No hypothesis was counted" in text(HYPOTHESES)
        assert "counted nothing" in refusal(f"{HYPOTHESES}figure/", 404)

    def test_with_gaps_are_shown_as_far_as_they_go(self):
        night(counts={"coverage": [{"zone": "neo", "r_au": 1.1}, {"rdot": 0.1, "tracklets": None}]})
        assert len(exported(HYPOTHESES)) == 2
        assert page(f"{HYPOTHESES}figure/").json()["data"]


class TestComparing:
    def searched(self) -> tuple[Night, Night]:
        """One linkage in both, one that changed, two lost and one gained."""
        a, b = night(), night(state="TRIAL", configuration="strict", parameters={"window_nights": 12})
        linkage(a, 1)
        linkage(b, 1)
        linkage(a, 2)
        linkage(b, 3, sources=[*range(2000, 2006), 9001, 9002], identity="f" * 64)
        linkage(a, 4)
        linkage(a, 5)
        linkage(b, 6)
        return a, b

    def test_tells_what_is_gained_lost_changed_and_common(self):
        found = Comparison(*self.searched())
        assert found.counts == {COMMON: 1, CHANGED: 1, GAINED: 1, LOST: 2}
        changed = next(pair for pair in found.pairs if pair.fate == CHANGED)
        assert changed.shared == 6

    def test_turned_round_gains_what_was_lost(self):
        a, b = self.searched()
        counts = Comparison(b, a).counts
        assert (counts[GAINED], counts[LOST]) == (2, 1)

    def test_a_search_compared_with_itself_is_all_common(self):
        a, _ = self.searched()
        assert Comparison(a, a).counts == {COMMON: 4, CHANGED: 0, GAINED: 0, LOST: 0}

    def test_half_of_the_detections_are_not_enough_to_be_the_same(self):
        a, b = night(), night(state="TRIAL")
        linkage(a, 2)
        linkage(b, 3, sources=[*range(2000, 2004), *range(9000, 9004)])
        assert Comparison(a, b).counts == {COMMON: 0, CHANGED: 0, GAINED: 1, LOST: 1}

    def test_refused_linkages_do_not_count(self):
        a, b = night(), night(state="TRIAL")
        linkage(a, verdict="REFUSED")
        assert sum(Comparison(a, b).counts.values()) == 0

    def test_the_page_shows_it_with_the_parameters_that_differ(self):
        a, b = self.searched()
        found = page(f"{COMPARE}?a={a.pk}&b={b.pk}")
        assert "1 common, 1 changed, 1 gained, 2 lost" in found.context["caption"]
        assert ("window_nights", 15, 12) in found.context["parameters"]
        assert [row["fate"] for row in exported(f"{COMPARE}?a={a.pk}&b={b.pk}")][:3] == ["lost", "lost", "gained"]
        assert len(exported(f"{COMPARE}?a={a.pk}&b={b.pk}&fate=lost")) == 2
        traces = page(found.context["figure_url"]).json()["data"]
        assert [trace["name"] for trace in traces] == ["1 common", "1 changed", "1 gained", "2 lost"]

    def test_without_b_takes_the_other_search_of_the_night_or_the_night_before(self):
        a = night()
        assert "Nothing to compare with" in text(COMPARE)
        assert "nothing to compare" in refusal(f"{COMPARE}figure/", 404)
        before = night(20261121)
        assert page(COMPARE).context["b"] == before
        trial = night(state="TRIAL")
        assert (page(COMPARE).context["a"], page(COMPARE).context["b"]) == (a, trial)

    @pytest.mark.parametrize(("query", "status"), [("a=x", 400), ("b=-3", 400), ("a=999999", 404), ("", 404)])
    def test_what_names_no_search_is_refused_in_a_sentence(self, query, status):
        assert "Traceback" not in refusal(f"{COMPARE}?{query}", status)

    def test_takes_the_same_queries_for_many_linkages(self):
        a, b = self.searched()
        path = f"{COMPARE}?a={a.pk}&b={b.pk}"
        few = queries(path)
        linkages(a, 15)
        assert queries(path) == few


class TestKnownObjects:
    def test_without_any_say_where_they_come_from(self):
        assert "No object is known yet" in text(OBJECTS)
        assert "No object 4242 is known." in refusal(f"{OBJECTS}4242/", 404)

    def test_are_searched_by_designation_and_lead_to_their_pages(self):
        known_object()
        known_object(5, "2020 AB")
        (row,) = exported(f"{OBJECTS}?q=xy1")
        assert (row["ss_object_id"], row["designation"], row["a"]) == (OBJECT, NAME, 2.61)
        assert f'href="{OBJECTS}{OBJECT}/"' in text(OBJECTS)

    def test_take_the_same_queries_for_many(self):
        known_object()
        few = queries(OBJECTS)
        for number in range(1, 9):
            known_object(number, f"2020 A{number}")
        assert queries(OBJECTS) == few

    def test_one_is_shown_with_its_orbit_sources_nights_and_linkages(self):
        one = linkage(night(), ss_object_id=OBJECT)
        detected(one)
        known_object(of=one)
        found = page(f"{OBJECTS}{OBJECT}/")
        words = found.content.decode()
        assert NAME in words
        assert f"candidate {one.pk}" in words
        assert [str(each) for each in found.context["nights"]] == [f"2026-11-{day}" for day in (22, 21, 20, 19)]
        rows = exported(f"{OBJECTS}{OBJECT}/")
        assert sorted(row["source"] for row in rows) == one.sources
        assert rows[0]["oc_ra"] == pytest.approx(0.02)

    @pytest.mark.parametrize("name", ["top", "edge", "sky", "residuals", "light", "a-e", "a-i"])
    def test_every_figure_of_one_is_drawn(self, name):
        one = linkage(night())
        detected(one)
        known_object(of=one)
        figure = page(f"{OBJECTS}{OBJECT}/").context["figures"][name.replace("-", "_")]
        assert page(figure["url"]).json()["data"]

    def test_one_without_sources_says_so_and_refuses_their_figures(self):
        known_object()
        found = text(f"{OBJECTS}{OBJECT}/")
        assert "It was seen in no night that Level 1 has." in found
        assert "No source is attributed to it" in found
        assert "has no figure" in refusal(f"{OBJECTS}{OBJECT}/figures/sky/", 404)

    def test_is_where_a_note_about_it_leads(self):
        assert subject_url(f"ssobject:{OBJECT}", 20261122) == f"{OBJECTS}{OBJECT}/"


class TestReports:
    def decided(self, row: Submission, deed: str, role: str = "scientist", **words: str) -> str:
        path = f"{REPORTS}{row.pk}/decide/"
        response = client_of(role).post(path, {"deed": deed, "reason": "checked", **words}, follow=True)
        found: str = response.content.decode()
        row.refresh_from_db()
        return found

    def test_are_the_nights_own_or_all(self):
        assert "No report" in text(REPORTS)
        here, there = report(linkage(night())), report(linkage(night(20261121)))
        assert [row["submission"] for row in exported(REPORTS)] == [here.pk]
        assert [row["submission"] for row in exported(f"{REPORTS}?scope=all")] == [there.pk, here.pk]
        assert exported(REPORTS)[0]["observations"] == 8

    def test_one_shows_its_text_its_faults_and_its_files(self):
        row = report(linkage(night()), problems=["stn is missing in line 4."])
        found = text(f"{REPORTS}{row.pk}/", "scientist")
        assert "! mpcCode X05" in found
        assert "stn is missing in line 4." in found
        assert "It has faults: mend them first." in found
        file = client_of().get(f"{REPORTS}{row.pk}/files/psv/")
        assert b"".join(file.streaming_content).decode() == PSV  # type: ignore[attr-defined]
        assert f"{row.tracklet_name}-20261122.psv" in file["Content-Disposition"]

    def test_a_file_that_is_none_or_is_lost_is_said(self):
        row = report(linkage(night()), psv_sha256="a" * 64)
        assert "has no file" in refusal(f"{REPORTS}{row.pk}/files/pdf/", 404)
        assert "is not in the archive" in refusal(f"{REPORTS}{row.pk}/files/psv/", 404)
        assert "The file is not in the archive." in text(f"{REPORTS}{row.pk}/")

    def test_one_is_approved_confirmed_and_not_held_after(self):
        row = report(linkage(night()))
        self.decided(row, "approve")
        assert row.state == "WRITTEN"
        assert "identifier of the submission is needed" in self.decided(row, "confirm")
        self.decided(row, "confirm", confirmation="2026-11-23T01:02:03.004_0000XYZ")
        assert (row.state, row.confirmation) == ("CONFIRMED", "2026-11-23T01:02:03.004_0000XYZ")
        assert "cannot be held" in self.decided(row, "hold")

    def test_what_is_no_deed_or_has_no_reason_is_refused_in_a_sentence(self):
        row = report(linkage(night()))
        assert "Choose one of approve, hold and confirm." in self.decided(row, "send")
        assert "A reason is needed" in self.decided(row, "approve", reason=" ")
        assert row.state == "HELD"

    def decided_together(self, *rows: Submission, **words: str) -> str:
        given = {"submission": [str(row.pk) for row in rows], "reason": "checked", "deed": "approve", **words}
        response = client_of("scientist").post(f"{REPORTS}decide/", given, follow=True)
        for row in rows:
            row.refresh_from_db()
        found: str = response.content.decode()
        return found

    def test_several_are_approved_together_and_one_with_faults_keeps_no_other_back(self):
        made = night()
        good, bad, other = report(linkage(made)), report(linkage(made), problems=["no mag."]), report(linkage(made))
        found = self.decided_together(good, bad, other)
        assert "2 reports approved." in found
        assert "no mag. Mend them first." in found
        assert [row.state for row in (good, bad, other)] == ["WRITTEN", "HELD", "WRITTEN"]
        assert "2 reports held." in self.decided_together(good, other, deed="hold")

    def test_without_a_tick_or_with_another_deed_nothing_is_decided(self):
        row = report(linkage(night()))
        assert "Tick at least one report" in self.decided_together()
        assert "choose approve or hold" in self.decided_together(row, deed="confirm")
        assert "Tick at least one report" in self.decided_together(submission="x")
        assert "A reason is needed" in self.decided_together(row, reason="")
        assert row.state == "HELD"

    def test_an_operator_may_read_and_not_decide(self):
        row = report(linkage(night()))
        assert "the group “scientist”" in text(f"{REPORTS}{row.pk}/", "operator")
        self.decided(row, "approve", role="operator")
        assert row.state == "HELD"

    def test_of_another_night_says_which(self):
        row = report(linkage(night(20261121)))
        assert "It belongs to the night 2026-11-21" in refusal(f"{REPORTS}{row.pk}/", 404)

    def test_take_the_same_queries_for_many(self):
        made = night()
        report(linkage(made))
        few = queries(REPORTS)
        for _ in range(6):
            report(linkage(made))
        assert queries(REPORTS) == few

    def test_is_where_an_event_about_it_leads(self):
        row = report(linkage(night()))
        assert subject_url(f"submission:{row.pk}", 20261122) == f"{REPORTS}{row.pk}/"


class TestTonight:
    def test_without_predictions_says_when_they_come(self):
        assert "Nothing is predicted" in text(TONIGHT)
        night()
        assert "Nothing is predicted" in text(TONIGHT)
        assert "predicted nothing" in refusal(f"{TONIGHT}figure/", 404)

    def test_is_for_the_night_after_with_places_and_uncertainties(self):
        night(counts={"tonight": PREDICTED})
        found = page(TONIGHT)
        assert "Predicted for the night 2026-11-23" in found.content.decode()
        assert "median uncertainty 2.1″, largest 4″; one more visit confirms 1" in found.context["caption"]
        first, second = exported(TONIGHT)
        assert (first["name"], first["major"], first["confirms"]) == ("candidate 1", 4.0, "yes")
        assert second["at"].startswith("2026-11-24T04:47")
        assert [row["name"] for row in exported(f"{TONIGHT}?confirms=no")] == [NAME]

    def test_points_lead_to_the_candidate_or_the_object(self):
        night(counts={"tonight": PREDICTED})
        known, confirmed = page(f"{TONIGHT}figure/").json()["data"]
        assert known["customdata"] == [f"{OBJECTS}?q={NAME}"]
        assert confirmed["customdata"] == [f"{DAY_PAGE}candidates/1/"]

    def test_survives_rows_with_gaps(self):
        night(counts={"tonight": [{"linkage": 3}, {}, "odd"]})
        assert len(exported(TONIGHT)) == 2
        assert page(f"{TONIGHT}figure/").json()["data"]


class TestEveryTable:
    @pytest.fixture
    def filled(self) -> None:
        made = night()
        one = linkage(made, ss_object_id=OBJECT)
        detected(one)
        known_object(of=one)
        linkage(made, verdict="REFUSED")
        report(one)

    @pytest.mark.parametrize(
        ("path", "table"),
        [
            (DAY_PAGE, SEARCHES),
            (f"{DAY_PAGE}candidates/", CANDIDATES),
            (OBJECTS, OBJECTS_TABLE),
            (f"{OBJECTS}{OBJECT}/", SOURCES),
            (REPORTS, QUEUE),
            (HYPOTHESES, HYPOTHESES_TABLE),
            (TONIGHT, PREDICTED_TABLE),
        ],
    )
    def test_sorts_by_every_column_that_says_so_and_exports_three_ways(self, filled, path, table):
        for column in table.columns:
            if column.order:
                for sort in (column.name, f"-{column.name}"):
                    assert page(f"{path}?sort={sort}").context["table"].total >= 0
        assert page(f"{path}?q=moon").status_code == 200
        for form in ("csv", "json", "fits"):
            assert page(f"{path}?format={form}")["Content-Disposition"].endswith(f'.{form}"')
