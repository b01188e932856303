"""Trends: one metric over days, of the camera, a raft, a detector or an amplifier."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe

from calib.metric_words import axis_title, limits_in_words, tidy, title, unit
from calib.models import Level
from calib.science.metrics import METRICS
from calib.trend_limits import Span, spans_of
from calib.trend_marks import marks_of
from calib.trend_plots import Links, trend_figure
from calib.trends import Point, Scope, Summary, choices, points_of, summaries, thinned
from calib.views.lookup import bounds, detector_url, exposure_url
from calib.views.trend_query import TrendQuery
from dayops.observing_day import ObservingDay
from dayops.web.figures import figure_response
from dayops.web.markup import format_number
from dayops.web.refusals import in_words
from dayops.web.tables import Column, Table

DAYS, MOST_DRAWN = (7, 14, 30, 90, 365), 1500


def _number(name: str, heading: str, value: Any) -> Column:
    return Column(name, heading, value, "number", order=name)


POINTS = Table(
    "trend",
    (
        Column("exposure", "Exposure", lambda row: row.exposure.name, order="exposure"),
        Column("day", "dayObs", lambda row: str(ObservingDay(row.exposure.day_obs)), order="day"),
        Column("kind", "Type and filter", lambda row: row.kind, order="kind"),
        Column("exposure_s", "Time", lambda row: tidy(row.exposure.exposure_s), "number", "exposure_s", unit="s"),
        Column("began", "Began", lambda row: row.exposure.began_at, "instant", order="began", unit="UTC"),
        _number("median", "Median", lambda row: row.value),
        _number("p5", "5 %", lambda row: row.values.p5),
        _number("p95", "95 %", lambda row: row.values.p95),
        _number("minimum", "Least", lambda row: row.values.minimum),
        _number("maximum", "Most", lambda row: row.values.maximum),
        _number("outside", "Outside limits", lambda row: row.values.outside),
        Column("level", "Level", lambda row: Level(row.values.level).label, "status", order="level"),
        Column("people", "People", lambda row: "REJECTED" if row.is_rejected else None, "status", order="people"),
    ),
    search=("exposure", "kind"),
    page_size=50,
)
_SPREAD = {"p5", "p95", "minimum", "maximum"}


@require_safe
@in_words
def trend_page(request: HttpRequest) -> HttpResponseBase:
    """The figure, its numbers, and the table behind it; ``from=&to=`` leaves the points with a value in that range."""
    query, (low, high) = TrendQuery.read(request.GET), bounds(request.GET)
    scope, points = query.scope, points_of(query.scope)
    types, filters = choices(scope)
    kinds = list(summaries(points))
    chosen = [p for p in points if (low is None or p.value >= low) and (high is None or p.value <= high)]
    context = {
        "scope": scope,
        "days": query.days,
        "day_choices": sorted({*DAYS, query.days}),
        "metrics": [(metric, axis_title(metric)) for metric in METRICS],
        "title": title(scope.metric),
        "unit": unit(scope.metric),
        "types": sorted({*types, scope.image_type} - {""}),
        "filters": sorted({*filters, scope.filter} - {""}),
        "kinds": [(kind, query.address(type=_type(kind), filter=_filter(kind))) for kind in kinds],
        "caption": _caption(query, points, kinds, _limits(scope, points)),
        "marks": marks_of(scope),
        "figure_url": f"{reverse('calib-camera:trend-figure')}?{query.encoded()}",
        "crumbs": _crumbs(query),
        "deeper": list(_deeper(query)),
        "points": len(points),
        "low": low,
        "high": high,
        "all_url": query.address(),
    }
    return _table(query).respond(request, chosen[::-1], "calib/trend.html", context)


@gzip_page
@require_safe
@conditional_page
@in_words
def trend_figure_data(request: HttpRequest) -> HttpResponse:
    query = TrendQuery.read(request.GET)
    scope, points = query.scope, points_of(query.scope)
    links = Links(
        point=lambda point: _point_url(scope, point),
        line=lambda name: query.address(**({"amplifier": name} if scope.detector else {"detector": name, "raft": ""})),
        bar=lambda low, high: f"{query.address(**{'from': repr(low), 'to': repr(high)})}#points",
    )
    shown = thinned(points, MOST_DRAWN)
    return figure_response(trend_figure(scope, shown, _limits(scope, points), marks_of(scope), links))


def _limits(scope: Scope, points: list[Point]) -> list[Span]:
    """The limits of these points where one kind is drawn; of several kinds those that hold for all."""
    kinds = {(point.exposure.image_type, point.exposure.filter) for point in points}
    image_type, filter = kinds.pop() if len(kinds) == 1 else (scope.image_type, scope.filter)
    return spans_of(scope, image_type, filter)


def _caption(query: TrendQuery, points: list[Point], kinds: list[Summary], spans: list[Span]) -> str:
    scope = query.scope
    of, name = unit(scope.metric), title(scope.metric).capitalize()
    if not points:
        return f"{name} of {scope.title}: no value in {query.days} days"
    outside = sum(kind.outside for kind in kinds)
    said = [f"{name} of {scope.title}, {len(points)} exposures from {scope.first} to {scope.last}"]
    if len(kinds) == 1:
        (kind,) = kinds
        last, median, scatter = (
            f"{format_number(x)} {of}".strip() for x in (kind.last, kind.median, kind.robust_sigma)
        )
        said.append(f"last {last}, median {median}, robust scatter {scatter}")
    elif not scope.raft and not scope.detector:
        said.append("choose a type and filter to see the 5–95 % band")
    said.append(f"{outside} with a value outside its limits")
    limits = spans[-1].limits
    said.append(f"now {limits_in_words(limits, of)}")
    if (shown := len(thinned(points, MOST_DRAWN))) < len(points):
        said.append(f"{shown} are drawn, among them all that are outside their limits")
    return "; ".join(said)


def _table(query: TrendQuery) -> Table:
    scope = query.scope
    single = bool(scope.amplifier) or (scope.detector is not None and scope.metric.per == "detector")
    first, *others = (column for column in POINTS.columns if not (single and column.name in _SPREAD))
    first = replace(first, link=lambda point: _point_url(scope, point))
    columns = [
        replace(column, unit=unit(scope.metric), title="Value" if single else "Median")
        if column.name == "median"
        else column
        for column in others
    ]
    name = f"trend_{scope.metric.name}_{scope.title}".replace(" ", "_")
    return replace(POINTS, name=name, columns=(first, *columns))


def _point_url(scope: Scope, point: Point) -> str:
    page = detector_url(point.exposure, scope.detector.name) if scope.detector else exposure_url(point.exposure)
    return f"{page}?metric={scope.metric.name}"


def _crumbs(query: TrendQuery) -> list[tuple[str, str]]:
    """Camera › raft › detector › amplifier, each with the same metric and days."""
    scope = query.scope
    wide = {"raft": "", "detector": "", "amplifier": ""}
    crumbs = [(f"Trends of {scope.camera}", query.address(**wide))]
    if scope.raft and len(scope.rafts) > 1:
        crumbs.append((f"raft {scope.raft}", query.address(**{**wide, "raft": scope.raft})))
    if scope.detector:
        crumbs.append((scope.detector.name, query.address(amplifier="")))
    if scope.amplifier:
        crumbs.append((scope.amplifier.name, ""))
    return crumbs


def _deeper(query: TrendQuery) -> Iterator[tuple[str, str, bool]]:
    """What there is one step below: rafts, detectors or amplifiers, as (name, address, whether it is this one)."""
    scope = query.scope
    if scope.detector:
        for amplifier in scope.detector.amplifiers:
            yield amplifier.name, query.address(amplifier=amplifier.name), amplifier == scope.amplifier
    elif scope.raft or len(scope.rafts) == 1:
        raft = scope.raft or next(iter(scope.rafts))
        for detector in scope.rafts[raft]:
            yield detector.name, query.address(raft="", detector=detector.name), False
    else:
        for raft in scope.rafts:
            yield raft, query.address(raft=raft), False


def _type(kind: Summary) -> str:
    return kind.newest.exposure.image_type


def _filter(kind: Summary) -> str:
    return kind.newest.exposure.filter
