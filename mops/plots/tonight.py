"""Predicted places on the sky."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from dayops.web.figures import OKABE_ITO, new_figure
from mops.plots.sky import near

Row = Mapping[str, Any]


def tonight_figure(rows: Sequence[Row], name: Callable[[Row], str], link: Callable[[Row], str]) -> go.Figure:
    """All places, degrees ICRS; those that one more visit confirms are diamonds. A click follows `link`."""
    figure = new_figure(x="right ascension / °", y="declination / °")
    reference = next((row["ra"] for row in rows if _is_number(row.get("ra"))), 0.0)
    for confirms, label, symbol, colour in (
        (False, "predicted", "circle", 0),
        (True, "one visit confirms", "diamond", 1),
    ):
        chosen = [row for row in rows if bool(row.get("confirms")) == confirms]
        if chosen:
            figure.add_scatter(
                x=[near(row["ra"], reference) if _is_number(row.get("ra")) else None for row in chosen],
                y=[row.get("dec") for row in chosen], mode="markers", name=label,
                marker={"symbol": symbol, "color": OKABE_ITO[colour], "size": 7 if confirms else 5},
                customdata=[link(row) for row in chosen], hovertext=[_said(row, name) for row in chosen],
                hoverinfo="text",
            )  # fmt: skip
    figure.update_xaxes(autorange="reversed")
    figure.update_layout(showlegend=True)
    return figure


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _said(row: Row, name: Callable[[Row], str]) -> str:
    place = f"{row.get('ra')}° {row.get('dec')}°"
    size = f"± {row.get('major_arcsec')}″ × {row.get('minor_arcsec')}″ at {row.get('pa_deg')}°"
    return escape(f"{name(row)}: {place} {size}, {row.get('mag')} mag, field {row.get('field')}")
