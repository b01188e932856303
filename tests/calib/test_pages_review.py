"""People's verdicts on the pages of exposures, detectors and days."""

import html
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from calib import reviews
from calib.models import Review
from dayops.models import Exposure, RawFrame
from tests.calib.exposures import archived, assessed, exposure, quarantined
from tests.people import ROLES, client_of

pytestmark = pytest.mark.django_db

DAY = "/2026-11-22/calib/"
NAME = "MC_S_20261122_000001"
EXPOSURE = f"{DAY}exposures/{NAME}/"
DETECTOR = f"{EXPOSURE}R22_S00/"
WHY_NOT = "Only the group “scientist” or the group “maintainer” may give verdicts on frames"


@pytest.fixture
def frame() -> RawFrame:
    found = archived(exposure(1))
    assessed(found, read_noise_e=100.0)
    return found


def read(path: str, role: str = "observer", **words: Any) -> str:
    response = client_of(role).get(f"{path}?{urlencode(words, doseq=True)}" if words else path)
    assert response.status_code == 200, response.content
    return html.unescape(response.content.decode() if not response.streaming else response.getvalue().decode())


def give(path: str, role: str = "scientist", **sent: Any) -> Any:
    return client_of(role).post(path, sent, follow=True)


def said(response: Any) -> list[str]:
    return [str(message) for message in response.context["messages"]]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("path", [EXPOSURE, DETECTOR, f"{DAY}reviews/"])
def test_those_who_may_get_buttons_and_others_are_told_why_not(frame: RawFrame, path: str, role: str):
    text = read(path, role)
    may = role in {"scientist", "maintainer"}
    assert ('name="decision" value="REJECT"' in text) is may
    assert (WHY_NOT in text) is not may


@pytest.mark.parametrize(("path", "detector"), [(EXPOSURE, None), (DETECTOR, "R22_S00")])
def test_a_verdict_stands_beside_the_machines(frame: RawFrame, path: str, detector: str | None):
    response = give(f"{path}review/", decision="ACCEPT", reason="only one amplifier")
    assert response.redirect_chain == [(path, 303)]
    given = Review.objects.get()
    assert (given.frame and given.frame.detector_name, given.author) == (detector, "scientist")
    text = read(path)
    assert "ERROR</span>" in text
    assert "ACCEPTED</span>" in text
    assert "only one amplifier" in text


def test_a_detector_shows_what_was_said_of_its_exposure(frame: RawFrame):
    reviews.reject(frame.exposure, None, "sofia", "dome lights")
    text = read(DETECTOR)
    assert "The whole exposure:" in text
    assert "dome lights" in text


def test_withdrawing_is_offered_while_there_is_something_to_withdraw(frame: RawFrame):
    assert 'value="WITHDRAW"' not in read(EXPOSURE, "scientist")
    give(f"{EXPOSURE}review/", decision="REJECT", reason="light on")
    assert 'value="WITHDRAW"' in read(EXPOSURE, "scientist")
    assert said(give(f"{EXPOSURE}review/", decision="WITHDRAW", reason="a mistake")) == [f"{NAME}: withdrawn."]
    assert "1 before" in read(EXPOSURE)


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        ({"decision": "REJECT", "reason": " "}, "A reason is needed"),
        ({"decision": "REJECT", "reason": "x" * 501}, "shorten it to 500"),
        ({"decision": "BURN", "reason": "x"}, "Choose one of accept, reject and withdraw."),
        ({"reason": "x"}, "Choose one of accept, reject and withdraw."),
        ({"decision": "WITHDRAW", "reason": "x"}, "nothing to withdraw"),
    ],
)
def test_nonsense_is_refused_in_words(frame: RawFrame, sent: dict[str, str], sentence: str):
    assert sentence in said(give(f"{EXPOSURE}review/", **sent))[0]
    assert not Review.objects.exists()


