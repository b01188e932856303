"""From what an address says to the night and the linkage it names, and sentences where it names nothing."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Concatenate, ParamSpec

from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from dayops.observing_day import ObservingDay
from dayops.web.refusals import bad_request, not_here
from mops.models import Linkage, Night

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]
_DIGITS = 18


def nights_of(day: ObservingDay) -> QuerySet[Night]:
    """The searches of one night: the published one first, then the newest, trials last."""
    published = When(state=Night.State.PUBLISHED, then=Value(0))
    trial = When(trial=True, then=Value(2))
    rank = Case(published, trial, default=Value(1), output_field=IntegerField())
    return Night.objects.filter(day_obs=day.day_obs).select_related("run").order_by(rank, "-pk")


def night_named(day: ObservingDay, text: str) -> Night | None:
    """The search of `day` that ``?night=`` names; without it the published one, or else the newest. None without any.

    Refused (400) where it is no number, (404) where it is not of this day.
    """
    if not text:
        return nights_of(day).first()
    number = whole(text, "night")
    found = nights_of(day).filter(pk=number).first()
    if found is None:
        raise not_here(f"Search {number} is not one of the night {day}.", "Choose one of the list on the night's page.")
    return found


def night_or_refused(day: ObservingDay, text: str) -> Night:
    """As `night_named`. Refused (404) where the night was never searched."""
    night = night_named(day, text)
    if night is None:
        raise not_here(f"The night {day} was not searched yet.", "Start it on the night's page, or choose another day.")
    return night


def whole(text: str, name: str) -> int:
    """A number of a row, from the query string. Refused (400) for anything else."""
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise bad_request(f"{name}={text[:40]!r} is not a whole number.", f"Write {name} as digits, e.g. {name}=12.")
    return int(text)


def linkage_numbered(day: ObservingDay, pk: int) -> Linkage:
    """The linkage `pk` of one of the searches of `day`. Refused (404) where it is not; says whose it is."""
    found = Linkage.objects.select_related("night__run").filter(pk=pk).first()
    if found is None:
        raise not_here(f"There is no candidate {pk}.", "Start from the night's candidates.")
    if found.night.day_obs != day.day_obs:
        other = ObservingDay(found.night.day_obs)
        raise not_here(f"Candidate {pk} is not of the night {day}.", f"It belongs to the night {other}: look there.")
    return found


def night_url(night: Night) -> str:
    return f"{reverse('mops:summary', args=[night.day_obs])}?night={night.pk}"


def candidate_url(linkage: Linkage) -> str:
    return reverse("mops:linkage", args=[linkage.night.day_obs, linkage.pk])


def see(url: str) -> HttpResponse:
    """To `url`, after a form."""
    response = redirect(url)
    response.status_code = HTTPStatus.SEE_OTHER
    return response
