"""Limits proposed from what was measured, and what they would have said of it."""

from typing import Any

import numpy as np
import pytest
from django.utils.timezone import now

from calib import reviews
from calib.models import Threshold
from calib.science.judgement import Limits
from calib.threshold_plots import verdicts_by_day
from calib.threshold_preview import Preview, preview
from calib.threshold_proposal import Recipe, propose
from calib.threshold_request import BadChange, Row
from calib.threshold_scope import Scope
from dayops.models import Exposure
from dayops.observing_day import ObservingDay
from tests.calib.exposures import archived, assessed, exposure

pytestmark = pytest.mark.django_db

TODAY = ObservingDay.current()
NOISE = Scope("read_noise_e", camera="minicam")
RAMP = np.linspace(5.0, 6.5, 16)  # one value for each amplifier


def measured(seq_num: int = 1, *, days_ago: int = 0, detectors: int = 1, noise: Any = RAMP, **fields: Any) -> Exposure:
    """An exposure of some days ago with frames of the first detectors, measured."""
    day = TODAY
    for _ in range(days_ago):
        day = day.previous
    of = exposure(seq_num, day_obs=day.day_obs, name=f"MC_{day}_{seq_num}", began_at=day.begins, **fields)
    for detector in range(detectors):
        assessed(archived(of, detector), read_noise_e=noise)
    return of


def seen(*rows: Row, days: int = 3) -> Preview:
    return preview(rows, days, now())


OLD: dict[str, Any] = {"valid_from": "2026-01-01T00:00Z", "author": "sofia", "reason": "a test"}


def row(scope: Scope = NOISE, *limits: float | None) -> Row:
    return Row(scope, Limits(*limits))


class TestAProposal:
    @pytest.mark.parametrize("level", [25_123.4, 0.0012, -7.0])
    @pytest.mark.parametrize("scatter", [0.2, 3e-5, 400.0])
    def test_has_limits_as_fine_as_the_scatter_however_large_the_value(self, level, scatter):
        measured(noise=level + scatter * np.linspace(-1, 1, 16))
        (found,) = propose(NOISE, Recipe(k_warn=2, k_error=4), now()).rows
        limits = found.row.limits
        expected = [found.median + k * found.sigma for k in (-4, -2, 2, 4)]
        given = [limits.error_low, limits.warn_low, limits.warn_high, limits.error_high]
        assert given == pytest.approx(expected, rel=0, abs=0.01 * found.sigma)

    def test_is_the_median_with_robust_sigma_on_both_sides(self):
        measured()
        (found,) = propose(NOISE, Recipe(k_warn=2, k_error=4), now()).rows
        median = np.median(RAMP)
        sigma = 1.4826 * np.median(np.abs(RAMP - median))
        assert found.count == 16
        assert [found.median, found.sigma] == pytest.approx([median, sigma])
        expected = [median - 4 * sigma, median - 2 * sigma, median + 2 * sigma, median + 4 * sigma]
        limits = found.row.limits
        assert [limits.error_low, limits.warn_low, limits.warn_high, limits.error_high] == pytest.approx(expected, 1e-3)

    @pytest.mark.parametrize(
        ("sides", "missing"), [("low", ("warn_high", "error_high")), ("high", ("warn_low", "error_low"))]
    )
    def test_may_be_of_one_side(self, sides, missing):
        measured()
        (found,) = propose(NOISE, Recipe(sides=sides), now()).rows
        assert [getattr(found.row.limits, name) for name in missing] == [None, None]

    def test_leaves_out_what_people_rejected_and_what_is_older_or_elsewhere(self):
        bad = measured(1, noise=100.0)
        reviews.reject(bad, None, "sofia", "light on")
        measured(2, days_ago=3, noise=100.0)
        measured(3, noise=100.0, image_type="DARK")
        measured(4)
        (found,) = propose(Scope("read_noise_e", "minicam", image_type="BIAS"), Recipe(days=3), now()).rows
        assert found.count == 16

    def test_for_each_detector_or_amplifier_makes_a_row_of_its_own(self):
        for number in range(10):
            measured(number, detectors=2, noise=RAMP + 0.1 * number)
        detectors = propose(NOISE, Recipe(per="detector"), now()).rows
        assert [(each.row.scope.detector, each.count) for each in detectors] == [("R22_S00", 160), ("R22_S01", 160)]
        amplifiers = propose(NOISE, Recipe(per="amplifier"), now()).rows
        assert len({each.row.scope for each in amplifiers}) == 32
        assert {each.count for each in amplifiers} == {10}

    def test_skips_parts_with_too_few_values_and_says_which(self):
        for number in range(10):
            measured(number, detectors=1 if number else 2, noise=RAMP + 0.1 * number)
        found = propose(NOISE, Recipe(per="amplifier"), now())
        assert {each.row.scope.detector for each in found.rows} == {"R22_S00"}
        assert len(found.skipped) == 16
        assert "R22_S01" in found.skipped[0]
        assert "only 1 values were measured, 10 are needed" in found.skipped[0]

    @pytest.mark.parametrize(
        ("recipe", "field", "sentence"),
        [
            (Recipe(days=0), "days", "0 days are not possible"),
            (Recipe(days=91), "days", "choose 1 to 90"),
            (Recipe(k_warn=8, k_error=5), "k_error", "WARN must be above 0 and below ERROR"),
            (Recipe(k_warn=0), "k_error", "make no sense"),
            (Recipe(), "days", "nothing was measured there"),
        ],
    )
    def test_that_makes_no_sense_is_refused(self, recipe, field, sentence):
        with pytest.raises(BadChange) as caught:
            propose(NOISE, recipe, now())
        assert sentence in caught.value.problems[field]

    def test_of_values_without_scatter_is_refused(self):
        measured(noise=5.7)
        with pytest.raises(BadChange, match=r"half of the 16 values or more are 5\.7: they have no scatter"):
            propose(NOISE, Recipe(), now())

    def test_for_each_detector_needs_the_camera(self):
        with pytest.raises(BadChange, match="Name the camera whose detectors"):
            propose(Scope("read_noise_e"), Recipe(per="detector"), now())


