"""What DayMOPS' pages make of the unusual: every state, gaps in counts and truth, unbound orbits, the sky at 0 h."""

import math
from typing import Any

import pytest

from dayops.level1.loading import load_columns
from mops.models import Linkage, Night
from mops.plots.sky import near
from tests.calib.plotly_json import numbers
from tests.dayops.level1.tables import sources
from tests.mops.in_level1 import detected, times_of
from tests.mops.nights import COUNTS, TRUTH, linkage, night
from tests.mops.test_pages_candidates import exported
from tests.mops.test_pages_night import page, text
from tests.people import client_of

pytestmark = pytest.mark.django_db

DAY_PAGE = "/2026-11-22/mops/"
CANDIDATES = f"{DAY_PAGE}candidates/"
WITH_NIGHT = ("", "candidates/", "hypotheses/", "tonight/")
UNBOUND: dict[str, Any] = {
    "a_au": -1.27, "e": 1.2, "q_au": 0.255, "mean_anomaly": None, "h_mag": None, "moid_au": None, "u_parameter": None,
    "state": [0.9, 0.3, 0.2, -0.021, 0.012, 0.004],
}  # fmt: skip
NOTHING: dict[str, Any] = dict.fromkeys(
    ("a_au", "e", "q_au", "incl", "node", "argperi", "mean_anomaly", "peri_time_mjd_tdb", "h_mag", "moid_au",
     "u_parameter", "rms_arcsec", "chi2", "degrees_of_freedom", "covariance"),
)  # fmt: skip


def figures_on(path: str) -> list[str]:
    """The figures that a page names, each of which must answer."""
    return [figure["url"] for figure in page(path).context["figures"].values()]


class TestEveryState:
    @pytest.mark.parametrize("state", Night.State.values)
    def test_is_shown_on_every_page_with_its_figures(self, state):
        made = night(state=state, truth=TRUTH)
        one = linkage(made)
        for place in (*WITH_NIGHT, f"candidates/{one.pk}/"):
            assert page(f"{DAY_PAGE}{place}").status_code == 200, place
        for name in ("steps", "loss", "by-zone", "by-magnitude"):
            assert page(f"{DAY_PAGE}figures/{name}/?night={made.pk}").json()["data"], name
        (row,) = exported(DAY_PAGE)
        assert row["state"] == state
        assert row["reason"] == (made.reasons[0] if state == "REFUSED" else None)

    @pytest.mark.parametrize("state", Night.State.values)
    def test_lets_people_judge_only_what_is_published_or_refused_and_else_says_why(self, state):
        one = linkage(night(state=state))
        may = state in {"PUBLISHED", "REFUSED"}
        assert ("only published or refused ones are reviewed" in text(f"{CANDIDATES}{one.pk}/", "scientist")) != may
        words = {"linkage": one.pk, "decision": "REJECTED", "reason": "two stars"}
        found = client_of("scientist").post(f"{CANDIDATES}review/", words, follow=True).content.decode()
        one.refresh_from_db()
        assert one.review == ("REJECTED" if may else "OPEN")
        assert ("only linkages of a published or refused night are reviewed" in found) != may

    def test_of_a_search_that_is_being_made_is_live_and_others_are_not(self):
        made = night(state="MAKING")
        assert page(DAY_PAGE).context["is_live"]
        assert 'data-every="2"' in text(DAY_PAGE)
        other = night(20261121)
        assert not page(f"/2026-11-21/mops/?night={other.pk}").context["is_live"]
        assert made.decided_at is None

    def test_a_replaced_search_is_still_found_by_its_number(self):
        old, new = night(state="REPLACED", hours=4), night()
        assert page(DAY_PAGE).context["night"] == new
        assert page(f"{DAY_PAGE}?night={old.pk}").context["night"] == old
        linkage(old)
        assert exported(CANDIDATES) == []
        assert len(exported(f"{CANDIDATES}?night={old.pk}")) == 1


class TestGapsInWhatWasCounted:
    @pytest.mark.parametrize("name", list(COUNTS))
    def test_any_count_may_be_missing_or_null(self, name):
        without = {key: value for key, value in COUNTS.items() if key != name}
        for counts in (without, {**COUNTS, name: None}):
            made = night(counts=counts)
            for place in WITH_NIGHT:
                assert page(f"{DAY_PAGE}{place}?night={made.pk}").status_code == 200, (place, counts.get(name))
            Night.objects.filter(pk=made.pk).update(state="REPLACED")

    @pytest.mark.parametrize("name", list(TRUTH))
    def test_any_part_of_the_truth_may_be_missing_or_null(self, name):
        without = {key: value for key, value in TRUTH.items() if key != name}
        for truth in (without, {**TRUTH, name: None}):
            made = night(truth=truth)
            assert "Against the truth" in text(f"{DAY_PAGE}?night={made.pk}")
            Night.objects.filter(pk=made.pk).update(state="REPLACED")

    def test_what_nobody_knows_yet_is_no_error(self):
        night(counts={**COUNTS, "phase of the moon": [1, {"x": None}], "seconds": {}}, truth={"colour": "blue"})
        assert "completeness" in text(DAY_PAGE).lower()

    def test_a_group_of_the_truth_that_is_new_gets_its_figure(self):
        rows = [{"rate": "slow", "findable": 4, "found": 3}, {"rate": "fast", "findable": 0, "found": 0}]
        night(truth={"by_rate": rows})
        ((url, title, caption, _),) = page(DAY_PAGE).context["shares"]
        assert (title, caption) == ("Completeness by rate", "Found of findable: slow 3 of 4; fast 0 of 0.")
        figure = page(url).json()
        assert figure["data"][0]["y"] == [75, 0]
        assert figure["layout"]["xaxis"]["title"]["text"] == "rate"

    def test_reasons_and_names_are_escaped(self):
        evil = "<script>alert(1)</script>"
        night(state="REFUSED", reasons=[evil], counts={"refused": {evil: 2}, "seconds": {evil: 1.0}})
        assert evil not in text(DAY_PAGE)


