"""Two focal planes on one colour range, what changed between them, and how the changes are distributed."""

from collections.abc import Callable
from html import escape
from typing import Literal

import numpy as np
import plotly.graph_objects as go

from calib.exposure_comparison import Comparison
from calib.metric_words import number, title, unit
from calib.plots import ColourRange, focal_plane, range_of
from dayops.camera import Detector
from dayops.web.figures import new_figure

_BINS = 60
_DIVERGING = [(0.0, "#0B3C8C"), (0.5, "#8C8C8C"), (1.0, "#F7E84A")]  # brighter is more, also where all is red


def one_plane(comparison: Comparison, which: Literal["a", "b"], link: Callable[[Detector], str]) -> go.Figure:
    """The focal plane of one of the two, coloured from the 1st to the 99th percentile of both."""
    both = np.concatenate([comparison.map_a.finite, comparison.map_b.finite])
    measured = comparison.map_a if which == "a" else comparison.map_b
    return _sized(focal_plane(measured, range_of(both), link))


def change_plane(comparison: Comparison, link: Callable[[Detector], str]) -> go.Figure:
    """The difference or ratio on the focal plane, its colours even about no change."""
    figure = focal_plane(comparison.map_a, ColourRange(0.0, 1.0), link, lambda index: _sentence(comparison, index))
    reach, middle = _reach(comparison), comparison.no_change
    figure.data[0].update(
        z=comparison.plane.grid.painted(comparison.change),
        zmin=middle - reach,
        zmax=middle + reach,
        colorscale=_DIVERGING,
        colorbar={"title": {"text": change_title(comparison)}},
    )
    return _sized(figure)


def change_histogram(comparison: Comparison, link: Callable[[float, float], str]) -> go.Figure:
    """How many amplifiers changed by how much; a click follows `link` of the bar's two edges."""
    figure = new_figure(x=change_title(comparison), y=f"{comparison.map_a.noun}s")
    reach, middle = 3 * _reach(comparison), comparison.no_change
    low, high = middle - reach, middle + reach
    counts, edges = np.histogram(np.clip(comparison.changed, low, high), bins=_BINS, range=(low, high))
    filled = np.flatnonzero(counts)
    begins, ends = edges[:-1].copy(), np.nextafter(edges[1:], -np.inf)
    if comparison.changed.size:
        begins[0], ends[-1] = min(low, comparison.changed.min()), max(high, comparison.changed.max())
    figure.add_bar(
        x=((edges[1:] + edges[:-1]) / 2)[filled],
        y=counts[filled],
        width=2 * reach / _BINS * 0.94,
        customdata=[link(float(begins[i]), float(ends[i])) for i in filled],
        hovertext=[f"{counts[i]} from {number(begins[i])} to {number(ends[i])}" for i in filled],
        hoverinfo="text",
    )
    figure.add_vline(x=middle, line={"width": 1, "dash": "dot"})
    return figure


def change_title(comparison: Comparison) -> str:
    """``a − b / ADU`` or ``a ÷ b``."""
    if comparison.is_ratio:
        return "a ÷ b"
    return f"a − b / {comparison.metric.unit}" if comparison.metric.unit else "a − b"


def _reach(comparison: Comparison) -> float:
    """The 99th percentile of how far values are from no change; never nothing."""
    sizes = np.abs(comparison.changed - comparison.no_change)
    return float(np.percentile(sizes, 99)) if sizes.size and sizes.max() > 0 else 1e-3


def _sentence(comparison: Comparison, index: int) -> str:
    name, change = comparison.map_a.name_of(index), comparison.change[index]
    if not np.isfinite(change):
        return f"{escape(name)} · not measured in both"
    of = escape(unit(comparison.metric))
    a, b = (number(float(values[index])) for values in (comparison.map_a.values, comparison.map_b.values))
    sign = "÷" if comparison.is_ratio else "−"
    ended = "" if comparison.is_ratio else f" {of}"
    return f"{escape(name)} · {escape(title(comparison.metric))}<br>{a} {sign} {b} = {number(float(change))}{ended}"


def _sized(figure: go.Figure) -> go.Figure:
    """Three stand side by side: the colours lie below, so that the planes have the width."""
    bar = {"orientation": "h", "y": -0.09, "yanchor": "top", "thickness": 10, "title": {"side": "bottom"}}
    figure.data[0].update(colorbar=bar)
    figure.update_layout(height=470, margin={"l": 8, "r": 8, "t": 8, "b": 8})
    figure.update_xaxes(title={"text": ""})
    return figure.update_yaxes(title={"text": ""})
