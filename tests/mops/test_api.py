"""DayMOPS' API: every field is described, numbers are numbers, and verdicts are people's own."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from dayops.models import ApiToken
from dayops.web import tokens
from mops.api import urls
from mops.api.openapi import DOCUMENT
from mops.models import Linkage
from tests.mops.nights import TRUTH, linkage, linkages, night
from tests.mops.test_pages_others import report
from tests.people import client_of, person

pytestmark = pytest.mark.django_db

API = "/api/v1/mops/"


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


def described(answer: dict[str, Any], path: str, method: str = "get") -> None:
    """Every field that is answered is described, and every described one is answered, in the rows of lists too."""
    schema = DOCUMENT["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
    assert set(answer) == set(schema["properties"])
    for name, value in answer.items():
        properties = schema["properties"][name].get("items", {}).get("properties")
        if properties and value:
            assert set(value[0]) == set(properties), name


def test_every_address_is_described_and_every_description_has_an_address():
    known = {"/" + re.sub(r"<int:(\w+)>", r"{\1}", str(each.pattern)) for each in urls.urlpatterns}
    assert known - {"/openapi.json"} == set(DOCUMENT["paths"])
    assert get("openapi.json")["openapi"] == "3.1.0"


def test_nights_are_listed_newest_first_and_chosen_by_day_and_state():
    first, second = night(20261121), night()
    trial = night(state="TRIAL")
    found = get("nights")
    described(found, "/nights")
    assert [row["id"] for row in found["nights"]] == [trial.pk, second.pk, first.pk]
    assert [row["id"] for row in get("nights?day=2026-11-22&state=TRIAL")["nights"]] == [trial.pk]


def test_a_night_has_its_counts_and_truth():
    made = night(truth=TRUTH)
    found = get(f"nights/{made.pk}")
    described(found, "/nights/{pk}")
    assert (found["counts"]["accepted"], found["truth"]["purity"]) == (398, 1.0)


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("nights?day=today", "is not a dayObs"),
        ("nights?state=GONE", "is none of MAKING"),
        ("submissions?state=x", "is none of HELD"),
        ("nights?size=5000", "is too large"),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_sentence(path, sentence):
    assert sentence in get(path, 400)["error"]


def test_linkages_of_a_night_are_listed_without_arrays_and_chosen_by_verdict():
    made = night()
    *accepted, refused = linkages(made, 3)
    found = get(f"nights/{made.pk}/linkages")
    described(found, "/nights/{pk}/linkages")
    assert [row["id"] for row in found["linkages"]] == [*(one.pk for one in accepted), refused.pk]
    assert [row["id"] for row in get(f"nights/{made.pk}/linkages?verdict=REFUSED")["linkages"]] == [refused.pk]
    assert get(f"nights/{made.pk}/linkages?class=NEO")["total"] == 0
    assert "is none of" in get(f"nights/{made.pk}/linkages?review=maybe", 400)["error"]


def test_a_linkage_is_whole_with_one_residual_for_each_source():
    one = linkage(night())
    found = get(f"linkages/{one.pk}")
    described(found, "/linkages/{pk}")
    assert found["sources"] == one.sources
    assert len(found["residual_ra"]) == len(found["used"]) == 8
    assert len(found["covariance"]) == 36


def test_a_number_that_is_none_is_null_and_valid_json():
    one = linkage(night(), a_au=float("inf"), covariance=None, rms_arcsec=float("nan"))
    found = get(f"linkages/{one.pk}")
    assert (found["a_au"], found["rms_arcsec"], found["covariance"]) == (None, None, [])


@pytest.mark.parametrize(("deed", "review"), [("approve", "APPROVED"), ("reject", "REJECTED"), ("reopen", "OPEN")])
def test_a_verdict_is_given_with_a_token_and_keeps_its_name(deed, review):
    one = linkage(night())
    described(post(f"linkages/{one.pk}/{deed}", {"reason": "looked at"}), f"/linkages/{{pk}}/{deed}", "post")
    one.refresh_from_db()
    assert one.review == review
    assert review == "OPEN" or one.reviewed_by.startswith("scientist (token ")


def test_a_verdict_without_reason_or_right_changes_nothing():
    one = linkage(night())
    assert "A reason is needed" in post(f"linkages/{one.pk}/reject", {"reason": " "}, 409)["error"]
    assert "not a text" in post(f"linkages/{one.pk}/reject", {"reason": 7}, 400)["error"]
    assert (
        "the group “scientist”"
        in post(f"linkages/{one.pk}/reject", {"reason": "x"}, 403, "operator", "operate")["error"]
    )
    assert Linkage.objects.get().review == "OPEN"


def test_reports_are_listed_with_their_sources():
    row = report(linkage(night()))
    found = get("submissions?day=2026-11-22&state=HELD")
    described(found, "/submissions")
    assert found["submissions"][0]["sources"] == row.sources
    assert get("submissions?day=2026-11-21")["total"] == 0
