"""A trend as a figure: the values over time, and beside them, on the same axis, how often each occurs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from html import escape
from typing import Any, Literal

import numpy as np
import plotly.graph_objects as go

from calib.metric_words import axis_title, number, unit
from calib.models import Level
from calib.science.judgement import Limits
from calib.trend_limits import Span
from calib.trend_marks import Mark
from calib.trends import Point, Scope, by_kind
from dayops.web.figures import OKABE_ITO, STATUS_COLOURS, new_figure

_BINS = 40
_TIME_ENDS, _HISTOGRAM_BEGINS = 0.83, 0.86
_QUIET = "rgba(136, 136, 136, 0.65)"
_MARK_SYMBOLS = {"intervention": "triangle-down", "limits": "diamond"}
_LIMIT_LINES = (("warn", "dash", "WARN limit"), ("error", "solid", "ERROR limit"))


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses: of a point's exposure, of the trend of a line by its name, of the points between a bar's edges."""

    point: Callable[[Point], str]
    line: Callable[[str], str]
    bar: Callable[[float, float], str]


def trend_figure(
    scope: Scope,
    points: Sequence[Point],
    spans: Sequence[Span],
    marks: Sequence[Mark],
    links: Links,
) -> go.Figure:
    """One line for each kind of exposure, and where a click on a point, a line or a bar leads."""
    figure = new_figure(x="UTC", y=axis_title(scope.metric))
    figure.update_layout(
        height=460,
        xaxis={"domain": [0, _TIME_ENDS], "type": "date"},
        xaxis2={"domain": [_HISTOGRAM_BEGINS, 1], "title": {"text": "exposures"}, "rangemode": "tozero"},
        yaxis2={"overlaying": "y", "range": [0, 1], "fixedrange": True, "visible": False},
        barmode="stack",
    )
    if points:
        figure.update_layout(xaxis={"range": _times(points, marks)})
    low, high = _reach(scope, points, spans)
    figure.update_yaxes(range=[low, high], selector={"overlaying": None})
    kinds = by_kind(points)
    _add_lines(figure, scope, kinds, links.line)
    for (kind, members), colour in zip(kinds.items(), _colours(len(kinds)), strict=True):
        if len(kinds) == 1 and not scope.raft and not scope.detector:
            _add_band(figure, kind, members, colour)
        _add_points(figure, scope, kind, members, colour, links.point)
        _add_bars(figure, kind, members, colour, (low, high), links.bar)
    _add_limits(figure, spans)
    _add_marks(figure, marks)
    return figure


def _colours(count: int) -> list[str]:
    return [OKABE_ITO[i % len(OKABE_ITO)] for i in range(count)]


def _times(points: Sequence[Point], marks: Sequence[Mark]) -> list[str]:
    """From the first point or mark to the last, and a little air."""
    instants = [*(point.exposure.began_at for point in points), *(mark.at for mark in marks)]
    air = max((max(instants) - min(instants)) / 40, timedelta(minutes=30))
    return [(min(instants) - air).isoformat(), (max(instants) + air).isoformat()]


def _reach(scope: Scope, points: Sequence[Point], spans: Sequence[Span]) -> tuple[float, float]:
    """The values that are drawn, the limit they all are beyond, other limits that are near, and a little air."""
    drawn = np.array(
        [
            value
            for point in points
            for value in (point.value, *(point.values.each if scope.lines else (point.values.p5, point.values.p95)))
        ]
    )
    drawn = drawn[np.isfinite(drawn)] if drawn.size else np.zeros(1)
    low, high = float(drawn.min()), float(drawn.max())
    width = (high - low) or abs(high) / 10 or 1.0
    low, high = min([low, *_crossed(spans, "high", low)]), max([high, *_crossed(spans, "low", high)])
    width = max(width, high - low)
    near = [bound for bound in _bounds(spans) if low - width <= bound <= high + width]
    return min([low, *near]) - width / 12, max([high, *near]) + width / 12


def _crossed(spans: Sequence[Span], end: Literal["low", "high"], drawn: float) -> list[float]:
    """Of the upper (lower) limits that next to the least (largest) value `drawn`, where all values are beyond it."""
    bounds = [getattr(span.limits, f"{level}_{end}") for span in spans for level in ("warn", "error")]
    beyond = [bound for bound in bounds if bound is not None and (bound < drawn if end == "high" else bound > drawn)]
    return [max(beyond) if end == "high" else min(beyond)] if beyond else []


def _bounds(spans: Sequence[Span]) -> list[float]:
    ends = [end for span in spans for end in _ends(span.limits)]
    return [end for end in ends if end is not None]


def _ends(limits: Limits) -> tuple[float | None, ...]:
    return limits.error_low, limits.warn_low, limits.warn_high, limits.error_high


def _add_lines(figure: go.Figure, scope: Scope, kinds: dict[str, list[Point]], link: Callable[[str], str]) -> None:
    """Each amplifier or detector as a faint line, broken between kinds."""
    for index, name in enumerate(scope.lines):
        x: list[str | None] = []
        y: list[float | None] = []
        for members in kinds.values():
            x += [*map(_at, members), None]
            y += [*(_or_none(point.values.each[index]) for point in members), None]
        figure.add_scatter(
            x=x, y=y, mode="lines", line={"color": _QUIET, "width": 1}, name=name, showlegend=False,
            meta=link(name),
            hovertemplate=f"{escape(name)} · %{{y:.5g}} {escape(unit(scope.metric))}<extra></extra>",
        )  # fmt: skip


