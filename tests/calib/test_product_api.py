"""The API of the products: every field is described, and people's deeds are theirs alone."""

import json
from typing import Any

import pytest
from django.test import Client

from calib.api.openapi import DOCUMENT
from calib.models import CertificationAction
from dayops.models import ApiToken
from dayops.web import tokens
from tests.calib.products import BEFORE, made_set, product_of, verified
from tests.people import client_of, person

pytestmark = pytest.mark.django_db

API = "/api/v1/calib/products/"


def get(path: str, status: int = 200) -> dict[str, Any]:
    response = client_of().get(API + path)
    assert response.status_code == status, response.content
    found: dict[str, Any] = response.json()
    return found


def post(path: str, role: str, reason: object = "", status: int = 200) -> dict[str, Any]:
    scope = "operate" if role == "operator" else "judge"
    _, key = tokens.create(person(role), f"{role}-{ApiToken.objects.count()}", scope)
    headers = {"Authorization": f"Bearer {key}"}
    response = Client().post(API + path, json.dumps({"reason": reason}), "application/json", headers=headers)
    assert response.status_code == status, response.content
    found: dict[str, Any] = response.json()
    return found


def schema(path: str, method: str = "get") -> dict[str, Any]:
    answer = DOCUMENT["paths"][f"/products/{path}"][method]["responses"]["200"]["content"]["application/json"]["schema"]
    found: dict[str, Any] = answer["properties"]
    return found


def described(answer: Any, properties: dict[str, Any]) -> None:
    """Every field that is answered is described, and every described one is answered, down to the rows of lists."""
    assert set(answer) == set(properties)
    for name, value in answer.items():
        rows = properties[name].get("items", {}).get("properties")
        if rows and value:
            described(value[0], rows)


def test_sets_of_a_day_are_listed_newest_first():
    first, second = made_set(state="REFUSED"), made_set()
    found = get("sets?day=2026-11-22")
    assert [row["id"] for row in found["sets"]] == [second.pk, first.pk]
    described(found, schema("sets"))
    assert get("sets?day=2026-11-21")["total"] == 0
    assert "is not a dayObs" in get("sets?day=today", 400)["error"]


def test_a_set_has_its_stages_products_failed_tests_and_deeds():
    made = made_set(state="REFUSED")
    found = get(f"sets/{made.pk}")
    described(found, schema("sets/{pk}"))
    assert (found["state"], len(found["stages"]), len(found["products"])) == ("REFUSED", 9, 11)
    (failed,) = found["failed"]
    assert failed["values"][:4] == [0.01, 0.01, 0.31, 0.01]
    assert failed["values"][5] is None


def test_a_product_has_its_numbers_tests_and_provenance():
    made = made_set()
    product = product_of(made, "ptc")
    found = get(f"{product.pk}")
    described(found, schema("{pk}"))
    assert found["statistics"]["gain"][0] == pytest.approx(1.5 * 0.98)
    assert [(test["test"], test["passed"]) for test in found["tests"]] == [("ptc_noise", True)]
    assert found["certifications"][0]["valid_to"] is None
    origin = get(f"{product.pk}/provenance")
    described(origin, schema("{pk}/provenance"))
    assert {"inputs", "held out", "parameters", "calibrations", "software", "instrument", "dates"} <= set(
        origin["provenance"]
    )


def test_tonight_is_told_slot_by_slot_and_as_it_was_known():
    made_set(BEFORE)
    made_set(state="REFUSED")
    found = get("tonight?day=2026-11-22")
    described(found, schema("tonight"))
    used = next(slot for slot in found["slots"] if slot["product"])
    assert (used["state"], used["age_days"], used["detector"]) == ("OLD", 1, "R22_S11")
    assert not found["is_complete"]
    assert all(slot["product"] is None for slot in get("tonight?day=2026-11-22&known=2020-01-01")["slots"])
    assert get("tonight?at=2026-11-23T03:00:00Z")["day_obs"] == 20261122
    assert "is not an instant" in get("tonight?at=soon", 400)["error"]


def test_a_set_is_overridden_and_rolled_back_by_those_who_may():
    made = made_set(state="REFUSED")
    assert "scientist" in post(f"sets/{made.pk}/override", "operator", "x", 403)["error"]
    assert "A reason is needed" in post(f"sets/{made.pk}/override", "scientist", "", 409)["error"]
    assert "reason is not a text" in post(f"sets/{made.pk}/override", "scientist", 3, 400)["error"]
    done = post(f"sets/{made.pk}/override", "scientist", "known stripe")
    described(done, schema("sets/{pk}/override", "post"))
    assert (done["deed"]["override"], done["deed"]["reason"]) == (True, "known stripe")
    undone = post(f"sets/{made.pk}/rollback", "operator", "not so")
    assert undone["deed"]["undoes"] == done["deed"]["id"]
    assert "nothing to roll back" in post(f"sets/{made.pk}/rollback", "operator", "again", 409)["error"]


def test_a_product_is_flagged_bad_once():
    product = product_of(made_set(), "bias")
    done = post(f"{product.pk}/flag", "scientist", "a ghost")
    described(done, schema("{pk}/flag", "post"))
    assert (done["flagged_bad_by"][:9], done["deeds"][0]["kind"]) == ("scientist", "DECERTIFY")
    assert "already" in post(f"{product.pk}/flag", "scientist", "again", 409)["error"]
    assert CertificationAction.objects.count() == 2


def test_a_test_whose_values_are_no_numbers_is_still_json():
    product = product_of(made_set(), "bias")
    row = verified(product, test="bias_mean")
    row.values = [float("nan")] * 16
    row.save()
    assert get(f"{product.pk}")["tests"][-1]["values"] == [None] * 16