def test_what_does_not_exist_is_not_found_in_words(frame: RawFrame):
    sent = {"decision": "REJECT", "reason": "x"}
    for path, sentence in (
        (f"{DAY}exposures/NONE/review/", "No exposure NONE is known"),
        (f"{EXPOSURE}R22_S22/review/", "No frame of R22_S22 is archived"),
    ):
        response = give(path, **sent)
        assert response.status_code == 404
        assert sentence in html.unescape(response.content.decode())


def test_a_verdict_on_a_detector_is_on_its_archived_frame(frame: RawFrame):
    quarantined(frame.exposure)
    give(f"{DETECTOR}review/", decision="REJECT", reason="light on")
    assert Review.objects.get().frame == frame


class TestSeveralAtOnce:
    def test_are_chosen_and_explained_by_the_address(self):
        first, second = exposure(1), exposure(2)
        text = read(f"{DAY}reviews/", "scientist", exposure=[first.name, "NONE"], reason="biases still settle")
        assert f'value="{first.name}" aria-label="{first.name}" checked' in text
        assert f'value="{second.name}" aria-label="{second.name}" checked' not in text
        assert "left out: NONE" in text
        assert 'value="biases still settle"' in text

    def test_are_rejected_together(self):
        names = [exposure(number).name for number in (1, 2, 3)]
        response = give(f"{DAY}reviews/", exposure=names[:2], decision="REJECT", reason="biases still settle")
        assert said(response) == [f"{names[0]}, {names[1]}: rejected."]
        assert [row.exposure.name for row in Review.objects.order_by("pk")] == names[:2]

    def test_of_which_one_is_unknown_are_all_left_alone(self):
        name = exposure(1).name
        response = give(f"{DAY}reviews/", exposure=[name, "NONE"], decision="REJECT", reason="settling")
        assert response.status_code == 404
        assert not Review.objects.exists()

    def test_are_none_where_none_is_chosen(self):
        assert "No exposure is named" in said(give(f"{DAY}reviews/", decision="REJECT", reason="settling"))[0]

    @pytest.mark.parametrize("role", ["observer", "operator"])
    def test_are_for_those_who_may(self, role):
        response = give(f"{DAY}reviews/", role, exposure=[exposure(1).name], decision="REJECT", reason="settling")
        assert response.status_code == 403
        assert not Review.objects.exists()

    def test_are_listed_and_exported_with_who_and_why(self):
        reviews.reject(exposure(1), None, "sofia", "light on")
        rows = json.loads(read(f"{DAY}reviews/", format="json"))
        assert [(row["decision"], row["exposure"], row["reason"], row["author"]) for row in rows] == [
            ("REJECTED", NAME, "light on", "sofia")
        ]


def test_the_days_table_says_what_people_say(frame: RawFrame):
    reviews.reject(frame.exposure, frame, "sofia", "light on")
    rows = json.loads(read(DAY, format="json"))
    assert [(row["verdict"], row["people"]) for row in rows] == [("ERROR", "1 frame rejected")]
    reviews.reject(frame.exposure, None, "sofia", "light on")
    assert json.loads(read(DAY, format="json"))[0]["people"] == "REJECTED"


@pytest.mark.parametrize("path", [DAY, EXPOSURE, DETECTOR, f"{DAY}reviews/"])
def test_the_number_of_queries_does_not_grow_with_verdicts(frame: RawFrame, path: str):
    client = client_of()

    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(path).status_code == 200
        return len(captured)

    def more(of: Exposure) -> None:
        reviews.reject(of, None, "sofia", "light on")
        reviews.reject(of, frame, "sofia", "light on")

    more(frame.exposure)
    few = queries()
    for _ in range(5):
        more(frame.exposure)
    assert queries() == few


def test_markup_in_a_reason_is_shown_as_text(frame: RawFrame):
    reviews.reject(frame.exposure, None, "sofia", "<script>alert(1)</script>")
    for path in (EXPOSURE, DETECTOR, f"{DAY}reviews/"):
        assert "<script>alert" not in client_of().get(path).content.decode()
