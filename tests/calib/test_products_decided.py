"""What becomes of a set: certified whole or refused whole, overridden by a person, beside what is certified.

Four jobs are worked off once: three days in a row, and a day on which the biases glow.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from pytest_django import DjangoDbBlocker

from calib import certification, reviews
from calib.models import Product, ProductSet, Verification
from calib.products import gate, generator
from calib.products.gate import NotDecidable
from calib.products.keeping import referenced
from dayops.models import Alarm, Event, RawFrame
from tests.calib.masters import (
    BEFORE,
    DAY,
    MINICAM,
    SMALL,
    committed,
    files,
    glow,
    made,
    problems,
    product,
    steps,
    take,
    used,
)
from tests.calib.test_truth_recovered import narrow

pytestmark = pytest.mark.django_db

TWO = replace(SMALL, detectors=(*SMALL.detectors, narrow(MINICAM.by_id[5], 2)))
NEXT, LAST = 20261123, 20261124
SLOTS = 11


@dataclass(frozen=True)
class Sets:
    """`before` and `today` are certified, of `partial` one of two sensors has frames, `worse` is of glowing biases."""

    before: ProductSet
    today: ProductSet
    partial: ProductSet
    worse: ProductSet


@pytest.fixture(scope="module")
def sets(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Sets]:
    with committed(django_db_blocker):
        for day_obs in (BEFORE, DAY):
            take(day_obs)
        before, today = made(BEFORE), made(DAY)
        first, _, last = steps("bias")
        take(LAST, change=glow(first, last))
        worse = made(LAST, days=1)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("dayops.camera.load", lambda name: TWO)
            take(NEXT, camera=TWO)
            partial = made(NEXT, days=1)
        yield Sets(before, today, partial, worse)


class TestAGoodSet:
    def test_is_certified_whole_and_used_from_its_sunset_on(self, sets):
        for one in (sets.before, sets.today):
            assert (one.state, one.decided_by, one.reasons, problems(one)) == ("CERTIFIED", gate.ACTOR, [], [])
        assert len(files(sets.today)) == SLOTS
        assert used() == files(sets.today)
        assert used(20261225) == files(sets.today), "until the next are certified"
        assert used(20261121) == used(BEFORE) == files(sets.before)
        assert used(20261119) == {}
        assert not set(files(sets.today).values()) & set(files(sets.before).values())

    def test_is_told_to_the_ocs_with_its_numbers(self, sets):
        code, told = generator.result(sets.today.run)
        assert code == 0
        assert (told["state"], told["products"], told["reasons"]) == ("CERTIFIED", SLOTS, [])
        assert (told["set"], told["day_obs"]) == (sets.today.pk, DAY)

    def test_has_passed_tests_of_every_product_on_frames_it_was_not_made_of(self, sets):
        for one in sets.today.products.all():
            rows = list(one.verifications.all())
            assert rows
            assert all(row.passed and not row.sentence for row in rows)
            assert not {row.frame_id for row in rows} & set(one.inputs)

    def test_is_measured_beside_what_is_certified(self, sets):
        row = Verification.objects.get(product=product(sets.today, "bias"), test="bias_no_worse")
        assert row.incumbent is not None
        assert row.upper is not None
        assert max(row.values[0], row.incumbent) < row.upper

    def test_is_not_compared_where_nothing_is_certified(self, sets):
        row = Verification.objects.get(product=product(sets.before, "bias"), test="bias_no_worse")
        assert (row.incumbent, row.upper, row.passed) == (None, None, True)

    def test_is_not_decided_upon_twice(self, sets):
        with pytest.raises(NotDecidable, match=r"^The set of 20261122 is certified already\.$"):
            gate.decide(sets.today, [], None)

    def test_of_an_older_day_ends_where_a_later_one_begins(self, sets):
        begins = gate.usual_validity(DAY)
        assert gate._begin_of_next(sets.before.camera, "daily", gate.usual_validity(BEFORE)) == begins
        assert gate._begin_of_next(sets.before.camera, "daily", begins) is None
        assert gate._begin_of_next(sets.before.camera, "candidate", 0) is None

    @pytest.mark.parametrize("of", ["inputs", "held_out"])
    def test_would_be_refused_if_a_frame_of_it_were_rejected_meanwhile(self, sets, of):
        exposure = RawFrame.objects.get(pk=getattr(product(sets.today, "bias"), of)[0]).exposure
        reviews.reject(exposure, None, "sofia", "lights were on")
        assert gate.objections(sets.today, [], {}) == [
            f"{exposure.name} is not usable any more, but is in the set: build again without it."
        ]

    def test_needs_no_override(self, sets):
        with pytest.raises(NotDecidable, match=r"^The set is certified: only one that was refused, or whose run"):
            gate.override(sets.today, "sofia", "because")

    def test_is_kept_by_the_archive(self, sets):
        assert set(files(sets.today).values()) <= referenced()

    def test_would_be_refused_if_a_product_had_no_test(self, sets):
        Verification.objects.filter(product=product(sets.today, "linearity")).delete()
        assert gate.objections(sets.today, [], {}) == ["1 product was not verified."]

    def test_would_be_refused_if_a_detector_were_in_shadow(self, sets):
        reasons = gate.objections(sets.today, [], {"r": [20_000.0, 26_000.0], "g": [10_000.0, 10_100.0]})
        assert len(reasons) == 1
        assert reasons[0].startswith("Filter r: Scatter of the detectors' means in that flat: the exposure 0.13")


class TestAnIncompleteSet:
    def test_is_refused_and_says_what_is_missing_and_why(self, sets):
        assert sets.partial.state == "REFUSED"
        assert sets.partial.reasons[:7] == [
            "1 bias product is missing.",
            "1 dark product is missing.",
            "5 flat products are missing.",
            "1 defects product is missing.",
            "1 photon transfer curve product is missing.",
            "1 linearity product is missing.",
            "1 crosstalk product is missing.",
        ]
        assert "R22_S12 bias: There is no usable frame of the day." in sets.partial.reasons
        assert "R22_S12 ptc: There is no pair of usable flats of equal light of the day." in sets.partial.reasons
        assert not Verification.objects.filter(product__product_set=sets.partial, passed=False).exists()

    def test_leaves_the_incumbents_in_use_though_half_of_it_is_good(self, sets):
        assert len(files(sets.partial)) == SLOTS
        assert used(NEXT) == files(sets.today)

    def test_is_told_to_the_ocs_as_failed_though_the_job_ran_well(self, sets):
        code, told = generator.result(sets.partial.run)
        assert sets.partial.run.phase == "COMPLETED"
        assert (code, told["state"], told["reasons"]) == (1, "REFUSED", sets.partial.reasons)

    def test_raises_an_alarm_that_says_that_what_was_certified_stays(self, sets):
        assert Alarm.objects.get(activity="products").sentence.startswith(
            "The masters of 2026-11-23 were not certified; those certified before stay in use. 1 bias product is "
            "missing. And "
        )
        assert {one.severity for one in Event.objects.filter(kind="calib.refused")} == {"ALARM"}

    def test_is_certified_by_a_person_with_a_reason(self, sets):
        deed = gate.override(sets.partial, "sofia", " the other sensor is off tonight ")
        sets.partial.refresh_from_db()
        assert (sets.partial.state, sets.partial.decided_by) == ("CERTIFIED", "sofia")
        assert sets.partial.reasons, "what the gate said is kept"
        assert (deed.override, deed.reason, deed.actor) == (True, "the other sensor is off tonight", "sofia")
        assert used(NEXT) == files(sets.partial)
        assert used() == files(sets.today)
        assert not Alarm.objects.filter(activity="products", cleared_at=None).exists()

    @pytest.mark.parametrize("nothing", ["", "  \n"])
    def test_is_not_certified_without_a_reason(self, sets, nothing):
        with pytest.raises(NotDecidable, match=r"^A reason is needed: say why these masters are fit to be used"):
            gate.override(sets.partial, "sofia", nothing)
        assert used(NEXT) == files(sets.today)


class TestAWorseSet:
    def test_is_refused_beside_a_better_one_that_is_certified(self, sets):
        """DESI's rule: on the same held-out frame a new master is not worse than the certified one."""
        assert sets.worse.state == "REFUSED"
        worse = Verification.objects.get(product=product(sets.worse, "bias"), test="bias_no_worse")
        assert not worse.passed
        assert worse.sentence in sets.worse.reasons
        assert worse.sentence.startswith("R22_S11: on MC_S_20261124_000002 this master leaves ")
        assert "the certified one" in worse.sentence
        assert used(LAST) == files(sets.today)

    def test_has_failed_by_itself_too(self, sets):
        failed = Verification.objects.filter(product__product_set=sets.worse, passed=False)
        assert {"bias_residual", "bias_no_worse"} <= set(failed.values_list("test", flat=True))

    def test_is_complete(self, sets):
        assert not [reason for reason in sets.worse.reasons if "missing" in reason]

    def test_with_a_product_that_was_flagged_bad_is_not_overridden(self, sets):
        certification.flag_bad(product(sets.worse, "bias"), actor="sofia", reason="a glow")
        with pytest.raises(NotDecidable, match=r"was flagged bad by sofia \(a glow\): it is never used"):
            gate.override(sets.worse, "hugo", "it is good enough")
        assert used(LAST) == files(sets.today)
        assert not Product.objects.filter(product_set=sets.worse, sha256__in=used(LAST).values()).exists()
