"""One exposure: focal plane, distribution, detectors, amplifiers, findings."""

import json
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from dayops.camera import load
from dayops.camera.json import detector_to_json
from dayops.models import Exposure
from tests.calib.exposures import archived, assessed, exposure
from tests.calib.plotly_json import numbers
from tests.people import person

PAGE = "/2026-11-22/calib/exposures/MC_S_20261122_000001/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def observer(client: Client) -> Client:
    client.force_login(person("observer"))
    return client


def page(client: Client, query: str = "") -> str:
    response = client.get(PAGE + query)
    assert response.status_code == 200, response.content
    return response.content.decode()


def exported(client: Client, address: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(client.get(address).getvalue())
    return rows


def figure(client: Client, name: str, query: str = "") -> dict[str, Any]:
    response = client.get(f"{PAGE}{name}/{query}")
    assert response.status_code == 200, response.content
    drawn: dict[str, Any] = json.loads(response.content)
    return drawn


def test_anonymous_is_asked_to_sign_in(client: Client):
    for address in (PAGE, f"{PAGE}focal-plane/", f"{PAGE}amplifiers/", f"{PAGE}findings/"):
        assert client.get(address).status_code == 302


def test_the_page_opens_in_the_metric_that_is_worst_and_stays_in_one_that_was_chosen(observer: Client):
    assessed(archived(exposure(1)), median=np.where(np.arange(16) < 2, -30.0, 0.0), read_noise_e=15.0)
    assert observer.get(PAGE).context["view"].query.metric.name == "median"
    assert observer.get(f"{PAGE}?metric=banding").context["view"].query.metric.name == "banding"


def test_each_metric_outside_its_limits_is_told_once_with_its_amplifiers_counted(observer: Client):
    assessed(archived(exposure(1)), median=np.where(np.arange(16) < 2, [-25.0, -30.0, *[0.0] * 14], 0.0))
    text = page(observer)
    assert "Outside their limits: 2 ERROR, 0 WARN" in text
    assert 'href="?metric=median"' in text
    ((trouble, limit),) = observer.get(PAGE).context["troubles"]
    assert (trouble.worst.amplifier, trouble.worst.value, limit) == ("C11", -30.0, "−20")


def test_an_unknown_exposure_is_not_found_in_words(observer: Client):
    response = observer.get(PAGE)
    assert response.status_code == 404
    assert "No exposure MC_S_20261122_000001 is known on dayObs 2026-11-22." in response.content.decode()


def test_an_exposure_of_another_day_says_which(observer: Client):
    exposure(1, day_obs=20261121)
    response = observer.get(PAGE)
    assert response.status_code == 404
    assert "It belongs to dayObs 2026-11-21" in response.content.decode()


def test_an_unknown_metric_is_not_found_and_names_those_there_are(observer: Client):
    exposure(1)
    response = observer.get(f"{PAGE}?metric=<script>")
    assert response.status_code == 404
    assert b"overscan_level" in response.content
    assert b"<script>" not in response.content


@pytest.mark.parametrize("query", ["scale=cubic", "color=blue", "scale=fixed&low=abc", "scale=fixed&low=9&high=2"])
def test_a_range_that_makes_no_sense_is_refused(observer: Client, query: str):
    exposure(1)
    for address in (PAGE, f"{PAGE}focal-plane/", f"{PAGE}histogram/"):
        assert observer.get(f"{address}?{query}").status_code == 400


def test_an_exposure_without_measurements_is_shown_as_queued(observer: Client):
    archived(exposure(1))
    text = page(observer)
    assert "QUEUED" in text
    assert "no amplifier has a value" in text


def test_the_caption_has_the_numbers_that_matter_and_where(observer: Client):
    noise = np.full(16, 5.0)
    noise[3] = 31.0
    assessed(archived(exposure(1), 4), read_noise_e=noise)
    caption = observer.get(f"{PAGE}?metric=read_noise_e").context["caption"]
    assert "16 of 144 amplifiers" in caption
    assert "median 5 e⁻" in caption
    assert "most 31 e⁻ (R22_S11 C13)" in caption


def test_the_focal_plane_paints_each_measured_amplifier(observer: Client):
    assessed(archived(exposure(1), 0), read_noise_e=np.arange(1.0, 17.0))
    cells, *_ = figure(observer, "focal-plane", "?metric=read_noise_e")["data"]
    painted = numbers(cells["z"])
    assert set(painted[np.isfinite(painted)]) == set(range(1, 17))


def test_a_click_on_an_amplifier_goes_to_its_detector(observer: Client):
    assessed(archived(exposure(1), 4))
    *_, places = figure(observer, "focal-plane")["data"]
    assert f"{PAGE}R22_S11/" in places["customdata"]
    index = next(i for i, text in enumerate(places["hovertext"]) if text.startswith("R22_S11 C10"))
    assert places["hovertext"][index].endswith("OK")


def test_levels_can_be_drawn_instead_of_values(observer: Client):
    noise = np.full(16, 5.0)
    noise[0] = 100.0
    assessed(archived(exposure(1), 0), read_noise_e=noise)
    cells, *_ = figure(observer, "focal-plane", "?metric=read_noise_e&color=level")["data"]
    painted = numbers(cells["z"])
    assert set(painted[np.isfinite(painted)]) == {0.0, 2.0}


def test_a_fixed_range_is_drawn_as_asked(observer: Client):
    assessed(archived(exposure(1), 0))
    cells, *_ = figure(observer, "focal-plane", "?scale=fixed&low=2&high=9")["data"]
    assert (cells["zmin"], cells["zmax"]) == (2.0, 9.0)


def test_an_unchanged_figure_is_not_sent_again(observer: Client):
    assessed(archived(exposure(1), 0))
    first = observer.get(f"{PAGE}focal-plane/", headers={"Accept-Encoding": "gzip"})
    again = observer.get(f"{PAGE}focal-plane/", headers={"If-None-Match": first.headers["ETag"]})
    assert first.headers["Content-Encoding"] == "gzip"
    assert again.status_code == 304


def test_a_bar_of_the_histogram_lists_its_amplifiers(observer: Client):
    noise = np.full(16, 5.0)
    noise[7] = 8.0
    assessed(archived(exposure(1), 0), read_noise_e=noise)
    bars, *_ = figure(observer, "histogram", "?metric=read_noise_e")["data"]
    assert sorted(bars["y"]) == [1, 15]
    address = bars["customdata"][int(np.argmin(bars["y"]))]
    (row,) = exported(observer, f"{address}&format=json")
    assert row["read_noise_e"] == 8.0


def test_the_amplifier_table_has_every_metric_of_every_amplifier(observer: Client):
    assessed(archived(exposure(1), 0), median=3.25)
    table = exported(observer, f"{PAGE}amplifiers/?format=json")
    assert len(table) == 16
    assert table[0]["amplifier"] == "C10"
    assert table[0]["median"] == 3.25


@pytest.mark.parametrize("table", ["", "amplifiers/", "findings/"])
def test_a_download_is_named_after_its_exposure(observer: Client, table: str):
    archived(exposure(1), 0)
    answer = observer.get(f"{PAGE}{table}?format=csv")
    assert 'filename="MC_S_20261122_000001_' in answer.headers["Content-Disposition"]


def test_findings_say_amplifier_value_and_limit(observer: Client):
    noise = np.full(16, 5.0)
    noise[0] = 100.0
    assessed(archived(exposure(1), 0), read_noise_e=noise)
    (finding,) = exported(observer, f"{PAGE}findings/?format=json")
    assert (finding["detector"], finding["amplifier"], finding["metric"]) == ("R22_S00", "C10", "read_noise_e")
    assert (finding["level"], finding["value"], finding["limit"]) == ("ERROR", 100.0, 18.0)
    assert finding["unit"] == "e⁻"
    assert "read_noise_e</td>" not in page(observer) + observer.get(f"{PAGE}findings/").content.decode()
    assert "R22_S00" in page(observer)


def test_rafts_and_detectors_are_rolled_up_to_the_worst(observer: Client):
    first = exposure(1)
    assessed(archived(first, 0))
    assessed(archived(first, 1), read_noise_e=100.0)
    context = observer.get(PAGE).context
    assert [(raft.raft, raft.measured, raft.verdict) for raft in context["rafts"]] == [("R22", 2, "ERROR")]
    verdicts = {row["detector"]: row["verdict"] for row in exported(observer, f"{PAGE}?format=json")}
    assert (verdicts["R22_S00"], verdicts["R22_S01"], verdicts["R22_S02"]) == ("OK", "ERROR", "MISSING")


def test_the_worst_detectors_come_first(observer: Client):
    first = exposure(1, detectors_expected=9)
    for detector, noise in ((0, 5.0), (1, 15.0), (2, 100.0)):
        assessed(archived(first, detector), read_noise_e=noise)
    archived(first, 3)
    words = [row["verdict"] for row in exported(observer, f"{PAGE}?format=json")]
    assert words == ["ERROR", *["MISSING"] * 5, "WARN", "QUEUED", "OK"]


def test_guiders_are_not_missing_where_only_science_detectors_are_expected(observer: Client):
    exposure(1, camera="lsstcam", detectors_expected=189)
    assert len(exported(observer, f"{PAGE}?format=json")) == 189


def test_guiders_are_missing_where_every_detector_is_expected(observer: Client):
    exposure(1, camera="lsstcam", detectors_expected=205)
    assert len(exported(observer, f"{PAGE}?format=json")) == 205


def test_a_value_that_could_not_be_measured_is_an_error_without_a_number(observer: Client):
    noise = np.full(16, 5.0)
    noise[0], noise[1] = np.nan, np.inf
    assessed(archived(exposure(1), 0), read_noise_e=noise)
    caption = observer.get(f"{PAGE}?metric=read_noise_e").context["caption"]
    assert "14 of 144 amplifiers" in caption
    assert "2 in ERROR" in caption
    assert [row["value"] for row in exported(observer, f"{PAGE}findings/?format=json")] == [None, None]


def test_figures_follow_while_frames_are_being_measured(observer: Client):
    frame = archived(exposure(1), 0)
    assert 'px" data-every="5"' in page(observer)
    assessed(frame)
    assert 'px" data-every="5"' not in page(observer)


def test_previous_and_next_exposure_are_linked_in_the_order_taken(observer: Client):
    for number in (2, 1, 3):
        exposure(number)
    context = observer.get(PAGE.replace("000001", "000002")).context
    assert context["previous_exposure"] == "MC_S_20261122_000001"
    assert context["next_exposure"] == "MC_S_20261122_000003"


def test_a_camera_without_a_file_is_drawn_as_its_frames_describe_it(observer: Client):
    sensor = load("latiss").detectors[0]
    generic = exposure(1, camera="generic", detectors_expected=1)
    archived(generic, 0, detector_name=sensor.name, geometry=detector_to_json(sensor))
    cells, *_ = figure(observer, "focal-plane")["data"]
    assert numbers(cells["z"]).shape == (8, 2)
    assert "no amplifier has a value" in page(observer)


def test_a_generic_exposure_without_frames_is_empty_but_there(observer: Client):
    exposure(1, camera="generic", detectors_expected=1)
    assert "No detectors" in page(observer)
    assert observer.get(f"{PAGE}focal-plane/").status_code == 200


def test_markup_in_names_is_shown_as_text(observer: Client):
    exposure(1, filter="<script>alert(1)</script>", step="<b>")
    text = page(observer)
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text


@pytest.mark.parametrize("address", ["", "focal-plane/", "histogram/", "amplifiers/", "findings/"])
def test_the_number_of_queries_does_not_grow_with_detectors(observer: Client, address: str):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert observer.get(PAGE + address).status_code == 200
        return len(captured)

    first: Exposure = exposure(1)
    assessed(archived(first, 0), read_noise_e=100.0)
    few = queries()
    for detector in range(1, 9):
        assessed(archived(first, detector), read_noise_e=100.0)
    assert queries() == few
