"""The trend page: what it shows, how one drills down and back, and what it refuses."""

import json
from typing import Any

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from calib.models import ExposureStatistic, Review
from dayops.models import Exposure, Note
from tests.calib.exposures import BEGIN, DAY, archived, assessed, exposure
from tests.calib.plotly_json import numbers
from tests.people import ROLES, client_of

PAGE = "/calib/trends/"
UNTIL = "until=2026-11-22"
pytestmark = pytest.mark.django_db


@pytest.fixture
def observer() -> Client:
    return client_of("observer")


def taken(seq_num: int, noise: float = 5.7, **fields: Any) -> Exposure:
    """An exposure with one measured detector and its statistics."""
    found = exposure(seq_num, **fields)
    assessed(archived(found, 4), read_noise_e=np.linspace(noise - 0.5, noise + 0.5, 16))
    numbers = {"minimum": noise - 0.5, "p5": noise - 0.4, "median": noise, "p95": noise + 0.4, "maximum": noise + 0.5}
    ExposureStatistic.objects.create(exposure=found, metric="read_noise_e", count=16, **numbers)
    return found


def figure(client: Client, query: str = "") -> dict[str, Any]:
    response = client.get(f"{PAGE}figure/?{UNTIL}&{query}")
    assert response.status_code == 200, response.content
    drawn: dict[str, Any] = json.loads(response.content)
    return drawn


def named(drawn: dict[str, Any], name: str) -> list[dict[str, Any]]:
    return [trace for trace in drawn["data"] if trace.get("name") == name]


def below(page: Any) -> dict[str, str]:
    """Names and addresses of what is one step deeper."""
    return {name: address for name, address, _ in page.context["deeper"]}


@pytest.mark.parametrize("role", ROLES)
def test_every_role_may_look(role: str):
    taken(1)
    assert client_of(role).get(f"{PAGE}?{UNTIL}").status_code == 200
    assert client_of(role).get(f"{PAGE}figure/?{UNTIL}").status_code == 200


def test_the_caption_has_the_numbers_that_matter(observer: Client):
    for seq_num, noise in enumerate((5.0, 6.0, 7.0), start=1):
        taken(seq_num, noise)
    caption = observer.get(f"{PAGE}?{UNTIL}").context["caption"]
    assert "Read noise of minicam, 3 exposures from 2026-10-24 to 2026-11-22" in caption
    assert "last 7.000 e⁻, median 6.000 e⁻, robust scatter 1.483 e⁻" in caption.replace("last 7 e", "last 7.000 e")
    assert "0 with a value outside its limits" in caption
    assert "now WARN outside 3 … 14 e⁻, ERROR outside 2 … 18 e⁻" in caption


def test_without_any_exposure_the_page_says_so(observer: Client):
    response = observer.get(f"{PAGE}?{UNTIL}")
    assert "No value in these days" in response.content.decode()
    assert observer.get(f"{PAGE}figure/?{UNTIL}").status_code == 200


def test_the_camera_has_a_median_line_in_its_band(observer: Client):
    for seq_num in (1, 2):
        taken(seq_num)
    drawn = figure(observer)
    (line,) = named(drawn, "BIAS")
    low, high = (trace for trace in drawn["data"] if trace.get("mode") == "lines" and trace["line"].get("width") == 0)
    assert list(numbers(line["y"])) == [5.7, 5.7]
    assert numbers(low["y"])[0] == pytest.approx(5.3)
    assert (numbers(high["y"])[0], high["fill"]) == (pytest.approx(6.1), "tonexty")


def test_a_point_leads_to_its_exposure_or_its_detector(observer: Client):
    first = taken(1)
    (line,) = named(figure(observer), "BIAS")
    assert line["customdata"] == [f"/2026-11-22/calib/exposures/{first.name}/?metric=read_noise_e"]
    (line,) = named(figure(observer, "detector=R22_S11"), "BIAS")
    assert line["customdata"] == [f"/2026-11-22/calib/exposures/{first.name}/R22_S11/?metric=read_noise_e"]
    assert all(observer.get(address).status_code == 200 for address in line["customdata"])


def test_an_amplifiers_line_leads_to_its_own_trend(observer: Client):
    taken(1)
    (line,) = named(figure(observer, "detector=R22_S11"), "C10")
    page = observer.get(line["meta"])
    assert "Read noise of R22_S11 C10" in page.content.decode()


def test_rejected_exposures_are_hollow_and_off_the_line(observer: Client):
    taken(1)
    bad = taken(2, 9.0)
    Review.objects.create(exposure=bad, decision="REJECT", reason="lights on", author="ada")
    drawn = figure(observer)
    assert list(numbers(named(drawn, "BIAS")[0]["y"])) == [5.7]
    (hollow,) = named(drawn, "BIAS, rejected")
    assert (hollow["marker"]["symbol"], list(numbers(hollow["y"]))) == ("circle-open", [9.0])
    (row,) = [row for row in exported(observer, "") if row["people"]]
    assert (row["exposure"], row["people"]) == (bad.name, "REJECTED")


def test_limits_are_steps_warn_dashed_error_solid(observer: Client):
    taken(1)
    drawn = figure(observer)
    assert {trace["line"]["dash"] for trace in named(drawn, "WARN limit")} == {"dash"}
    assert {trace["line"]["dash"] for trace in named(drawn, "ERROR limit")} == {"solid"}
    assert [numbers(trace["y"])[0] for trace in named(drawn, "WARN limit")] == [3.0, 14.0]
    assert {trace["line"]["shape"] for trace in named(drawn, "WARN limit")} == {"hv"}


