"""What calibration adds to the search, and where a detector leads."""

import pytest
from django.test import Client

from calib.search import METRICS_AND_CHECKS
from dayops.web.work_pages.subjects import subject_url
from tests.calib.exposures import DAY
from tests.people import person


def titles(*words: str) -> list[str]:
    return [hit.title for hit in METRICS_AND_CHECKS.find(words)]


def test_a_metric_is_found_by_name_title_and_what_it_is() -> None:
    assert "read noise" in titles("read_noise_e")
    assert "banding" in titles("periodic", "overscan")
    assert titles("no such thing") == []


def test_a_check_leads_to_its_limits() -> None:
    (hit,) = [hit for hit in METRICS_AND_CHECKS.find(["light", "bias"]) if hit.title == "Light in a bias"]
    assert hit.url == "/calib/thresholds/?metric=light_in_bias"


def test_a_metric_that_is_named_exactly_leads_to_its_trend_at_once() -> None:
    assert METRICS_AND_CHECKS.exact("dark_current") == "/calib/trends/?metric=dark_current"
    assert METRICS_AND_CHECKS.exact("dark") == ""


@pytest.mark.django_db
def test_a_detector_leads_to_its_trend(client: Client) -> None:
    client.force_login(person("observer"))
    url = subject_url("detector:minicam/R22_S11", DAY)
    response = client.get(url)
    assert response.status_code == 302
    assert response["Location"].startswith("/calib/trends/?detector=R22_S11&until=")
    assert client.get(response["Location"]).status_code == 200


@pytest.mark.django_db
def test_the_search_page_shows_metrics(client: Client) -> None:
    client.force_login(person("observer"))
    assert "periodic line" in client.get("/search/?q=strongest+periodic").content.decode()
