"""Two searches beside each other: gained, lost, changed, common."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe

from dayops.observing_day import ObservingDay
from dayops.web.figures import figure_response
from dayops.web.refusals import in_words, not_here
from dayops.web.tables import Column, Filter, Table
from mops.comparison import FATES, Comparison
from mops.models import Linkage, Night
from mops.plots.comparison import comparison_figure
from mops.plots.steps import STEPS
from mops.views.lookup import candidate_url, night_or_refused, night_url, nights_of, whole

OFFERED = 60


def _link(linkage: Linkage | None) -> str:
    return candidate_url(linkage) if linkage else ""


def _pk(linkage: Linkage | None) -> int | None:
    return linkage.pk if linkage else None


PAIRS = Table(
    "linkages",
    (
        Column("fate", "Fate", lambda row: row.fate, order="fate"),
        Column("a", "In a", lambda row: _pk(row.a), order="a", link=lambda row: _link(row.a)),
        Column("b", "In b", lambda row: _pk(row.b), order="b", link=lambda row: _link(row.b)),
        Column("class", "Class", lambda row: row.one.orbit_class or None, order="class"),
        Column(
            "detections_a", "Detections in a", lambda row: len(row.a.sources) if row.a else None, "number", order="a"
        ),
        Column(
            "detections_b", "Detections in b", lambda row: len(row.b.sources) if row.b else None, "number", order="b"
        ),
        Column("shared", "Shared", lambda row: row.shared or None, "number", order="shared"),
        Column("rms_a", "rms in a", lambda row: row.a and row.a.rms_arcsec, "number", order="a", unit="″", digits=2),
        Column("rms_b", "rms in b", lambda row: row.b and row.b.rms_arcsec, "number", order="b", unit="″", digits=2),
        Column("semi_major", "a", lambda row: row.one.a_au, "number", order="a", unit="au"),
        Column("e", "e", lambda row: row.one.e, "number", order="e", digits=3),
        Column("incl", "i", lambda row: row.one.incl, "number", order="incl", unit="°", digits=3),
    ),
    search=("a", "b", "class"),
    filters=(Filter("fate", "Fate", [(fate, fate) for fate in FATES], "fate"),),
    page_size=50,
)


@dataclass(frozen=True)
class CompareQuery:
    """``?a=&b=``: numbers of searches. Without b the search of the day after a; without a the published one."""

    a: Night
    b: Night | None

    @classmethod
    def read(cls, request: HttpRequest, day: ObservingDay) -> "CompareQuery":
        """Refused where a number is none, or names no search."""
        given_a, given_b = (_numbered(request.GET.get(name, ""), name) for name in ("a", "b"))
        a = given_a or night_or_refused(day, "")
        return cls(a, given_b or _another(a))

    @property
    def encoded(self) -> str:
        return urlencode({"a": self.a.pk, "b": self.b.pk if self.b else ""})


@require_safe
@in_words
def compare_page(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    query = CompareQuery.read(request, day)
    a, b = query.a, query.b
    context: dict[str, Any] = {
        "a": a,
        "b": b,
        "night": a,
        "offered": _offered(a, b),
        "counted": [(step, a.counts.get(step), b.counts.get(step) if b else None) for step in STEPS],
        "parameters": _different(a, b) if b else [],
        "urls": {"a": night_url(a), "b": night_url(b) if b else ""},
    }
    if b is None:
        return render(request, "mops/compare.html", context)
    comparison = Comparison(a, b)
    context |= {
        "counts": comparison.counts,
        "caption": _caption(comparison),
        "figure_url": f"{reverse('mops:compare-figure', args=[day])}?{query.encoded}",
    }
    table = replace(PAIRS, name=f"compared-{a.pk}-{b.pk}")
    return table.respond(request, comparison.pairs, "mops/compare.html", context)


@gzip_page
@require_safe
@conditional_page
@in_words
def compare_figure(request: HttpRequest, day: ObservingDay) -> HttpResponse:
    query = CompareQuery.read(request, day)
    if query.b is None:
        raise not_here(f"There is nothing to compare search {query.a.pk} with.", "Name another search as b.")
    return figure_response(comparison_figure(Comparison(query.a, query.b), lambda pair: candidate_url(pair.one)))


def _numbered(text: str, name: str) -> Night | None:
    if not text.strip():
        return None
    number = whole(text, name)
    found = Night.objects.select_related("run").filter(pk=number).first()
    if found is None:
        raise not_here(f"There is no search {number}.", "Choose one of the list on a night's page.")
    return found


def _another(a: Night) -> Night | None:
    """The next newest search of the same night, or else the published one of the night before."""
    same = nights_of(ObservingDay(a.day_obs)).exclude(pk=a.pk).first()
    return same or nights_of(ObservingDay(a.day_obs).previous).filter(state=Night.State.PUBLISHED).first()


def _offered(*chosen: Night | None) -> list[Night]:
    """The newest searches, and those that are compared."""
    newest = list(Night.objects.order_by("-day_obs", "-pk")[:OFFERED])
    known = {night.pk for night in newest}
    return newest + [night for night in chosen if night and night.pk not in known]


def _different(a: Night, b: Night) -> list[tuple[str, Any, Any]]:
    """The parameters that are not the same in both."""
    names = dict.fromkeys([*a.parameters, *b.parameters])
    pairs = [(name, a.parameters.get(name), b.parameters.get(name)) for name in names]
    return [(name, old, new) for name, old, new in pairs if old != new]


def _caption(comparison: Comparison) -> str:
    counts = comparison.counts
    said = ", ".join(f"{number:,} {fate}" for fate, number in counts.items())
    return f"{said}. Changed: more than half of the detections of the smaller one are shared."
