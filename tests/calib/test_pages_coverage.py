"""What came of the daily plan over many days, and which detectors a day's exposures lack."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from calib.exposure_table import exposure_rows
from calib.lacking import MOST_EXPOSURES, lacking
from dayops.day_plan import Plan
from dayops.models import Exposure
from dayops.observing_day import ObservingDay
from tests.calib.exposures import archived, exposure
from tests.people import ROLES, client_of

PAGE = "/calib/coverage/"
OVER = ObservingDay(20261010)
UNTIL = f"until={OVER}"
pytestmark = pytest.mark.django_db


@pytest.fixture
def observer() -> Client:
    return client_of("observer")


def step_taken(step: str, count: int, *, day: ObservingDay = OVER, detectors: int = 9) -> None:
    """`count` exposures of a step of the plan, each with so many of its nine detectors."""
    for number in range(count):
        seq_num = Exposure.objects.count() + 1
        fields: dict[str, Any] = {"day_obs": day.day_obs, "step": step, "name": f"MC_{day}_{step}_{number}"}
        taken = exposure(seq_num, began_at=day.begins + timedelta(hours=5, seconds=30 * seq_num), **fields)
        for detector in range(detectors):
            archived(taken, detector)


def grid(client: Client, query: str = UNTIL) -> dict[str, dict[str, Any]]:
    """The exported table by the title of the step."""
    rows = json.loads(client.get(f"{PAGE}?{query}&format=json").getvalue())
    return {row["step"]: row for row in rows}


@pytest.mark.parametrize("role", ROLES)
def test_every_role_may_look(role: str):
    assert client_of(role).get(PAGE).status_code == 200


def test_every_step_of_the_plan_has_a_row_and_every_day_a_column(observer: Client):
    rows = grid(observer, f"{UNTIL}&days=3")
    assert list(rows) == ["Bias", "Dark", *(f"Flat {band}" for band in "grizy"), "Photon transfer curve"]
    assert list(rows["Bias"]) == ["step", "2026-10-10", "2026-10-09", "2026-10-08"]


def test_a_step_is_ok_in_part_or_missing(observer: Client):
    step_taken("bias", 3)
    step_taken("dark", 2)
    rows = grid(observer)
    assert rows["Bias"]["2026-10-10"] == "OK"
    assert rows["Dark"]["2026-10-10"] == "2 of 3 MISSING"
    assert rows["Flat r"]["2026-10-10"] == "MISSING"
    assert rows["Bias"]["2026-10-09"] == "MISSING"


def test_an_exposure_that_lacks_detectors_is_not_received(observer: Client):
    step_taken("bias", 3, detectors=8)
    assert grid(observer)["Bias"]["2026-10-10"] == "0 of 3 MISSING"


def test_what_is_still_to_come_waits(observer: Client):
    assert set(grid(observer, "until=2099-01-01&days=1")["Bias"].values()) == {"Bias", "WAITING"}


def test_another_cameras_exposures_do_not_count(observer: Client):
    step_taken("bias", 3)
    Exposure.objects.update(camera="latiss")
    assert grid(observer)["Bias"]["2026-10-10"] == "MISSING"


def test_each_cell_has_icon_and_word_and_leads_to_its_day(observer: Client):
    step_taken("dark", 2)
    text = observer.get(f"{PAGE}?{UNTIL}").content.decode()
    cell = text.partition('<td class="cell-text"><a href="/2026-10-10/calib/">')[2].partition("</td>")[0]
    assert "status-missing" in cell
    assert "#missing" in cell
    assert "MISSING" in cell
    assert "</span> 2 of 3</a>" in text


def test_the_seven_chunks_of_the_curve_are_told_with_their_days(observer: Client):
    chunks = {day: len(step.exposures_s) for day, step in week_of_chunks().items()}
    taken = next(iter(chunks))
    step_taken("ptc", chunks[taken], day=taken)
    context = observer.get(f"{PAGE}?{UNTIL}&days=1").context
    assert [chunk.title for chunk in context["chunks"]] == [f"chunk {i} of 7" for i in range(1, 8)]
    assert context["chunks_taken"] == 1
    (chunk,) = [chunk for chunk in context["chunks"] if chunk.cell.state == "OK"]
    assert chunk.cell.day == taken


def week_of_chunks() -> dict[ObservingDay, Any]:
    days, day = {}, OVER
    for _ in range(7):
        days[day] = next(step for step in Plan.load().steps_for(day.day_obs) if step.image_type == "PTC")
        day = day.previous
    return days


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("days=0", "days=0 is no number of days"),
        ("days=93", "Write a whole number from 1 to 92"),
        ("days=x", "days=x is no number of days"),
        ("until=tomorrow", "until=tomorrow is no dayObs"),
        ("until=1990-01-02", "is too early"),
    ],
)
def test_a_query_that_makes_no_sense_is_answered_in_words(observer: Client, query: str, sentence: str):
    response = observer.get(f"{PAGE}?{query}")
    assert response.status_code == 400
    assert sentence in response.content.decode()


def test_one_query_reads_many_days(observer: Client):
    def queries(days: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert observer.get(f"{PAGE}?{UNTIL}&days={days}").status_code == 200
        return len(captured)

    step_taken("bias", 3)
    few = queries(1)
    step_taken("bias", 3, day=OVER.previous)
    assert queries(30) == few


def test_a_day_on_which_all_came_lacks_nothing():
    step_taken("bias", 3)
    assert lacking(exposure_rows(OVER.day_obs)) is None


def test_the_detectors_that_did_not_come_are_named():
    first = exposure(1)
    for detector in (0, 2):
        archived(first, detector)
    found = lacking(exposure_rows(first.day_obs))
    assert found is not None
    ((of, cells),) = found.rows
    assert of == first
    words = dict(zip(found.groups, [cell.state for cell in cells], strict=True))
    assert words["R22_S00"] == words["R22_S02"] == "OK"
    assert words["R22_S01"] == "MISSING"


def test_a_large_camera_is_counted_by_raft_without_its_guiders():
    first = exposure(1, camera="lsstcam", detectors_expected=189)
    archived(first, 0)
    found = lacking(exposure_rows(first.day_obs))
    assert found is not None
    assert len(found.groups) == 21
    (_, cells) = found.rows[0]
    corner = dict(zip(found.groups, cells, strict=True))["R01"]
    assert (corner.count, corner.expected, len(corner.missing)) == (1, 9, 8)


def test_a_quarantined_frame_is_missing():
    first = exposure(1)
    archived(first, 0, state="QUARANTINED")
    found = lacking(exposure_rows(first.day_obs))
    assert found is not None
    assert all(cell.missing for cell in found.rows[0][1])


def test_a_camera_without_a_file_cannot_say_what_it_lacks():
    exposure(1, camera="generic")
    assert lacking(exposure_rows(20261122)) is None


def test_only_the_newest_of_many_are_shown():
    for seq_num in range(1, MOST_EXPOSURES + 4):
        exposure(seq_num)
    found = lacking(exposure_rows(20261122))
    assert found is not None
    assert (len(found.rows), found.more) == (MOST_EXPOSURES, 3)


def test_the_days_page_shows_what_is_lacking_only_where_something_is(observer: Client):
    first = exposure(1)
    text = observer.get("/2026-11-22/calib/").content.decode()
    assert "Exposures that lack detectors" in text
    for detector in range(9):
        archived(first, detector)
    assert "Exposures that lack detectors" not in observer.get("/2026-11-22/calib/").content.decode()
