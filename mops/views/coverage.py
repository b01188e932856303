"""Which hypotheses of distance and rate were tried in a night, and what each of them brought together."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe

from dayops.observing_day import ObservingDay
from dayops.web.figures import figure_response
from dayops.web.refusals import in_words, not_here
from dayops.web.tables import Column, Filter, Table
from mops.models import Night
from mops.plots.coverage import COLOURS, coverage_figure
from mops.views.lookup import night_named, night_or_refused
from mops.views.words import plural

Row = Mapping[str, Any]

HYPOTHESES = Table(
    "hypotheses",
    (
        Column("zone", "Zone", lambda row: row.get("zone"), order="zone"),
        Column("r", "r", lambda row: row.get("r_au"), "number", order="r", unit="au"),
        Column("rdot", "ṙ", lambda row: row.get("rdot"), "number", order="rdot", unit="au/d"),
        Column("rddot", "r̈", lambda row: row.get("rddot"), "number", order="rddot", unit="au/d²", on_page=False),
        Column("tracklets", "Tracklets", lambda row: row.get("tracklets"), "number", order="tracklets"),
        Column("clusters", "Clusters", lambda row: row.get("clusters"), "number", order="clusters"),
        Column("accepted", "Accepted", lambda row: row.get("accepted"), "number", order="accepted"),
    ),
    page_size=100,
)


def rows_of(night: Night) -> list[Row]:
    found = night.counts.get("coverage")
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


@require_safe
@conditional_page
@in_words
def coverage_page(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """The map of r and ṙ, coloured by what ``?colour=`` counts, and the table behind it."""
    night = night_named(day, request.GET.get("night", ""))
    colour = colour_of(request)
    rows = rows_of(night) if night else []
    words = urlencode({"night": night.pk if night else "", "colour": colour})
    context = {
        "night": night,
        "rows": len(rows),
        "colour": colour,
        "colours": COLOURS,
        "caption": _caption(rows, colour),
        "figure_url": f"{reverse('mops:coverage-figure', args=[day])}?{words}",
    }
    zones = list(dict.fromkeys(str(row["zone"]) for row in rows if row.get("zone")))
    choices = (Filter("zone", "Zone", [(zone, zone) for zone in zones], "zone"),) if len(zones) > 1 else ()
    table = replace(HYPOTHESES, name=f"hypotheses-{day}", filters=choices)
    return table.respond(request, rows, "mops/coverage.html", context)


@gzip_page
@require_safe
@conditional_page
@in_words
def coverage_map(request: HttpRequest, day: ObservingDay) -> HttpResponse:
    night = night_or_refused(day, request.GET.get("night", ""))
    rows = rows_of(night)
    if not rows:
        raise not_here(f"Search {night.pk} counted nothing for each hypothesis.", "Wait until it has linked.")
    return figure_response(coverage_figure(rows, colour_of(request)))


def colour_of(request: HttpRequest) -> str:
    """Refused (404) for what is not counted."""
    colour = request.GET.get("colour") or COLOURS[0]
    if colour not in COLOURS:
        raise not_here(f"“{colour[:40]}” is not counted for each hypothesis.", f"Choose {', '.join(COLOURS)}.")
    return colour


def _caption(rows: Sequence[Row], colour: str) -> str:
    counts = [row.get(colour) or 0 for row in rows]
    empty = sum(not count for count in counts)
    distances = [row["r_au"] for row in rows if isinstance(row.get("r_au"), int | float)]
    reach = f", r from {min(distances):g} to {max(distances):g} au" if distances else ""
    without = f"; {plural(empty, 'hypothesis', 'hypotheses')} without any" if empty else ""
    return f"{plural(len(rows), 'hypothesis', 'hypotheses')}{reach}; {sum(counts):,} {colour} in all{without}."
