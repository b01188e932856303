"""Nights that wait: each is searched by itself, the newest first (LDM-151: reverse chronological order).

A night waits when it is over, has detections, and no search of it is published, refused or under way, nor was aborted
by a person. Nights from before the first search are history: its window reads them, but nobody searches them.
"""

from collections import Counter
from datetime import UTC, datetime

from django.db.models import Min, Q

from dayops.level1.partitioning import nights_of
from dayops.models import Phase, Run
from dayops.observing_day import ObservingDay
from mops.models import Night
from mops.pipeline.start import ACTIVITY, start

MOST_TRIES = 3  # of one night without a result; then it is left to a person
_ACTOR = "scheduler"


def start_what_waits() -> Run | None:
    """Start the search of the newest night that waits, unless one is under way. A duty of the scheduler."""
    if Run.objects.filter(activity=ACTIVITY).exclude(phase__in=Phase.ended()).exists():
        return None
    waiting = nights_waiting(datetime.now(UTC))
    if not waiting:
        return None
    tries = Night.objects.filter(day_obs=waiting[0], trial=False).count()
    return start(waiting[0], requested_by=_ACTOR, key=f"automatic:{tries + 1}")


def nights_waiting(now: datetime) -> list[int]:
    """dayObs of the nights that wait, newest first."""
    over = [day for day in sorted(nights_of("DiaSource"), reverse=True) if ObservingDay(day).sunrise <= now]
    searched = Night.objects.filter(trial=False)
    first = searched.aggregate(first=Min("day_obs"))["first"]
    if first is None:
        return over[:1]
    is_left = Q(run__phase=Phase.ABORTED) | ~Q(state=Night.State.MAKING)
    left = set(searched.filter(is_left).values_list("day_obs", flat=True))
    tries = Counter(searched.values_list("day_obs", flat=True))
    return [day for day in over if day >= first and day not in left and tries[day] < MOST_TRIES]
