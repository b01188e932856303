"""The lane of DayMOPS on the day board: last night's search, and the nights that wait."""

from django.db.models import Count, Q

from dayops.activities import Lane
from dayops.models import Phase, Task
from dayops.observing_day import ObservingDay
from mops.models import Linkage, Night

_ENDED_BADLY = {Phase.ERROR.value, Phase.ABORTED.value}


def lane(day: ObservingDay) -> Lane:
    """The newest search of the night before `day`: how far it is, and what came of it (three queries)."""
    night_of = day.previous
    nights = Night.objects.filter(day_obs=night_of.day_obs, trial=False).select_related("run").order_by("-pk")
    found = list(nights[:10])
    newest = found[0] if found else None
    published = next((night for night in found if night.state == Night.State.PUBLISHED), None)
    tasks = Task.objects.filter(run=newest.run if newest else None)
    counts = tasks.aggregate(total=Count("pk"), done=Count("pk", filter=Q(phase=Phase.COMPLETED)))
    return Lane(
        state=_state(newest, published),
        sentence=_sentence(night_of, newest, published),
        done=counts["done"],
        expected=counts["total"] or None,
        unit="tasks",
        url=f"/{night_of}/mops/",
        blocked_by=newest.reasons[0] if newest and newest.state == Night.State.REFUSED and newest.reasons else "",
        facts=_facts(published),
    )


def candidates_of_day(day_obs: int) -> int | None:
    """Accepted linkages of the night before `day_obs`; None where no search of it is published."""
    night = Night.objects.filter(day_obs=ObservingDay(day_obs).previous.day_obs, state=Night.State.PUBLISHED).first()
    return None if night is None else night.linkages.filter(verdict=Linkage.Verdict.ACCEPTED).count()


def _state(newest: Night | None, published: Night | None) -> str:
    if newest is None:
        return "NONE"
    if newest.state == Night.State.PUBLISHED:
        return "OK"
    if newest.state == Night.State.MAKING and newest.run.phase not in _ENDED_BADLY:
        return "EXECUTING"
    return "WARN" if published else "ERROR"


def _sentence(night_of: ObservingDay, newest: Night | None, published: Night | None) -> str:
    if newest is None:
        return f"No run yet. Detections of the night {night_of} will be linked into Solar System objects."
    stays = "; the search published before stays" if published else ""
    if newest.state == Night.State.PUBLISHED:
        accepted, attributed = newest.counts.get("accepted", 0), newest.counts.get("attributed", 0)
        return f"{accepted} new objects linked, {attributed} detections of known ones, in the night {night_of}."
    if newest.state == Night.State.REFUSED:
        return f"The result of the night {night_of} was refused{stays}."
    if newest.run.phase in _ENDED_BADLY:
        return f"The search of the night {night_of} ended: {newest.run.error.rstrip('.') or 'it was aborted'}{stays}."
    return f"The night {night_of} is being searched."


def _facts(published: Night | None) -> tuple[tuple[str, str], ...]:
    if published is None:
        return ()
    counts = published.counts
    return tuple((name, f"{counts[name]:,}") for name in ("detections", "tracklets", "linkages") if name in counts)
