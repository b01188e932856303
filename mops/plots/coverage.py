"""Which heliocentric distances and rates were tried, and what each brought together."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from dayops.web.figures import SEQUENTIAL, STATUS_COLOURS, new_figure

COLOURS = ("tracklets", "clusters", "accepted")
_SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x")


def coverage_figure(rows: Sequence[Mapping[str, Any]], colour: str) -> go.Figure:
    """One point a hypothesis; its colour counts `colour` on a logarithmic scale, its shape is the zone."""
    figure = new_figure(x="heliocentric distance r / au", y="rate ṙ / (au/d)")
    highest = max((_count(row, colour) for row in rows), default=0)
    ticks = [0, *(10**k for k in range(len(str(highest)))), highest]
    for place, zone in enumerate(dict.fromkeys(str(row.get("zone", "")) for row in rows)):
        chosen = [row for row in rows if str(row.get("zone", "")) == zone]
        figure.add_scatter(
            x=[row.get("r_au") for row in chosen], y=[row.get("rdot") for row in chosen], mode="markers", name=zone,
            marker={
                "size": 11, "symbol": _SYMBOLS[place % len(_SYMBOLS)], "coloraxis": "coloraxis",
                "line": {"width": 1, "color": STATUS_COLOURS["missing"]},
                "color": [math.log10(1 + _count(row, colour)) for row in chosen],
            },
            text=[f"{_count(row, colour):,} {colour}" for row in chosen],
            hovertemplate="r %{x:.4g} au, ṙ %{y:.4g} au/d: %{text}<extra>" + zone + "</extra>",
        )  # fmt: skip
    shown = {"tickvals": [math.log10(1 + each) for each in ticks], "ticktext": [f"{each:,}" for each in ticks]}
    figure.update_layout(
        coloraxis={
            "colorscale": SEQUENTIAL,
            "cmin": 0,
            "cmax": math.log10(1 + max(highest, 1)),
            "colorbar": {"title": {"text": colour}, "thickness": 12, **shown},
        },
        showlegend=True,
    )
    figure.update_xaxes(type="log", tickvals=[1, 1.5, 2, 2.5, 3, 4, 5, 10, 20, 30, 50, 100])
    return figure


def _count(row: Mapping[str, Any], name: str) -> int:
    value = row.get(name)
    return int(value) if isinstance(value, int | float) else 0
