"""DayMOPS' addresses: of days without anything, of what is not there, and of nights with many linkages."""

from typing import Any

import pytest

from mops.models import Night
from tests.mops.in_level1 import OBJECT, known_object
from tests.mops.nights import linkage, linkages, night
from tests.mops.test_pages_candidates import exported
from tests.mops.test_pages_night import page, queries, refusal, text
from tests.people import client_of

pytestmark = pytest.mark.django_db

DAY_PAGE = "/2026-11-22/mops/"
CANDIDATES = f"{DAY_PAGE}candidates/"
WITH_NIGHT = ("", "candidates/", "hypotheses/", "tonight/")


class TestAnEmptyDay:
    @pytest.mark.parametrize(
        ("place", "sentence"),
        [
            ("", "This night was not searched yet"),
            ("candidates/", "No candidates"),
            ("objects/", "No object is known yet"),
            ("hypotheses/", "No hypothesis was counted"),
            ("tonight/", "Nothing is predicted"),
            ("submissions/", "No report"),
        ],
    )
    def test_says_on_every_page_what_is_missing_and_exports_no_row(self, place, sentence):
        assert sentence in text(DAY_PAGE + place)
        assert exported(DAY_PAGE + place) == []
        for form in ("csv", "fits"):
            assert page(f"{DAY_PAGE}{place}?format={form}").status_code == 200

    @pytest.mark.parametrize("place", ["compare/", "compare/figure/", "hypotheses/figure/", "tonight/figure/"])
    def test_has_nothing_to_compare_or_to_draw_and_says_so(self, place):
        assert "The night 2026-11-22 was not searched yet." in refusal(DAY_PAGE + place, 404)

    def test_of_one_search_has_nothing_to_compare_it_with(self):
        made = night()
        assert "Nothing to compare with" in text(f"{DAY_PAGE}compare/")
        assert f"nothing to compare search {made.pk} with" in refusal(f"{DAY_PAGE}compare/figure/", 404)

    def test_long_ago_and_far_ahead_are_days_like_others(self):
        for day in ("1996-02-29", "2099-12-31"):
            assert "This night was not searched yet" in text(f"/{day}/mops/")


class TestWrongAddresses:
    @pytest.mark.parametrize(
        ("number", "status"), [("x", 400), ("1e3", 400), ("²", 400), ("%00", 400), ("9" * 19, 400), ("9" * 18, 404)]
    )
    def test_a_search_that_is_none_is_said_on_every_page(self, number, status):
        night()
        sentence = "is not a whole number" if status == 400 else "is not one of the night 2026-11-22"
        for place in (*WITH_NIGHT, "figures/steps/", "hypotheses/figure/", "tonight/figure/"):
            found = refusal(f"{DAY_PAGE}{place}?night={number}", status)
            assert "Traceback" not in found
            assert sentence in found, place

    @pytest.mark.parametrize(
        ("path", "sentence"),
        [
            (f"candidates/{'9' * 30}/", "There is no candidate"),
            ("candidates/0/figures/sky/", "There is no candidate 0."),
            (f"objects/{'9' * 30}/", "No object"),
            (f"objects/{OBJECT}/figures/sky/", f"No object {OBJECT} is known."),
            ("figures/nonsense/", "has no figure “nonsense”"),
            ("figures/by-nonsense/", "has no figure “by-nonsense”"),
            ("hypotheses/?colour=%3Cb%3E", "is not counted for each hypothesis"),
            (f"submissions/{'9' * 30}/", "There is nothing at"),
            (f"nights/{'9' * 30}/", "There is nothing at"),
            ("candidates/-1/", "There is nothing at"),
            ("candidates/1.5/", "There is nothing at"),
        ],
    )
    def test_what_is_not_there_is_said_in_a_sentence(self, path, sentence):
        night()
        found = refusal(DAY_PAGE + path, 404)
        assert sentence in found
        assert "Traceback" not in found
        assert "<b>" not in found

    @pytest.mark.parametrize("day", ["2026-02-30", "20261122", "today", "2026-13-01"])
    def test_a_day_that_is_none_is_not_found(self, day):
        assert client_of().get(f"/{day}/mops/").status_code == 404

    @pytest.mark.parametrize("words", ["q=%00", "q=%25_%27", "page=-1", "page=x", "sort=--a", "sort=", "format=xls"])
    def test_a_table_makes_the_best_of_what_it_is_asked(self, words):
        one = linkage(night())
        known_object(of=one)
        for place in (
            "",
            "candidates/",
            f"candidates/{one.pk}/",
            "objects/",
            "hypotheses/",
            "tonight/",
            "submissions/",
        ):
            assert page(f"{DAY_PAGE}{place}?{words}").status_code == 200, place

    @pytest.mark.parametrize("given", [{"linkage": "9" * 18}, {"linkage": "0"}])
    def test_a_form_about_no_candidate_changes_nothing(self, given: dict[str, Any]):
        one = linkage(night())
        words = {"decision": "REJECTED", "reason": "x", **given}
        assert client_of("scientist").post(f"{CANDIDATES}review/", words).status_code == 404
        one.refresh_from_db()
        assert one.review == "OPEN"


class TestManyLinkages:
    @pytest.fixture
    def few_and_many(self) -> tuple[Night, Night]:
        few, many = night(), night(20261121)
        for made, number in ((few, 10), (many, 100)):
            linkages(made, number)
        return few, many

    @pytest.mark.parametrize("place", ["", "candidates/", "candidates/?format=json", "hypotheses/"])
    def test_take_the_queries_of_few(self, few_and_many, place):
        assert queries(f"/2026-11-22/mops/{place}") == queries(f"/2026-11-21/mops/{place}")

    def test_take_the_queries_of_few_for_one_of_them_and_for_its_place_among_the_others(self, few_and_many):
        first, second = (made.linkages.order_by("pk")[5].pk for made in few_and_many)
        for then in ("", "figures/a-e/"):
            few = queries(f"/2026-11-22/mops/candidates/{first}/{then}")
            assert queries(f"/2026-11-21/mops/candidates/{second}/{then}") == few
