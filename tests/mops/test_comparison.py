"""Two searches compared: whatever they found, every linkage has one fate."""

from collections.abc import Sequence
from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mops import comparison
from mops.comparison import CHANGED, COMMON, GAINED, LOST, Comparison
from mops.models import Linkage, Night

DETECTIONS = st.frozensets(st.integers(1, 30), min_size=3, max_size=8)
SEARCH = st.lists(DETECTIONS, max_size=8, unique=True)


def compared(before: Sequence[frozenset[int]], after: Sequence[frozenset[int]]) -> Comparison:
    """Of searches that accepted linkages of these detections; nothing is stored."""
    a = [_linkage(1 + k, sources) for k, sources in enumerate(before)]
    b = [_linkage(101 + k, sources) for k, sources in enumerate(after)]
    found = Comparison(Night(pk=1), Night(pk=2))
    with patch.object(comparison, "_accepted", lambda night: a if night.pk == 1 else b):
        found.pairs  # noqa: B018 (is kept once it was asked for)
    return found


def _linkage(pk: int, sources: frozenset[int]) -> Linkage:
    return Linkage(pk=pk, identity=repr(sorted(sources)), sources=sorted(sources))


@given(SEARCH, SEARCH)
def test_every_linkage_of_both_has_exactly_one_fate(before, after):
    found = compared(before, after)
    assert sorted(pair.a.pk for pair in found.pairs if pair.a) == list(range(1, 1 + len(before)))
    assert sorted(pair.b.pk for pair in found.pairs if pair.b) == list(range(101, 101 + len(after)))
    assert sum(found.counts.values()) == len(found.pairs)


@given(SEARCH, SEARCH)
def test_fates_say_what_the_pairs_are(before, after):
    for pair in compared(before, after).pairs:
        a, b = (set(one.sources) if one else set() for one in (pair.a, pair.b))
        shared = len(a & b)
        match pair.fate:
            case "common":
                assert a == b
            case "changed":
                assert a != b
                assert 0 < pair.shared <= shared
                assert 2 * pair.shared > min(len(a), len(b))
            case "lost":
                assert pair.b is None
            case "gained":
                assert pair.a is None


@given(SEARCH, SEARCH)
def test_turned_round_what_was_gained_is_lost_and_the_same_stays_the_same(before, after):
    there, back = compared(before, after).counts, compared(after, before).counts
    assert there[COMMON] == back[COMMON] == len(set(before) & set(after))
    if not _overlap(before) and not _overlap(after):  # each detection once in a search, as the purifier leaves it
        assert (there[GAINED], there[LOST], there[CHANGED]) == (back[LOST], back[GAINED], back[CHANGED])


def _overlap(search: Sequence[frozenset[int]]) -> bool:
    return bool(search) and int(np.max(np.bincount([each for one in search for each in one]))) > 1


def test_the_pair_that_shares_most_belongs_together():
    whole, most, few = frozenset(range(1, 9)), frozenset(range(1, 7)), frozenset({7, 8, 20})
    (pair, gained) = sorted(compared([whole], [few, most]).pairs, key=lambda each: each.fate)
    assert (pair.fate, pair.shared, pair.one.sources) == (CHANGED, 6, sorted(most))
    assert (gained.fate, gained.one.sources) == (GAINED, sorted(few))


def test_lost_ones_come_first_and_common_ones_last():
    same, gone, new = frozenset({1, 2, 3}), frozenset({4, 5, 6}), frozenset({7, 8, 9})
    assert [pair.fate for pair in compared([same, gone], [same, new]).pairs] == [LOST, GAINED, COMMON]
