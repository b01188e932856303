"""Who sees which of DayMOPS' pages, who may change what there, and what the others are told."""

import json
from typing import Any

import pytest
from django.test import Client

from dayops.models import Event, Run
from mops.models import Linkage, Submission
from tests.mops.in_level1 import OBJECT, detected, known_object
from tests.mops.nights import linkage, night
from tests.mops.test_pages_others import report
from tests.people import ROLES, client_of

pytestmark = pytest.mark.django_db

DAY_PAGE = "/2026-11-22/mops/"
JUDGES, OPERATORS = ("scientist", "maintainer"), ("operator", "maintainer")
JUDGING = "Only the group “scientist” or the group “maintainer” may give verdicts on frames and candidates"
STARTING = "Only the group “operator” or the group “maintainer” may start, retry and abort runs"
TOO_OLD = "The form you sent is too old or did not come from this site, so nothing was done."


class Filled:
    """A night with all that its pages can show, and every address below it."""

    def __init__(self) -> None:
        self.night = night()
        self.one = linkage(self.night, ss_object_id=OBJECT)
        detected(self.one)
        known_object(of=self.one)
        self.row = report(self.one)
        trial = night(state="TRIAL")
        places = ["", "candidates/", f"candidates/{self.one.pk}/", "objects/", f"objects/{OBJECT}/", "hypotheses/",
                  f"compare/?a={self.night.pk}&b={trial.pk}", "tonight/", "submissions/",
                  f"submissions/{self.row.pk}/"]  # fmt: skip
        self.pages = [DAY_PAGE + place for place in places]
        figures = ["figures/steps/", "throughput/", f"candidates/{self.one.pk}/figures/residuals/",
                   f"objects/{OBJECT}/figures/light/", "hypotheses/figure/",
                   f"compare/figure/?a={self.night.pk}&b={trial.pk}"]  # fmt: skip
        self.figures = [DAY_PAGE + figure for figure in figures]
        self.files = [f"{DAY_PAGE}submissions/{self.row.pk}/files/{kind}/" for kind in ("psv", "xml")]

    @property
    def forms(self) -> dict[str, tuple[tuple[str, ...], dict[str, Any]]]:
        """Of each address that changes something: who may, and what a good form holds."""
        decided = {"deed": "approve", "reason": "checked"}
        judged = {"linkage": self.one.pk, "decision": "REJECTED", "reason": "two stars"}
        return {
            f"{DAY_PAGE}start/": (OPERATORS, {"configuration": "usual", "trial": "on"}),
            f"{DAY_PAGE}candidates/review/": (JUDGES, judged),
            f"{DAY_PAGE}submissions/decide/": (JUDGES, {**decided, "submission": [self.row.pk]}),
            f"{DAY_PAGE}submissions/{self.row.pk}/decide/": (JUDGES, decided),
        }

    def remembered(self) -> tuple[Any, ...]:
        """All that a form could have changed."""
        return (
            Run.objects.count(),
            Event.objects.count(),
            list(Linkage.objects.order_by("pk").values_list("review", "reviewed_by")),
            list(Submission.objects.order_by("pk").values_list("state", "decided_by", "reason")),
        )


@pytest.fixture
def filled() -> Filled:
    return Filled()


def said(response: Any) -> str:
    found: str = response.content.decode()
    return found


def status(client: Client, path: str) -> int:
    """Of the answer to a GET, which is read to its end: a file is closed then."""
    response = client.get(path)
    response.getvalue()
    found: int = response.status_code
    return found


class TestReading:
    @pytest.mark.parametrize("role", ROLES)
    def test_everybody_who_is_signed_in_sees_every_page_figure_and_file(self, filled, role):
        client = client_of(role)
        for path in (*filled.pages, *filled.figures, *filled.files):
            assert status(client, path) == 200, path

    def test_who_is_not_signed_in_is_sent_to_sign_in_and_back(self, filled):
        for path in (*filled.pages, *filled.figures, *filled.files):
            response = Client().get(path)
            assert response.status_code == 302, path
            assert response["Location"].startswith("/sign-in/?next=/2026-11-22/mops/"), path

    def test_where_reading_is_public_everybody_reads_and_is_told_to_sign_in_for_more(self, filled, settings):
        settings.PUBLIC_READ = True
        for path in (*filled.pages, *filled.figures, *filled.files):
            assert status(Client(), path) == 200, path
        assert "Sign in to start, retry and abort runs." in said(Client().get(DAY_PAGE))
        for place in ("candidates/", f"candidates/{filled.one.pk}/", "submissions/", f"submissions/{filled.row.pk}/"):
            found = said(Client().get(DAY_PAGE + place))
            assert "Sign in to give verdicts on frames and candidates." in found, place
            assert 'name="reason"' not in found, place

    def test_a_head_request_answers_like_a_get_without_its_body(self, filled):
        for path in filled.pages:
            response = client_of().head(path)
            assert (response.status_code, response.content) == (200, b""), path


