"""The six lanes of a day as the board and the API show them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from dayops.activities import Activity, Lane, activities
from dayops.observing_day import ObservingDay
from dayops.web import markup
from dayops.web.work_pages.safe_start import SafeStart, median_durations, safe_start


@dataclass(frozen=True, slots=True)
class DayLane:
    """One activity on one day. `now` decides only what has passed, so that an unchanged day looks unchanged."""

    activity: Activity
    lane: Lane
    deadline: datetime
    safe_start: SafeStart
    now: datetime

    @property
    def word(self) -> str:
        return "no run yet" if self.lane.state == "NONE" else self.lane.state

    @property
    def look(self) -> str:
        return markup.LOOKS.get(self.lane.state, "none")

    @property
    def is_behind(self) -> bool:
        """Whether something that is expected is not there yet."""
        return self.lane.expected is not None and self.lane.done < self.lane.expected

    @property
    def is_late(self) -> bool:
        return self.is_behind and self.now > self.deadline

    @property
    def starts_too_late(self) -> bool:
        return self.safe_start.at is not None and self.is_behind and self.safe_start.at < self.now <= self.deadline

    @property
    def anchor(self) -> str:
        return f"lane-{self.activity.key}"


def day_lanes(day: ObservingDay, now: datetime) -> list[DayLane]:
    """All lanes in the order of the day: one query, and those of each lane."""
    medians = median_durations(day)
    return [_day_lane(activity, day, now, medians) for activity in activities()]


def _day_lane(activity: Activity, day: ObservingDay, now: datetime, medians: Mapping[str, timedelta]) -> DayLane:
    lane, deadline = activity.lane(day), activity.deadline(day)
    return DayLane(activity, lane, deadline, safe_start(activity, lane, deadline, medians), now)
