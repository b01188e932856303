"""The queue of candidates and the page of one: what they show, and what people decide there."""

import json
from typing import Any

import numpy as np
import pytest

from dayops.models import Event
from dayops.web.work_pages.subjects import subject_url
from mops.models import Linkage
from mops.views.candidate_figures import NAMES
from mops.views.queue import UNSAID
from tests.calib.plotly_json import numbers
from tests.mops.in_level1 import OBJECT, detected, known_object
from tests.mops.nights import REASON, linkage, linkages, night, reviewed
from tests.mops.test_pages_night import page, queries, refusal, text
from tests.people import client_of

pytestmark = pytest.mark.django_db

QUEUE = "/2026-11-22/mops/candidates/"


def exported(path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(page(f"{path}{'&' if '?' in path else '?'}format=json").getvalue())
    return found


def url_of(one: Linkage) -> str:
    return f"{QUEUE}{one.pk}/"


def judged(one: Linkage, decision: str, reason: str = "", role: str = "scientist", **words: str) -> str:
    """What the page says after the form was sent."""
    given = {"linkage": str(one.pk), "decision": decision, "reason": reason, **words}
    response = client_of(role).post(f"{QUEUE}review/", given, follow=True)
    found: str = response.content.decode()
    one.refresh_from_db()
    return found


class TestTheQueue:
    def test_without_a_search_says_that_there_is_nothing(self):
        assert "This night was not searched yet" in text(QUEUE)

    def test_shows_accepted_ones_that_nobody_judged_first_and_refused_ones_last(self):
        made = night()
        refused, seen, fresh = linkage(made, verdict="REFUSED"), reviewed(linkage(made)), linkage(made)
        assert [row["candidate"] for row in exported(QUEUE)] == [fresh.pk, seen.pk, refused.pk]
        assert page(QUEUE).context["counts"] == {"accepted": 2, "open": 1}

    def test_exports_the_orbit_and_why_one_was_refused(self):
        linkage(night(), verdict="REFUSED", a_au=2.5)
        (row,) = exported(QUEUE)
        assert (row["a"], row["zone"], row["class"], row["detections"], row["nights"]) == (
            2.5,
            "main_belt",
            "MBA",
            8,
            4,
        )
        assert row["reason"] == REASON
        assert row["reduced_chi2"] == pytest.approx(1.18)

    @pytest.mark.parametrize(
        ("query", "left"), [("verdict=REFUSED", 1), ("review=APPROVED", 1), ("class=NEO", 1), ("zone=main_belt", 3)]
    )
    def test_is_filtered_by_verdict_review_class_and_zone(self, query, left):
        made = night()
        linkage(made, verdict="REFUSED")
        reviewed(linkage(made))
        linkage(made, orbit_class="NEO", hypothesis={"zone": "neo"})
        linkage(made)
        assert len(exported(f"{QUEUE}?{query}")) == left

    def test_an_unknown_filter_or_page_is_no_error(self):
        linkage(night())
        assert page(f"{QUEUE}?verdict=nonsense&page=99&sort=nothing").context["table"].total == 1

    def test_takes_the_same_queries_for_one_candidate_as_for_many(self):
        made = night()
        linkages(made, 1)
        few = queries(QUEUE)
        linkages(made, 20)
        assert queries(QUEUE) == few

    def test_each_row_can_be_chosen_without_a_script(self):
        one = linkage(night())
        found = text(QUEUE, "scientist")
        assert f'<input type="radio" name="linkage" value="{one.pk}" form="review"' in found
        assert '<form id="review" method="post"' in found

    def test_its_keys_are_declared_for_the_list_of_keys(self):
        linkage(night())
        found = text(QUEUE, "scientist")
        for key in "jkaro":
            assert f'data-key="{key}"' in found, key

    def test_says_who_may_judge(self):
        linkage(night())
        assert "the group “scientist”" in text(QUEUE)


class TestJudging:
    def test_an_approval_needs_no_words_and_is_kept_with_what_that_means(self):
        one = linkage(night())
        assert f"Candidate {one.pk}: approved." in judged(one, "APPROVED")
        assert (one.review, one.reviewed_by, one.review_reason) == ("APPROVED", "scientist", UNSAID)

    def test_a_rejection_needs_a_reason(self):
        one = linkage(night())
        assert "A reason is needed" in judged(one, "REJECTED")
        assert one.review == "OPEN"
        judged(one, "REJECTED", "a satellite's trail")
        assert (one.review, one.review_reason) == ("REJECTED", "a satellite's trail")
        assert Event.objects.filter(subject=f"linkage:{one.pk}", kind="mops.linkage.rejected").count() == 1

    def test_what_the_machine_refused_is_not_approved(self):
        one = linkage(night(), verdict="REFUSED")
        assert "It cannot be approved." in judged(one, "APPROVED")
        assert one.review == "OPEN"

    def test_a_decision_that_is_none_and_no_candidate_are_said(self):
        one = linkage(night())
        assert "Choose one of approve, reject and open again." in judged(one, "MAYBE")
        assert "Choose a candidate first." in judged(one, "APPROVED", linkage="x; DROP")

    def test_a_candidate_of_another_night_is_not_judged_here(self):
        one = linkage(night(20261121))
        response = client_of("scientist").post(f"{QUEUE}review/", {"linkage": one.pk, "decision": "APPROVED"})
        assert response.status_code == 404

    def test_returns_to_where_the_form_stood_and_never_elsewhere(self):
        one = linkage(night())
        client, words = client_of("scientist"), {"linkage": one.pk, "decision": "APPROVED"}
        back = client.post(f"{QUEUE}review/", {**words, "back": f"{QUEUE}?zone=main_belt"})
        assert (back.status_code, back["Location"]) == (303, f"{QUEUE}?zone=main_belt")
        for evil in ("https://example.org/", "//example.org/", "javascript:alert(1)"):
            assert client.post(f"{QUEUE}review/", {**words, "back": evil})["Location"] == QUEUE


class TestOneCandidate:
    def test_shows_its_orbit_its_numbers_and_what_made_the_linker_believe_it(self):
        one = linkage(night())
        found = text(url_of(one))
        for words in ("spread_au", "0.00031", "1.330", "0.0430", "MJD 61367.10000 TDB", "reported up to"):
            assert words in found, words

    def test_without_level_1_says_so_and_still_shows_the_residuals_that_the_fit_left(self):
        one = linkage(night())
        found = text(url_of(one))
        assert "Level 1 has none of its 8 detections" in found
        rows = exported(url_of(one))
        assert [row["oc_ra"] for row in rows] == pytest.approx(one.residual_ra)
        assert all(row["ra"] is None for row in rows)

    def test_with_some_of_level_1_says_how_many_are_missing(self):
        one = linkage(night())
        detected(one, without=2)
        assert "Level 1 lacks 2 of its 8 detections" in text(url_of(one))
        assert sum(row["ra"] is not None for row in exported(url_of(one))) == 6

    def test_exports_observed_minus_computed_with_place_time_and_brightness(self):
        one = linkage(night())
        detected(one)
        rows = exported(url_of(one))
        assert [row["source"] for row in rows] == one.sources
        assert rows[0]["night"] == "2026-11-19"
        assert rows[0]["mag"] == pytest.approx(31.4 - 2.5 * 3, abs=0.1)
        assert rows[0]["sigma_ra"] == pytest.approx(0.036)
        assert [row["used"] for row in rows] == ["yes"] * 7 + ["no"]

    @pytest.mark.parametrize("name", NAMES)
    def test_draws_every_figure_and_captions_it_with_numbers(self, name):
        one = linkage(night())
        detected(one)
        context = page(url_of(one)).context
        figure = context["figures"][name.replace("-", "_")]
        assert any(letter.isdigit() for letter in figure["caption"])
        assert page(figure["url"]).json()["data"]

    def test_the_fitted_path_runs_through_the_places_less_their_residuals(self):
        one = linkage(night(), residual_ra=[0.0] * 8, residual_dec=[0.0] * 8)
        detected(one)
        path, *seen = page(f"{url_of(one)}figures/sky/").json()["data"]
        x, y = numbers(path["x"]), numbers(path["y"])
        order = np.argsort(x)
        for trace in seen:
            for ra, dec in zip(trace["x"], trace["y"], strict=True):
                assert np.interp(ra, x[order], y[order]) == pytest.approx(dec, abs=2e-4)

    def test_a_figure_that_it_has_not_is_refused_in_a_sentence(self):
        one = linkage(night(), covariance=None, q_au=None)
        assert "has no figure" in refusal(f"{url_of(one)}figures/nonsense/", 404)
        assert "lacks the numbers" in refusal(f"{url_of(one)}figures/correlation/", 404)
        assert "lacks the numbers" in refusal(f"{url_of(one)}figures/top/", 404)
        assert "lacks the numbers" in refusal(f"{url_of(one)}figures/sky/", 404)
        found = text(url_of(one))
        assert "no orbit can be drawn" in found
        assert "left no covariance" in found

    def test_an_interstellar_orbit_is_drawn_too(self):
        one = linkage(night(), a_au=-1.27, e=1.2, q_au=0.255, state=[0.9, 0.3, 0.2, -0.021, 0.012, 0.004])
        assert page(f"{url_of(one)}figures/top/").json()["data"]
        assert "a_e" not in page(url_of(one)).context["figures"]

    def test_the_same_detections_in_another_search_are_linked(self):
        one = linkage(night(), 7)
        other = linkage(night(state="TRIAL"), 7)
        found = text(url_of(one))
        assert f'href="{url_of(other)}"' in found
        assert "the same detections" in found

    def test_leads_to_its_neighbours_and_its_object(self):
        known_object()
        first, second, third = (linkage(made := night()), linkage(made), linkage(made, ss_object_id=OBJECT))
        context = page(url_of(second)).context["neighbours"]
        assert (context["previous"], context["next"]) == (first, third)
        assert f"/2026-11-22/mops/objects/{OBJECT}/" in text(url_of(third))

    def test_of_another_night_says_which(self):
        one = linkage(night(20261121))
        assert "It belongs to the night 2026-11-21" in refusal(url_of(one), 404)
        assert "There is no candidate 99999." in refusal(f"{QUEUE}99999/", 404)

    def test_says_what_people_said_and_who(self):
        one = linkage(night())
        judged(one, "REJECTED", "two stars")
        found = text(url_of(one))
        assert "two stars" in found
        assert "rejected linkage" in found

    def test_of_a_trial_cannot_be_judged_and_says_why(self):
        one = linkage(night(state="TRIAL"))
        assert "only published or refused ones are reviewed" in text(url_of(one), "scientist")

    def test_takes_bounded_queries_however_many_others_there_are(self):
        made = night()
        one = linkage(made)
        detected(one)
        few = queries(url_of(one))
        linkages(made, 20)
        assert queries(url_of(one)) == few

    def test_is_where_an_event_about_it_leads(self):
        one = linkage(night())
        assert subject_url(f"linkage:{one.pk}", one.night.day_obs) == url_of(one)

    def test_text_of_the_linker_is_escaped(self):
        one = linkage(night(), hypothesis={"zone": "<script>alert(1)</script>"})
        assert "<script>alert(1)" not in text(url_of(one))
        assert "<script>alert(1)" not in text(QUEUE)
