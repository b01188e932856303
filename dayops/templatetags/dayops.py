"""The words pages are written in. Built in: no template needs to load them."""

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.http import HttpRequest
from django.template.context import RequestContext
from django.template.defaulttags import querystring
from django.utils.safestring import SafeString

from dayops.observing_day import ObservingDay
from dayops.web import access, markup
from dayops.web.work_pages.notes import NotesOf, notes_of

register = template.Library()
register.simple_tag(querystring, name="query", takes_context=True)


@register.simple_tag
def status(word: str, title: str = "") -> SafeString:
    """``{% status "OK" %}``, ``{% status run.phase run.error %}``: colour, icon and word."""
    return markup.status(word, title)


@register.simple_tag
def instant(at: datetime | None, form: str = "full") -> SafeString | str:
    """``{% instant task.started_at "time" %}``: UTC, with Chile and TAI on hover."""
    return markup.instant(at, form)


@register.simple_tag
def number(value: float | None, unit: str = "", digits: int = 4) -> SafeString | str:
    """``{% number noise "e⁻" 3 %}``: significant digits and unit; a dash for none and NaN."""
    return markup.number(value, unit, digits)


@register.simple_tag
def duration(value: timedelta | float | None) -> str:
    """``{% duration run.took %}``: seconds or a timedelta, for people."""
    return markup.duration(value)


@register.simple_tag(name="dayobs")
@register.filter(name="dayobs")
def dayobs(value: ObservingDay | int | None) -> str:
    """``{% dayobs run.day_obs %}`` or ``{{ run.day_obs|dayobs }}``: 20261122 as 2026-11-22."""
    return markup.NOTHING if value is None else str(value if isinstance(value, ObservingDay) else ObservingDay(value))


@register.simple_tag(takes_context=True)
def may(context: RequestContext, permission: str) -> bool:
    """``{% may "dayops.operate_run" as can_operate %}``."""
    return access.may(_request(context), permission)


@register.simple_tag(takes_context=True)
def notes_about(context: RequestContext, subject: str) -> NotesOf:
    """``{% notes_about subject as found %}``, for `partials/notes.html`."""
    return notes_of(_request(context), subject)


@register.inclusion_tag("partials/action.html", takes_context=True)
def action(
    context: RequestContext,
    label: str,
    url: str,
    permission: str,
    reason: bool = False,
    blocked: str = "",
    look: str = "",
) -> dict[str, Any]:
    """``{% action "Abort" url "dayops.operate_run" reason=True blocked=sentence %}``: a button that posts.

    A button that may not be pressed says why: the missing right, or the sentence in `blocked`.
    With `reason` a text field named ``reason`` must be filled in.
    """
    request = _request(context)
    return {
        "label": label,
        "url": url,
        "reason": reason,
        "look": look,
        "blocked": access.why_not(request, permission) or blocked,
        "csrf_token": context.get("csrf_token"),
    }


def _request(context: RequestContext) -> HttpRequest:
    request: HttpRequest = context["request"]
    return request
