"""The figures of the calibration pages."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from html import escape
from typing import Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from calib.focal_plane import Footprint, outline
from calib.metric_map import FocalPlane, MetricMap
from calib.metric_words import axis_title, limits_in_words, number, said, unit
from calib.models import Level
from calib.science.judgement import Limits
from dayops.camera import Detector
from dayops.web.figures import SEQUENTIAL, STATUS_COLOURS, new_figure

_LEVEL_COLOURS = [STATUS_COLOURS[level.label.lower()] for level in Level]
_LEVEL_SCALE = [
    (edge, colour) for i, colour in enumerate(_LEVEL_COLOURS) for edge in (i / len(Level), (i + 1) / len(Level))
]
_LEVEL_TICKS = {"tickvals": [int(level) for level in Level], "ticktext": [level.label for level in Level]}
_OUTLINE = "rgba(136, 136, 136, 0.75)"
_BINS = 60
_OUTLINED_AMPLIFIERS = 300


@dataclass(frozen=True, slots=True)
class ColourRange:
    """The values at the two ends of the colour scale."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class _Bar:
    """One bar of a histogram: `count` values from `low` to `high`, drawn at `centre`."""

    low: float
    high: float
    centre: float
    count: int


def focal_plane(
    measured: MetricMap,
    colours: ColourRange | Literal["level"],
    link: Callable[[Detector], str],
    say: Callable[[int], str] | None = None,
) -> go.Figure:
    """Every amplifier at its place, coloured by its value or level; a click follows `link` of its detector.

    Amplifiers outside their limits have a frame in the colour of their level, as long as they are few.
    The pointer is told the amplifier's value, level and limits, or what `say` has to say of its index.
    """
    figure = new_figure(x="focal plane x / mm", y="focal plane y / mm")
    figure.add_trace(_cells(measured, colours))
    figure.add_trace(_outlines(measured.plane))
    figure.add_traces(_outside(measured))
    figure.add_trace(_places(measured, link, say))
    figure.update_layout(hoverdistance=-1, showlegend=False, height=680, margin={"l": 50, "r": 8, "t": 30, "b": 40})
    figure.update_xaxes(constrain="domain", showgrid=False)
    figure.update_yaxes(scaleanchor="x", scaleratio=1, constrain="domain", showgrid=False)
    return figure


def metric_histogram(
    measured: MetricMap, colours: ColourRange | Literal["level"], link: Callable[[float, float], str]
) -> go.Figure:
    """How many amplifiers have which value, with the limits drawn; a click follows `link` of the bar's two edges."""
    figure = new_figure(x=axis_title(measured.metric), y=f"{measured.noun}s")
    if not measured.finite.size:
        return figure
    low, high = _span(measured)
    bars = _bars(measured.finite, low, high)
    figure.add_bar(
        x=[bar.centre for bar in bars],
        y=[bar.count for bar in bars],
        width=(high - low) / _BINS * 0.94,
        marker=_bar_colours(bars, colours),
        customdata=[link(bar.low, bar.high) for bar in bars],
        hovertext=[f"{bar.count} {measured.noun}s from {number(bar.low)} to {number(bar.high)}" for bar in bars],
        hoverinfo="text",
    )
    _draw_limits(figure, measured.limits, low, high)
    figure.update_xaxes(range=[low, high])
    figure.update_yaxes(dtick=1 if max(bar.count for bar in bars) < 5 else None)
    return figure


def pixel_histogram(counts: NDArray[np.integer], edges: NDArray[np.floating], unit: str) -> go.Figure:
    """How many pixels have which value: `counts` between consecutive `edges`; the ends hold what lies beyond them."""
    figure = new_figure(x=f"pixel value / {unit}", y="pixels")
    centres = (edges[1:] + edges[:-1]) / 2
    figure.add_scatter(x=centres, y=counts, mode="lines", line={"shape": "hvh", "width": 1.2}, fill="tozeroy")
    figure.update_traces(hovertemplate=f"%{{y}} pixels at %{{x:.5g}} {escape(unit)}<extra></extra>")
    figure.update_yaxes(type="log", exponentformat="power")
    return figure


def colour_range(measured: MetricMap, low: float | None, high: float | None) -> ColourRange:
    """From `low` to `high`; an end that is not given is the first or 99th percentile of what was measured."""
    if not measured.finite.size:
        return ColourRange(low or 0.0, high if high is not None else (low or 0.0) + 1.0)
    first, last = measured.percentiles(1, 99)
    low, high = first if low is None else low, last if high is None else high
    return ColourRange(low, high) if low < high else ColourRange(low - 0.5, low + 0.5)


def range_of(values: NDArray[np.float64]) -> ColourRange:
    """From the 1st to the 99th percentile of finite `values`."""
    low, high = (float(value) for value in np.percentile(values, [1, 99])) if values.size else (0.0, 1.0)
    return ColourRange(low, high) if low < high else ColourRange(low - 0.5, low + 0.5)


def _cells(measured: MetricMap, colours: ColourRange | Literal["level"]) -> go.Heatmap:
    plane = measured.plane.grid
    shared = {"x": plane.x_edges, "y": plane.y_edges, "hoverinfo": "skip"}
    if colours == "level":
        judged = np.where(np.isfinite(measured.values) | (measured.levels > 0), measured.levels, np.nan)
        return go.Heatmap(
            z=plane.painted(judged),
            zmin=-0.5,
            zmax=2.5,
            colorscale=_LEVEL_SCALE,
            colorbar=_bar("") | _LEVEL_TICKS,
            **shared,
        )
    return go.Heatmap(
        z=plane.painted(measured.values),
        zmin=colours.low,
        zmax=colours.high,
        colorscale=SEQUENTIAL,
        colorbar=_bar(axis_title(measured.metric)),
        **shared,
    )


