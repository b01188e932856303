"""The record of a day: every state change, command and verdict."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import conditional_page, require_safe

from dayops.models import Event, Severity
from dayops.observing_day import ObservingDay
from dayops.web.refusals import is_fragment
from dayops.web.tables import Column, Filter, Table
from dayops.web.work_pages.subjects import about
from dayops.web.work_pages.texts import Linked


def _subject(event: Event) -> Linked:
    return about(event.subject, event.day_obs)


EVENTS = Table(
    "events",
    (
        Column("event", "Event", lambda event: event.pk, order="pk"),
        Column("at", "At", lambda event: event.at, "instant", order="at", unit="UTC"),
        Column("severity", "Severity", lambda event: event.severity, "status", order="severity"),
        Column("kind", "Kind", lambda event: event.kind, order="kind"),
        Column("text", "What happened", lambda event: event.text),
        Column("reason", "Reason", lambda event: event.reason),
        Column("actor", "Who", lambda event: event.actor, order="actor"),
        Column("subject", "About", _subject, order="subject"),
    ),
    search=("text", "reason", "subject"),
)


def _filters(day: ObservingDay) -> tuple[Filter, ...]:
    """Kinds and actors as they occur on the day (one query)."""
    pairs = list(Event.objects.filter(day_obs=day.day_obs).order_by().values_list("kind", "actor").distinct())
    kinds, actors = sorted({kind for kind, _ in pairs}), sorted({actor for _, actor in pairs})
    return (
        Filter("severity", "Severity", Severity.choices, "severity"),
        Filter("kind", "Kind", [(kind, kind) for kind in kinds], "kind"),
        Filter("actor", "Who", [(actor, actor) for actor in actors], "actor"),
    )


@require_safe
@conditional_page
def event_list(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """The day's events, newest first; filtered by severity, kind, actor and text; exported as CSV or JSON."""
    rows = Event.objects.filter(day_obs=day.day_obs).order_by("-pk")
    template = "work/events_table.html" if is_fragment(request) else "work/events.html"
    return replace(EVENTS, name=f"events-{day}", filters=_filters(day)).respond(request, rows, template)
