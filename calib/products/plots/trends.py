"""A number of products over days: the median, how the amplifiers spread, and what became of each set."""

from collections.abc import Callable, Sequence
from html import escape

import plotly.graph_objects as go

from calib.products.trends import Point, Scope
from calib.trend_marks import Mark
from dayops.observing_day import ObservingDay
from dayops.web.figures import OKABE_ITO, STATUS_COLOURS, intervention, new_figure

_QUIET = "rgba(136, 136, 136, 0.65)"
_LOOKS = {
    "CERTIFIED": (STATUS_COLOURS["ok"], "circle"),
    "REFUSED": (STATUS_COLOURS["error"], "x"),
    "REJECTED": (STATUS_COLOURS["error"], "x-open"),
    "MAKING": (STATUS_COLOURS["missing"], "circle-open"),
}


def trend_figure(
    scope: Scope, points: Sequence[Point], marks: Sequence[Mark], link: Callable[[Point], str]
) -> go.Figure:
    """Each set where it was decided on; a click follows `link`."""
    unit = scope.number.unit
    figure = new_figure(x="UTC", y=f"{scope.number.title.lower()} / {unit}" if unit else scope.number.title.lower())
    at = [point.at.isoformat() for point in points]
    if scope.detector and points and points[0].each:
        for place, amplifier in enumerate(scope.detector.amplifiers):
            y = [point.each[place] if point.each[place] == point.each[place] else None for point in points]
            figure.add_scatter(
                x=at, y=y, mode="lines", line={"color": _QUIET, "width": 1}, showlegend=False,
                hovertemplate=f"{escape(amplifier.name)} · %{{y:.5g}} {escape(unit)}<extra></extra>",
            )  # fmt: skip
    elif not scope.detector:
        band = {"x": at, "mode": "lines", "line": {"width": 0}, "hoverinfo": "skip", "showlegend": False}
        figure.add_scatter(y=[point.p5 for point in points], **band)
        figure.add_scatter(
            y=[point.p95 for point in points], fill="tonexty", fillcolor="rgba(86, 180, 233, 0.2)", **band
        )
    figure.add_scatter(
        x=at, y=[point.median for point in points], mode="lines", showlegend=False, hoverinfo="skip",
        line={"color": OKABE_ITO[0], "width": 1.5},
    )  # fmt: skip
    for word, (colour, symbol) in _LOOKS.items():
        chosen = [point for point in points if point.word == word]
        if chosen:
            figure.add_scatter(
                x=[point.at.isoformat() for point in chosen], y=[point.median for point in chosen], mode="markers",
                name=word.lower(), marker={"color": colour, "symbol": symbol, "size": 8},
                customdata=[link(point) for point in chosen],
                hovertext=[_said(point, unit) for point in chosen], hoverinfo="text",
            )  # fmt: skip
    for mark in marks:
        intervention(figure, mark.at.isoformat(), escape(mark.text[:40]))
    figure.update_xaxes(type="date")
    figure.update_layout(showlegend=True)
    return figure


def _said(point: Point, unit: str) -> str:
    spread = f", {point.minimum:.5g} to {point.maximum:.5g}" if point.count > 1 else ""
    return (
        f"set {point.made} of {ObservingDay(point.day_obs)}: {point.median:.5g} {unit}{spread} ({point.word.lower()})"
    )
