"""Two exposures side by side: what changed, where, and what cannot be compared."""

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from calib.exposure_comparison import Comparison, same_kind
from calib.metric_map import focal_plane_of
from calib.science.metrics import BY_NAME
from dayops.camera import load
from dayops.camera.json import detector_to_json
from dayops.models import Exposure
from tests.calib.exposures import BEGIN, archived, assessed, exposure
from tests.calib.plotly_json import numbers
from tests.people import ROLES, client_of

PAGE = "/2026-11-22/calib/compare/"
A, B = "MC_S_20261122_000002", "MC_S_20261122_000001"
BOTH = f"a={A}&b={B}"
FIGURES = ("a", "b", "change", "histogram")
pytestmark = pytest.mark.django_db


@pytest.fixture
def observer() -> Client:
    return client_of("observer")


def pair(a: Any = 6.0, b: Any = 5.0, metric: str = "read_noise_e", **fields: Any) -> tuple[Exposure, Exposure]:
    """Two exposures of one measured detector; `a` is the later one."""
    earlier, later = exposure(1, **fields), exposure(2, **fields)
    assessed(archived(earlier, 4), **{metric: b})
    assessed(archived(later, 4), **{metric: a})
    return later, earlier


def figure(client: Client, which: str, query: str = BOTH) -> dict[str, Any]:
    response = client.get(f"{PAGE}{which}/?{query}")
    assert response.status_code == 200, response.content
    drawn: dict[str, Any] = json.loads(response.content)
    return drawn


def exported(client: Client, query: str = BOTH) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(client.get(f"{PAGE}?{query}&format=json").getvalue())
    return rows


@pytest.mark.parametrize("role", ROLES)
def test_every_role_may_look(role: str):
    pair()
    for address in ("", *(f"{which}/" for which in FIGURES)):
        assert client_of(role).get(f"{PAGE}{address}?{BOTH}").status_code == 200


def test_the_largest_change_comes_first_with_both_values(observer: Client):
    noise = np.full(16, 5.0)
    noise[7] = 2.0
    pair(a=noise)
    first, *others = exported(observer)
    assert (first["detector"], first["amplifier"]) == ("R22_S11", "C17")
    assert (first["a"], first["b"], first["change"], first["size"]) == (2.0, 5.0, -3.0, 3.0)
    assert len(others) == 15
    assert observer.get(first["trend"] + "&until=2026-11-22").status_code == 200


def test_both_planes_share_one_range_of_colours(observer: Client):
    pair(a=np.full(16, 9.0), b=np.full(16, 5.0))
    planes = [figure(observer, which)["data"][0] for which in ("a", "b")]
    assert [(plane["zmin"], plane["zmax"]) for plane in planes] == [(5.0, 9.0)] * 2


def test_a_difference_is_coloured_evenly_about_nothing(observer: Client):
    pair(a=np.linspace(4.0, 8.0, 16))
    cells, *_, places = figure(observer, "change")["data"]
    assert cells["zmin"] == -cells["zmax"]
    painted = numbers(cells["z"])
    assert np.nanmax(painted) == 3.0
    assert any("R22_S11 C10" in text and "4 − 5 = −1 e⁻" in text for text in places["hovertext"])


def test_signals_of_flats_are_divided(observer: Client):
    pair(a=20_000.0, b=10_000.0, metric="median", image_type="FLAT", filter="r")
    rows = exported(observer, f"{BOTH}&metric=median")
    assert {row["change"] for row in rows} == {2.0}
    assert "Ratio a ÷ b" in observer.get(f"{PAGE}?{BOTH}&metric=median").content.decode()


def test_the_noise_of_flats_is_subtracted(observer: Client):
    pair(image_type="FLAT", filter="r")
    assert {row["change"] for row in exported(observer)} == {1.0}


def test_a_ratio_over_nothing_is_no_value(observer: Client):
    signal = np.full(16, 100.0)
    signal[0] = 0.0
    pair(a=100.0, b=signal, metric="median", image_type="FLAT")
    assert len(exported(observer, f"{BOTH}&metric=median")) == 15


finite_or_not = st.lists(st.floats(-1e6, 1e6) | st.just(np.nan), min_size=16, max_size=16)


@given(finite_or_not, finite_or_not)
def test_rows_are_the_finite_differences_by_size(a: list[float], b: list[float]):
    plane = focal_plane_of(Exposure(camera="latiss"), [])
    comparison = Comparison(Exposure(camera="latiss"), Exposure(camera="latiss"), BY_NAME["read_noise_e"])
    maps = [type("Map", (), {"values": np.array(x), "counted": np.arange(16), "finite": None})() for x in (a, b)]
    comparison.__dict__.update(plane=plane, map_a=maps[0], map_b=maps[1])
    expected = sorted((abs(x - y) for x, y in zip(a, b, strict=True) if np.isfinite(x - y)), reverse=True)
    rows = list(comparison.rows())
    assert [row.size for row in rows] == expected
    assert all(row.footprint in plane.footprints for row in rows)