class TestButtons:
    @pytest.mark.parametrize("role", ROLES)
    def test_of_starting_are_there_for_those_who_may_and_else_say_who_may(self, filled, role):
        found = said(client_of(role).get(DAY_PAGE))
        assert (f'action="{DAY_PAGE}start/"' in found) == (role in OPERATORS)
        assert (STARTING in found) == (role not in OPERATORS)

    @pytest.mark.parametrize("role", ROLES)
    @pytest.mark.parametrize(
        ("place", "action"),
        [
            ("candidates/", "candidates/review/"),
            ("candidates/{one}/", "candidates/review/"),
            ("submissions/", "submissions/decide/"),
            ("submissions/{row}/", "submissions/{row}/decide/"),
        ],
    )
    def test_of_judging_are_there_for_those_who_may_and_else_say_who_may(self, filled, role, place, action):
        numbers = {"one": filled.one.pk, "row": filled.row.pk}
        found = said(client_of(role).get(DAY_PAGE + place.format(**numbers)))
        assert (f'action="{DAY_PAGE}{action.format(**numbers)}"' in found) == (role in JUDGES)
        assert (JUDGING in found) == (role not in JUDGES)


class TestForms:
    @pytest.mark.parametrize("role", ROLES)
    def test_without_the_right_change_nothing_and_say_who_may(self, filled, role):
        for path, (groups, words) in filled.forms.items():
            if role not in groups:
                before = filled.remembered()
                response = client_of(role).post(path, words)
                assert response.status_code == 403, path
                assert (STARTING if groups == OPERATORS else JUDGING) in said(response), path
                assert filled.remembered() == before, path

    def test_of_nobody_change_nothing_even_where_reading_is_public(self, filled, settings):
        settings.PUBLIC_READ = True
        before = filled.remembered()
        for path, (_, words) in filled.forms.items():
            assert Client().post(path, words).status_code == 302, path
        assert filled.remembered() == before

    @pytest.mark.parametrize("role", ROLES)
    def test_with_the_right_change_something_and_go_back_with_see_other(self, filled, role):
        for path, (groups, words) in filled.forms.items():
            if role in groups and not path.endswith("submissions/decide/"):
                before = filled.remembered()
                if path.endswith("review/"):
                    words = {**words, "decision": "APPROVED"}  # a rejected one could not be reported after
                response = client_of(role).post(path, words)
                assert response.status_code == 303, path
                assert response["Location"].startswith(DAY_PAGE), path
                assert filled.remembered() != before, path

    def test_without_their_token_change_nothing_and_say_to_reload(self, filled):
        before = filled.remembered()
        for path, (_, words) in filled.forms.items():
            client = client_of("maintainer")
            client.handler.enforce_csrf_checks = True
            response = client.post(path, words)
            assert response.status_code == 403, path
            assert TOO_OLD in said(response), path
        assert filled.remembered() == before

    def test_of_decisions_without_a_reason_change_nothing_and_ask_for_one(self, filled):
        before = filled.remembered()
        for path, (groups, words) in filled.forms.items():
            for reason in ("", " \n", "\0"):
                if groups == JUDGES:
                    found = said(client_of("scientist").post(path, {**words, "reason": reason}, follow=True))
                    assert "A reason is needed" in found, path
        assert filled.remembered() == before

    def test_cannot_be_sent_by_a_link(self, filled):
        before = filled.remembered()
        for path in filled.forms:
            response = client_of("maintainer").get(path)
            assert (response.status_code, response["Allow"]) == (405, "POST"), path
        assert filled.remembered() == before

    def test_that_are_sent_to_a_page_that_only_shows_are_not_allowed(self, filled):
        before = filled.remembered()
        for path in (*filled.pages, *filled.figures, *filled.files):
            assert client_of("maintainer").post(path, {"deed": "approve"}).status_code == 405, path
        assert filled.remembered() == before

    def test_keep_a_reason_no_longer_than_its_field(self, filled):
        words = {"linkage": filled.one.pk, "decision": "REJECTED", "reason": "x" * 2000}
        client_of("scientist").post(f"{DAY_PAGE}candidates/review/", words)
        filled.one.refresh_from_db()
        assert filled.one.review_reason == "x" * 500


class TestPrograms:
    """Programs ask for JSON of the same addresses, and are told in JSON."""

    def test_that_are_nobody_are_told_to_sign_in(self, filled):
        for path in filled.pages:
            joined = f"{path}{'&' if '?' in path else '?'}format=json"
            response = Client().get(joined)
            assert response.status_code == 401, path
            assert response.json()["error"] == "You are not signed in."

    def test_are_told_why_they_may_not_in_json(self, filled):
        for path, (_, words) in filled.forms.items():
            response = client_of("observer").post(path, words, headers={"Accept": "application/json"})
            assert response.status_code == 403
            assert response.json()["error"].startswith("Only the group"), path

    def test_are_told_of_what_is_not_there_in_json(self, filled):
        path = f"{DAY_PAGE}candidates/999999/?format=json"
        found = json.loads(client_of().get(path).content)
        assert found == {
            "error": "There is no candidate 999999.",
            "remedy": "Start from the night's candidates.",
            "status": 404,
        }
