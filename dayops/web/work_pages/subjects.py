"""Where the thing an event or a run is about has its page.

By convention the page of the subject ``kind:name`` is the URL pattern called ``kind``, of the ground floor or of one of
the activities, and takes the dayObs and the name. A ``day`` is its board; ``workers:all`` the page of all workers.
"""

from collections.abc import Iterable
from contextlib import suppress

from django.urls import NoReverseMatch, reverse

from dayops.activities import activities
from dayops.models import Event
from dayops.web.work_pages.texts import Linked


def subject_url(subject: str, day_obs: int) -> str:
    """URL of ``run:12`` or ``exposure:minicam/MC_S_…`` (the name follows the camera); empty where it has no page."""
    kind, _, name = subject.partition(":")
    if not kind or not name:
        return ""
    if kind == "day":
        return _reverse("board", name)
    if kind == "workers":
        return _reverse("workers", day_obs)
    patterns = (kind, *(f"{activity.key}:{kind}" for activity in activities()))
    found = (_reverse(pattern, day_obs, name.rpartition("/")[2]) for pattern in patterns)
    return next(filter(None, found), "")


def about(subject: str, day_obs: int) -> Linked:
    """A subject that leads to its page and is said as people do: ``run 12``, ``exposure MC_S_…`` without the camera."""
    kind, _, name = subject.partition(":")
    return Linked(subject, subject_url(subject, day_obs), f"{kind} {name.rpartition('/')[2]}".strip())


def _reverse(pattern: str, *values: object) -> str:
    with suppress(NoReverseMatch):
        return reverse(pattern, args=values)
    return ""


def linked(events: Iterable[Event]) -> list[tuple[Event, str]]:
    """Each event with the URL of what it is about."""
    return [(event, subject_url(event.subject, event.day_obs)) for event in events]
