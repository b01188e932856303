"""The throughput debt: how long after its end a night's result is published, averaged over a month.

The DPDD (LSE-163, note on daytime processing) sets no bound on one night: "averaged over some reasonable timescale
(eg., a month)" a night's worth is processed within 24 hours. A night that takes longer is made up for by others, as
long as the backlog does not grow; it is worked off newest first (LDM-151).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import fmean

from dayops.observing_day import ObservingDay
from mops.models import Night
from mops.pipeline.backlog import nights_waiting

LIMIT_H = 24.0
NIGHTS = 30


@dataclass(frozen=True, slots=True)
class Delay:
    """One night: hours from its end (sunrise) to its first publication, or to now where there is none.

    `why` says, of one that waits, for what.
    """

    day: ObservingDay
    hours: float
    is_published: bool
    why: str = ""

    @property
    def is_late(self) -> bool:
        return self.hours > LIMIT_H


@dataclass(frozen=True)
class Debt:
    """The delays of the nights of the last 30 days that were searched or wait to be, newest first."""

    last: ObservingDay
    delays: Sequence[Delay]

    @property
    def first(self) -> ObservingDay:
        return _first(self.last)

    @property
    def published(self) -> int:
        return sum(delay.is_published for delay in self.delays)

    @property
    def mean_h(self) -> float | None:
        """Mean of all delays; a night that waits counts with the hours it has waited so far."""
        return fmean(delay.hours for delay in self.delays) if self.delays else None

    @property
    def backlog(self) -> list[Delay]:
        """The nights without a published result, in the order they are worked off: newest first."""
        return [delay for delay in self.delays if not delay.is_published]

    @property
    def word(self) -> str:
        if self.mean_h is None:
            return "NONE"
        if self.mean_h > LIMIT_H:
            return "LATE"
        return "WARN" if self.backlog else "OK"


def debt(day: ObservingDay, now: datetime) -> Debt:
    """As of `day` and the 29 days before it (five queries)."""
    first = _first(day).day_obs
    rows = Night.objects.filter(day_obs__gte=first, day_obs__lte=day.day_obs, trial=False).order_by("pk")
    published: dict[int, datetime | None] = dict.fromkeys(
        waiting for waiting in nights_waiting(now) if first <= waiting <= day.day_obs
    )
    newest: dict[int, str] = {}
    for day_obs, state, decided_at in rows.values_list("day_obs", "state", "decided_at"):
        out = decided_at if state in {Night.State.PUBLISHED, Night.State.REPLACED} else None
        published[day_obs] = min(filter(None, (published.get(day_obs), out)), default=None)
        newest[day_obs] = _WHY.get(state, "")
    return Debt(
        day, [_delay(each, published[each], now, newest.get(each, "")) for each in sorted(published, reverse=True)]
    )


_WHY: dict[str, str] = {
    Night.State.MAKING: "its search is under way",
    Night.State.REFUSED: "its search was refused: see to it",
}
_NOT_BEGUN = "its search has not begun"


def _first(last: ObservingDay) -> ObservingDay:
    return ObservingDay.parse(str(last.date - timedelta(days=NIGHTS - 1)))


def _delay(day_obs: int, published: datetime | None, now: datetime, why: str) -> Delay:
    day = ObservingDay(day_obs)
    waited = (published or now) - day.sunrise
    is_published = published is not None
    return Delay(day, max(0.0, waited / timedelta(hours=1)), is_published, "" if is_published else why or _NOT_BEGUN)
