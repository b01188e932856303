"""Alarms for people: what is open now and what may be done about it, the record of all, and one with its history."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from django.contrib import messages
from django.db.models import Case, CharField, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import conditional_page, require_POST, require_safe

from dayops import alarms
from dayops.activities import activities
from dayops.alarm_delivery import MOST_TRIES
from dayops.alarm_delivery.messages import shown
from dayops.models import Alarm, Severity
from dayops.observing_day import ObservingDay
from dayops.runs import NotPossible
from dayops.web.access import require, why_not
from dayops.web.refusals import is_fragment
from dayops.web.tables import Column, Filter, Table
from dayops.web.work_pages.operations import MAY_OPERATE, REASON_LIMIT, actor_of
from dayops.web.work_pages.subjects import about, linked
from dayops.web.work_pages.texts import Linked

STATES = ("OPEN", "ACKNOWLEDGED", "SNOOZED", "OVER")
OPEN_SHOWN = 40
SNOOZES = [(1, "1 hour"), (4, "4 hours"), (12, "12 hours"), (24, "1 day"), (72, "3 days"), (168, "7 days")]


def alarm_page_url(alarm: Alarm) -> str:
    return reverse("alarm", args=[alarm.day_obs, alarm.pk])


def _about(alarm: Alarm) -> Linked:
    return about(alarm.subject, alarm.day_obs)


ALARMS = Table(
    "alarms",
    (
        Column("alarm", "Alarm", lambda alarm: alarm.pk, order="pk", link=alarm_page_url),
        Column("state", "State", lambda alarm: alarm.state, "status", order="state"),
        Column("severity", "Severity", lambda alarm: alarm.severity, "status", order="severity"),
        Column("sentence", "What is wrong", lambda alarm: alarm.sentence, link=alarm_page_url),
        Column("since", "Since", lambda alarm: alarm.raised_at, "instant", order="raised_at", unit="UTC"),
        Column("times", "Seen", lambda alarm: alarm.times, "number", order="times", unit="times"),
        Column(
            "last_seen",
            "Last seen",
            lambda alarm: alarm.seen_at,
            "instant",
            order="seen_at",
            unit="UTC",
            on_page=False,
        ),
        Column("over", "Over since", lambda alarm: alarm.cleared_at, "instant", order="cleared_at", unit="UTC"),
        Column("subject", "About", _about, order="subject"),
        Column("remedy", "What to do", lambda alarm: alarm.remedy, on_page=False),
        Column("by", "In hands of", lambda alarm: alarm.acknowledged_by or alarm.snoozed_by),
        Column("reason", "Reason", lambda alarm: alarm.reason),
    ),
    search=("sentence", "remedy", "subject", "key", "reason"),
)


def with_state(rows: QuerySet[Alarm]) -> QuerySet[Alarm]:
    """Each alarm with its `state`, a word of `STATES`, as it is now; open ones first, the worst and newest of them."""
    state = Case(
        When(cleared_at__isnull=False, then=Value("OVER")),
        When(snoozed_until__gt=Now(), then=Value("SNOOZED")),
        When(acknowledged_at__isnull=False, then=Value("ACKNOWLEDGED")),
        default=Value("OPEN"),
        output_field=CharField(),
    )
    order = Case(*(When(state=word, then=Value(i)) for i, word in enumerate(STATES)), output_field=IntegerField())
    badness = Case(
        When(Q(cleared_at=None, severity=Severity.ALARM), then=Value(0)),
        When(Q(cleared_at=None, severity=Severity.WARN), then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return rows.annotate(state=state).order_by(order, badness, "-pk")


def open_alarms(day: ObservingDay, *, is_today: bool) -> list[tuple[Alarm, str]]:
    """Open alarms that are not snoozed, the worst first, with their pages: of `day`, and of all days for today."""
    rows = alarms.still_open() if is_today else alarms.still_open().filter(day_obs=day.day_obs)
    shown_now = with_state(rows.exclude(snoozed_until__gt=Now()))[:OPEN_SHOWN]
    return [(alarm, alarm_page_url(alarm)) for alarm in shown_now]


@dataclass(frozen=True, slots=True)
class Button:
    """Something one may do about an alarm; `blocked` says why it may not be pressed."""

    name: str
    label: str
    blocked: str


@dataclass(frozen=True, slots=True)
class OpenAlarm:
    """An open alarm as the page shows it."""

    alarm: Alarm
    url: str
    about: Linked
    buttons: tuple[Button, ...]


def open_alarm(alarm: Alarm) -> OpenAlarm:
    buttons = (
        Button("acknowledge", "Acknowledge", alarms.why_not_acknowledge(alarm)),
        Button("snooze", "Snooze", alarms.why_not_snooze(alarm)),
    )
    return OpenAlarm(alarm, alarm_page_url(alarm), _about(alarm), buttons)


def _filters() -> tuple[Filter, ...]:
    return (
        Filter("state", "State", [(state, state.capitalize()) for state in STATES], "state"),
        Filter("severity", "Severity", Severity.choices, "severity"),
        Filter("activity", "Activity", [(each.key, each.title) for each in activities()], "activity"),
    )


@require_safe
@conditional_page
def alarm_list(request: HttpRequest, day: ObservingDay | None = None) -> HttpResponseBase:
    """All alarms, or those of a day: what is open, with its buttons, and the record; exported as CSV or JSON."""
    rows = with_state(Alarm.objects.filter(day_obs=day.day_obs) if day else Alarm.objects.all())
    being = list(rows.filter(cleared_at=None)[: OPEN_SHOWN + 1])
    context = {
        "of_day": day,
        "being": [open_alarm(alarm) for alarm in being[:OPEN_SHOWN]],
        "more": len(being) > OPEN_SHOWN,
        **_form(request),
    }
    table = replace(ALARMS, name=f"alarms-{day}" if day else "alarms", filters=_filters())
    template = "alarms/list_live.html" if is_fragment(request) else "alarms/list.html"
    return table.respond(request, rows, template, context)


def _form(request: HttpRequest) -> dict[str, object]:
    return {"may_not": why_not(request, MAY_OPERATE), "reason_limit": REASON_LIMIT, "snoozes": SNOOZES}


@require_safe
@conditional_page
def alarm_page(request: HttpRequest, day: ObservingDay, pk: int) -> HttpResponseBase:
    """An alarm of `day`: what, since when, what may be done, what was done, and who was told."""
    alarm = get_object_or_404(with_state(Alarm.objects.filter(day_obs=day.day_obs)), pk=pk)
    context = {
        "alarm": alarm,
        "one": open_alarm(alarm),
        "subject": f"alarm:{alarm.pk}",
        "events": linked(alarms.history(alarm)[:100]),
        "deliveries": [(each, shown(each)) for each in alarm.deliveries.order_by("channel", "address")],
        "most_tries": MOST_TRIES,
        "crumbs": [
            (str(day), reverse("board", args=[day])),
            ("Alarms", reverse("day-alarms", args=[day])),
            (f"Alarm {pk}", ""),
        ],
        **_form(request),
    }
    template = "alarms/alarm_live.html" if is_fragment(request) else "alarms/alarm.html"
    earlier = with_state(Alarm.objects.filter(key=alarm.key).exclude(pk=pk))
    return replace(ALARMS, name=f"alarms-like-{pk}", search=()).respond(request, earlier, template, context)


@require_safe
@conditional_page
def alarm_badge(request: HttpRequest) -> HttpResponse:
    """A fragment: how many alarms ask for attention, for the header of every page."""
    return render(request, "partials/alarm_badge.html")


@require_POST
@require(MAY_OPERATE)
def alarm_operate(request: HttpRequest, pk: int, deed: str) -> HttpResponse:
    """Acknowledge or snooze, for the reason given, and show the page one came from again."""
    alarm = get_object_or_404(Alarm, pk=pk)
    actor, reason = actor_of(request), request.POST.get("reason", "")[:REASON_LIMIT]
    try:
        messages.success(request, _do(alarm, deed, actor, reason, request.POST.get("hours", "")))
    except NotPossible as error:
        messages.error(request, str(error))
    response = redirect("alarms") if request.POST.get("back") == "list" else redirect(alarm_page_url(alarm))
    response.status_code = HTTPStatus.SEE_OTHER
    return response


def _do(alarm: Alarm, deed: str, actor: str, reason: str, hours: str) -> str:
    if deed == "acknowledge":
        alarms.acknowledge(alarm.pk, actor=actor, reason=reason)
        return f"Acknowledged: {alarm.sentence}"
    if deed == "snooze":
        until = datetime.now(UTC) + timedelta(hours=_hours(hours))
        alarms.snooze(alarm.pk, actor=actor, reason=reason, until=until)
        return f"Snoozed until {until:%Y-%m-%d %H:%M} UTC: {alarm.sentence}"
    raise Http404(deed)


def _hours(text: str) -> int:
    if text not in {str(hours) for hours, _ in SNOOZES}:
        raise NotPossible(f"{text!r} is no time to snooze for; choose one of those offered.")
    return int(text)
