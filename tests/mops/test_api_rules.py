"""DayMOPS' API by its own description: types, choices and pages; and who may give a verdict with which token."""

import json
from typing import Any

import pytest
from django.test import Client

from dayops.models import ApiToken, Event
from dayops.web import tokens
from mops.api.linkages import DEEDS, NUMBERS
from mops.api.openapi import DOCUMENT
from mops.models import Linkage, Night, Submission
from tests.mops.nights import TRUTH, linkage, linkages, night
from tests.mops.test_api import API, get
from tests.mops.test_pages_night import queries
from tests.mops.test_pages_others import report
from tests.people import ROLES, client_of, person

pytestmark = pytest.mark.django_db

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}
PATHS = {
    "/nights": "nights",
    "/nights/{pk}": "nights/{night}",
    "/nights/{pk}/linkages": "nights/{night}/linkages",
    "/linkages/{pk}": "linkages/{linkage}",
    "/submissions": "submissions",
}


def faults(value: Any, schema: dict[str, Any], where: str = "") -> list[str]:
    """Where `value` is not what the JSON schema says: types, choices, items and properties."""
    if not schema:
        return []
    kinds = schema.get("type", list(TYPES))
    kinds = [kinds] if isinstance(kinds, str) else kinds
    allowed = tuple(kind for name in kinds for kind in TYPES[name])
    if not isinstance(value, allowed) or (isinstance(value, bool) and "boolean" not in kinds):
        return [f"{where}: {value!r} is none of {kinds}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{where}: {value!r} is none of {schema['enum']}"]
    found = []
    if isinstance(value, list):
        for each in value:
            found += faults(each, schema.get("items", {}), f"{where}[]")
    if isinstance(value, dict):
        for name, inner in schema.get("properties", {}).items():
            found += faults(value[name], inner, f"{where}.{name}") if name in value else [f"{where}.{name} is missing"]
    return found


def schema_of(path: str, method: str = "get") -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]
    return found


def given(one: Linkage, deed: str, body: object, *, role: str = "scientist", scope: str = "judge") -> Any:
    """The answer to a verdict with a token of `scope`; `body` goes out as it is where it is bytes."""
    _, key = tokens.create(person(role), f"{role}-{scope}-{ApiToken.objects.count()}", scope)
    sent = body if isinstance(body, bytes) else json.dumps(body)
    headers = {"Authorization": f"Bearer {key}"}
    return Client(enforce_csrf_checks=True).post(
        f"{API}linkages/{one.pk}/{deed}", sent, "application/json", headers=headers
    )


def untouched(one: Linkage) -> bool:
    one.refresh_from_db()
    return one.review == "OPEN" and not Event.objects.filter(subject=f"linkage:{one.pk}").exists()


