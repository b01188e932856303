"""The checks of an exposure as its page shows them: what is wrong, by how much, and what to do."""

from typing import Any

import numpy as np
import pytest
from django.test import Client

from calib import services
from calib.exposure_judgement import judge_exposure, judge_if_complete
from dayops.camera import load
from tests.calib.exposures import DAY, archived, assessed, exposure, measured
from tests.people import person

MINICAM = load("minicam")
pytestmark = pytest.mark.django_db


@pytest.fixture
def observer(client: Client) -> Client:
    client.force_login(person("observer"))
    return client


def test_before_it_is_judged_the_page_says_when_it_will_be(observer: Client) -> None:
    assessed(archived(exposure(1), 0))
    assert "The exposure is judged as a whole once all of its frames are measured" in page(observer)


def test_a_healthy_exposure_says_how_many_checks_it_passed(observer: Client) -> None:
    judged()
    assert "checks that apply are passed" in page(observer)


def test_a_failed_check_says_what_where_the_limit_and_the_remedy(observer: Client) -> None:
    judged(median=15.0)
    html = page(observer)
    assert "Light in a bias" in html
    assert "R22_S00, R22_S01, R22_S02, R22_S10, R22_S11, R22_S12 and 3 more" in html
    assert "Half of the amplifiers have 15 ADU above the overscan (limit 10 ADU)." in html
    assert "take the biases again" in html


def test_the_verdict_counts_the_checks(observer: Client) -> None:
    judged(median=15.0)  # a WARN of every amplifier
    assert observer.get(address()).context["verdict"] == "ERROR"


def test_settling_biases_can_be_rejected_in_one_step(observer: Client) -> None:
    for number in range(3):
        one = exposure(1 + number)
        for detector in range(9):
            assessed(archived(one, detector), overscan_level=25_000 + 40 * np.exp(-number))
        judge_if_complete(one)
    html = page(observer, 2)
    (row,) = (row for row in observer.get(address(2)).context["checks"] if row.worst.level)
    assert f"exposure={exposure_name(1)}&exposure={exposure_name(2)}" in row.drop_url
    assert "Reject the exposures named" in html
    form = observer.get(row.drop_url)
    assert form.context["chosen"] >= {exposure_name(1), exposure_name(2)}


def test_what_a_header_contradicts_is_told_with_its_detector(observer: Client) -> None:
    frame = archived(exposure(1), 0)
    services.record_assessment(frame, MINICAM.by_id[0], measured(MINICAM.by_id[0]), ["EXPTIME says 30 s."])
    assert "R22_S00: EXPTIME says 30 s." in page(observer)


def judged(**metrics: Any) -> None:
    one = exposure(1)
    for detector in range(9):
        assessed(archived(one, detector), **metrics)
    judge_exposure(one)


def exposure_name(seq_num: int) -> str:
    return f"MC_S_{DAY}_{seq_num:06d}"


def address(seq_num: int = 1) -> str:
    return f"/2026-11-22/calib/exposures/{exposure_name(seq_num)}/"


def page(client: Client, seq_num: int = 1) -> str:
    response = client.get(address(seq_num))
    assert response.status_code == 200, response.content
    return response.content.decode()
