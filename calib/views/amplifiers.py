"""All amplifiers of an exposure with every metric, and those that are outside their limits."""

import math
from dataclasses import replace
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from calib.detector_rows import AmplifierRow, amplifier_rows
from calib.metric_map import focal_plane_of
from calib.metric_words import axis_title, limit_said, stored_title, stored_unit, tidy, title, unit
from calib.models import Finding, Level
from calib.science.metrics import METRICS, MetricDefinition
from calib.views.exposure import raft_filter
from calib.views.lookup import PlaneQuery, bounds, detector_url, exposure_named, frames_of
from calib.views.trend_query import trend_url
from dayops.observing_day import ObservingDay
from dayops.web.refusals import in_words
from dayops.web.tables import Column, Filter, Table

_LEVELS = [(str(level.label), str(level.label)) for level in reversed(Level)]


def _metric_column(metric: MetricDefinition) -> Column:
    def value(row: AmplifierRow) -> float | None:
        measured = row.values.get(metric.name)
        return tidy(measured) if measured is not None and math.isfinite(measured) else None

    return Column(metric.name, title(metric), value, "number", order=metric.name, unit=unit(metric))


AMPLIFIERS = Table(
    "amplifiers",
    (
        Column("detector", "Detector", lambda row: row.detector.name, order="detector"),
        Column("raft", "Raft", lambda row: row.detector.raft, order="raft"),
        Column("amplifier", "Amplifier", lambda row: row.amplifier.name, order="amplifier"),
        Column("verdict", "Verdict", lambda row: row.verdict, "status", order="verdict"),
        *map(_metric_column, METRICS),
    ),
    search=("detector", "amplifier"),
    filters=(Filter("verdict", "Verdict", _LEVELS, "verdict"),),
    page_size=100,
)
FINDINGS = Table(
    "findings",
    (
        Column("level", "Level", lambda row: row.get_level_display(), "status", order="level"),
        Column("detector", "Detector", lambda row: row.assessment.frame.detector_name, order="assessment__detector"),
        Column("amplifier", "Amplifier", lambda row: row.amplifier, order="amplifier"),
        Column("metric", "Metric", lambda row: row.metric, order="metric", shown=lambda row: stored_title(row.metric)),
        Column("value", "Value", lambda row: tidy(row.value), "number", order="value"),
        Column("limit", "Limit", lambda row: row.limit, "number", order="limit", shown=limit_said),
        Column("unit", "Unit", lambda row: stored_unit(row.metric)),
        Column("why", "Why this limit", lambda row: row.threshold.reason if row.threshold else None),
    ),
    search=("assessment__frame__detector_name", "amplifier"),
    filters=(
        Filter(
            "level", "Level", [(str(level.value), str(level.label)) for level in (Level.ERROR, Level.WARN)], "level"
        ),
        Filter("metric", "Metric", [(metric.name, axis_title(metric)) for metric in METRICS], "metric"),
    ),
    page_size=100,
)


@require_safe
@in_words
def amplifiers_page(request: HttpRequest, day: ObservingDay, name: str) -> HttpResponseBase:
    """Every amplifier × metric; ``?metric=&from=&to=`` leaves those whose value lies in that range."""

    def trend(row: AmplifierRow) -> str:
        amplifier = row.amplifier.name if query.metric.per == "amplifier" else ""
        return trend_url(exposure, query.metric.name, detector=row.detector.name, amplifier=amplifier)

    exposure, query = exposure_named(day, name), PlaneQuery.read(request.GET)
    plane = focal_plane_of(exposure, frames_of(exposure))
    rows = amplifier_rows(exposure, plane)
    low, high = bounds(request.GET)
    chosen = [row for row in rows if _within(row.values.get(query.metric.name), low, high)]
    columns = _linked(AMPLIFIERS, lambda row: detector_url(exposure, row.detector.name))
    last = Column("trend", f"Trend of {title(query.metric)}", trend, link=trend, shown=lambda row: "trend")
    filters = (*raft_filter(plane), *AMPLIFIERS.filters)
    table = replace(AMPLIFIERS, name=f"{name}_amplifiers", columns=_with_trend(columns, last), filters=filters)
    context = {"exposure": exposure, "metric": query.metric, "low": low, "high": high, "of": len(rows)}
    return table.respond(request, chosen, "calib/amplifiers.html", context)


@require_safe
@in_words
def findings_page(request: HttpRequest, day: ObservingDay, name: str) -> HttpResponseBase:
    exposure = exposure_named(day, name)
    rows = Finding.objects.filter(assessment__exposure=exposure).select_related("assessment__frame", "threshold")
    table = replace(
        FINDINGS,
        name=f"{name}_findings",
        columns=_linked(FINDINGS, lambda row: detector_url(exposure, row.assessment.frame.detector_name)),
    )
    return table.respond(request, rows.order_by("-level", "id"), "calib/findings.html", {"exposure": exposure})


def _linked(table: Table, link: Any) -> tuple[Column, ...]:
    """The table's columns, those that name a detector as links to its page."""
    return tuple(replace(column, link=link) if column.name == "detector" else column for column in table.columns)


def _with_trend(columns: tuple[Column, ...], trend: Column) -> tuple[Column, ...]:
    """The link stands beside the verdict: forty metrics further right nobody would find it."""
    place = next(i for i, column in enumerate(columns) if column.name == "verdict") + 1
    return (*columns[:place], trend, *columns[place:])


def _within(value: float | None, low: float | None, high: float | None) -> bool:
    if low is None and high is None:
        return True
    return value is not None and (low is None or value >= low) and (high is None or value <= high)
