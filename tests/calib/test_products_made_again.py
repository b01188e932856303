"""Making masters again: the same bytes, decided sets that stay as they are, and two commands at once."""

import pytest

from calib.models import CertificationAction, Product, ProductSet, Verification
from calib.products import gate, generator, provenance
from calib.products.configuration import configuration
from calib.products.gate import NotDecidable
from dayops import runs
from dayops.engine import claim, perform
from dayops.models import Alarm, Exposure, Run, Task
from tests.calib.masters import BEFORE, DAY, SMALL, files, glow, made, problems, start, steps, take, used, worked_off

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _small_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dayops.camera.load", lambda name: SMALL)


def test_of_two_commands_at_once_exactly_one_set_is_certified_though_both_are_the_same_to_the_byte():
    take()
    first, second = start(), start()
    worked_off(first)
    one, other = (ProductSet.objects.get(run=run) for run in (first, second))
    assert files(one) == files(other)
    assert {one.state, other.state} == {"CERTIFIED", "REFUSED"}
    refused = one if one.state == "REFUSED" else other
    assert len(refused.reasons) == 1
    assert refused.reasons[0].endswith("after you looked. Nothing was changed: look again.")
    assert CertificationAction.objects.count() == 1
    assert used() == files(one)


def test_a_certified_job_that_is_run_again_changes_nothing():
    take()
    made_set = made()
    before = list(Product.objects.order_by("pk").values())
    tested = repr(list(Verification.objects.order_by("pk").values()))  # as text, for NaN is not itself
    runs.rerun(made_set.run_id, actor="sofia", reason="to see")
    worked_off(made_set.run)
    assert Run.objects.get(pk=made_set.run_id).phase == "COMPLETED"
    assert list(Product.objects.order_by("pk").values()) == before
    assert repr(list(Verification.objects.order_by("pk").values())) == tested
    assert CertificationAction.objects.count() == 1
    assert ProductSet.objects.get().state == "CERTIFIED"


def test_a_refused_job_that_is_run_again_stays_refused():
    take(only=steps("bias"))
    made_set = made()
    runs.rerun(made_set.run_id, actor="sofia", reason="to see")
    again = worked_off(made_set.run)
    assert Run.objects.get().phase == "COMPLETED"
    assert (again.state, again.decided_at, again.reasons) == ("REFUSED", made_set.decided_at, made_set.reasons)


def test_with_other_code_a_decided_set_is_not_changed_and_a_sentence_says_what_to_do(monkeypatch):
    take(only=steps("bias"))
    made_set = made()
    before = files(made_set)
    monkeypatch.setattr(provenance, "code_version", lambda: "9.9 (another)")
    runs.rerun(made_set.run_id, actor="sofia", reason="to see")
    worked_off(made_set.run)
    failed = Task.objects.get(key="bias R22_S11")
    assert (failed.phase, failed.error_class, failed.attempt) == ("ERROR", "Changed", 2)
    assert failed.error == (
        "R22_S11 bias: the set is refused and is not changed any more, but these frames now give other bytes. "
        "Build a new set."
    )
    assert files(made_set) == before


def test_a_set_is_certified_once_what_was_wrong_is_left_out_and_it_is_made_again():
    first, _, last = steps("bias")
    take(BEFORE)
    take(change=glow(first, last))
    assert made(days=1).state == "REFUSED"
    wrong = [Exposure.objects.get(day_obs=DAY, seq_num=number).frames.get().pk for number in (first, last)]
    again = made(exclude=wrong)
    assert (again.state, again.reasons) == ("CERTIFIED", [])
    assert not Product.objects.filter(product_set=again, inputs__overlap=wrong).exists()
    assert not Alarm.objects.filter(activity="products", cleared_at=None).exists(), "the alarm is over"


def test_a_single_glowing_bias_does_not_come_through_the_clipping():
    take(BEFORE, only=steps("bias"))
    take(only=steps("bias"), change=glow(steps("bias")[0]))
    made_set = made()
    assert files(made_set).keys() == {("bias", "")}
    assert not Verification.objects.filter(passed=False).exists()


def test_a_set_that_lacks_nearly_everything_says_so_in_the_order_in_which_it_is_made():
    take(only=steps("bias"))
    made_set = made()
    assert made_set.reasons[:2] == ["1 dark product is missing.", "5 flat products are missing."]
    assert [sentence.split(":")[0] for sentence in problems(made_set)][:2] == ["R22_S11 dark", "R22_S11 flat g"]
    assert "R22_S11 linearity: It needs the photon transfer curve of this set, which could not be made." in (
        made_set.reasons
    )
    assert (
        "R22_S11 defects: It needs the dark, a flat and the photon transfer curve of this set: one was not made."
        in (made_set.reasons)
    )


def test_what_is_certified_in_another_collection_changes_nothing():
    take(only=steps("bias"))
    run = generator.start(configuration("candidate"), DAY, requested_by="tester", key="candidate")
    gate.override(worked_off(run), "sofia", "to look at it")
    assert CertificationAction.objects.get().collection == "candidate"
    assert used() == {}


def test_a_set_of_an_older_day_that_is_certified_later_does_not_take_the_place_of_a_newer_one():
    take(BEFORE, only=steps("bias"))
    take(only=steps("bias"))
    today = made()
    gate.override(today, "sofia", "today first")
    before = made(BEFORE)
    gate.override(before, "sofia", "and then the days before")
    assert used() == files(today)
    assert used(BEFORE) == files(before)


def test_what_a_job_has_made_is_certified_by_hand_once_the_job_was_aborted_and_not_while_it_runs():
    take(only=steps("bias"))
    run = start()
    work = claim(generator.QUEUE, "tester")
    assert work is not None
    perform(work)
    made_set = ProductSet.objects.get()
    with pytest.raises(NotDecidable, match=r"^The set is being made: only one that was refused, or whose run ended"):
        gate.override(made_set, "sofia", "we cannot wait")
    runs.abort(run.pk, actor="sofia", reason="we cannot wait")
    gate.override(made_set, "sofia", "we cannot wait")
    assert used().keys() == {("bias", "")}
