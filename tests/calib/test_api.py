"""The calibration API: people's verdicts and limits, for programs."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from calib.api import urls
from calib.api.openapi import DOCUMENT
from calib.models import Review, Threshold
from dayops.models import ApiToken
from dayops.observing_day import ObservingDay
from dayops.web import tokens
from tests.calib.exposures import archived, assessed, exposure
from tests.people import client_of, person

pytestmark = pytest.mark.django_db

API = "/api/v1/calib/"
NOISE = {"metric": "read_noise_e", "camera": "minicam", "warn_high": 5.0, "error_high": 9}


def get(path: str, status: int = 200) -> dict[str, Any]:
    response = client_of().get(API + path)
    assert response.status_code == status, response.content
    found: dict[str, Any] = response.json()
    return found


def post(path: str, body: object, status: int = 200, role: str = "scientist", scope: str = "judge") -> dict[str, Any]:
    _, key = tokens.create(person(role), f"{role}-{scope}-{ApiToken.objects.count()}", scope)
    headers = {"Authorization": f"Bearer {key}"}
    response = Client().post(API + path, json.dumps(body), "application/json", headers=headers)
    assert response.status_code == status, response.content
    found: dict[str, Any] = response.json()
    return found


def answered(path: str, method: str) -> set[str]:
    schema = DOCUMENT["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
    return set(schema["properties"])


class TestVerdicts:
    def test_are_given_on_several_exposures_and_read_again(self):
        names = [exposure(number).name for number in (1, 2)]
        given = post("reviews/reject", {"exposures": names, "reason": "settling"})
        assert [row["exposure"] for row in given["reviews"]] == names
        found = get("reviews?day=2026-11-22&exposure=" + names[0])["reviews"]
        assert [(row["decision"], row["reason"], row["detector"]) for row in found] == [("REJECT", "settling", "")]
        assert found[0]["author"].startswith("scientist (token ")

    def test_are_given_on_one_detector(self):
        frame = archived(exposure())
        body = {"exposures": [frame.exposure.name], "detector": frame.detector_name, "reason": "looked at"}
        assert post("reviews/accept", body)["reviews"][0]["detector"] == frame.detector_name
        assert Review.objects.get().frame == frame

    @pytest.mark.parametrize(
        ("body", "status", "sentence"),
        [
            ({"exposures": [], "reason": "x"}, 400, "Name 1 to 500 exposures"),
            ({"exposures": ["NONE"], "reason": "x"}, 400, "No exposure NONE is known"),
            ({"exposures": ["MC_S_20261122_000001"]}, 409, "A reason is needed"),
            ({"exposures": ["MC_S_20261122_000001"], "reason": 3}, 400, "reason is not a text"),
            ({"exposures": ["MC_S_20261122_000001"], "detector": "R00", "reason": "x"}, 400, "No frame of R00"),
        ],
    )
    def test_that_make_no_sense_are_refused(self, body, status, sentence):
        exposure(1)
        assert sentence in post("reviews/reject", body, status)["error"]
        assert not Review.objects.exists()

    def test_name_the_camera_where_two_have_the_exposure(self):
        name = exposure(1).name
        other = exposure(1, camera="latiss")
        assert "name the camera" in post("reviews/reject", {"exposures": [name], "reason": "x"}, 400)["error"]
        post("reviews/reject", {"exposures": [name], "camera": "latiss", "reason": "x"})
        assert Review.objects.get().exposure == other

    def test_of_a_day_that_is_none_are_refused(self):
        assert "is not a dayObs" in get("reviews?day=today", 400)["error"]


class TestLimits:
    def test_are_previewed_activated_and_retired(self):
        assessed(archived(exposure(name="MC_S_now", day_obs=ObservingDay.current().day_obs)))
        change = {"rows": [NOISE], "reason": "quieter"}
        seen = post("thresholds/preview", change)
        assert (seen["seen"], seen["worse"], seen["better"]) == (16, 16, 0)
        done = post("thresholds/activate", {**change, "digest": seen["digest"], "seen": 16})
        assert done["since_preview"] == ""
        row = done["thresholds"][0]
        assert (row["warn_high"], row["state"], row["reason"]) == (5.0, "IN FORCE", "quieter")
        assert get("thresholds?metric=read_noise_e&camera=minicam")["thresholds"] == [row]
        assert "are retired" in post(f"thresholds/{row['id']}/retire", {"reason": "wrong"})["done"]
        assert "nothing to retire" in post(f"thresholds/{row['id']}/retire", {"reason": "again"}, 409)["error"]
        assert get("thresholds?metric=read_noise_e&camera=minicam")["thresholds"] == []
        assert get("thresholds?metric=read_noise_e&camera=minicam&ended=1")["thresholds"][0]["id"] == row["id"]

    def test_that_were_not_previewed_are_a_conflict(self):
        body = {"rows": [NOISE], "reason": "quieter", "digest": "0" * 64, "seen": 0}
        assert "not the limits that were previewed" in post("thresholds/activate", body, 409)["error"]
        assert not Threshold.objects.filter(reason="quieter").exists()

    @pytest.mark.parametrize(
        ("body", "sentence"),
        [
            ({}, "Give rows"),
            ({"rows": [3], "reason": "x"}, "Give rows"),
            ({"rows": [{"metric": "read_noise_e", "wanr_high": 3}], "reason": "x"}, "A row has no wanr_high"),
            ({"rows": [{**NOISE, "warn_high": "many"}], "reason": "x"}, "“many” is not a number"),
            ({"rows": [NOISE]}, "A reason is needed"),
            ({"rows": [NOISE], "reason": "x", "valid_from": "soon"}, "“soon” is not an instant"),
            ({"rows": [NOISE], "reason": "x", "days": 1000}, "1000 days are not possible"),
            ({"rows": [NOISE], "reason": "x", "days": "7"}, "days is not a whole number"),
            ({"rows": [NOISE, {**NOISE, "metric": "median"}], "reason": "x"}, "more than one metric"),
        ],
    )
    def test_that_make_no_sense_are_refused(self, body, sentence):
        assert sentence in post("thresholds/preview", body, 400)["error"]


class TestTheDescription:
    def test_names_every_address(self):
        routes = {re.sub(r"<\w+:(\w+)>", r"{\1}", f"/{each.pattern}") for each in urls.urlpatterns}
        assert set(get("openapi.json")["paths"]) == routes - {"/openapi.json"}

    def test_names_every_field_that_is_answered(self):
        name = exposure().name
        change = {"rows": [NOISE], "reason": "quieter"}
        given = post("reviews/reject", {"exposures": [name], "reason": "x"})
        seen = post("thresholds/preview", change)
        done = post("thresholds/activate", {**change, "digest": seen["digest"], "seen": seen["seen"]})
        assert set(get("reviews")) == answered("/reviews", "get")
        assert set(given) == answered("/reviews/reject", "post")
        assert set(seen) == answered("/thresholds/preview", "post")
        assert set(done) == answered("/thresholds/activate", "post")
        assert set(get("thresholds")) == answered("/thresholds", "get")
        schemas = DOCUMENT["paths"]["/thresholds"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert set(done["thresholds"][0]) == set(schemas["properties"]["thresholds"]["items"]["properties"])


@pytest.mark.parametrize(("role", "scope"), [("operator", "operate"), ("scientist", "read"), ("observer", "judge")])
def test_others_change_nothing(role, scope):
    name = exposure().name
    post("reviews/reject", {"exposures": [name], "reason": "x"}, 403, role, scope)
    post("thresholds/activate", {"rows": [NOISE], "reason": "x"}, 403, role, scope)
    assert not Review.objects.exists()