class TestUnusualOrbits:
    def test_an_unbound_one_is_tabled_exported_and_drawn_without_places_on_a_logarithmic_axis(self):
        one = linkage(night(), **UNBOUND, orbit_class="HYP")
        detected(one)
        assert set(page(f"{CANDIDATES}{one.pk}/").context["figures"]) == {
            "sky", "residuals", "light", "top", "edge", "correlation",
        }  # fmt: skip
        for url in figures_on(f"{CANDIDATES}{one.pk}/"):
            assert page(url).json()["data"], url
        (row,) = exported(f"{CANDIDATES}?class=HYP&sort=-a")
        assert (row["a"], row["e"], row["h"], row["u"]) == (-1.27, 1.2, None, None)
        other = linkage(one.night)
        names = {trace["name"] for trace in page(f"{CANDIDATES}{other.pk}/figures/a-e/").json()["data"]}
        assert names == {"others", "this one", "q = 1.3 au"}

    @pytest.mark.parametrize("values", [NOTHING, NOTHING | {"orbit_class": "", "hypothesis": {}, "h_by_band": {}}])
    def test_one_without_elements_has_a_page_a_row_and_every_figure_that_it_names(self, values):
        one = linkage(night(), verdict="REFUSED", **values)
        detected(one)
        found = text(f"{CANDIDATES}{one.pk}/")
        assert "The fit left no covariance" in found
        assert "None" not in found.split("<main")[1]
        for url in figures_on(f"{CANDIDATES}{one.pk}/"):
            assert page(url).json()["data"], url
        assert exported(CANDIDATES)[0]["a"] is None
        for form in ("csv", "fits"):
            assert page(f"{CANDIDATES}?format={form}").status_code == 200

    @pytest.mark.parametrize("number", [math.nan, math.inf])
    def test_one_with_numbers_that_are_none_has_a_page_and_every_figure_that_it_names(self, number):
        one = linkage(night(), a_au=number, q_au=number, rms_arcsec=number, chi2=number, moid_au=number, h_mag=number)
        detected(one)
        for url in figures_on(f"{CANDIDATES}{one.pk}/"):
            assert page(url).json()["data"], url
        (row,) = exported(CANDIDATES)
        assert (row["a"], row["rms"], row["h"]) == (None, None, None)

    def test_the_comparison_leaves_them_out_of_the_figure_and_in_the_table(self):
        a, b = night(), night(state="TRIAL")
        linkage(a, 1), linkage(b, 2, **UNBOUND), linkage(b, 3, **NOTHING), linkage(b, 4, a_au=math.inf)
        path = f"?a={a.pk}&b={b.pk}"
        assert [row["fate"] for row in exported(f"{DAY_PAGE}compare/{path}")] == ["lost", "gained", "gained", "gained"]
        (trace,) = page(f"{DAY_PAGE}compare/figure/{path}").json()["data"]
        assert trace["name"] == "1 lost"


class TestTheSkyAtZeroHours:
    def crossing(self) -> Linkage:
        """Seen on both sides of right ascension 0°."""
        one = linkage(night(), residual_ra=[0.0] * 8, residual_dec=[0.0] * 8)
        ra = [359.97, 359.98, 359.99, 359.995, 0.005, 0.01, 0.02, 0.03]
        loaded = load_columns(
            sources(
                8, diaSourceId=one.sources, midpointMjdTai=times_of(one), ra=ra, dec=[-3.0 + k / 100 for k in range(8)]
            )
        )
        assert not loaded.refused, loaded.refused
        return one

    def test_no_line_and_no_point_jumps_across_the_figure(self):
        one = self.crossing()
        path, *seen = page(f"{CANDIDATES}{one.pk}/figures/sky/").json()["data"]
        places = [ra for trace in seen for ra in numbers(trace["x"])]
        assert len(places) == 8
        assert max(places) - min(places) == pytest.approx(0.06)
        assert max(abs(b - a) for a, b in zip(numbers(path["x"]), numbers(path["x"])[1:], strict=False)) < 1

    def test_the_caption_says_the_way_it_went_and_not_the_whole_circle(self):
        one = self.crossing()
        said = page(f"{CANDIDATES}{one.pk}/").context["figures"]["sky"]["caption"]
        assert said.startswith("8 detections in 4 nights, 1 not used (open); 5.5")

    @pytest.mark.parametrize("turns", [-2, -1, 0, 1, 3])
    def test_whole_turns_make_no_difference(self, turns):
        assert near(10.25 + 360 * turns, 359.0) == pytest.approx(370.25)


class TestDetectionsThatLevel1DoesNotHave:
    @pytest.mark.parametrize("left", [1, 7])
    def test_every_figure_that_is_named_is_drawn_from_those_it_has(self, left):
        one = linkage(night())
        detected(one, without=8 - left)
        found = page(f"{CANDIDATES}{one.pk}/")
        assert f"{left} detection" in found.context["figures"]["sky"]["caption"]
        for url in figures_on(f"{CANDIDATES}{one.pk}/"):
            assert page(url).json()["data"], url
        assert len(exported(f"{CANDIDATES}{one.pk}/")) == 8

    def test_without_any_no_figure_of_them_is_named(self):
        one = linkage(night())
        assert {"sky", "residuals", "light"}.isdisjoint(page(f"{CANDIDATES}{one.pk}/").context["figures"])
