"""Where objects of a night will be the night after: places with their uncertainty, and what one more visit confirms."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe

from dayops.observing_day import ObservingDay
from dayops.web.figures import figure_response
from dayops.web.refusals import in_words, not_here
from dayops.web.tables import Column, Filter, Table
from mops.models import Night
from mops.plots.tonight import tonight_figure
from mops.views.lookup import night_named, night_or_refused
from mops.views.words import instant_of_mjd_tai, plural, said

Row = Mapping[str, Any]


def _name(row: Row) -> str:
    return str(row.get("designation") or f"candidate {row.get('linkage')}")


PREDICTED = Table(
    "predicted",
    (
        Column("name", "Object", _name, order="name"),
        Column("field", "Field", lambda row: row.get("field"), order="field"),
        Column("at", "At", lambda row: _instant(row), "instant", order="at", unit="UTC"),
        Column("mjd_tai", "MJD TAI", lambda row: row.get("mjd_tai"), "number", on_page=False),
        Column("ra", "RA", lambda row: row.get("ra"), "number", order="ra", unit="°", digits=8),
        Column("dec", "dec", lambda row: row.get("dec"), "number", order="dec", unit="°", digits=7),
        Column(
            "major", "Uncertainty", lambda row: row.get("major_arcsec"), "number", order="major", unit="″", digits=2
        ),
        Column("minor", "across", lambda row: row.get("minor_arcsec"), "number", order="minor", unit="″", digits=2),
        Column("pa", "Position angle", lambda row: row.get("pa_deg"), "number", order="pa", unit="°", digits=3),
        Column("mag", "Magnitude", lambda row: row.get("mag"), "number", order="mag", unit="mag", digits=3),
        Column("confirms", "One visit confirms", lambda row: "yes" if row.get("confirms") else "no", order="confirms"),
        Column("outlook", "Outlook", lambda row: row.get("outlook") or None, order="outlook"),
    ),
    search=("name", "field", "outlook"),
    filters=(Filter("confirms", "One visit confirms", [("yes", "yes"), ("no", "no")], "confirms"),),
    page_size=100,
)


def rows_of(night: Night) -> list[Row]:
    found = night.counts.get("tonight")
    return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []


@require_safe
@conditional_page
@in_words
def tonight_page(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """What the night's search predicts for the night after it."""
    night = night_named(day, request.GET.get("night", ""))
    rows = rows_of(night) if night else []
    context = {
        "night": night,
        "predicted_for": day.next,
        "rows": len(rows),
        "caption": _caption(rows),
        "figure_url": f"{reverse('mops:tonight-figure', args=[day])}?night={night.pk if night else ''}",
    }
    columns = [replace(PREDICTED.columns[0], link=lambda row: _url(day, row)), *PREDICTED.columns[1:]]
    table = replace(PREDICTED, name=f"predicted-{day.next}", columns=columns)
    return table.respond(request, rows, "mops/tonight.html", context)


@gzip_page
@require_safe
@conditional_page
@in_words
def tonight_sky(request: HttpRequest, day: ObservingDay) -> HttpResponse:
    night = night_or_refused(day, request.GET.get("night", ""))
    rows = rows_of(night)
    if not rows:
        raise not_here(f"Search {night.pk} predicted nothing.", "Predictions come with the end of its run.")
    return figure_response(tonight_figure(rows, _name, lambda row: _url(day, row)))


def _instant(row: Row) -> Any:
    mjd = row.get("mjd_tai")
    return instant_of_mjd_tai(mjd) if isinstance(mjd, int | float) else None


def _url(day: ObservingDay, row: Row) -> str:
    linkage = row.get("linkage")
    if isinstance(linkage, int):
        return reverse("mops:linkage", args=[day, linkage])
    return f"{reverse('mops:objects', args=[day])}?q={row.get('designation', '')}"


def _caption(rows: Sequence[Row]) -> str:
    sizes = sorted(row["major_arcsec"] for row in rows if isinstance(row.get("major_arcsec"), int | float))
    confirmed = sum(bool(row.get("confirms")) for row in rows)
    middle = f"; median uncertainty {said(median(sizes), 2)}″, largest {said(sizes[-1], 2)}″" if sizes else ""
    return f"{plural(len(rows), 'place')}{middle}; one more visit confirms {confirmed} (diamonds). East is left."
