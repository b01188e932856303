"""One metric over time: which points there are, what was in force, what people changed."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calib.models import Assessment, ExposureStatistic, Finding, Level, Review, Threshold
from calib.science.judgement import Limits
from calib.science.metrics import BY_NAME
from calib.thresholds import limits_of
from calib.trend_limits import spans_of, steps
from calib.trend_marks import SOURCES, Mark, marks_of
from calib.trends import Point, Scope, Values, points_of, summaries, thinned
from dayops.camera import load
from dayops.models import Exposure, Note
from dayops.observing_day import ObservingDay
from tests.calib.exposures import BEGIN, DAY, archived, assessed, exposure

DETECTORS = {"R22": load("minicam").detectors}
SENSOR = DETECTORS["R22"][0]
database = pytest.mark.django_db


def scope(metric: str = "read_noise_e", **narrowed: Any) -> Scope:
    day = ObservingDay(DAY)
    return Scope(BY_NAME[metric], "minicam", DETECTORS, day.previous, day, **narrowed)


def statistic(of: Exposure, median: float, metric: str = "read_noise_e") -> None:
    numbers = {"minimum": median - 2, "p5": median - 1, "median": median, "p95": median + 1, "maximum": median + 2}
    ExposureStatistic.objects.create(exposure=of, metric=metric, count=144, **numbers)


def say(of: Exposure, decision: str, frame: Any = None) -> None:
    Review.objects.create(exposure=of, frame=frame, decision=decision, reason="a test", author="a scientist")


def point(value: float, *, level: int = Level.OK, rejected: bool = False, image_type: str = "BIAS") -> Point:
    taken = Exposure(image_type=image_type, filter="", began_at=BEGIN)
    return Point(taken, Values(value, value, value, value, value, outside=int(level > 0), level=level), rejected)


@database
def test_a_camera_is_told_by_the_statistics_of_its_exposures():
    statistic(exposure(1), 5.0)
    statistic(exposure(2), 6.0)
    exposure(3)
    found = points_of(scope())
    assert [each.value for each in found] == [5.0, 6.0]
    assert (found[0].values.p5, found[0].values.maximum) == (4.0, 7.0)


@database
def test_other_days_cameras_metrics_and_kinds_do_not_appear():
    statistic(exposure(1), 5.0)
    statistic(exposure(2, day_obs=20260101), 6.0)
    statistic(exposure(3, camera="latiss"), 7.0)
    statistic(exposure(4), 8.0, metric="median")
    statistic(exposure(5, image_type="FLAT", filter="r"), 9.0)
    assert [each.value for each in points_of(scope(image_type="BIAS"))] == [5.0]
    assert [each.value for each in points_of(scope(filter="r"))] == [9.0]


@database
def test_findings_say_how_many_values_are_outside_their_limits():
    first = exposure(1)
    statistic(first, 5.0)
    assessed(archived(first, 0), read_noise_e=[100.0, 15.0, *[5.0] * 14], median=90.0)
    (found,) = points_of(scope())
    assert (found.values.outside, found.values.level) == (2, Level.ERROR)


@database
def test_a_detector_has_a_line_for_each_amplifier_and_their_median():
    noise = np.arange(1.0, 17.0)
    assessed(archived(exposure(1), 0), read_noise_e=noise)
    (found,) = points_of(scope(raft="R22", detector=SENSOR))
    assert found.values.each == tuple(noise)
    assert found.value == 8.5
    assert found.values.outside == np.sum((noise < 3) | (noise > 14))


@database
def test_an_amplifier_has_its_own_value_and_level():
    noise = np.full(16, 5.0)
    noise[3] = 100.0
    assessed(archived(exposure(1), 0), read_noise_e=noise)
    narrowed = scope(raft="R22", detector=SENSOR, amplifier=SENSOR.amplifiers[3])
    (found,) = points_of(narrowed)
    assert (found.value, found.values.level, found.values.each) == (100.0, Level.ERROR, ())
    (beside,) = points_of(replace(narrowed, amplifier=SENSOR.amplifiers[4]))
    assert (beside.value, beside.values.level) == (5.0, Level.OK)


@database
def test_a_raft_has_a_line_for_each_detector_also_for_those_that_did_not_come():
    first = exposure(1)
    assessed(archived(first, 0), read_noise_e=4.0)
    assessed(archived(first, 2), read_noise_e=8.0)
    (found,) = points_of(scope(raft="R22"))
    assert found.values.each[0] == 4.0
    assert found.values.each[2] == 8.0
    assert sum(map(math.isnan, found.values.each)) == 7
    assert found.value == 6.0


@database
def test_an_exposure_to_which_the_metric_does_not_apply_is_no_point():
    assessed(archived(exposure(1), 0), read_noise_e=np.nan)
    assert points_of(scope(raft="R22", detector=SENSOR)) == []


@database
def test_the_newest_word_of_people_decides_who_is_rejected():
    rejected, withdrawn, untouched = exposure(1), exposure(2), exposure(3)
    for each in (rejected, withdrawn, untouched):
        statistic(each, 5.0)
    say(rejected, "ACCEPT")
    say(rejected, "REJECT")
    say(withdrawn, "REJECT")
    say(withdrawn, "WITHDRAW")
    assert [each.is_rejected for each in points_of(scope())] == [True, False, False]


@database
def test_a_rejected_frame_is_rejected_in_its_detectors_trend_alone():
    first = exposure(1)
    statistic(first, 5.0)
    frames = [archived(first, detector) for detector in (0, 1)]
    for frame in frames:
        assessed(frame)
    say(first, "REJECT", frames[0])
    of_detector = [points_of(scope(raft="R22", detector=each)) for each in DETECTORS["R22"][:2]]
    assert [found[0].is_rejected for found in of_detector] == [True, False]
    assert not points_of(scope())[0].is_rejected


def test_a_summary_leaves_rejected_exposures_out():
    (found,) = summaries([point(1.0), point(2.0), point(3.0), point(99.0, level=Level.ERROR, rejected=True)])
    assert (found.count, found.rejected, found.outside) == (4, 1, 0)
    assert (found.last, found.median) == (3.0, 2.0)
    assert found.robust_sigma == pytest.approx(1.4826)


def test_kinds_are_summed_up_apart():
    found = list(summaries([point(1.0), point(500.0, image_type="FLAT")]))
    assert [(each.kind, each.median) for each in found] == [("BIAS", 1.0), ("FLAT", 500.0)]


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=80), st.integers(1, 20))
def test_thinning_keeps_whatever_is_wrong_and_little_else(looks: list[tuple[int, bool]], most: int):
    points = [point(float(i), level=level, rejected=rejected) for i, (level, rejected) in enumerate(looks)]
    kept = thinned(points, most)
    wrong = [each for each in points if each.values.level > Level.OK or each.is_rejected]
    assert all(each in kept for each in wrong)
    assert len(kept) <= most + len(wrong)
    assert list(kept) == sorted(kept, key=lambda each: each.value)


NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def row(begins: int, ends: int | None, warn_high: float) -> Any:
    """A threshold from hour `begins` to hour `ends` of a day."""
    until = None if ends is None else NOON + timedelta(hours=ends)
    limits = {"error_low": None, "warn_low": None, "warn_high": warn_high, "error_high": None}
    return SimpleNamespace(valid_from=NOON + timedelta(hours=begins), valid_until=until, **limits)


def in_force_at(rows: Sequence[Any], at: datetime) -> Limits:
    """The rule in one line: the last row that holds at this instant."""
    held = [each for each in rows if each.valid_from <= at and (each.valid_until is None or each.valid_until > at)]
    return limits_of(held[-1]) if held else Limits()


hours = st.integers(-5, 30)
spans = st.tuples(hours, st.none() | st.integers(0, 20), st.sampled_from([1.0, 2.0, 3.0]))


@given(st.lists(spans, max_size=6), st.integers(0, 23))
def test_the_steps_are_what_is_in_force_at_each_instant(drawn: list[tuple[int, int | None, float]], hour: int):
    rows = [row(begins, None if length is None else begins + length, limit) for begins, length, limit in drawn]
    found = steps(rows, NOON, NOON + timedelta(hours=24))
    at = NOON + timedelta(hours=hour)
    (span,) = (each for each in found if each.begins <= at < each.ends)
    assert span.limits == in_force_at(rows, at)
    assert (found[0].begins, found[-1].ends) == (NOON, NOON + timedelta(hours=24))
    assert all(a.ends == b.begins and a.limits != b.limits for a, b in itertools.pairwise(found))


def threshold(warn_high: float, at: datetime, **scope: str) -> Threshold:
    return Threshold.objects.create(
        metric="banding", warn_high=warn_high, valid_from=at, author="ada", reason="a new controller", **scope
    )


@pytest.fixture
def no_other_limits(db: None) -> None:
    """Without the starting limits."""
    Threshold.objects.all().delete()


@pytest.mark.usefixtures("no_other_limits")
def test_the_most_particular_limit_counts_from_the_moment_it_holds():
    threshold(9.0, NOON - timedelta(days=30), camera="minicam")
    threshold(4.0, NOON + timedelta(hours=6), camera="minicam", image_type="BIAS")
    found = spans_of(scope("banding"), "BIAS", "")
    assert [span.limits.warn_high for span in found] == [9.0, 4.0]
    assert found[1].begins == NOON + timedelta(hours=6)
    assert [span.limits.warn_high for span in spans_of(scope("banding"), "FLAT", "r")] == [9.0]


@pytest.mark.usefixtures("no_other_limits")
def test_limits_of_one_detector_are_drawn_for_it_alone():
    threshold(9.0, NOON - timedelta(days=30))
    threshold(4.0, NOON - timedelta(days=30), detector=SENSOR.name)
    other = DETECTORS["R22"][1]
    assert [s.limits.warn_high for s in spans_of(scope("banding"), "BIAS", "")] == [9.0]
    assert [s.limits.warn_high for s in spans_of(scope("banding", detector=SENSOR), "BIAS", "")] == [4.0]
    assert [s.limits.warn_high for s in spans_of(scope("banding", detector=other), "BIAS", "")] == [9.0]


def intervene(subject: str, text: str, **fields: Any) -> None:
    usual = {"kind": Note.Kind.INTERVENTION, "author": "ada", "day_obs": DAY, "happened_at": NOON}
    Note.objects.create(subject=subject, text=text, **{**usual, **fields})


@database
def test_interventions_on_the_camera_and_on_a_detector_are_marked():
    intervene("camera:minicam", "new controller")
    intervene(f"detector:minicam/{SENSOR.name}", "warmed up")
    intervene("detector:minicam/R22_S22", "replaced")
    intervene("camera:minicam", "a remark", kind=Note.Kind.NOTE)
    intervene("camera:minicam", "never mind", retracted_at=NOON)
    intervene("camera:latiss", "elsewhere")
    intervene("camera:minicam", "long ago", happened_at=NOON - timedelta(days=90))
    assert len(marks_of(scope())) == 3
    assert [mark.text for mark in marks_of(scope(raft="R22", detector=SENSOR))] == [
        "minicam: new controller",
        f"{SENSOR.name}: warmed up",
    ]


@database
def test_limits_that_were_set_together_are_one_mark():
    for detector in DETECTORS["R22"]:
        threshold(4.0, NOON, detector=detector.name)
    (mark,) = marks_of(scope("banding"))
    assert mark == Mark(NOON, "limits", "9 new limits by ada: a new controller")
    (of_one,) = marks_of(scope("banding", raft="R22", detector=SENSOR))
    assert of_one.text == "1 new limit by ada: a new controller"


@database
def test_another_source_of_marks_is_one_function_more(monkeypatch):
    monkeypatch.setattr("calib.trend_marks.SOURCES", [*SOURCES, lambda scope: [Mark(NOON, "master", "bias 7")]])
    assert marks_of(scope()) == [Mark(NOON, "master", "bias 7")]


@database
def test_findings_of_another_metric_are_not_counted():
    first = exposure(1)
    statistic(first, 5.0)
    frame = archived(first, 0)
    assessed(frame)
    Assessment.objects.update(level=Level.ERROR)
    other = {"metric": "median", "amplifier": "C10", "level": Level.ERROR, "value": 9.0}
    Finding.objects.create(assessment=frame.assessment, **other)
    assert points_of(scope())[0].values.outside == 0
