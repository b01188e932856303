"""One detector's frame: its page, its image, its file."""

import io
import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image

from calib import services
from calib.views import frame_image
from dayops import notes
from dayops.archive import store
from dayops.camera import load
from dayops.camera.json import detector_to_json
from dayops.day_plan import Plan
from dayops.images import read_segments
from dayops.models import Phase, RawFrame, Task
from dayops.simulator.frames import Shot, simulate
from dayops.web.image_cache import ImageCache
from tests.calib.exposures import BEGIN, DAY, archived, assessed, exposure, measured, quarantined
from tests.calib.plotly_json import numbers
from tests.frames import minicam
from tests.people import person

EXPOSURE = "/2026-11-22/calib/exposures/MC_S_20261122_000001/"
PAGE = f"{EXPOSURE}R22_S11/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def observer(client: Client, monkeypatch: pytest.MonkeyPatch) -> Client:
    monkeypatch.setattr(frame_image, "IMAGES", ImageCache(10**8))
    client.force_login(person("observer"))
    return client


def page(client: Client, query: str = "") -> str:
    response = client.get(PAGE + query)
    assert response.status_code == 200, response.content
    return response.content.decode()


def stored(content: bytes, **fields: Any) -> RawFrame:
    """An archived frame of R22_S11 with real bytes behind it."""
    kept = store().put(io.BytesIO(content))
    return archived(exposure(1), 4, sha256=kept.sha256, size=kept.size, **fields)


def of_image(frame: RawFrame, rest: str = "") -> str:
    return f"/2026-11-22/calib/frames/{frame.sha256}/image/{rest}"


def test_anonymous_is_asked_to_sign_in(client: Client):
    frame = archived(exposure(1), 4)
    for address in (PAGE, of_image(frame), of_image(frame, "0/0/0"), f"/2026-11-22/calib/frames/{frame.sha256}/file/"):
        assert client.get(address).status_code in {302, 401}


def test_an_unknown_detector_is_not_found_in_words(observer: Client):
    exposure(1)
    response = observer.get(f"{EXPOSURE}R99_S99/")
    assert response.status_code == 404
    assert "has no detector R99_S99" in response.content.decode()


def test_a_detector_without_a_frame_is_missing(observer: Client):
    exposure(1)
    assert "No frame of this detector was archived." in page(observer)


def test_amplifiers_show_their_values_with_level_and_limits(observer: Client):
    noise = np.full(16, 5.0)
    noise[2] = 14.5
    assessed(archived(exposure(1), 4), read_noise_e=noise)
    context = observer.get(PAGE).context
    row = next(row for row in context["metrics"] if row.metric.name == "read_noise_e")
    cells = dict(zip(context["amplifiers"], row.cells, strict=True))
    assert cells["C12"] == (14.5, "WARN")
    assert cells["C13"] == (5, "OK")
    assert row.limits == "WARN outside 3 … 14, ERROR outside 2 … 18"


def test_what_is_outside_its_limits_stands_first_with_value_and_limit(observer: Client):
    noise = np.full(16, 5.0)
    noise[2] = 50.0
    assessed(archived(exposure(1), 4), read_noise_e=noise, sensor_temperature=20.0)
    found = [(each.worst.amplifier, each.title, limit) for each, limit in observer.get(PAGE).context["troubles"]]
    assert found == [("C12", "read noise", "18"), ("", "sensor temperature", "3")]
    assert "Outside their limits: 2 ERROR, 0 WARN" in page(observer)


def test_a_detector_within_its_limits_has_no_such_panel(observer: Client):
    assessed(archived(exposure(1), 4))
    assert "Outside their limits" not in page(observer)


def test_only_metrics_that_apply_have_a_row(observer: Client):
    assessed(archived(exposure(1), 4))
    names = [row.metric.name for row in observer.get(PAGE).context["metrics"]]
    assert "read_noise_e" in names
    assert not {"flat_level", "gain_from_flat_pair", "dark_current"} & set(names)


def test_a_number_of_the_whole_detector_stands_once(observer: Client):
    assessed(archived(exposure(1), 4), sensor_temperature=20.0)
    row = next(row for row in observer.get(PAGE).context["metrics"] if row.metric.name == "sensor_temperature")
    assert row.cells == [(20, "ERROR")]
    assert "of the whole detector" in page(observer)


