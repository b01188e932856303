"""Where the thing an event or a run is about has its page.

By convention the page of the subject ``kind:name`` is the URL pattern called ``kind``, of the ground floor or of one of
the activities, and takes the dayObs and the name.
"""

from collections.abc import Iterable
from contextlib import suppress

from django.urls import NoReverseMatch, reverse

from dayops.activities import activities
from dayops.models import Event


def subject_url(subject: str, day_obs: int) -> str:
    """URL of ``run:12`` or ``exposure:minicam/MC_S_…`` (the name follows the camera); empty where it has no page."""
    kind, _, name = subject.partition(":")
    if not kind or not name:
        return ""
    for pattern in (kind, *(f"{activity.key}:{kind}" for activity in activities())):
        with suppress(NoReverseMatch):
            return reverse(pattern, args=[day_obs, name.rpartition("/")[2]])
    return ""


def linked(events: Iterable[Event]) -> list[tuple[Event, str]]:
    """Each event with the URL of what it is about."""
    return [(event, subject_url(event.subject, event.day_obs)) for event in events]
