"""Two searches beside each other: which linkages both have, which only one, and which changed."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from mops.models import Linkage, Night

COMMON, CHANGED, GAINED, LOST = "common", "changed", "gained", "lost"
FATES = (COMMON, CHANGED, GAINED, LOST)
MOST = 100_000
_COLUMNS = ("identity", "sources", "orbit_class", "rms_arcsec", "a_au", "e", "incl", "night__day_obs")


@dataclass(frozen=True, slots=True)
class Pair:
    """A linkage of `a`, of `b`, or of both; `shared` detections of both."""

    fate: str
    a: Linkage | None
    b: Linkage | None
    shared: int = 0

    @property
    def one(self) -> Linkage:
        """The newer one where there are both."""
        found = self.b or self.a
        assert found is not None
        return found


@dataclass(frozen=True)
class Comparison:
    """Accepted linkages of `a` (before) and `b` (after).

    The same detections are common; more than half of the smaller one's detections shared is changed, for the pair that
    shares most; what is left of `a` is lost and of `b` gained.
    """

    a: Night
    b: Night

    @cached_property
    def pairs(self) -> list[Pair]:
        """Lost ones first, then gained, changed and common ones (two queries)."""
        before, after = _accepted(self.a), _accepted(self.b)
        pairs = [*_same(before, after), *_overlapping(before, after)]
        paired_a = {pair.a.pk for pair in pairs if pair.a}
        paired_b = {pair.b.pk for pair in pairs if pair.b}
        lost = [Pair(LOST, one, None) for one in before if one.pk not in paired_a]
        gained = [Pair(GAINED, None, one) for one in after if one.pk not in paired_b]
        order = (LOST, GAINED, CHANGED, COMMON)
        return sorted([*lost, *gained, *pairs], key=lambda pair: (order.index(pair.fate), pair.one.pk))

    @cached_property
    def counts(self) -> dict[str, int]:
        counted = Counter(pair.fate for pair in self.pairs)
        return {fate: counted[fate] for fate in FATES}


def _most_shared(each: tuple[int, Linkage, Linkage]) -> tuple[int, list[str]]:
    """Those that share most come first; the order does not depend on which search is called a."""
    shared, one, other = each
    return -shared, sorted((one.identity, other.identity))


def _accepted(night: Night) -> list[Linkage]:
    rows = Linkage.objects.filter(night=night, verdict=Linkage.Verdict.ACCEPTED).select_related("night")
    return list(rows.only(*_COLUMNS).order_by("pk")[:MOST])


def _same(before: Sequence[Linkage], after: Sequence[Linkage]) -> Iterator[Pair]:
    of_b = {one.identity: one for one in after}
    for one in before:
        if other := of_b.get(one.identity):
            yield Pair(COMMON, one, other, len(one.sources))


def _overlapping(before: Sequence[Linkage], after: Sequence[Linkage]) -> Iterator[Pair]:
    """The pairs that share most detections, greedily, among those that are not the same."""
    same = {one.identity for one in before} & {one.identity for one in after}
    of_b = {source: one for one in after if one.identity not in same for source in one.sources}
    found = []
    for one in before:
        if one.identity in same:
            continue
        shared = Counter(of_b[source].pk for source in one.sources if source in of_b)
        by_pk = {of_b[source].pk: of_b[source] for source in one.sources if source in of_b}
        found += [(number, one, by_pk[pk]) for pk, number in shared.items()]
    taken: set[int] = set()
    for number, one, other in sorted(found, key=_most_shared):
        enough = 2 * number > min(len(one.sources), len(other.sources))
        if enough and not {-one.pk, other.pk} & taken:
            taken |= {-one.pk, other.pk}
            yield Pair(CHANGED, one, other, number)
