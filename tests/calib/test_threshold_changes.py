"""Changes of limits: what makes sense, what is activated, and that the past stays as it was."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from calib.models import Threshold
from calib.science.judgement import Limits
from calib.threshold_changes import activate, digest_of, retire
from calib.threshold_request import BadChange, Change, NotPossible, Row
from calib.threshold_scope import Scope
from calib.thresholds import in_force, limits_of
from dayops.camera import load
from dayops.models import Event, Note
from dayops.observing_day import ObservingDay

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
BEGINS = ObservingDay(20261122).begins
MINICAM = Scope("mean", camera="minicam")


def change(scope: Scope = MINICAM, *, warn: float | None = 1.0, error: float | None = 2.0, **words: Any) -> Change:
    """A change of one row, by default an upper limit of a metric that has no starting limits."""
    limits = words.pop("limits", None) or Limits(warn_high=warn, error_high=error)
    return Change((Row(scope, limits),), **{"reason": "a test", **words})


def activated(wanted: Change, at: datetime = NOW, actor: str = "sofia") -> Threshold:
    """The row that a change made, previewed and activated `at`."""
    return activate(wanted, digest_of(wanted, 0), 0, actor, at).rows[0]


def problems(wanted: Change) -> dict[str, str]:
    with pytest.raises(BadChange) as caught:
        activated(wanted)
    assert not Threshold.objects.filter(metric="mean").exists()
    return caught.value.problems


def warn_high(at: datetime, **where: Any) -> float | None:
    detector = load("minicam").by_name["R22_S11"]
    found = in_force("minicam", "BIAS", at, detector=detector, **where).get("mean")
    return found.limits.warn_high if found else None


class TestActivating:
    def test_puts_limits_in_force_from_now_on(self):
        row = activated(change())
        assert (row.valid_from, row.valid_until, row.author, row.reason) == (NOW, None, "sofia", "a test")
        assert (warn_high(NOW - timedelta(seconds=1)), warn_high(NOW)) == (None, 1.0)

    def test_is_told_as_one_event(self):
        row = activated(change(limits=Limits(-3.0, -1.0, 1.0, 3.0)))
        told = Event.objects.get(kind="calib.threshold.activated")
        assert told.text == (
            "Limits of mean for minicam from 2026-11-22 15:00:00 UTC on: WARN outside −1 … 1 ADU, "
            "ERROR outside −3 … 3 ADU."
        )
        assert (told.actor, told.reason, told.subject) == ("sofia", "a test", f"threshold:{row.pk}")

    def test_ends_the_row_of_the_same_scope_and_leaves_all_else_of_it(self):
        before = activated(change())
        activated(change(warn=1.5), NOW + timedelta(hours=1))
        after = Threshold.objects.get(pk=before.pk)
        assert after.valid_until == NOW + timedelta(hours=1)
        kept = ("warn_high", "error_high", "valid_from", "author", "reason", "created_at")
        assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept[:-1]] + [
            after.created_at
        ]
        assert (warn_high(NOW), warn_high(NOW + timedelta(hours=1))) == (1.0, 1.5)

    def test_leaves_other_scopes_alone(self):
        general = activated(change())
        activated(change(Scope("mean", camera="minicam", image_type="BIAS"), warn=1.7))
        assert Threshold.objects.get(pk=general.pk).valid_until is None
        assert warn_high(NOW) == 1.7

    def test_may_reach_back_to_the_beginning_of_the_dayobs(self):
        activated(change(valid_from=BEGINS))
        assert warn_high(BEGINS) == 1.0

    def test_may_be_for_later_and_be_called_off(self):
        later = NOW + timedelta(days=3)
        activated(change())
        row = activated(change(warn=1.5, valid_from=later))
        assert (warn_high(later - timedelta(hours=1)), warn_high(later)) == (1.0, 1.5)
        retire(row.pk, "sofia", "not needed", NOW)
        assert warn_high(later) == warn_high(later + timedelta(days=30)) == 1.0

    def test_before_what_is_decided_already_is_refused(self):
        activated(change(valid_from=NOW + timedelta(days=3)), actor="mara")
        with pytest.raises(NotPossible, match=r"2026-11-25 15:00:00 UTC on are decided already by mara \(a test\)"):
            activated(change(warn=1.5))

    def test_names_the_intervention_behind_it(self):
        note = Note.objects.create(subject="day:20261122", kind="INTERVENTION", text="new REB", author="o", day_obs=1)
        assert activated(change(cause=note.pk)).cause == note

    def test_makes_thousands_of_rows_in_one_event(self):
        rows = tuple(
            Row(Scope("mean", "lsstcam", detector=detector.name, amplifier=amplifier.name), Limits(warn_high=1.0))
            for detector in load("lsstcam").detectors
            for amplifier in detector.amplifiers
        )
        many = Change(rows[:3024], "one for each")
        assert len(activate(many, digest_of(many, 0), 0, "sofia", NOW).rows) == 3024
        assert Event.objects.get().text == "3024 limits of mean hold from 2026-11-22 15:00:00 UTC on."
        again = Change(many.rows, "and again")
        activate(again, digest_of(again, 0), 0, "sofia", NOW + timedelta(hours=1))
        assert Threshold.objects.filter(metric="mean", valid_until=None).count() == 3024


class TestOnlyWhatWasPreviewed:
    @pytest.mark.parametrize(
        "other", [{"warn": 1.1}, {"reason": "another"}, {"valid_from": NOW}, {"scope": Scope("mean")}]
    )
    def test_is_activated(self, other):
        with pytest.raises(NotPossible, match="not the limits that were previewed"):
            activate(change(**other), digest_of(change(), 7), 7, "sofia", NOW)
        with pytest.raises(NotPossible, match="not the limits that were previewed"):
            activate(change(), digest_of(change(), 7), 8, "sofia", NOW)
        assert not Threshold.objects.filter(metric="mean").exists()

    def test_is_activated_while_nobody_else_changed_the_same(self):
        mine = change(warn=1.2)
        digest = digest_of(mine, 0)
        activated(change(), actor="mara")
        with pytest.raises(NotPossible, match="somebody has changed them meanwhile"):
            activate(mine, digest, 0, "sofia", NOW)
        assert Threshold.objects.get(metric="mean").author == "mara"

    def test_is_activated_once(self):
        wanted = change()
        digest = digest_of(wanted, 0)
        activate(wanted, digest, 0, "sofia", NOW)
        with pytest.raises(NotPossible, match="preview again"):
            activate(wanted, digest, 0, "sofia", NOW)


@pytest.mark.django_db(transaction=True)
def test_of_two_who_activate_at_once_one_wins_and_the_other_is_told():
    ready, outcomes = Barrier(2), []

    def person(name: str, wanted: Change, digest: str) -> None:
        try:
            ready.wait()
            outcomes.append(activate(wanted, digest, 0, name, NOW).rows[0].author)
        except NotPossible as error:
            outcomes.append(str(error))
        finally:
            connection.close()

    changes = {"sofia": change(warn=1.1), "mara": change(warn=1.2)}
    people = [Thread(target=person, args=(name, each, digest_of(each, 0))) for name, each in changes.items()]
    for each in people:
        each.start()
    for each in people:
        each.join()
    row = Threshold.objects.get(metric="mean")
    assert row.author in outcomes
    assert sum("somebody has changed them meanwhile" in outcome for outcome in outcomes) == 1


class TestRetiring:
    def test_lets_more_general_limits_hold_again(self):
        activated(change())
        row = activated(change(Scope("mean", "minicam", detector="R22_S11"), warn=1.5))
        later = NOW + timedelta(hours=1)
        sentence = retire(row.pk, "sofia", "mended", later)
        assert sentence == "The limits of mean for minicam R22_S11 are retired."
        assert (warn_high(NOW), warn_high(later)) == (1.5, 1.0)
        told = Event.objects.get(kind="calib.threshold.retired")
        assert (told.reason, told.data) == ("mended", {"thresholds": [row.pk]})

    def test_twice_is_refused(self):
        row = activated(change())
        retire(row.pk, "sofia", "mended", NOW)
        with pytest.raises(NotPossible, match="nothing to retire"):
            retire(row.pk, "sofia", "mended", NOW)

    def test_needs_a_reason_and_a_row(self):
        row = activated(change())
        with pytest.raises(NotPossible, match="A reason is needed"):
            retire(row.pk, "sofia", " ", NOW)
        with pytest.raises(NotPossible, match="no limits of number 0"):
            retire(0, "sofia", "mended", NOW)


class TestNonsenseIsSaidInWords:
    @pytest.mark.parametrize(
        ("scope", "field", "sentence"),
        [
            (Scope("bending"), "metric", "There is no metric “bending”: choose one of overscan_level"),
            (Scope("mean", camera="megacam"), "camera", "There is no camera “megacam”: choose one of comcam"),
            (Scope("mean", image_type="FLUT"), "image_type", "There is no image type “FLUT”"),
            (Scope("mean", filter="Q"), "filter", "There is no filter “Q”: choose one of g, i, r, u, y, z."),
            (Scope("mean", "minicam", detector="R99_S11"), "detector", "Minicam has no detector “R99_S11”"),
            (Scope("mean", "minicam", amplifier="C99"), "amplifier", "There is no amplifier “C99” here: choose one"),
            (Scope("mean", detector_type="ACME"), "detector_type", "No detector is made by “ACME”"),
            (Scope("mean", "minicam", detector_type="E2V"), "detector_type", "Minicam has no detector “E2V”"),
            (Scope("crosstalk", "minicam", amplifier="C00"), "amplifier", "one number for a whole detector"),
        ],
    )
    def test_about_what_does_not_exist(self, scope, field, sentence):
        found = problems(change(scope))
        assert sentence in found[field]

    @pytest.mark.parametrize(
        ("limits", "field", "sentence"),
        [
            (Limits(), "warn_high", "Give at least one limit"),
            (Limits(warn_low=2.0, warn_high=1.0), "warn_low", "WARN below 2 and WARN above 1 are in the wrong order"),
            (Limits(error_low=2.0, warn_low=1.0), "error_low", "wrong order"),
            (Limits(warn_high=2.0, error_high=1.0), "warn_high", "wrong order"),
            (Limits(error_low=2.0, error_high=1.0), "error_low", "ERROR below 2 and ERROR above 1"),
            (Limits(warn_high=float("nan")), "warn_high", "nan is not a finite number"),
            (Limits(warn_high=float("inf")), "warn_high", "inf is not a finite number"),
        ],
    )
    def test_about_limits(self, limits, field, sentence):
        assert sentence in problems(change(limits=limits))[field]

    @pytest.mark.parametrize(
        ("words", "field", "sentence"),
        [
            ({"reason": "  "}, "reason", "A reason is needed"),
            ({"reason": "x" * 501}, "reason", "shorten it to 500"),
            ({"valid_from": BEGINS - timedelta(seconds=1)}, "valid_from", "when today's dayObs began, or later"),
            ({"valid_from": NOW + timedelta(days=31)}, "valid_from", "30 days from now, or earlier"),
            ({"cause": 12345}, "cause", "There is no intervention of number 12345"),
        ],
    )
    def test_about_the_rest(self, words, field, sentence):
        assert sentence in problems(change(**words))[field]

    def test_about_no_rows_too_many_or_the_same_twice(self):
        row = change().rows[0]
        for rows, sentence in (((), "No limits"), ((row,) * 2, "the same"), ((row,) * 5001, "too many")):
            assert sentence in problems(Change(rows, "a test"))["rows"]

    def test_about_a_note_that_is_no_intervention(self):
        note = Note.objects.create(subject="day:20261122", text="windy", author="o", day_obs=20261122)
        assert "no intervention" in problems(change(cause=note.pk))["cause"]


SCOPES = (MINICAM, Scope("mean", "minicam", image_type="BIAS"))
values = st.one_of(st.none(), st.integers(-3, 3).map(float))
steps = st.tuples(
    st.integers(0, 90),  # minutes until it is done
    st.sampled_from(["activate", "activate", "retire"]),
    st.sampled_from(SCOPES),
    st.tuples(values, values, values, values),
    st.one_of(st.none(), st.integers(-240, 600)),  # minutes from then until it holds
)


class TestAnySequenceOfChanges(TestCase):
    @settings(max_examples=60, deadline=None)
    @given(st.lists(steps, min_size=1, max_size=9))
    def test_leaves_one_row_in_force_the_past_as_it_was_and_limits_in_order(self, sequence):
        at = NOW
        for minutes, deed, scope, four, ahead in sequence:
            at += timedelta(minutes=minutes)
            begins = None if ahead is None else at + timedelta(minutes=ahead)
            before = contents()
            try:
                if deed == "activate":
                    activated(change(scope, limits=Limits(*four), valid_from=begins), at)
                else:
                    row = Threshold.objects.filter(**scope.words).order_by("pk").last()
                    retire(row.pk if row else 0, "sofia", "a test", at)
            except NotPossible:
                assert contents() == before
            touched = min(begins or at, at) if deed == "activate" else at
            assert history(before, touched) == history(contents(), touched)
            expect_order()


def contents() -> list[dict[str, Any]]:
    return [{**row} for row in Threshold.objects.filter(metric="mean").order_by("pk").values()]


def history(rows: list[dict[str, Any]], until: datetime) -> list[tuple[Any, ...]]:
    """Who held when, up to an instant, with everything the rows say."""
    kept = []
    for row in rows:
        end = min(row["valid_until"] or until, until)
        if row["valid_from"] < end:
            kept.append((row["valid_from"], end, *(value for name, value in row.items() if "valid" not in name)))
    return kept


def expect_order() -> None:
    """No two rows of a scope overlap, and limits are in order."""
    for scope in SCOPES:
        rows = Threshold.objects.filter(**scope.words).order_by("valid_from", "pk")
        held = [(row.valid_from, row.valid_until) for row in rows if row.valid_until != row.valid_from]
        for (_, end), (begin, _) in pairwise(held):
            assert end is not None
            assert end <= begin
        for row in rows:
            names = asdict(limits_of(row)).values()
            given = [value for value in names if value is not None]
            assert given == sorted(given)
