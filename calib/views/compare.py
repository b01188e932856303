"""Two exposures side by side in one metric."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

import numpy as np
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe

from calib.comparison_plots import change_histogram, change_plane, change_title, one_plane
from calib.exposure_comparison import ChangeRow, Comparison, same_kind
from calib.metric_words import axis_title, tidy, title, unit
from calib.science.metrics import METRICS, MetricDefinition
from calib.views.lookup import bounds, detector_url, metric_named
from calib.views.trend_query import trend_url
from dayops.models import Exposure
from dayops.observing_day import ObservingDay
from dayops.web.figures import figure_response
from dayops.web.markup import format_number
from dayops.web.refusals import bad_request, in_words, not_here
from dayops.web.tables import Column, Table

MOST_OFFERED = 40
CHANGES = Table(
    "changes",
    (
        Column("detector", "Detector", lambda row: row.footprint.detector.name, order="detector"),
        Column("amplifier", "Amplifier", lambda row: row.footprint.amplifier.name, order="amplifier"),
        Column("a", "a", lambda row: tidy(row.a), "number", order="a"),
        Column("b", "b", lambda row: tidy(row.b), "number", order="b"),
        Column("change", "Change", lambda row: tidy(row.change), "number", order="change"),
        Column("size", "Size of change", lambda row: tidy(row.size), "number", order="size"),
    ),
    search=("detector", "amplifier"),
    page_size=50,
)


@dataclass(frozen=True)
class CompareQuery:
    """What the address asks for: `b` is None where nothing like `a` was taken before it."""

    day: ObservingDay
    a: Exposure
    b: Exposure | None
    metric: MetricDefinition

    @classmethod
    def read(cls, request: HttpRequest, day: ObservingDay) -> "CompareQuery":
        """From ``?a=&b=&metric=``. Without a: the newest of the day; without b: the one before it of the same kind."""
        words = {name: request.GET.get(name, "").replace("\0", "").strip() for name in ("a", "b", "metric")}
        metric = metric_named(words["metric"])
        a = _named(words["a"], day) if words["a"] else Exposure.objects.filter(day_obs=day.day_obs).last()
        if a is None:
            raise not_here(f"No exposure of {day} is known that could be compared.", "Choose another day.")
        b = _named(words["b"], day, a.camera) if words["b"] else same_kind(a).first()
        _refuse(a, b)
        return cls(day, a, b, metric)

    @property
    def encoded(self) -> str:
        return urlencode({"a": self.a.name, "b": self.b.name if self.b else "", "metric": self.metric.name})

    @cached_property
    def comparison(self) -> Comparison:
        """Refused (404) where there is nothing to compare with."""
        if self.b is None:
            raise not_here(f"Nothing like {self.a.name} was taken before it.", "Name another exposure as b.")
        return Comparison(self.a, self.b, self.metric)

    def address(self, name: str, **words: object) -> str:
        more = f"&{urlencode(words)}" if words else ""
        return f"{reverse(f'calib:{name}', args=[self.day])}?{self.encoded}{more}"


@require_safe
@in_words
def compare_page(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """Both exposures, what changed and where; ``from=&to=`` leaves the amplifiers whose change lies in that range."""
    query, (low, high) = CompareQuery.read(request, day), bounds(request.GET)
    context: dict[str, Any] = {
        "a": query.a,
        "b": query.b,
        "both": [("a", query.a), ("b", query.b)],
        "metric": query.metric,
        "metrics": [(metric, axis_title(metric)) for metric in METRICS],
        "title": title(query.metric),
        "others": [each.name for each in same_kind(query.a)[:MOST_OFFERED]],
        "low": low,
        "high": high,
    }
    if query.b is None:
        return render(request, "calib/compare.html", context)
    comparison = query.comparison
    rows = [
        row for row in comparison.rows() if (low is None or row.change >= low) and (high is None or row.change <= high)
    ]
    context |= {
        "missing": _missing(comparison),
        "caption": _caption(comparison),
        "word": "Ratio a ÷ b" if comparison.is_ratio else "Difference a − b",
        "total": comparison.changed.size,
        "url_a": query.address("compare-a"),
        "url_b": query.address("compare-b"),
        "url_change": query.address("compare-change"),
        "url_histogram": query.address("compare-histogram"),
        "all_url": query.address("compare"),
        "unit": "" if comparison.is_ratio else unit(query.metric),
    }
    return _table(comparison).respond(request, rows, "calib/compare.html", context)


@gzip_page
@require_safe
@conditional_page
@in_words
def compare_figure(request: HttpRequest, day: ObservingDay, which: str) -> HttpResponse:
    """One of the four figures: `which` is a, b, change or histogram."""
    query = CompareQuery.read(request, day)
    comparison = query.comparison

    def to_detector(detector: Any) -> str:
        of = comparison.b if which == "b" else comparison.a
        return f"{detector_url(of, detector.name)}?metric={query.metric.name}"

    def to_rows(low: float, high: float) -> str:
        return f"{query.address('compare', **{'from': repr(low), 'to': repr(high)})}#changes"

    if which == "histogram":
        return figure_response(change_histogram(comparison, to_rows))
    if which == "change":
        return figure_response(change_plane(comparison, to_detector))
    return figure_response(one_plane(comparison, "b" if which == "b" else "a", to_detector))


def _named(name: str, day: ObservingDay, camera: str = "") -> Exposure:
    """The exposure called so: of `day` and `camera` if there is a choice. Refused (404) where there is none."""
    found = list(Exposure.objects.filter(name=name).order_by("id"))
    if not found:
        raise not_here(f"No exposure “{name[:100]}” is known.", "Start from an exposure's page: it links here.")
    return max(found, key=lambda each: (each.camera == camera, each.day_obs == day.day_obs))


def _refuse(a: Exposure, b: Exposure | None) -> None:
    """Raise where two exposures cannot be compared at all."""
    if b is None:
        return
    if a.pk == b.pk:
        raise bad_request(f"{a.name} would be compared with itself.", "Name two different exposures as a and b.")
    if a.camera != b.camera:
        raise bad_request(
            f"{a.name} is of {a.camera}, {b.name} of {b.camera}: different focal planes cannot be compared.",
            "Name two exposures of the same camera.",
        )


def _missing(comparison: Comparison) -> list[str]:
    """A sentence for each of the two that has no value of the metric."""
    both = ((comparison.a, comparison.map_a), (comparison.b, comparison.map_b))
    return [
        f"{title(comparison.metric).capitalize()} has no value in {exposure.name} ({exposure.image_type}): "
        f"it does not apply there, or nothing was measured yet. {comparison.metric.description}"
        for exposure, measured in both
        if not measured.finite.size
    ]


def _caption(comparison: Comparison) -> str:
    changed, of = comparison.changed, "" if comparison.is_ratio else unit(comparison.metric)
    if not changed.size:
        return f"{title(comparison.metric).capitalize()}: no {comparison.map_a.noun} has a value in both"
    numbers = (*np.percentile(changed, [5, 50, 95]), changed.min(), changed.max())
    low, middle, high, least, most = (f"{format_number(float(value))} {of}".strip() for value in numbers)
    return (
        f"{change_title(comparison).partition(' /')[0]} of {changed.size} {comparison.map_a.noun}s: median {middle}, "
        f"5–95 % {low} to {high}, least {least}, most {most}"
    )


def _table(comparison: Comparison) -> Table:
    """The table of changes, with units, links to the frames of a, and the trend of what changed."""
    metric, of_change = comparison.metric.name, "" if comparison.is_ratio else unit(comparison.metric)

    def trend(row: ChangeRow) -> str:
        amplifier = "" if comparison.metric.per == "detector" else row.footprint.amplifier.name
        return trend_url(comparison.a, metric, detector=row.footprint.detector.name, amplifier=amplifier)

    def detector(row: ChangeRow) -> str:
        return f"{detector_url(comparison.a, row.footprint.detector.name)}?metric={metric}"

    units = {"a": unit(comparison.metric), "b": unit(comparison.metric), "change": of_change, "size": of_change}
    columns = [replace(column, unit=units.get(column.name, "")) for column in CHANGES.columns]
    columns[0] = replace(columns[0], link=detector)
    if comparison.metric.per == "detector":
        del columns[1]
    columns.append(Column("trend", "Trend", trend, link=trend, shown=lambda row: "trend"))
    search = tuple(name for name in CHANGES.search if any(column.name == name for column in columns))
    name = f"{comparison.a.name}_{comparison.b.name}_{metric}"
    return replace(CHANGES, name=name, columns=tuple(columns), search=search)