def test_limits_of_one_filter_are_shown_for_its_flats_only(observer: Client):
    assessed(archived(exposure(1, image_type="FLAT", filter="y", exposure_s=15.0), 4), flat_level=1000.0, median=9e3)
    row = next(row for row in observer.get(PAGE).context["metrics"] if row.metric.name == "flat_level")
    assert row.limits == "WARN outside 650 … 1\u202f400, ERROR outside 570 … 1\u202f600"


def test_what_the_header_contradicts_stands_with_the_file(observer: Client):
    sensor = load("minicam").by_id[4]
    services.record_assessment(archived(exposure(1), 4), sensor, measured(sensor), ["EXPTIME says 30 s."])
    assert "<dt>contradiction</dt><dd>EXPTIME says 30 s.</dd>" in page(observer)


def test_notes_about_the_detector_are_kept_and_shown(observer: Client):
    exposure(1)
    notes.write("detector:minicam/R22_S11", "C12 hums.", author="sofia", kind="NOTE", day_obs=DAY)
    assert "C12 hums." in page(observer)


def test_the_amplifiers_are_exported(observer: Client):
    assessed(archived(exposure(1), 4), median=2.5)
    table = json.loads(observer.get(f"{PAGE}?format=json").getvalue())
    assert len(table) == 16
    assert table[0]["median"] == 2.5


def test_a_frame_that_waits_says_so(observer: Client):
    frame = archived(exposure(1), 4)
    services.queue_assessment(frame)
    assert observer.get(PAGE).context["standing"].word == "QUEUED"


def test_a_frame_that_failed_says_why_and_links_to_its_run(observer: Client):
    frame = archived(exposure(1), 4)
    services.queue_assessment(frame)
    Task.objects.update(phase=Phase.ERROR, error="Segment10 is missing.", ended_at=BEGIN)
    text = page(observer)
    assert "It could not be measured: Segment10 is missing." in text
    assert f"/2026-11-22/runs/{Task.objects.get().run_id}/" in text


def test_a_quarantined_copy_is_told_beside_the_archived_one(observer: Client):
    first = exposure(1)
    archived(first, 4)
    quarantined(first, 4, reason="Its bytes differ.")
    assert "Its bytes differ." in page(observer)


def test_what_is_known_of_the_file_is_shown_as_text(observer: Client):
    frame = archived(
        exposure(1), 4, header={"OBJECT": "<script>alert(1)</script>"}, remarks=["The clock runs <i>ahead</i>."]
    )
    text = page(observer)
    assert frame.sha256 in text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert" not in text
    assert "&lt;i&gt;ahead" in text


def test_neighbours_are_the_detectors_that_were_archived(observer: Client):
    first = exposure(1)
    for detector in (1, 4, 8):
        archived(first, detector)
    context = observer.get(PAGE).context
    assert (context["previous_detector"], context["next_detector"]) == ("R22_S01", "R22_S22")


def test_the_number_of_queries_does_not_grow(observer: Client):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            page(observer)
        return len(captured)

    first = exposure(1)
    assessed(archived(first, 4), read_noise_e=100.0)
    few = queries()
    for detector in (0, 1, 2, 3, 5, 6):
        assessed(archived(first, detector), read_noise_e=100.0)
    assert queries() == few


def test_the_image_tells_its_size_and_amplifiers(observer: Client):
    info = observer.get(of_image(stored(minicam(4)))).json()
    assert (info["width"], info["height"], info["levels"], info["unit"]) == (1024, 1024, 2, "ADU")
    assert {"name": "C10", "x0": 0, "y0": 0, "x1": 128, "y1": 512} in info["amplifiers"]


def test_pixels_are_those_of_the_file_where_geometry_puts_them(observer: Client):
    planned = Plan.load().exposures(DAY)[0]
    content = simulate(Shot(load("minicam"), DAY, planned, BEGIN), 4, seed=1)
    frame = stored(content)
    sensor = load("minicam").by_id[4]
    with store().local_path(frame.sha256) as path:
        segment = read_segments(path, sensor)[5]
    amplifier = sensor.amplifiers[5]
    answer = observer.get(of_image(frame, "pixel/raw/?x=700&y=11")).json()
    light = segment[amplifier.image.slices]
    expected = light[11, amplifier.place.x1 - 1 - 700 if amplifier.flip_x else 700 - amplifier.place.x0]
    assert answer == {"value": float(expected), "unit": "ADU", "amplifier": "C15"}


