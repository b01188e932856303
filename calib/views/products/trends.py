"""Trends of the products: gain, read noise, turnoff, defects, over days."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe

from calib.models import ProductType
from calib.products.numbers import NUMBERS, Number
from calib.products.plots.trends import trend_figure
from calib.products.trends import Point, Scope, points_of
from calib.trend_marks import people_certified
from calib.views.products.tonight import product_url
from dayops.camera import load
from dayops.observing_day import ObservingDay
from dayops.web.figures import figure_response
from dayops.web.markup import format_number
from dayops.web.refusals import bad_request, in_words, not_here
from dayops.web.tables import Column, Table

DAYS, MOST_DAYS = (7, 14, 30, 90, 365), 3660
POINTS = Table(
    "trend",
    (
        Column("set", "Set", lambda row: row.made, order="set"),
        Column("day_obs", "dayObs", lambda row: str(ObservingDay(row.day_obs)), order="day_obs"),
        Column("decided", "Decided", lambda row: row.at, "instant", order="decided", unit="UTC"),
        Column("state", "State", lambda row: row.word, "status", order="state"),
        Column("median", "Median", lambda row: row.median, "number", order="median"),
        Column("p5", "5 %", lambda row: row.p5, "number", order="p5"),
        Column("p95", "95 %", lambda row: row.p95, "number", order="p95"),
        Column("minimum", "Least", lambda row: row.minimum, "number", order="minimum"),
        Column("maximum", "Most", lambda row: row.maximum, "number", order="maximum"),
        Column("count", "Values", lambda row: row.count, "number", order="count"),
    ),
    search=("day_obs", "state"),
    page_size=50,
)


@dataclass(frozen=True, slots=True)
class TrendQuery:
    """``?type=ptc&number=gain&filter=&detector=&days=30&until=2026-11-22`` as a scope and back."""

    scope: Scope

    @classmethod
    def read(cls, given: Mapping[str, str]) -> "TrendQuery":
        """Refused where a word names nothing."""
        camera = load(settings.CAMERA)
        kind = _type(given.get("type") or ProductType.PTC)
        band = given.get("filter", "") if kind == ProductType.FLAT else ""
        if kind == ProductType.FLAT and band not in camera.filters:
            band = "r" if "r" in camera.filters else next(iter(camera.filters), "")
        name = given.get("detector", "")
        if name and name not in camera.by_name:
            raise not_here(f"{camera.title} has no detector {name[:40]}.", "Choose one of the list.")
        last, days = _until(given.get("until", "")), _days(given.get("days", ""))
        detector = camera.by_name.get(name)
        return cls(Scope(camera, kind, band, _number(kind, given.get("number", "")), detector, last, days))

    def address(self, **changes: object) -> str:
        return f"{reverse('calib-camera:product-trends')}?{self.encoded(**changes)}"

    def encoded(self, **changes: object) -> str:
        """The same as a query string, with `changes`."""
        scope = self.scope
        words: dict[str, object] = {
            "type": str(scope.type),
            "number": scope.number.name,
            "filter": scope.filter,
            "detector": scope.detector.name if scope.detector else "",
            "days": scope.days,
            "until": scope.last,
        }
        return urlencode({key: value for key, value in {**words, **changes}.items() if value != ""})


@require_safe
@in_words
def product_trends(request: HttpRequest) -> HttpResponseBase:
    """The figure, its numbers and the table behind it."""
    query = TrendQuery.read(request.GET.dict())
    scope, points = query.scope, points_of(query.scope)
    context = {
        "scope": scope,
        "types": [(str(kind), kind.label) for kind in ProductType if NUMBERS[kind]],
        "numbers": NUMBERS[scope.type],
        "filters": scope.camera.filters if scope.type == ProductType.FLAT else (),
        "detectors": [each.name for each in scope.camera.science_detectors],
        "day_choices": sorted({*DAYS, scope.days}),
        "points": len(points),
        "caption": _caption(scope, points),
        "figure_url": f"{reverse('calib-camera:product-trend-figure')}?{query.encoded()}",
        "marks": people_certified(scope.camera.name, scope.first.begins, scope.last.ends),
    }
    columns = [
        replace(column, unit=scope.number.unit) if column.name in _IN_UNIT else column for column in POINTS.columns
    ]
    columns[0] = replace(columns[0], link=_url)
    table = replace(POINTS, name=f"trend_{scope.type}_{scope.number.name}_{scope.title}", columns=columns)
    return table.respond(request, points[::-1], "calib/products/trends.html", context)


_IN_UNIT = {"median", "p5", "p95", "minimum", "maximum"}


@gzip_page
@require_safe
@conditional_page
@in_words
def product_trend_figure(request: HttpRequest) -> HttpResponse:
    scope = TrendQuery.read(request.GET.dict()).scope
    marks = people_certified(scope.camera.name, scope.first.begins, scope.last.ends)
    return figure_response(trend_figure(scope, points_of(scope), marks, _url))


def _url(point: Point) -> str:
    """The product of the chosen detector, or the set."""
    return product_url(point.product) if point.product else reverse("calib-camera:productset", args=[point.made])


def _caption(scope: Scope, points: list[Point]) -> str:
    name = f"{scope.number.title} of {scope.title}"
    if not points:
        return f"{name}: no value in {scope.days} days"
    last, count = points[-1], len(points)
    value = f"{format_number(last.median)} {scope.number.unit}".strip()
    refused = sum(point.state == "REFUSED" for point in points)
    lines = "Lines are amplifiers" if scope.detector and last.each else "The band holds 5 to 95 % of the values"
    more = f" {lines}." if last.count > 1 else ""
    return f"{name}, {count} sets from {scope.first} to {scope.last}; last median {value}; {refused} refused.{more}"


def _type(name: str) -> ProductType:
    known = [str(kind) for kind in ProductType if NUMBERS[kind]]
    if name not in known:
        raise not_here(f"There is no trend of “{name[:40]}”.", f"Choose one of {', '.join(known)}.")
    return ProductType(name)


def _number(kind: ProductType, name: str) -> Number:
    found = {number.name: number for number in NUMBERS[kind]}
    return found.get(name, NUMBERS[kind][0])  # another type's number, where the type was changed in the form


def _until(text: str) -> ObservingDay:
    try:
        return ObservingDay.parse(text) if text else ObservingDay.current()
    except ValueError as error:
        raise bad_request(str(error), "Write until as 2026-11-22.") from error


def _days(text: str) -> int:
    if not text:
        return 30
    if not (text.isascii() and text.isdigit() and 0 < int(text[:9]) <= MOST_DAYS):
        raise bad_request(f"days={text[:20]!r} is not a number of days.", f"Write 1 to {MOST_DAYS}.")
    return int(text)
