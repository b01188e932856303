"""The six activities as the day board sees them. Each app announces its own in `AppConfig.ready()`."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from dayops.observing_day import ObservingDay


@dataclass(frozen=True, slots=True)
class Lane:
    """The state of one activity on one dayObs, for a person: a word, how far, what blocks and where to look.

    `state` is a word that the status tag knows (OK, WARN, ERROR, EXECUTING, LATE, NONE …); `done` of `expected` units.
    """

    state: str
    sentence: str
    done: int = 0
    expected: int | None = None
    unit: str = ""
    url: str = ""
    blocked_by: str = ""
    latest_safe_start: datetime | None = None
    facts: tuple[tuple[str, str], ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Activity:
    """One of the six. `lane` reads its state with a constant number of queries."""

    key: str
    title: str
    order: int
    queue: str
    deadline_name: str
    deadline: Callable[[ObservingDay], datetime]
    lane: Callable[[ObservingDay], Lane]


_activities: dict[str, Activity] = {}


def register(activity: Activity) -> None:
    _activities[activity.key] = activity


def activities() -> list[Activity]:
    """All six in the order of the day."""
    return sorted(_activities.values(), key=lambda activity: activity.order)


def no_run_yet(what: str) -> Callable[[ObservingDay], Lane]:
    """The lane of an activity that has not run: present, and honest about it."""

    def lane(day: ObservingDay) -> Lane:
        return Lane(state="NONE", sentence=f"No run yet. {what}")

    return lane