def test_a_bar_lists_exactly_the_amplifiers_it_counts(observer: Client):
    noise = np.linspace(5.0, 6.0, 16)
    noise[0] = 500.0
    pair(a=noise)
    (bars,) = figure(observer, "histogram")["data"]
    assert sum(numbers(bars["y"])) == 16
    for count, address in zip(numbers(bars["y"]), bars["customdata"], strict=True):
        assert len(exported(observer, address.partition("?")[2].partition("#")[0])) == count


def test_without_b_the_one_before_of_the_same_kind_is_taken(observer: Client):
    exposure(1)
    exposure(2, image_type="DARK")
    exposure(3, exposure_s=30.0)
    exposure(4, began_at=BEGIN - timedelta(days=1), name="MC_S_20261121_000009", day_obs=20261121)
    later = exposure(5)
    assert [each.seq_num for each in same_kind(later)] == [1, 4]
    assert observer.get(f"{PAGE}?a={later.name}").context["b"].seq_num == 1


def test_without_one_before_the_page_asks_for_another(observer: Client):
    first = exposure(1)
    text = observer.get(f"{PAGE}?a={first.name}").content.decode()
    assert "Nothing to compare with" in text
    assert observer.get(f"{PAGE}change/?a={first.name}").status_code == 404


def test_an_exposures_page_leads_to_the_comparison(observer: Client):
    later, _ = pair()
    text = observer.get(f"/2026-11-22/calib/exposures/{later.name}/").content.decode()
    assert f'href="{PAGE}?a={later.name}&amp;metric=read_noise_e"' in text
    assert observer.get(f"{PAGE}?a={later.name}&metric=read_noise_e").status_code == 200


def test_without_an_address_the_newest_of_the_day_is_compared(observer: Client):
    pair()
    assert observer.get(PAGE).context["a"].name == A


def test_a_metric_that_does_not_apply_to_one_is_said_so(observer: Client):
    earlier, later = exposure(1), exposure(2)
    assessed(archived(earlier, 4), flat_snr=np.nan)
    assessed(archived(later, 4), flat_snr=100.0)
    text = observer.get(f"{PAGE}?a={later.name}&b={earlier.name}&metric=flat_snr").content.decode()
    assert f"Flat snr has no value in {earlier.name} (BIAS): it does not apply there" in text
    assert f"no value in {later.name}" not in text
    assert "By size of change" not in text


def test_a_metric_of_the_detector_has_one_row_for_each_detector(observer: Client):
    later, earlier = exposure(2), exposure(1)
    for of, value in ((earlier, 1.0), (later, 3.0)):
        frame = archived(of, 4)
        frame.measurements.create(exposure=of, detector=4, metric="crosstalk", values=[value], levels=[0])
    (row,) = exported(observer, f"{BOTH}&metric=crosstalk")
    assert (row["detector"], row["change"]) == ("R22_S11", 2.0)
    assert "amplifier" not in row


def test_a_camera_without_a_file_is_compared_as_its_frames_describe_it(observer: Client):
    sensor = load("latiss").detectors[0]
    for seq_num in (1, 2):
        geometry = {"detector_name": sensor.name, "geometry": detector_to_json(sensor)}
        archived(exposure(seq_num, camera="generic", detectors_expected=1), 0, **geometry)
    assert numbers(figure(observer, "change")["data"][0]["z"]).shape == (8, 2)


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        (f"a={A}&b={A}", 400, "would be compared with itself"),
        (f"a={A}&b=LATISS_1", 400, "is of minicam, LATISS_1 of latiss: different focal planes cannot be compared"),
        ("a=nothing", 404, "No exposure “nothing” is known"),
        (f"a={A}&b=%00nothing", 404, "No exposure “nothing” is known"),
        (f"{BOTH}&metric=nonsense", 404, "There is no metric"),
        (f"{BOTH}&from=low", 400, "is not a number"),
    ],
)
def test_what_cannot_be_compared_is_refused_in_words(observer: Client, query: str, status: int, sentence: str):
    pair()
    exposure(3, camera="latiss", name="LATISS_1")
    response = observer.get(f"{PAGE}?{query}")
    assert response.status_code == status
    assert sentence in response.content.decode()


def test_a_day_without_exposures_has_nothing_to_compare(observer: Client):
    response = observer.get(PAGE)
    assert response.status_code == 404
    assert "No exposure of 2026-11-22 is known that could be compared." in response.content.decode()


def test_the_number_of_queries_does_not_grow_with_detectors(observer: Client):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert observer.get(f"{PAGE}?{BOTH}").status_code == 200
        return len(captured)

    both = pair()
    few = queries()
    for of in both:
        for detector in (0, 1, 2):
            assessed(archived(of, detector))
    assert queries() == few <= 16
