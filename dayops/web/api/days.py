"""A day, its runs and its events."""

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import reverse

from dayops.day_summary import day_summary
from dayops.models import Event
from dayops.observing_day import ObservingDay
from dayops.web.api.endpoints import BadRequest, endpoint, one_page
from dayops.web.api.runs import run_as_json
from dayops.web.work_pages.answer import answer
from dayops.web.work_pages.lanes import DayLane, day_lanes
from dayops.web.work_pages.runs import RUNS, runs_of


@endpoint("GET")
def day_view(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """Can we observe, the six lanes, the Sun, and the day in numbers."""
    lanes = day_lanes(day, datetime.now(UTC))
    found = answer(lanes)
    return JsonResponse(
        {
            "day_obs": day.day_obs,
            "answer": {"word": found.word, "sentence": found.sentence},
            "sunset": day.sunset,
            "evening_twilight": day.evening_twilight,
            "lanes": [_lane_as_json(row) for row in lanes],
            "summary": day_summary(day.day_obs).as_json(),
            "url": reverse("board", args=[day]),
        }
    )


def _lane_as_json(row: DayLane) -> dict[str, Any]:
    lane = row.lane
    return {
        "activity": row.activity.key,
        "title": row.activity.title,
        "state": lane.state,
        "sentence": lane.sentence,
        "done": lane.done,
        "expected": lane.expected,
        "unit": lane.unit,
        "blocked_by": lane.blocked_by,
        "deadline": row.deadline,
        "deadline_name": row.activity.deadline_name,
        "latest_safe_start": row.safe_start.at,
        "latest_safe_start_from": row.safe_start.sentence,
        "late": row.is_late,
        "facts": dict(lane.facts),
        "url": lane.url,
    }


@endpoint("GET")
def day_runs(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """The day's runs, newest first; ``?activity=``, ``?phase=`` and ``?q=`` choose among them."""
    rows = runs_of(day)
    for name in ("activity", "phase"):
        if value := request.GET.get(name):
            rows = rows.filter(**{name: value.replace("\0", "")})
    return JsonResponse(one_page(request, RUNS.chosen(request, rows), "runs", run_as_json))


@endpoint("GET")
def day_events(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """The day's events, newest first; ``?since=ID`` gives only those that came after the event ID."""
    rows = Event.objects.filter(day_obs=day.day_obs).order_by("-pk")
    for name in ("severity", "kind", "actor", "subject"):
        if value := request.GET.get(name):
            rows = rows.filter(**{name: value.replace("\0", "")})
    if since := request.GET.get("since"):
        rows = rows.filter(pk__gt=_event_id(since))
    return JsonResponse(one_page(request, rows, "events", _event_as_json))


def _event_id(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise BadRequest(f"since={text!r} is not the number of an event.")
    return int(text)


def _event_as_json(event: Event) -> dict[str, Any]:
    return {
        "id": event.pk,
        "at": event.at,
        "severity": event.severity,
        "kind": event.kind,
        "text": event.text,
        "reason": event.reason,
        "actor": event.actor,
        "subject": event.subject,
        "data": event.data,
    }
