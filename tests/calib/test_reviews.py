"""People's verdicts: what is kept, what counts, and which frames may be used."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from calib import reviews
from calib.exposure_judgement import judge_exposure, judge_if_complete
from calib.models import Assessment, Judgement, Level, Review
from calib.reviews import Decision, NotReviewable
from dayops.models import Event, Exposure, FrameState, RawFrame
from tests.calib.exposures import archived, assessed, exposure, quarantined

pytestmark = pytest.mark.django_db


def frame(level: str = "OK", *, of: Exposure | None = None, detector: int = 0) -> RawFrame:
    """A measured frame, by default of a new exposure, that is judged with it; in ERROR where `level` says so."""
    found = archived(of or exposure(), detector)
    assessed(found, read_noise_e=100.0 if level == "ERROR" else 5.7)
    judge_exposure(found.exposure)
    return found


def accept(of: RawFrame, *, whole: bool = False) -> Review:
    return reviews.accept(of.exposure, None if whole else of, "sofia", "looked at it")


def reject(of: RawFrame, *, whole: bool = False) -> Review:
    return reviews.reject(of.exposure, None if whole else of, "sofia", "light on")


def withdraw(of: RawFrame, *, whole: bool = False) -> Review:
    return reviews.withdraw(of.exposure, None if whole else of, "sofia", "a mistake")


def is_usable(of: RawFrame) -> bool:
    return reviews.usable_frames().filter(pk=of.pk).exists()


class TestAVerdict:
    def test_is_kept_with_who_why_and_an_event(self):
        good = frame()
        given = reject(good)
        assert (given.decision, given.author, given.reason, given.frame) == ("REJECT", "sofia", "light on", good)
        told = Event.objects.get(kind="calib.review.reject")
        assert told.text == f"{good.exposure.name} {good.detector_name}: rejected."
        assert (told.actor, told.reason, told.day_obs) == ("sofia", "light on", good.exposure.day_obs)
        assert told.subject == f"exposure:minicam/{good.exposure.name}"

    def test_leaves_the_machines_beside_it(self):
        bad = frame("ERROR")
        accept(bad)
        assert Assessment.objects.get(frame=bad).level == 2

    def test_is_added_to_those_before_and_never_replaces_them(self):
        good = frame()
        for deed in (reject, accept, withdraw):
            deed(good)
        assert [row.decision for row in Review.objects.order_by("pk")] == ["REJECT", "ACCEPT", "WITHDRAW"]

    @pytest.mark.parametrize("reason", ["", "  ", "\0", "x" * 501])
    def test_needs_a_reason_of_reasonable_length(self, reason):
        good = frame()
        with pytest.raises(NotReviewable, match="reason"):
            reviews.reject(good.exposure, good, "sofia", reason)
        assert not Review.objects.exists()

    def test_is_not_given_on_a_frame_of_another_exposure(self):
        good, other = frame(), exposure(2)
        with pytest.raises(NotReviewable, match="is not of MC_S_20261122_000002"):
            reviews.reject(other, good, "sofia", "light on")

    def test_is_not_given_on_a_quarantined_frame(self):
        copy = quarantined(exposure())
        with pytest.raises(NotReviewable, match="quarantined and never used"):
            accept(copy)

    @pytest.mark.parametrize("before", [[], [reject, withdraw]], ids=["none was given", "it was withdrawn already"])
    def test_is_withdrawn_only_while_it_is_in_force(self, before):
        good = frame()
        for deed in before:
            deed(good)
        with pytest.raises(NotReviewable, match="nothing to withdraw"):
            withdraw(good)

    def test_on_the_exposure_is_not_withdrawn_by_that_on_its_frame(self):
        good = frame()
        reject(good, whole=True)
        with pytest.raises(NotReviewable, match="nothing to withdraw"):
            withdraw(good)
        assert reviews.in_force(good.exposure) is not None

    def test_on_several_exposures_is_given_on_all_or_none(self):
        first, second = exposure(1), exposure(2)
        reviews.reject(first, None, "sofia", "settling")
        with pytest.raises(NotReviewable, match="000002"):
            reviews.review([first, second], None, Decision.WITHDRAW, "sofia", "a mistake")
        assert reviews.in_force(first) is not None
        given = reviews.review([first, second], None, Decision.REJECT, "sofia", "still settling")
        assert {row.exposure for row in given} == {first, second}
        assert Event.objects.filter(kind="calib.review.reject").count() == 3

    def test_on_no_exposure_is_refused(self):
        with pytest.raises(NotReviewable, match="No exposure is named"):
            reviews.review([], None, Decision.REJECT, "sofia", "settling")


class TestAFrameIsUsable:
    def test_when_the_machine_has_nothing_against_it(self):
        assert is_usable(frame())

    def test_when_the_machine_only_warns(self):
        warned = archived(exposure())
        assert assessed(warned, read_noise_e=15.0).level == 1
        judge_exposure(warned.exposure)
        assert is_usable(warned)

    @pytest.mark.parametrize("whole", [False, True], ids=["frame", "exposure"])
    def test_in_error_once_it_or_its_exposure_is_accepted(self, whole):
        bad = frame("ERROR")
        accept(bad, whole=whole)
        assert is_usable(bad)

    @pytest.mark.parametrize("whole", [False, True], ids=["frame", "exposure"])
    def test_again_once_a_rejection_is_withdrawn(self, whole):
        good = frame()
        reject(good, whole=whole)
        assert not is_usable(good)
        withdraw(good, whole=whole)
        assert is_usable(good)

    def test_though_another_frame_of_its_exposure_is_rejected(self):
        good = frame()
        reject(frame(of=good.exposure, detector=1))
        assert is_usable(good)

    def test_though_another_exposure_is_rejected(self):
        good = frame()
        reviews.reject(exposure(2), None, "sofia", "light on")
        assert is_usable(good)


class TestAFrameIsNotUsable:
    def test_in_error_while_nobody_accepts_it(self):
        assert not is_usable(frame("ERROR"))

    def test_in_error_once_an_acceptance_is_withdrawn(self):
        bad = frame("ERROR")
        accept(bad)
        withdraw(bad)
        assert not is_usable(bad)

    @pytest.mark.parametrize("whole", [False, True], ids=["frame", "exposure"])
    def test_once_it_or_its_exposure_is_rejected_after_being_accepted(self, whole):
        bad = frame("ERROR")
        accept(bad, whole=whole)
        reject(bad, whole=whole)
        assert not is_usable(bad)

    def test_while_both_it_and_its_exposure_were_rejected_and_one_is_withdrawn(self):
        good = frame()
        reject(good)
        reject(good, whole=True)
        withdraw(good)
        assert not is_usable(good)

    @pytest.mark.parametrize("rejected_whole", [False, True])
    def test_when_the_frame_and_its_exposure_are_judged_differently(self, rejected_whole):
        good = frame()
        accept(good, whole=not rejected_whole)
        reject(good, whole=rejected_whole)
        assert not is_usable(good)

    def test_before_it_is_measured_even_if_accepted(self):
        new = archived(exposure())
        accept(new)
        assert not is_usable(new)

    def test_in_quarantine_even_if_its_exposure_is_accepted(self):
        copy = quarantined(exposure())
        assessed(copy)
        accept(archived(copy.exposure), whole=True)
        assert not is_usable(copy)


class TestChecksOfTheExposure:
    """Nine frames with a warning each, of which the machine says together that there is light in the bias."""

    @pytest.fixture
    def lit(self) -> list[RawFrame]:
        one = exposure(77)
        frames = [archived(one, detector) for detector in range(9)]
        for number, each in enumerate(frames):
            assessed(each, median=15.0 if number < 8 else 0.0)
        judge_exposure(one)
        return frames

    def test_a_frame_whose_detector_fails_a_check_is_not_usable(self, lit):
        assert list(reviews.usable_frames()) == [lit[8]]

    def test_one_that_a_person_accepts_is(self, lit):
        reviews.accept(lit[0].exposure, lit[0], "sofia", "a lamp test, on purpose")
        assert set(reviews.usable_frames()) == {lit[0], lit[8]}

    def test_of_biases_that_settle_those_that_have_settled_are_usable(self):
        row = [exposure(number, detectors_expected=1) for number in (80, 81, 82)]
        for one, level in zip(row, (25_040.0, 25_000.0, 25_000.0), strict=True):
            assessed(archived(one), overscan_level=level)
            judge_if_complete(one)
        assert {frame.exposure for frame in reviews.usable_frames()} == {row[1], row[2]}

    def test_a_frame_measured_after_its_exposure_was_judged_waits_for_the_next_judgement(self):
        late = archived(frame().exposure, 1)
        assessed(late)
        assert not is_usable(late)
        judge_exposure(late.exposure)
        assert is_usable(late)

    def test_a_missing_detector_spoils_no_other(self):
        one = exposure(78)
        alone = archived(one)
        assessed(alone)
        assert judge_exposure(one).level == Level.ERROR
        assert is_usable(alone)

    def test_a_detector_that_is_dark_in_a_flat_spoils_no_other(self):
        for number in (1, 2):
            one = exposure(number, image_type="FLAT", exposure_s=15.0, filter="r")
            for detector in range(9):
                dead = number == 2 and detector == 0
                level = 0.01 if dead else 2000.0
                assessed(archived(one, detector), flat_level=level, median=level * 10)
            judge_exposure(one)
        usable = reviews.usable_frames().filter(exposure=one)
        assert sorted(usable.values_list("detector", flat=True)) == list(range(1, 9))

    def test_a_check_of_the_whole_exposure_spoils_all_of_it(self):
        one = exposure(79, image_type="FLAT", exposure_s=15.0, filter="r")
        for detector in range(9):
            assessed(archived(one, detector), flat_level=1.0, median=9000.0)
        judge_exposure(one)
        Assessment.objects.filter(exposure=one).update(level=Level.OK)
        assert not reviews.usable_frames().filter(exposure=one).exists()


def test_usable_frames_are_chosen_among_those_asked_for():
    first, second = frame(), frame(of=exposure(2))
    assert list(reviews.usable_frames(RawFrame.objects.filter(exposure=second.exposure))) == [second]
    assert set(reviews.usable_frames()) == {first, second}


def test_usable_frames_cost_one_query():
    good = frame()
    reject(frame("ERROR", of=good.exposure, detector=1))
    with CaptureQueriesContext(connection) as captured:
        assert list(reviews.usable_frames()) == [good]
    assert len(captured) == 1


def test_rejections_are_of_frames_by_themselves_and_of_whole_exposures():
    good, alone, together = frame(), frame(of=exposure(2)), frame(of=exposure(3))
    reject(alone)
    reject(together, whole=True)
    reject(good)
    withdraw(good)
    found = reviews.rejections(20261122)
    assert [found.include(each.exposure_id, each.pk) for each in (good, alone, together)] == [False, True, True]
    assert not reviews.rejections(20261123).include(together.exposure_id, together.pk)


def test_what_people_say_of_an_exposure_is_told_in_words():
    silent, rejected, some = exposure(1), exposure(2), exposure(3)
    reviews.reject(rejected, None, "sofia", "light on")
    for detector, deed in enumerate((reject, reject, accept)):
        deed(archived(some, detector))
    dropped = archived(silent)
    reject(dropped)
    withdraw(dropped)
    words = reviews.words_by_exposure([silent, rejected, some])
    assert words == {rejected.pk: "REJECTED", some.pk: "2 frames rejected, 1 frame accepted"}


# One thing that may happen to one of two frames (of one exposure), or to the exposure that holds them.
deeds = st.tuples(st.sampled_from(["ACCEPT", "REJECT", "WITHDRAW"]), st.sampled_from([None, 0, 1]))
states = st.tuples(st.booleans(), st.sampled_from([None, 0, 1, 2]))


def oracle(
    state: tuple[bool, int | None], decisions: list[tuple[str, int | None]], detector: int, judged: bool
) -> bool:
    """Whether a frame may be used, in plain words."""
    is_archived, level = state
    last: dict[Any, str] = {}
    for decision, about in decisions:
        last[about] = decision
    said = {last.get(detector), last.get(None)}
    if not is_archived or level is None or "REJECT" in said:
        return False
    return (level < 2 and judged) or "ACCEPT" in said


class TestAnyHistory(TestCase):
    @settings(max_examples=60, deadline=None)
    @given(st.tuples(states, states), st.lists(deeds, max_size=8), st.booleans())
    def test_leaves_the_frames_usable_that_the_rule_says(self, two, decisions, judged):
        of = exposure()
        frames = []
        for detector, (is_archived, level) in enumerate(two):
            state = FrameState.ARCHIVED if is_archived else FrameState.QUARANTINED
            row = archived(of, detector, state=state)
            if level is not None:
                Assessment.objects.create(frame=row, exposure=of, detector=detector, level=level, code_version="test")
            frames.append(row)
        if judged:
            Judgement.objects.create(exposure=of, level=0, measured=2, expected=9, code_version="test")
        for decision, about in decisions:
            about_frame = None if about is None else frames[about]
            Review.objects.create(exposure=of, frame=about_frame, decision=decision, reason="a test", author="sofia")
        expected = {row for row in frames if oracle(two[row.detector], decisions, row.detector, judged)}
        assert set(reviews.usable_frames()) == expected