def _bar(title: str) -> dict[str, object]:
    return {"title": {"text": title, "side": "right"}, "thickness": 14, "outlinewidth": 0}


def _outlines(plane: FocalPlane) -> go.Scatter:
    """All detectors, also those from which nothing came, as one broken line; their amplifiers, too, where few."""
    few = plane.footprints if len(plane.footprints) <= _OUTLINED_AMPLIFIERS else ()
    return _frames([*map(outline, plane.detectors), *map(_sides, few)], _OUTLINE, 0.8)


def _outside(measured: MetricMap) -> list[go.Scatter]:
    """The amplifiers in WARN and those in ERROR, a broken line each; none where there are too many to be looked for."""
    if np.count_nonzero(measured.levels) > min(_OUTLINED_AMPLIFIERS, measured.levels.size / 2):
        return []
    footprints = measured.plane.footprints
    chosen = {level: np.flatnonzero(measured.levels == level) for level in (Level.WARN, Level.ERROR)}
    return [
        _frames([_sides(footprints[index]) for index in indices], _LEVEL_COLOURS[level], 2.5)
        for level, indices in chosen.items()
        if indices.size
    ]


def _sides(footprint: Footprint) -> tuple[float, float, float, float]:
    return footprint.x0, footprint.y0, footprint.x1, footprint.y1


def _frames(rectangles: Iterable[tuple[float, float, float, float]], colour: str, width: float) -> go.Scatter:
    """Rectangles of left, lower, right and upper side in mm as one broken line."""
    x: list[float | None] = []
    y: list[float | None] = []
    for x0, y0, x1, y1 in rectangles:
        x += [x0, x1, x1, x0, x0, None]
        y += [y0, y0, y1, y1, y0, None]
    return go.Scatter(x=x, y=y, mode="lines", line={"color": colour, "width": width}, hoverinfo="skip")


def _places(measured: MetricMap, link: Callable[[Detector], str], say: Callable[[int], str] | None) -> go.Scatter:
    """An unseen point in each amplifier, for the pointer to find: one each, where the grid has many cells."""
    links = {detector.id: link(detector) for detector in measured.plane.detectors}
    rectangles = measured.plane.footprints
    limits = "" if say else f"<br>{escape(limits_in_words(measured.limits, unit(measured.metric)))}"
    say = say or (lambda index: _sentence(measured, index))
    centres = np.array([each.centre for each in rectangles]).reshape(-1, 2)
    return go.Scatter(
        x=centres[:, 0],
        y=centres[:, 1],
        mode="markers",
        marker={"opacity": 0, "size": 1},
        customdata=np.array([links[each.detector.id] for each in rectangles], dtype=object),
        hovertext=[say(index) for index in range(len(rectangles))],
        hovertemplate=f"%{{hovertext}}{limits}<extra></extra>",
    )


def _sentence(measured: MetricMap, index: int) -> str:
    name, value = escape(measured.name_of(index)), measured.values[index]
    level = Level(int(measured.levels[index])).label
    if np.isfinite(value):
        return f"{name} · {escape(said(measured, value))} · {level}"
    return f"{name} · could not be measured · {level}" if measured.levels[index] else f"{name} · not measured"


def _span(measured: MetricMap) -> tuple[float, float]:
    """Where the bulk of the values is, widened by a tenth, and limits that are near enough to be seen beside it."""
    least, q1, q3, most = measured.percentiles(0, 25, 75, 100)
    reach = 4 * (q3 - q1) or most - least
    low, high = max(least, q1 - reach), min(most, q3 + reach)
    width = (high - low) or abs(high) or 1.0
    limits = measured.limits
    bounds = [limits.error_low, limits.warn_low, limits.warn_high, limits.error_high]
    near = [bound for bound in bounds if bound is not None and low - 2 * width <= bound <= high + 2 * width]
    return min([low, *near]) - width / 10, max([high, *near]) + width / 10


def _bars(values: NDArray[np.float64], low: float, high: float) -> list[_Bar]:
    """The bins that are not empty. The first and the last also hold, and name, what lies beyond them."""
    counts, edges = np.histogram(np.clip(values, low, high), bins=_BINS, range=(low, high))
    centres = (edges[1:] + edges[:-1]) / 2
    edges[[0, -1]] = min(low, values.min()), max(high, values.max())
    return [
        _Bar(float(edges[i]), float(edges[i + 1]), float(centres[i]), int(counts[i])) for i in np.flatnonzero(counts)
    ]


def _bar_colours(bars: list[_Bar], colours: ColourRange | Literal["level"]) -> dict[str, object]:
    if colours == "level":
        return {}
    return {"color": [bar.centre for bar in bars], "cmin": colours.low, "cmax": colours.high, "colorscale": SEQUENTIAL}


def _draw_limits(figure: go.Figure, limits: Limits, low: float, high: float) -> None:
    for word, look in (("WARN", "warn"), ("ERROR", "error")):
        for end in ("low", "high"):
            bound = getattr(limits, f"{look}_{end}")
            if bound is not None and low <= bound <= high:
                line = {"color": STATUS_COLOURS[look], "width": 1, "dash": "dash"}
                note = {"text": f"{word} {number(bound)}", "font": {"size": 11}, "textangle": -90}
                figure.add_vline(x=bound, line=line, annotation=note)
