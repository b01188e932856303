"""The night's page: its search, what it found and lost, how the month stands, and the button."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dayops.models import Run
from dayops.observing_day import ObservingDay
from dayops.web.work_pages.subjects import subject_url
from mops.models import Night
from mops.plots.steps import debt_figure, loss_figure, shares_figure, steps_figure, steps_of
from mops.throughput import LIMIT_H, debt
from mops.views.night import month_sentence
from mops.views.starting import changes_of
from mops.views.words import instant_of_mjd_tai
from tests.mops.in_level1 import detected
from tests.mops.nights import COUNTS, DAY, TRUTH, linkage, linkages, night
from tests.people import client_of

pytestmark = pytest.mark.django_db

PAGE = "/2026-11-22/mops/"
FRAGMENT = {"X-DayOps-Fragment": "1"}


def page(path: str, role: str = "observer", **headers: str) -> Any:
    response = client_of(role).get(path, headers=headers)
    assert response.status_code == 200, response.content
    return response


def text(path: str, role: str = "observer") -> str:
    found: str = page(path, role).content.decode()
    return found


def refusal(path: str, status: int) -> str:
    response = client_of().get(path)
    assert response.status_code == status, response.content
    found: str = response.content.decode()
    return found


def queries(path: str) -> int:
    client = client_of()
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    return len(captured)


class TestTheSearch:
    def test_a_night_that_was_not_searched_says_so_and_what_happens(self):
        found = text(PAGE)
        assert "This night was not searched yet" in found
        assert "No night of the last 30 was searched yet" in found

    def test_shows_what_was_read_and_when_it_was_decided(self):
        made = night()
        found = text(PAGE)
        assert f"Search {made.pk}" in found
        assert "MJD 61367.500000 TAI" in found
        assert page(PAGE).context["as_of"] == instant_of_mjd_tai(made.as_of_mjd_tai)

    def test_shows_the_published_search_before_newer_ones_and_trials_last(self):
        published = night()
        night(state="REFUSED")
        night(state="TRIAL")
        context = page(PAGE).context
        assert context["night"] == published
        assert [row.state for row in context["table"].page] == ["PUBLISHED", "REFUSED", "TRIAL"]

    def test_another_search_of_the_night_is_chosen_by_its_number(self):
        night()
        trial = night(state="TRIAL")
        context = page(f"{PAGE}?night={trial.pk}").context
        assert context["night"] == trial
        assert "a trial, never published" in text(f"{PAGE}?night={trial.pk}")

    def test_tells_why_a_search_was_refused_and_what_to_do(self):
        night(state="REFUSED")
        found = text(PAGE)
        assert "Fewer than half as many linkages as last night." in found
        assert "What was published before stays." in found

    @pytest.mark.parametrize(("wanted", "status"), [("abc", 400), ("-1", 400), ("9" * 40, 400), ("999999", 404)])
    def test_a_number_that_names_no_search_is_refused_in_a_sentence(self, wanted, status):
        night()
        found = refusal(f"{PAGE}?night={wanted}", status)
        assert "night" in found
        assert "Traceback" not in found

    def test_a_search_of_another_night_is_not_shown_here(self):
        other = night(20261121)
        assert "is not one of the night 2026-11-22" in refusal(f"{PAGE}?night={other.pk}", 404)

    def test_reasons_for_refused_linkages_stand_with_their_numbers_most_first(self):
        night()
        assert page(PAGE).context["refusals"] == [("poor fit", 3), ("fewer than three nights", 1)]

    def test_survives_a_search_that_counted_nothing(self):
        night(state="MAKING", counts={})
        found = text(PAGE)
        assert "Nothing was counted yet" in found
        assert "carry no truth" not in found

    def test_shows_completeness_and_purity_only_where_the_truth_is_known(self):
        made = night(truth=TRUTH)
        found = text(PAGE)
        assert "99.910" in found
        assert "OSS-REQ-0159" in found
        Night.objects.filter(pk=made.pk).update(truth={})
        assert "carry no truth" in text(PAGE)

    def test_lists_and_exports_its_searches_with_their_counts(self):
        night(truth=TRUTH)
        (row,) = json.loads(page(f"{PAGE}?format=json").getvalue())
        assert (row["detections"], row["accepted"], row["state"]) == (109_042, 398, "PUBLISHED")
        assert row["completeness"] == pytest.approx(99.91)

    def test_polls_for_its_live_part_alone(self):
        night(state="MAKING")
        found = page(PAGE, **FRAGMENT).content.decode()
        assert "<html" not in found
        assert "Searches of this night" in found
        assert page(PAGE).context["is_live"]

    def test_takes_the_same_queries_for_one_search_as_for_many(self):
        night()
        few = queries(PAGE)
        for _ in range(5):
            linkages(night(state="TRIAL"), 3)
        assert queries(PAGE) == few

    def test_an_event_about_a_night_leads_to_it_whatever_day_it_happened(self):
        made = night()
        url = subject_url(f"night:{made.pk}", 20261123)
        response = client_of().get(url)
        assert response.status_code == 303
        assert response["Location"] == f"/2026-11-22/mops/?night={made.pk}"


class TestItsFigures:
    @pytest.mark.parametrize("name", ["steps", "loss", "by-zone", "by-magnitude"])
    def test_are_served_where_there_are_numbers(self, name):
        made = night(truth=TRUTH)
        url = f"{PAGE}figures/{name}/?night={made.pk}"
        assert url in text(PAGE)
        assert page(url).json()["data"]

    @pytest.mark.parametrize("name", ["steps", "loss", "by-zone", "by_zone", "nonsense"])
    def test_say_in_words_that_there_are_none(self, name):
        night(counts={})
        assert "has no figure" in refusal(f"{PAGE}figures/{name}/", 404)

    def test_steps_keep_their_order_and_leave_out_what_was_not_counted(self):
        assert steps_of({"accepted": 2, "detections": 9, "clusters": None}) == [("detections", 9), ("accepted", 2)]
        bars = steps_figure(COUNTS).data[0]
        assert list(bars.y) == ["detections", "attributed", "tracklets", "clusters", "linkages", "accepted"]
        assert bars.x[0] == 109_042

    def test_a_loss_is_drawn_with_the_limit_that_caused_it(self):
        (lost,) = loss_figure(TRUTH["waterfall"]).data
        assert list(lost.y) == [0, 1, 2, 0]
        assert lost.x[2] == "clustered<br>5,309"
        assert lost.text[2] == "2: cluster radius 0.0013 au"

    def test_zones_are_shares_with_what_is_required_drawn(self):
        figure = shares_figure(TRUTH["by_zone"], "zone")
        assert list(figure.data[0].y) == pytest.approx([100 * 5298 / 5300, 100 * 11 / 12])
        assert figure.layout.shapes[0].y0 == 95
        assert figure.data[0].text[0] == "5298 of 5300"

    def test_a_zone_without_findable_objects_is_no_division_by_zero(self):
        assert list(shares_figure([{"zone": "tno", "findable": 0, "found": 0}], "zone").data[0].y) == [0]


class TestTheMonth:
    def now(self, hours: float) -> datetime:
        """So many hours after the end of the night of DAY."""
        return ObservingDay(DAY).sunrise + timedelta(hours=hours)

    def test_is_the_mean_of_hours_from_the_end_of_the_night(self):
        night(hours=8)
        night(20261121, hours=30)
        found = debt(ObservingDay(DAY), self.now(40))
        assert found.mean_h == pytest.approx(19)
        assert (found.published, found.word) == (2, "OK")
        assert [delay.is_late for delay in found.delays] == [False, True]

    def test_a_night_that_waits_counts_with_the_hours_it_has_waited(self):
        night(hours=8)
        night(20261121, state="REFUSED")
        found = debt(ObservingDay(DAY), self.now(10))
        assert found.backlog[0].day == ObservingDay(20261121)
        assert found.backlog[0].hours == pytest.approx(34, abs=0.1)
        assert found.word == "WARN"

    def test_is_late_when_the_mean_exceeds_the_limit(self):
        night(hours=LIMIT_H + 1)
        found = debt(ObservingDay(DAY), self.now(60))
        assert found.word == "LATE"
        assert "over the 24 h" in month_sentence(found)

    def test_the_first_publication_counts_and_not_its_replacement(self):
        night(state="REPLACED", hours=5)
        night(hours=300)
        assert debt(ObservingDay(DAY), self.now(400)).mean_h == pytest.approx(5)

    def test_trials_and_nights_out_of_the_month_do_not_count(self):
        night(state="TRIAL", hours=100)
        night(20261001, hours=100)
        assert debt(ObservingDay(DAY), self.now(200)).delays == []

    def test_the_backlog_is_newest_first(self):
        for day in (20261118, 20261120, 20261119):
            night(day, state="MAKING")
        found = debt(ObservingDay(DAY), datetime.now(UTC))
        assert [delay.day.day_obs for delay in found.backlog] == [20261120, 20261119, 20261118]

    def test_its_figure_tells_those_that_wait_from_the_others(self):
        night(hours=8)
        night(20261121, state="MAKING")
        figure = debt_figure(debt(ObservingDay(DAY), self.now(10)))
        assert [trace.name for trace in figure.data] == ["published", "waits"]
        assert page(f"{PAGE}throughput/").json()["data"]

    def test_a_night_with_detections_that_nobody_began_to_search_waits_too(self):
        night(hours=8, day_obs=20261118)
        detected(linkage(night(), 77))
        waiting = debt(ObservingDay(DAY), self.now(10)).backlog
        assert [str(delay.day) for delay in waiting] == ["2026-11-21", "2026-11-20", "2026-11-19"]
        assert waiting[0].why == "its search has not begun"

    def test_takes_the_same_queries_however_many_nights(self):
        for day in range(20261101, 20261123):
            night(day)
        with CaptureQueriesContext(connection) as captured:
            debt(ObservingDay(DAY), self.now(1))
        assert len(captured) == 5


class TestTheButton:
    def test_says_who_may_press_it(self):
        assert "the group “operator”" in text(PAGE)

    def test_starts_a_run_with_the_configuration_chosen(self):
        detected(linkage(night(20261121)))
        words = {"configuration": "strict", "trial": "on", "changes": "window_nights=4, tracklet_max_hours=2.5"}
        response = client_of("operator").post(f"{PAGE}start/", words, follow=True)
        made = Night.objects.order_by("-pk")[0]
        assert (made.configuration, made.trial, made.day_obs) == ("strict", True, DAY)
        assert (made.parameters["window_nights"], made.parameters["tracklet_max_hours"]) == (4, 2.5)
        assert f"Run {made.run_id} searches the night 2026-11-22 as a trial." in response.content.decode()

    @pytest.mark.parametrize(
        ("words", "sentence"),
        [
            ({"configuration": "nonsense"}, "There is no configuration"),
            ({"configuration": "usual", "changes": "minimum_nights=many"}, "minimum_nights=many is not a number."),
            ({"configuration": "usual", "changes": "minimum_nights"}, "is no change: write name=value"),
            ({"configuration": "usual", "changes": "minimum_nights=2"}, "minimum_nights is 2: expected 3 to 10"),
            ({"configuration": "usual", "changes": "colour=3"}, "cannot be set: expected one of"),
            (
                {"configuration": "usual", "changes": "minimum_nights=nan"},
                "minimum_nights is nan: expected a whole number",
            ),
            ({"configuration": "usual", "changes": "x=1," * 200}, "500 are the most"),
        ],
    )
    def test_refuses_what_makes_no_sense_in_a_sentence(self, words, sentence):
        response = client_of("operator").post(f"{PAGE}start/", words, follow=True)
        assert sentence in response.content.decode()
        assert not Run.objects.exists()

    def test_reads_names_and_numbers(self):
        assert changes_of("minimum_nights=4; tracklet_max_hours = 2.5") == {
            "minimum_nights": 4,
            "tracklet_max_hours": 2.5,
        }
        assert changes_of("") == {}
