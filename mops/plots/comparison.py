"""What one search has and another has not, among the orbits."""

from collections.abc import Callable
from math import isfinite

import plotly.graph_objects as go

from dayops.web.figures import OKABE_ITO, STATUS_COLOURS, new_figure
from mops.comparison import CHANGED, COMMON, GAINED, LOST, Comparison, Pair
from mops.plots.population import over_semi_major_axis

_LOOKS = {
    COMMON: (STATUS_COLOURS["missing"], "circle", 4),
    CHANGED: (OKABE_ITO[1], "square", 6),
    GAINED: (STATUS_COLOURS["ok"], "triangle-up", 9),
    LOST: (STATUS_COLOURS["error"], "x", 9),
}


def comparison_figure(comparison: Comparison, link: Callable[[Pair], str]) -> go.Figure:
    """Each orbit by a and e; what both have is quiet, what only one has stands out. A click follows `link`."""
    figure = new_figure(x="semi-major axis / au", y="eccentricity")
    for fate, (colour, symbol, size) in _LOOKS.items():
        chosen = [pair for pair in comparison.pairs if pair.fate == fate and _is_bound(pair)]
        if chosen:
            figure.add_scatter(
                x=[pair.one.a_au for pair in chosen], y=[pair.one.e for pair in chosen], mode="markers",
                name=f"{comparison.counts[fate]} {fate}", marker={"color": colour, "symbol": symbol, "size": size},
                customdata=[link(pair) for pair in chosen],
                hovertext=[f"{fate}: candidate {pair.one.pk}" for pair in chosen], hoverinfo="text",
            )  # fmt: skip
    over_semi_major_axis(figure, [pair.one.a_au or 0.0 for pair in comparison.pairs if _is_bound(pair)])
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(showlegend=True)
    return figure


def _is_bound(pair: Pair) -> bool:
    a, e = pair.one.a_au, pair.one.e
    return a is not None and e is not None and isfinite(a) and a > 0