class TestAPreview:
    def test_counts_what_becomes_worse_and_better_day_by_day(self):
        measured(1, days_ago=1, noise=16.0)  # WARN by the starting limits
        measured(2)
        found = seen(row(NOISE, None, None, 6.45, 20.0))
        assert (found.seen, found.worse, found.better) == (32, 1, 0)
        yesterday, today = (found.days[day.day_obs] for day in (TODAY.previous, TODAY))
        assert (yesterday.warn, yesterday.warn_then) == (16, 16)
        assert (today.values, today.warn, today.warn_then, today.error_then) == (16, 0, 1, 0)
        better = seen(row(NOISE, None, None, 17.0, 20.0))
        assert (better.worse, better.better) == (0, 16)
        assert {each.would_be for each in better.changed} == {0}

    def test_names_the_amplifier_its_value_and_both_verdicts(self):
        of = measured()
        (changed,) = seen(row(NOISE, None, None, 6.0, 6.45)).changed[-1:]
        assert (changed.measured.exposure, changed.measured.detector.name) == (of.name, "R22_S00")
        last = changed.measured.detector.amplifiers[15].name
        assert (changed.amplifier, changed.value, changed.was, changed.would_be) == (last, 6.5, 0, 2)

    def test_is_of_its_scope_only(self):
        measured(detectors=2)
        assert seen(row(Scope("read_noise_e", "minicam", detector="R22_S01"), None, None, 1.0)).seen == 16
        assert seen(row(Scope("read_noise_e", "minicam", amplifier="C10"), None, None, 1.0)).seen == 2
        assert seen(row(Scope("read_noise_e", "latiss"), None, None, 1.0)).seen == 0
        assert seen(row(Scope("read_noise_e", detector_type="E2V"), None, None, 1.0)).seen == 0

    def test_leaves_alone_where_more_particular_limits_hold(self):
        measured(detectors=2)
        particular = {"detector": "R22_S00", "amplifier": "C10", "warn_high": 50.0}
        Threshold.objects.create(metric="read_noise_e", camera="minicam", **OLD, **particular)
        found = seen(row(NOISE, None, None, 1.0, 2.0))
        assert found.seen == 31
        judged = {(each.measured.detector.name, each.amplifier) for each in found.changed}
        assert ("R22_S00", "C10") not in judged
        assert ("R22_S01", "C10") in judged

    def test_replaces_the_row_of_the_same_scope(self):
        Threshold.objects.create(metric="read_noise_e", camera="minicam", warn_high=1.0, **OLD)
        measured()
        found = seen(row(NOISE, None, None, 50.0))
        assert (found.seen, found.better) == (16, 16)

    def test_judges_each_amplifier_by_its_own_new_row(self):
        measured()
        limits = {"C10": 1.0, "C11": 50.0}
        rows = [row(Scope("read_noise_e", "minicam", amplifier=name), None, None, at) for name, at in limits.items()]
        found = seen(*rows)
        assert (found.seen, found.worse) == (2, 1)
        assert found.changed[0].amplifier == "C10"

    def test_of_a_metric_of_the_whole_detector_names_no_amplifier(self):
        of = exposure(1, day_obs=TODAY.day_obs, image_type="DARK")
        assessed(archived(of), crosstalk=0.5)
        found = seen(row(Scope("crosstalk", "minicam"), None, None, 0.4, 0.9))
        assert found.seen == 1

    def test_leaves_out_what_people_rejected(self):
        frame = archived(of := measured(), 1)
        assessed(frame)
        reviews.reject(of, frame, "sofia", "light on")
        assert seen(row(NOISE, None, None, 1.0)).seen == 16

    def test_is_drawn_as_judged_and_as_it_would_be(self):
        measured(1, days_ago=1)
        measured(2)
        figure = verdicts_by_day(seen(row(NOISE, None, None, 6.45, 20.0)))
        drawn = {trace.name: (list(trace.x), list(trace.y)) for trace in figure.data}
        assert drawn["WARN by the new limits"] == ([str(TODAY.previous), str(TODAY)], [1, 1])
        assert drawn["WARN as judged"][1] == [0, 0]
