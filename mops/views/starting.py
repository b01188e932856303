"""The button that has a night searched, or tried with other limits."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_POST

from dayops.observing_day import ObservingDay
from dayops.runs import NotPossible
from dayops.web.access import require, why_not
from dayops.web.work_pages.operations import MAY_OPERATE, actor_of
from mops.pipeline.configuration import names
from mops.pipeline.start import start
from mops.views.lookup import see

CHANGES_LIMIT = 500


def start_button(request: HttpRequest) -> dict[str, Any]:
    """What a page says of the button: the configurations there are, and why it cannot be pressed."""
    return {"configurations": names(), "may_not_start": why_not(request, MAY_OPERATE), "changes_limit": CHANGES_LIMIT}


@require_POST
@require(MAY_OPERATE)
def start_night(request: HttpRequest, day: ObservingDay) -> HttpResponse:
    """Search the night with a configuration; as a trial nothing is published, and limits may be changed."""
    given = request.POST
    try:
        changes = changes_of(given.get("changes", ""))
        trial = given.get("trial") == "on"
        run = start(
            day.day_obs, given.get("configuration", ""), trial=trial, requested_by=actor_of(request), changes=changes
        )
    except (ValueError, NotPossible) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Run {run.pk} searches the night {day}{' as a trial' if trial else ''}.")
    return see(reverse("mops:summary", args=[day]))


def changes_of(text: str) -> dict[str, float | int]:
    """From ``minimum_nights=4, tracklet_max_hours=2``: names and numbers.

    Raises ValueError, in a sentence, for anything else.
    """
    if len(text) > CHANGES_LIMIT:
        raise ValueError(f"The changes have {len(text)} characters; {CHANGES_LIMIT} are the most.")
    changes: dict[str, float | int] = {}
    for part in filter(None, (part.strip() for part in text.replace(";", ",").split(","))):
        name, equals, value = (word.strip() for word in part.partition("="))
        if not (name and equals and value):
            raise ValueError(f"{part[:40]!r} is no change: write name=value, e.g. minimum_nights=4.")
        changes[name] = _number(name, value)
    return changes


def _number(name: str, text: str) -> float | int:
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError as error:
        raise ValueError(f"{name}={text[:40]} is not a number.") from error