@pytest.mark.parametrize(("noise", "limit"), [(28.0, 18.0), (0.9, 2.0)])
def test_a_trend_that_is_wholly_beyond_a_limit_shows_that_limit(observer: Client, noise: float, limit: float):
    taken(1, noise)
    low, high = figure(observer, "detector=R22_S11&amplifier=C02")["layout"]["yaxis"]["range"]
    assert low < limit < high


def test_interventions_stand_across_the_figure_with_their_words(observer: Client):
    taken(1)
    words = {"text": "new <b>controller</b>", "author": "ada", "day_obs": DAY, "happened_at": BEGIN}
    Note.objects.create(subject="camera:minicam", kind=Note.Kind.INTERVENTION, **words)
    (line,) = named(figure(observer), "intervention")
    assert line["hovertext"][0] == "minicam: new &lt;b&gt;controller&lt;/b&gt;"
    text = observer.get(f"{PAGE}?{UNTIL}").content.decode()
    assert "new &lt;b&gt;controller" in text
    assert "<b>controller" not in text


def exported(client: Client, query: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(client.get(f"{PAGE}?{UNTIL}&{query}&format=json").getvalue())
    return rows


def test_a_bar_lists_exactly_the_points_it_counts(observer: Client):
    for seq_num, noise in enumerate((5.0, 5.0, 5.1, 6.5, 7.0), start=1):
        taken(seq_num, noise)
    (bars,) = (trace for trace in figure(observer)["data"] if trace["type"] == "bar")
    assert sum(numbers(bars["x"])) == 5
    for count, address in zip(numbers(bars["x"]), bars["customdata"], strict=True):
        query = address.partition("?")[2].partition("#")[0]
        assert len(exported(observer, query)) == count


def test_kinds_are_lines_of_their_own_and_link_to_themselves(observer: Client):
    taken(1)
    taken(2, 8.0, image_type="FLAT", filter="r")
    drawn = figure(observer)
    assert named(drawn, "BIAS")
    assert named(drawn, "FLAT r")
    context = observer.get(f"{PAGE}?{UNTIL}").context
    (_, address) = context["kinds"][1]
    assert "1 exposures" in observer.get(address).context["caption"]


def test_one_drills_from_the_camera_to_an_amplifier_and_back(observer: Client):
    taken(1)
    page = observer.get(f"{PAGE}?{UNTIL}&type=BIAS")
    detector = below(page)["R22_S11"]
    amplifier = below(observer.get(detector))["C10"]
    context = observer.get(amplifier).context
    assert [name for name, _ in context["crumbs"]] == ["Trends of minicam", "R22_S11", "C10"]
    back = observer.get(context["crumbs"][0][1]).context
    assert (back["scope"].detector, back["scope"].image_type) == (None, "BIAS")


def test_a_raft_lies_between_camera_and_detector(observer: Client):
    lsst = exposure(1, camera="lsstcam", detectors_expected=189)
    assessed(archived(lsst, 94))
    page = observer.get(f"{PAGE}?{UNTIL}&camera=lsstcam")
    raft = below(page)["R22"]
    context = observer.get(raft).context
    assert context["points"] == 1
    assert [name for name, _ in context["crumbs"]] == ["Trends of lsstcam", "raft R22"]


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("metric=nonsense", 404, "There is no metric"),
        ("days=many", 400, "days=many is no number of days"),
        ("days=0", 400, "days=0 is no number of days"),
        ("days=²", 400, "is no number of days"),
        ("days=99999999999999999999", 400, "is no number of days"),
        ("until=yesterday", 400, "until=yesterday is no dayObs"),
        ("until=1066-10-14", 400, "is no dayObs"),
        ("days=3650&until=1991-01-01", 400, "3649 days before 1991-01-01 is too early"),
        ("camera=hubble", 404, "There is no camera “hubble”"),
        ("detector=R99_S99", 404, "minicam has no detector “R99_S99”"),
        ("raft=R99", 404, "minicam has no raft “R99”"),
        ("amplifier=C10", 400, "Amplifier C10 of which detector?"),
        ("detector=R22_S11&amplifier=C99", 404, "R22_S11 has no amplifier “C99”"),
        ("from=low", 400, "is not a number"),
        ("filter=%00&type=%00", 200, "No value in these days"),
        ("type=' OR 1=1 --", 200, "No value in these days"),
    ],
)
def test_a_query_that_makes_no_sense_is_answered_in_words(observer: Client, query: str, status: int, sentence: str):
    response = observer.get(f"{PAGE}?{query}")
    assert response.status_code == status
    assert sentence in response.content.decode()


@pytest.mark.parametrize("query", ["", "detector=R22_S11", "raft=R22", "detector=R22_S11&amplifier=C10"])
@pytest.mark.parametrize("form", ["csv", "json"])
def test_every_trend_is_exported(observer: Client, query: str, form: str):
    taken(1)
    response = observer.get(f"{PAGE}?{UNTIL}&{query}&format={form}")
    assert b"MC_S_20261122_000001" in response.getvalue()
    assert "trend_read_noise_e" in response.headers["Content-Disposition"]


@pytest.mark.parametrize("query", ["", "detector=R22_S11", "raft=R22"])
@pytest.mark.parametrize("address", [PAGE, f"{PAGE}figure/"])
def test_the_number_of_queries_does_not_grow_with_days(observer: Client, address: str, query: str):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert observer.get(f"{address}?{UNTIL}&{query}").status_code == 200
        return len(captured)

    taken(1)
    few = queries()
    for seq_num in range(2, 7):
        taken(seq_num, day_obs=DAY - seq_num)
    assert queries() == few <= 16
