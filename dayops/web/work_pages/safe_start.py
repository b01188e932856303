"""Latest safe start: when the rest of an activity must begin, at its measured pace, to be ready by its deadline."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Aggregate, DurationField, F

from dayops.activities import Activity, Lane
from dayops.models import Phase, Run
from dayops.observing_day import ObservingDay
from dayops.web.markup import duration

MEASURED_DAYS = 30


class Median(Aggregate):
    """PostgreSQL's median of a span of time."""

    function = "PERCENTILE_CONT"
    template = "%(function)s(0.5) WITHIN GROUP (ORDER BY %(expressions)s)"
    output_field = DurationField()


@dataclass(frozen=True, slots=True)
class SafeStart:
    """The instant, where there is one, and the sentence that says how it was found or why there is none."""

    at: datetime | None
    sentence: str


def median_durations(day: ObservingDay) -> dict[str, timedelta]:
    """Median duration of completed runs, by activity, over the 30 dayObs that end with `day` (one query)."""
    first = ObservingDay.at(day.begins - timedelta(days=MEASURED_DAYS - 1))
    completed = Run.objects.filter(
        day_obs__gte=first.day_obs, day_obs__lte=day.day_obs, phase=Phase.COMPLETED, started_at__isnull=False
    )
    medians = completed.order_by().values_list("activity").annotate(median=Median(F("ended_at") - F("started_at")))
    return dict(medians)


def safe_start(activity: Activity, lane: Lane, deadline: datetime, medians: Mapping[str, timedelta]) -> SafeStart:
    """Deadline − median duration × what is left, one after another; an activity that knows better says so itself."""
    if lane.latest_safe_start:
        return SafeStart(lane.latest_safe_start, "as the activity reckons")
    left = 1 if lane.expected is None else lane.expected - lane.done
    median = medians.get(activity.key)
    if left <= 0:
        return SafeStart(None, "nothing is left to start")
    if median is None:
        return SafeStart(None, f"not measured yet: no run completed in {MEASURED_DAYS} days")
    return SafeStart(deadline - left * median, f"median run {duration(median)} × {left} left, one after another")