class TestTheDescription:
    @pytest.mark.parametrize("path", PATHS)
    def test_gives_the_type_and_choices_of_every_field_that_is_answered(self, path):
        made = night(truth=TRUTH)
        night(20261121, state="MAKING", counts={})
        gaps: dict[str, Any] = dict.fromkeys(set(NUMBERS) - {"epoch_mjd_tdb", "arc_days"})
        gaps |= {"covariance": None, "u_parameter": None, "degrees_of_freedom": None, "orbit_class": ""}
        one = linkage(made, **gaps)
        report(linkage(made))
        report(one, problems=["no mag."], ss_object_id=3)
        answer = get(PATHS[path].format(night=made.pk, linkage=one.pk))
        assert faults(answer, schema_of(path)) == []

    @pytest.mark.parametrize("state", Night.State.values)
    def test_knows_a_night_of_every_state(self, state):
        made = night(state=state)
        assert faults(get(f"nights/{made.pk}"), schema_of("/nights/{pk}")) == []
        assert get(f"nights/{made.pk}")["state"] == state

    @pytest.mark.parametrize("deed", DEEDS)
    def test_gives_the_answer_to_a_verdict(self, deed):
        answer = given(linkage(night()), deed, {"reason": "seen"})
        assert faults(answer.json(), schema_of(f"/linkages/{{pk}}/{deed}", "post")) == []

    def test_names_every_choice_of_every_question(self):
        asked = {
            (path, parameter["name"]): parameter["schema"].get("enum")
            for path, methods in DOCUMENT["paths"].items()
            for parameter in methods.get("get", {}).get("parameters", [])
            if parameter["in"] == "query"
        }
        assert asked["/nights", "state"] == Night.State.values
        assert asked["/submissions", "state"] == Submission.State.values
        assert asked["/nights/{pk}/linkages", "verdict"] == Linkage.Verdict.values
        assert asked["/nights/{pk}/linkages", "review"] == Linkage.Review.values
        for path in ("/nights", "/submissions", "/nights/{pk}/linkages"):
            assert {name for each, name in asked if each == path} >= {"page", "size"}, path

    def test_says_the_unit_of_every_number_that_has_one(self):
        row = schema_of("/linkages/{pk}")["properties"]
        without = {name for name in NUMBERS if "description" not in row[name]}
        assert without == {"chi2", "e"}

    def test_a_fault_would_be_found(self):
        """Of the little checker above: it must not let everything pass."""
        schema = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "array", "items": {"type": "string"}}}}  # fmt: skip  # noqa: E501
        assert faults({"a": 1, "b": ["x"]}, schema) == []
        assert len(faults({"a": True, "b": [1]}, schema)) == 2
        assert faults({"b": []}, schema) == [".a is missing"]


class TestPages:
    def test_follow_each_other_without_losing_or_repeating_a_linkage(self):
        made = night()
        rows = {one.pk for one in linkages(made, 10)}
        path = f"nights/{made.pk}/linkages?size=4"
        answers = [get(f"{path}&page={number}") for number in (1, 2, 3)]
        assert [len(answer["linkages"]) for answer in answers] == [4, 4, 3]
        assert {row["id"] for answer in answers for row in answer["linkages"]} == rows
        assert {(answer["pages"], answer["total"]) for answer in answers} == {(3, 11)}
        assert "There is no page 4: there are 3." in get(f"{path}&page=4", 404)["error"]

    @pytest.mark.parametrize("words", ["size=0", "size=-1", "size=many", "page=0", "page=1.5", "page=²", "size=1001"])
    def test_that_make_no_sense_are_refused_in_a_sentence(self, words):
        made = night()
        for path in ("nights", "submissions", f"nights/{made.pk}/linkages"):
            assert words.split("=")[0] in get(f"{path}?{words}", 400)["error"], path

    @pytest.mark.parametrize("path", ["nights/{huge}", "nights/{huge}/linkages", "linkages/{huge}", "linkages/0"])
    def test_of_what_is_not_there_are_404_in_json(self, path):
        answer = get(path.format(huge="9" * 40), 404)
        assert answer["status"] == 404
        assert "Traceback" not in answer["error"]

    def test_take_the_same_queries_for_10_and_for_100_linkages(self):
        made = night()
        linkages(made, 10)
        few = queries(f"{API}nights/{made.pk}/linkages")
        linkages(made, 90)
        assert queries(f"{API}nights/{made.pk}/linkages") == few

    def test_of_nights_and_reports_take_the_same_queries_for_many(self):
        report(linkage(night()))
        few = [queries(f"{API}{path}") for path in ("nights", "submissions")]
        for day in range(20261110, 20261118):
            report(linkage(night(day)))
        assert [queries(f"{API}{path}") for path in ("nights", "submissions")] == few

    def test_empty_ones_are_empty_lists(self):
        for path in ("nights", "submissions"):
            assert (get(path)[path], get(path)["total"]) == ([], 0)