def test_the_overscan_level_is_subtracted_unless_asked_otherwise(observer: Client):
    frame = stored(minicam(4, level=1000))
    assert observer.get(of_image(frame, "pixel/subtracted/?x=1&y=1")).json()["value"] == 0.0
    assert observer.get(of_image(frame, "pixel/raw/?x=1&y=1")).json()["value"] == 1000.0


def test_a_frame_without_overscan_offers_none_to_subtract(observer: Client):
    sensor = load("minicam").by_id[4]
    bare = [replace(amplifier, serial_overscan=None) for amplifier in sensor.amplifiers]
    generic = exposure(1, camera="generic", detectors_expected=1)
    geometry = detector_to_json(replace(sensor, amplifiers=tuple(bare)))
    archived(generic, 4, detector_name=sensor.name, geometry=geometry)
    text = page(observer)
    assert "the frame has no serial overscan to subtract" in text
    assert "overscan=raw" not in text


@pytest.mark.parametrize(
    ("place", "status"), [("?x=1024&y=0", 404), ("?x=-1&y=0", 404), ("?x=a&y=0", 400), ("", 400), ("?x=1.5&y=0", 400)]
)
def test_there_are_no_pixels_elsewhere(observer: Client, place: str, status: int):
    assert observer.get(of_image(stored(minicam(4)), f"pixel/raw/{place}")).status_code == status


def test_a_tile_is_an_image_that_browsers_may_keep(observer: Client):
    response = observer.get(of_image(stored(minicam(4)), "0/1/1?stretch=asinh&range=minmax"))
    assert Image.open(io.BytesIO(response.content)).size == (512, 512)
    assert response.headers["Cache-Control"] == "private, max-age=31536000, immutable"


@pytest.mark.parametrize("place", ["0/2/0", "0/0/2", "2/0/0", "77/0/0", "0/99999999999/0"])
def test_tiles_outside_are_not_found(observer: Client, place: str):
    response = observer.get(of_image(stored(minicam(4)), place))
    assert response.status_code == 404
    assert "Cache-Control" not in response.headers


@pytest.mark.parametrize("query", ["stretch=cubic", "range=all", "overscan=maybe"])
def test_a_tile_cannot_be_drawn_in_unknown_ways(observer: Client, query: str):
    response = observer.get(of_image(stored(minicam(4)), f"0/0/0?{query}"))
    assert response.status_code == 400


def test_the_histogram_counts_every_pixel(observer: Client):
    figure = observer.get(of_image(stored(minicam(4)), "histogram/?overscan=raw")).json()
    assert numbers(figure["data"][0]["y"]).sum() == 1024 * 1024


def test_the_file_comes_back_as_it_was_sent(observer: Client):
    content = minicam(4)
    frame = stored(content, file_name="a_frame.fits")
    response = observer.get(f"/2026-11-22/calib/frames/{frame.sha256}/file/")
    assert response.getvalue() == content
    assert response.headers["Content-Disposition"] == 'attachment; filename="a_frame.fits"'


def test_a_file_that_the_archive_lost_is_said_to_be_missing(observer: Client):
    frame = archived(exposure(1), 4)
    for address in (of_image(frame), f"/2026-11-22/calib/frames/{frame.sha256}/file/"):
        response = observer.get(address)
        assert response.status_code == 404
        assert b"manage.py scrub" in response.content


def test_an_image_too_large_for_the_web_server_is_refused(observer: Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(frame_image, "MOST_PIXELS", 1_000_000)
    response = observer.get(of_image(stored(minicam(4)), "0/0/0"))
    assert response.status_code == 422
    assert "too many to be shown here" in response.content.decode()


def test_the_frame_of_another_day_is_not_found(observer: Client):
    frame = stored(minicam(4))
    assert observer.get(f"/2026-11-21/calib/frames/{frame.sha256}/image/").status_code == 404


def test_an_unknown_checksum_is_not_found(observer: Client):
    assert observer.get(f"/2026-11-22/calib/frames/{'0' * 64}/image/").status_code == 404
    assert observer.get("/2026-11-22/calib/frames/../../etc/passwd/image/").status_code == 404
