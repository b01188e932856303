"""The day's exposure table."""

import csv
import io
import json
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dayops.models import Exposure
from tests.calib.exposures import BEGIN, archived, assessed, exposure, quarantined
from tests.people import person

PAGE = "/2026-11-22/calib/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def observer(client: Client) -> Client:
    client.force_login(person("observer"))
    return client


def page(client: Client, query: str = "", **headers: str) -> str:
    response = client.get(PAGE + query, headers=headers)
    assert response.status_code == 200, response.content
    return response.content.decode()


def rows(client: Client, query: str = "") -> list[dict[str, object]]:
    """The table as its JSON export has it."""
    exported: list[dict[str, object]] = json.loads(client.get(f"{PAGE}?format=json{query}").getvalue())
    return exported


def whole(of: Exposure) -> Exposure:
    """Give an exposure all nine of its frames."""
    for detector in range(9):
        archived(of, detector)
    return of


def test_anonymous_is_asked_to_sign_in(client: Client):
    response = client.get(PAGE)
    assert response.status_code == 302
    assert response.headers["Location"].startswith("/sign-in/")


def test_an_empty_day_to_come_says_what_the_plan_expects(observer: Client):
    text = observer.get("/2099-11-22/calib/").content.decode()
    assert "No frames yet" in text
    assert "The plan expects 25 exposures of this day" in text


def test_a_row_counts_detectors_and_tells_the_worst_verdict(observer: Client):
    bias = exposure(1)
    assessed(archived(bias, 0))
    assessed(archived(bias, 1), read_noise_e=15.0)
    archived(bias, 2)
    (row,) = rows(observer)
    assert (row["archived"], row["expected"], row["measured"]) == (3, 9, 2)
    assert (row["verdict"], row["warn"], row["error"]) == ("WARN", 1, 0)


def test_an_exposure_that_nobody_measured_yet_is_queued(observer: Client):
    archived(exposure(1))
    assert rows(observer)[0]["verdict"] == "QUEUED"


def test_exposure_times_have_no_idle_zeros(observer: Client):
    archived(exposure(1, exposure_s=0.25))
    assert ">0.25</td>" in page(observer)


def test_the_newest_exposure_comes_first(observer: Client):
    for number in (1, 3, 2):
        archived(exposure(number))
    assert [row["seq"] for row in rows(observer)] == [3, 2, 1]


def test_another_days_exposures_stay_on_their_page(observer: Client):
    exposure(1, day_obs=20261121)
    assert rows(observer) == []


@pytest.mark.parametrize(("query", "names"), [("&type=FLAT", {2}), ("&filter=r", {2}), ("&verdict=ERROR", {1})])
def test_the_table_is_filtered_by_type_filter_and_verdict(observer: Client, query: str, names: set[int]):
    assessed(archived(exposure(1)), read_noise_e=50.0)
    assessed(archived(exposure(2, image_type="FLAT", filter="r", exposure_s=15.0)), median=20_000.0)
    assert {row["seq"] for row in rows(observer, query)} == names


def test_the_table_is_exported_as_csv(observer: Client):
    archived(exposure(1))
    answer = observer.get(f"{PAGE}?format=csv")
    assert 'filename="exposures-2026-11-22.csv"' in answer.headers["Content-Disposition"]
    content = answer.getvalue().decode()
    (row,) = csv.DictReader(io.StringIO(content))
    assert row["name"] == "MC_S_20261122_000001"
    assert row["began"] == (BEGIN + timedelta(seconds=30)).isoformat()


def test_a_step_whose_exposures_are_all_here_is_ok_and_others_are_late_or_missing(observer: Client):
    for number in (1, 2, 3):
        whole(exposure(number))
    plan = observer.get(PAGE).context["plan"]
    states = {each.step.name: each.state for each in plan.steps}
    assert states["bias"] == "OK"
    assert states["dark"] != "OK"
    assert (plan.received, plan.expected) == (3, 25)


def test_an_exposure_that_lacks_detectors_is_not_received(observer: Client):
    archived(exposure(1))
    plan = observer.get(PAGE).context["plan"]
    assert (plan.steps[0].received, plan.steps[0].partial) == (0, 1)


def test_a_step_that_came_whole_tells_the_worst_verdict_of_its_exposures(observer: Client):
    for number in (1, 2, 3):
        whole(exposure(number))
    assessed(archived(exposure(4), 0))
    assessed(archived(exposure(5), 0), read_noise_e=15.0)
    steps = {each.step.name: verdict for each, verdict in observer.get(PAGE).context["steps"]}
    assert (steps["bias"], steps["dark"]) == ("WARN", "")


def test_a_row_says_what_is_wrong_and_is_found_by_it(observer: Client):
    assessed(archived(exposure(1)), read_noise_e=50.0)
    assessed(archived(exposure(2)))
    assert '<td class="cell-text">R22_S00 C10: read noise 50 e⁻ (limit 18 e⁻)</td>' in page(observer)
    assert [row["seq"] for row in rows(observer, "&q=read+noise")] == [1]
    assert rows(observer, "&q=none") == []


def test_exposures_outside_the_plan_are_counted(observer: Client):
    archived(exposure(1, step=""))
    assert "1 exposure outside the plan" in page(observer)


def test_quarantined_frames_are_listed_with_their_reasons(observer: Client):
    bias = exposure(1)
    archived(bias)
    quarantined(bias, reason="The bytes differ from those archived <script>alert(1)</script>")
    text = page(observer)
    assert "The bytes differ from those archived &lt;script&gt;" in text
    assert "<script>alert" not in text


def test_the_poll_gets_the_live_part_alone_and_304_while_nothing_changes(observer: Client):
    archived(exposure(1))
    fragment = observer.get(PAGE, headers={"X-DayOps-Fragment": "1"})
    assert b"<html" not in fragment.content
    again = observer.get(PAGE, headers={"X-DayOps-Fragment": "1", "If-None-Match": fragment.headers["ETag"]})
    assert again.status_code == 304


def test_the_number_of_queries_does_not_grow_with_the_day(observer: Client):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            page(observer)
        return len(captured)

    assessed(archived(exposure(1)))
    few = queries()
    for number in range(2, 12):
        for detector in range(3):
            assessed(archived(exposure(number) if detector == 0 else Exposure.objects.latest("id"), detector))
    assert queries() == few


def test_a_page_number_beyond_the_end_shows_the_last(observer: Client):
    archived(exposure(1))
    assert "MC_S_20261122_000001" in page(observer, "?page=999999999")