def _add_band(figure: go.Figure, kind: str, members: list[Point], colour: str) -> None:
    """From the 5th to the 95th percentile."""
    shared: dict[str, Any] = {
        "x": [_at(point) for point in members],
        "mode": "lines",
        "line": {"width": 0},
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": kind,
    }
    figure.add_scatter(y=[point.values.p5 for point in members], **shared)
    figure.add_scatter(y=[point.values.p95 for point in members], fill="tonexty", fillcolor=_faint(colour), **shared)


def _faint(colour: str) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, 0.18)"


def _add_points(
    figure: go.Figure, scope: Scope, kind: str, members: list[Point], colour: str, link: Callable[[Point], str]
) -> None:
    """A line through those that nobody rejected; the others hollow, beside it."""
    kept = [point for point in members if not point.is_rejected]
    rejected = [point for point in members if point.is_rejected]
    looks = (
        (kept, {"mode": "lines+markers", "line": {"color": colour}, "name": kind, "legendgroup": kind}, "circle"),
        (rejected, {"mode": "markers", "name": f"{kind}, rejected"}, "circle-open"),
    )
    for chosen, look, symbol in looks:
        if chosen:
            figure.add_scatter(
                x=[_at(point) for point in chosen],
                y=[point.value for point in chosen],
                marker={"color": colour, "size": 6, "symbol": symbol},
                customdata=[link(point) for point in chosen],
                hovertext=[_sentence(scope, point) for point in chosen],
                hoverinfo="text",
                **look,
            )


def _sentence(scope: Scope, point: Point) -> str:
    values, of = point.values, unit(scope.metric)
    parts = [f"{escape(point.exposure.name)} · {escape(point.kind)}", f"{number(point.value)} {of}".strip()]
    if values.minimum < values.maximum:
        parts[1] = f"median {parts[1]}, from {number(values.minimum)} to {number(values.maximum)}"
    if values.outside:
        parts.append(f"{values.outside} outside their limits, the worst {Level(values.level).label}")
    if point.is_rejected:
        parts.append("rejected")
    return "<br>".join(parts)


def _add_bars(
    figure: go.Figure,
    kind: str,
    members: list[Point],
    colour: str,
    reach: tuple[float, float],
    link: Callable[[float, float], str],
) -> None:
    counts, edges = np.histogram([point.value for point in members], bins=_BINS, range=reach)
    filled = np.flatnonzero(counts)
    ends = np.nextafter(edges, -np.inf)
    figure.add_bar(
        orientation="h",
        x=counts[filled],
        y=(edges[filled] + edges[filled + 1]) / 2,
        width=(reach[1] - reach[0]) / _BINS * 0.92,
        xaxis="x2",
        marker={"color": colour},
        customdata=[link(float(edges[i]), float(ends[i + 1])) for i in filled],
        hovertext=[f"{counts[i]} exposures from {number(edges[i])} to {number(edges[i + 1])}" for i in filled],
        hoverinfo="text",
        showlegend=False,
        legendgroup=kind,
    )


def _add_limits(figure: go.Figure, spans: Sequence[Span]) -> None:
    """Stepped lines of those ends that bind; one entry in the legend for each level."""
    if not spans:
        return
    times = [span.begins.isoformat() for span in spans] + [spans[-1].ends.isoformat()]
    for look, dash, title in _LIMIT_LINES:
        shown = False
        for end in ("low", "high"):
            bounds = [getattr(span.limits, f"{look}_{end}") for span in spans]
            if any(bound is not None for bound in bounds):
                figure.add_scatter(
                    x=times, y=[*bounds, bounds[-1]], mode="lines", name=title, legendgroup=title, showlegend=not shown,
                    line={"color": STATUS_COLOURS[look], "width": 1.3, "dash": dash, "shape": "hv"},
                    hovertemplate=f"{title} %{{y:.5g}}<extra></extra>",
                )  # fmt: skip
                shown = True


def _add_marks(figure: go.Figure, marks: Sequence[Mark]) -> None:
    """A vertical line for each, with its words wherever the pointer meets it."""
    for kind, symbol in _MARK_SYMBOLS.items() | {
        (mark.kind, "star") for mark in marks if mark.kind not in _MARK_SYMBOLS
    }:
        chosen = [mark for mark in marks if mark.kind == kind]
        if not chosen:
            continue
        heights = [1.0, 0.75, 0.5, 0.25, 0.0]
        figure.add_scatter(
            x=[at for mark in chosen for at in [*[mark.at.isoformat()] * len(heights), None]],
            y=[y for _ in chosen for y in [*heights, None]],
            hovertext=[text for mark in chosen for text in [escape(mark.text)] * (len(heights) + 1)],
            hoverinfo="text",
            mode="lines",
            line={"width": 1.2, "dash": "dot", "color": OKABE_ITO[3]},
            legendgroup=kind,
            showlegend=False,
            yaxis="y2",
        )
        figure.add_scatter(
            x=[mark.at.isoformat() for mark in chosen],
            y=[1.0] * len(chosen),
            hovertext=[escape(mark.text) for mark in chosen],
            hoverinfo="text",
            mode="markers",
            marker={"symbol": symbol, "size": 9, "color": OKABE_ITO[3]},
            cliponaxis=False,
            legendgroup=kind,
            name=kind,
            yaxis="y2",
        )


def _at(point: Point) -> str:
    return point.exposure.began_at.isoformat()


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
