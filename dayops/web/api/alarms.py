"""Alarms: read them, acknowledge and snooze them."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404

from dayops import alarms
from dayops.models import Alarm
from dayops.observing_day import ObservingDay
from dayops.runs import NotPossible
from dayops.web.access import require
from dayops.web.api.endpoints import BadRequest, body_of, endpoint, one_page
from dayops.web.api.runs import reason_in
from dayops.web.refusals import refusal
from dayops.web.work_pages.alarms import ALARMS, alarm_page_url, with_state
from dayops.web.work_pages.operations import MAY_OPERATE, actor_of


def alarm_as_json(alarm: Alarm) -> dict[str, Any]:
    """An alarm of `with_state` as programs see it; instants in UTC."""
    return {
        "id": alarm.pk,
        "state": alarm.state,  # type: ignore[attr-defined]
        "severity": alarm.severity,
        "key": alarm.key,
        "name": alarm.name,
        "activity": alarm.activity,
        "day_obs": alarm.day_obs,
        "subject": alarm.subject,
        "sentence": alarm.sentence,
        "remedy": alarm.remedy,
        "times": alarm.times,
        "raised_at": alarm.raised_at,
        "seen_at": alarm.seen_at,
        "cleared_at": alarm.cleared_at,
        "acknowledged_at": alarm.acknowledged_at,
        "acknowledged_by": alarm.acknowledged_by,
        "snoozed_until": alarm.snoozed_until,
        "snoozed_by": alarm.snoozed_by,
        "reason": alarm.reason,
        "url": alarm_page_url(alarm),
    }


@endpoint("GET")
def alarms_view(request: HttpRequest) -> HttpResponseBase:
    """All alarms, open ones first; ``?state=``, ``?severity=``, ``?activity=``, ``?day=`` and ``?q=`` choose."""
    rows = with_state(Alarm.objects.all())
    for name in ("state", "severity", "activity"):
        if value := request.GET.get(name):
            rows = rows.filter(**{name: value.replace("\0", "")})
    if day := request.GET.get("day"):
        rows = rows.filter(day_obs=_day(day))
    return JsonResponse(one_page(request, ALARMS.chosen(request, rows), "alarms", alarm_as_json))


def _day(text: str) -> int:
    try:
        return ObservingDay.parse(text).day_obs
    except ValueError as error:
        raise BadRequest(f"{error}.") from error


@endpoint("POST")
@require(MAY_OPERATE)
def acknowledge_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """For ``{"reason": "…"}``. 409 with a sentence where the alarm is over or acknowledged already."""
    get_object_or_404(Alarm, pk=pk)
    try:
        alarms.acknowledge(pk, actor=actor_of(request), reason=reason_in(request))
    except NotPossible as error:
        return refusal(request, HTTPStatus.CONFLICT, str(error))
    return _answer(pk)


@endpoint("POST")
@require(MAY_OPERATE)
def snooze_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """For ``{"reason": "…", "until": "2026-11-22T18:00:00Z"}``, at most seven days ahead."""
    get_object_or_404(Alarm, pk=pk)
    try:
        alarms.snooze(pk, actor=actor_of(request), reason=reason_in(request), until=_until(request))
    except NotPossible as error:
        return refusal(request, HTTPStatus.CONFLICT, str(error))
    return _answer(pk)


def _until(request: HttpRequest) -> datetime:
    given = body_of(request).get("until")
    try:
        until = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        until = None
    if until is None or until.tzinfo is None:
        raise BadRequest('An end with its time zone is needed: {"until": "2026-11-22T18:00:00Z"}.')
    return until


def _answer(pk: int) -> HttpResponseBase:
    return JsonResponse({"alarm": alarm_as_json(with_state(Alarm.objects.all()).get(pk=pk))})