class TestVerdicts:
    @pytest.mark.parametrize(("role", "scope"), [("scientist", "judge"), ("maintainer", "judge")])
    def test_are_given_by_those_who_may_with_a_token_that_may(self, role, scope):
        one = linkage(night())
        assert given(one, "reject", {"reason": "two stars"}, role=role, scope=scope).status_code == 200
        one.refresh_from_db()
        assert (one.review, one.review_reason) == ("REJECTED", "two stars")
        assert one.reviewed_by.startswith(role)

    @pytest.mark.parametrize("scope", [scope for scope in ApiToken.Scope.values if scope != "judge"])
    def test_need_a_token_of_their_scope_whoever_made_it(self, scope):
        one = linkage(night())
        answer = given(one, "approve", {"reason": "x"}, role="maintainer", scope=scope)
        assert answer.status_code == 403
        assert "token" in answer.json()["error"].lower()
        assert untouched(one)

    @pytest.mark.parametrize("role", [role for role in ROLES if role not in {"scientist", "maintainer"}])
    def test_are_not_given_by_others_though_their_token_is_of_that_scope(self, role):
        one = linkage(night())
        answer = given(one, "approve", {"reason": "x"}, role=role)
        assert answer.status_code == 403
        assert "the group “scientist”" in answer.json()["error"]
        assert untouched(one)

    def test_are_not_given_by_nobody(self):
        one = linkage(night())
        answer = Client().post(f"{API}linkages/{one.pk}/approve", "{}", "application/json")
        assert answer.status_code == 401
        assert untouched(one)

    def test_from_a_browser_need_the_forms_token(self):
        one, client = linkage(night()), client_of("scientist")
        client.handler.enforce_csrf_checks = True
        assert client.post(f"{API}linkages/{one.pk}/approve", "{}", "application/json").status_code == 403
        assert untouched(one)

    @pytest.mark.parametrize(
        ("body", "status", "sentence"),
        [
            (b"reason=x", 400, "is not JSON"),
            (b"[1]", 400, "is not a JSON object"),
            (b"\xff\xfe", 400, "is not JSON"),
            ({"reason": ["x"]}, 400, "reason is not a text."),
            ({"reason": None}, 400, "reason is not a text."),
            ({}, 409, "A reason is needed"),
            ({"reason": "\0"}, 409, "A reason is needed"),
        ],
    )
    def test_that_make_no_sense_change_nothing_and_say_why(self, body, status, sentence):
        one = linkage(night())
        answer = given(one, "reject", body)
        assert (answer.status_code, sentence in answer.json()["error"]) == (status, True), answer.content
        assert untouched(one)

    def test_that_the_page_would_refuse_are_refused_here_too(self):
        refused, trial = linkage(made := night(), verdict="REFUSED"), linkage(night(state="TRIAL"))
        assert made.state == "PUBLISHED"
        assert "It cannot be approved." in given(refused, "approve", {"reason": "x"}).json()["error"]
        assert (
            "only linkages of a published or refused night" in given(trial, "reject", {"reason": "x"}).json()["error"]
        )
        assert untouched(refused)
        assert untouched(trial)

    def test_are_not_read(self):
        one = linkage(night())
        answer = client_of("scientist").get(f"{API}linkages/{one.pk}/approve")
        assert (answer.status_code, answer["Allow"]) == (405, "POST")
        assert "use POST" in answer.json()["error"]
        assert untouched(one)

    def test_of_what_is_not_there_are_404(self):
        assert given(Linkage(pk=999_999), "approve", {"reason": "x"}).status_code == 404


def test_lists_are_not_written_to():
    for path in ("nights", "submissions"):
        answer = client_of("maintainer").post(API + path, "{}", "application/json")
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize("query", ["day=2026-13-40", "day=%00", "day=99999999999999", "day=", "state="])
def test_a_day_that_is_none_is_refused_and_an_empty_question_is_not_asked(query):
    night()
    name, value = query.split("=")
    if value:
        assert "is not a dayObs" in get(f"nights?{query}", 400)["error"]
    else:
        assert get(f"nights?{name}=")["total"] == 1
