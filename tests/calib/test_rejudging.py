"""Stored numbers judged again by other limits."""

import pytest

from calib import rejudging
from calib.models import Assessment, Finding, Judgement, Level, Measurement, Threshold
from calib.rejudging import NothingToJudge, rejudge
from dayops.engine import work_off
from dayops.models import Event, Exposure, Phase
from dayops.observing_day import ObservingDay
from tests.calib.exposures import archived, assessed, exposure, limits_of

pytestmark = pytest.mark.django_db

DAY = ObservingDay(20261122)


def measured(noise: float = 5.7, seq_num: int = 1) -> Exposure:
    """An exposure of one measured frame, with a remark about its header."""
    of = exposure(seq_num, detectors_expected=1)
    verdict = assessed(archived(of), read_noise_e=noise)
    Assessment.objects.filter(pk=verdict.pk).update(remarks=["the header disagrees"])
    return of


def stricter() -> Threshold:
    """A limit that 5.7 electrons of noise exceed."""
    return limits_of("read_noise_e", warn_high=5.0, error_high=9.0, valid_from="2026-11-22T12:00Z")


def test_judging_again_by_the_same_limits_changes_nothing():
    of = measured(100.0)
    before = list(Finding.objects.values("metric", "amplifier", "value", "limit", "threshold"))
    assert rejudge(of) == 0
    assert Assessment.objects.get().level == Level.ERROR
    assert list(Finding.objects.values("metric", "amplifier", "value", "limit", "threshold")) == before


def test_judging_again_keeps_values_and_says_which_limit_and_row_decided():
    of = measured()
    assert Assessment.objects.get().level == Level.OK
    values = list(Measurement.objects.order_by("pk").values("metric", "values"))
    row = stricter()
    assert rejudge(of) == 1
    assert list(Measurement.objects.order_by("pk").values("metric", "values")) == values
    verdict = Assessment.objects.get()
    assert (verdict.level, verdict.amplifiers_warn, verdict.remarks) == (Level.WARN, 16, ["the header disagrees"])
    assert set(Measurement.objects.get(metric="read_noise_e").levels) == {Level.WARN}
    found = Finding.objects.first()
    assert found is not None
    assert (found.value, found.limit, found.threshold) == (5.7, 5.0, row)


def test_judging_again_judges_the_exposure_too():
    of = measured()
    stricter()
    rejudge(of)
    assert Judgement.objects.get().level == Level.WARN


def test_limits_of_another_time_do_not_count():
    of = measured()
    Threshold.objects.filter(pk=stricter().pk).update(valid_from="2026-11-22T17:00Z")
    assert rejudge(of) == 0


def test_a_day_is_judged_again_by_the_workers():
    measured(), measured(seq_num=2)
    stricter()
    run = rejudging.queue(DAY, "sofia", "new limits")
    assert run.tasks.count() == 2
    work_off("alert-production", "tester")
    run.refresh_from_db()
    assert run.phase == Phase.COMPLETED
    assert [task.result for task in run.tasks.all()] == [{"frames with another verdict": 1}] * 2
    assert {verdict.level for verdict in Assessment.objects.all()} == {Level.WARN}
    told = Event.objects.get(kind="calib.rejudge")
    assert (told.actor, told.reason, told.subject) == ("sofia", "new limits", f"run:{run.pk}")


def test_a_day_may_be_judged_again_more_than_once():
    measured()
    assert rejudging.queue(DAY, "sofia", "new limits") != rejudging.queue(DAY, "sofia", "newer limits")


def test_a_day_without_measured_frames_is_not_judged():
    archived(exposure())
    with pytest.raises(NothingToJudge, match="No frame of 2026-11-22 has been measured"):
        rejudging.queue(DAY, "sofia", "new limits")
