"""Random deeds upon the calibration database against a table of instants kept in Python."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from calib.certification import ConflictingCertification, NotCertifiable, decertify, gaps, lookup, roll_back
from calib.certification.instants import night_of
from calib.models import CalibrationSlot, CertificationAction, ProductType
from tests.calib.certified import DAY, certified, products, set_of

SLOTS = [(ProductType.BIAS, 0, ""), (ProductType.BIAS, 1, ""), (ProductType.FLAT, 0, "r")]
BEGINNINGS = range(6)
INSTANTS = range(9)  # the last is after the end of every range that ends: it stands for all that come after
NEVER_ENDS = len(INSTANTS)
BASE = night_of(DAY)[0] - 3  # nanoseconds on both sides of a roll-over

State = dict[tuple[int, int], int]  # slot and instant: product
some_slots = st.sets(st.sampled_from(range(len(SLOTS))), min_size=1).map(sorted)
some_range = st.tuples(st.sampled_from(BEGINNINGS), st.sampled_from([1, 2, 3, NEVER_ENDS]))
deeds = st.one_of(
    st.tuples(st.just("certify"), some_slots, some_range),
    st.tuples(st.just("decertify"), some_slots, some_range),
    st.tuples(st.just("roll back"), st.integers(0, 9), st.none()),
)


@dataclass
class Table:
    """What is to be used, by plain loops, and what was after every deed."""

    states: list[State] = field(default_factory=lambda: [{}])
    touched: list[set[int]] = field(default_factory=list)
    made: list[CertificationAction] = field(default_factory=list)

    def after(self, deed: CertificationAction, slots: set[int], state: State) -> None:
        self.made.append(deed)
        self.touched.append(slots)
        self.states.append(state)

    def certify(self, slots: list[int], within: range, valid: dict[str, Any]) -> None:
        these = products([SLOTS[slot] for slot in slots], of=set_of())
        new = {(slot, at): one.pk for slot, one in zip(slots, these, strict=True) for at in within}
        self.after(certified(*these, **valid), set(slots), self.states[-1] | new)

    def decertify(self, slots: list[int], within: range, valid: dict[str, Any]) -> None:
        state = self.states[-1]
        gone = {(slot, at) for slot in slots for at in within} & state.keys()
        names = [CalibrationSlot.objects.filter(type=t, detector=d, filter=f) for t, d, f in (SLOTS[i] for i in slots)]
        chosen = names[0].union(*names[1:]).values_list("pk")
        words: dict[str, Any] = {"actor": "diego", "reason": "light", **valid}
        words["slots"] = CalibrationSlot.objects.filter(pk__in=[pk for (pk,) in chosen])
        if not gone:
            with pytest.raises(NotCertifiable, match="nothing to take back"):
                decertify("minicam", "daily", **words)
            return
        left = {key: product for key, product in state.items() if key not in gone}
        self.after(decertify("minicam", "daily", **words), {slot for slot, _ in gone}, left)

    def roll_back(self, number: int) -> None:
        if number >= len(self.made):
            return
        slots = self.touched[number]
        if any(slots & later for later in self.touched[number + 1 :]):
            with pytest.raises(ConflictingCertification, match="roll that back first"):
                roll_back(self.made[number], "diego", "light")
            return
        before = {key: product for key, product in self.states[number].items() if key[0] in slots}
        others = {key: product for key, product in self.states[-1].items() if key[0] not in slots}
        self.after(roll_back(self.made[number], "diego", "light"), slots, others | before)


def in_database(**known: Any) -> State:
    """What the lookup finds at every instant."""
    return {
        (SLOTS.index(each.slot), at): each.product
        for at in INSTANTS
        for each in lookup("minicam", BASE + at, chain=["daily"], **known)
    }


def overlaps() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM calib_certification a JOIN calib_certification b"
            " ON a.id < b.id AND a.slot_id = b.slot_id AND a.valid && b.valid AND a.known && b.known"
        )
        (found,) = cursor.fetchone()
    return int(found)


class TestRandomDeeds(TestCase):
    @settings(max_examples=40, deadline=None)
    @given(st.lists(deeds, min_size=1, max_size=9))
    def test_every_instant_as_known_at_every_instant_is_what_plain_loops_say(self, wanted: list[Any]) -> None:
        table = Table()
        for kind, what, when in wanted:
            if kind == "roll back":
                table.roll_back(what)
                continue
            begins, length = when
            within = range(begins, min(begins + length, NEVER_ENDS))
            valid_to = None if length == NEVER_ENDS else BASE + begins + length
            valid = {"valid_from": BASE + begins, "valid_to": valid_to}
            (table.certify if kind == "certify" else table.decertify)(what, within, valid)
        assert in_database() == table.states[-1]
        for deed, before, state in zip(table.made, table.states, table.states[1:], strict=False):
            assert in_database(known_at=deed.at) == state
            assert in_database(known_at=deed.at - timedelta(microseconds=1)) == before
        assert overlaps() == 0
        self.expect_gaps(table)

    def expect_gaps(self, table: Table) -> None:
        ever = {slot for touched in table.touched for slot in touched}
        missing = {(slot, at) for slot in ever for at in INSTANTS} - table.states[-1].keys()
        told = gaps("minicam", BASE, BASE + NEVER_ENDS)
        slots = [(SLOTS.index((gap.type, gap.detector, gap.filter)), gap) for gap in told]
        assert {(slot, at - BASE) for slot, gap in slots for at in range(gap.begins, gap.ends)} == missing
