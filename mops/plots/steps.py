"""How many there were after each step of a night, and what each step lost of what could be found."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from dayops.web.figures import OKABE_ITO, STATUS_COLOURS, new_figure, threshold
from mops.throughput import LIMIT_H, Debt

STEPS = ("detections", "attributed", "tracklets", "clusters", "linkages", "accepted")
REQUIRED_COMPLETENESS = 0.95  # of findable objects: orbitCompleteness, OSS-REQ-0159 (LSE-30)


def steps_of(counts: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The steps that were counted, in their order."""
    return [(step, int(counts[step])) for step in STEPS if isinstance(counts.get(step), int | float)]


def steps_figure(counts: Mapping[str, Any]) -> go.Figure:
    """One bar a step, on a logarithmic scale: they count different things."""
    steps = steps_of(counts)
    figure = new_figure(x="number (logarithmic)", y="")
    figure.add_bar(
        x=[number or None for _, number in steps], y=[step for step, _ in steps], orientation="h",
        text=[f"{number:,}" for _, number in steps], textposition="auto", marker={"color": OKABE_ITO[0]},
        hovertemplate="%{y}: %{text}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(type="log", dtick=1)
    figure.update_yaxes(autorange="reversed")
    return figure


def loss_figure(waterfall: Sequence[Mapping[str, Any]]) -> go.Figure:
    """What is left of the findable objects after each step, and what each step lost to which limit."""
    figure = new_figure(x="", y="objects")
    steps = [str(row.get("step", "")) for row in waterfall]
    kept, lost = ([int(row.get(name) or 0) for row in waterfall] for name in ("objects", "lost"))
    limits = [escape(str(row.get("limit") or "no limit named")) for row in waterfall]
    figure.add_bar(
        x=steps, y=kept, name="kept", marker={"color": STATUS_COLOURS["ok"]}, text=[f"{each:,}" for each in kept],
        hovertemplate="%{x}: %{y:,} kept<extra></extra>",
    )  # fmt: skip
    figure.add_bar(
        x=steps, y=lost, name="lost here", marker={"color": STATUS_COLOURS["error"]}, hovertext=limits,
        text=[f"−{each:,}" if each else "" for each in lost], textposition="outside",
        hovertemplate="%{x}: %{y:,} lost to %{hovertext}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(barmode="stack", showlegend=True)
    lowest = min((each for each in kept if each), default=0)
    figure.update_yaxes(
        range=[0.98 * lowest if lowest > 100 else 0, 1.005 * max(kept, default=1) + max(lost, default=0)]
    )
    return figure


def zones_figure(by_zone: Sequence[Mapping[str, Any]]) -> go.Figure:
    """Completeness of each zone, with what is required."""
    figure = new_figure(x="zone", y="found of findable / %")
    shares = [100 * int(row.get("found") or 0) / max(1, int(row.get("findable") or 0)) for row in by_zone]
    said = [f"{row.get('found')} of {row.get('findable')}" for row in by_zone]
    figure.add_bar(
        x=[str(row.get("zone", "")) for row in by_zone], y=shares, text=said, marker={"color": OKABE_ITO[0]},
        hovertemplate="%{x}: %{text}, %{y:.2f} %<extra></extra>",
    )  # fmt: skip
    threshold(
        figure, 100 * REQUIRED_COMPLETENESS, f"required {100 * REQUIRED_COMPLETENESS:g} % (OSS-REQ-0159)", "error"
    )
    figure.update_yaxes(range=[0, 105])
    return figure


def debt_figure(debt: Debt) -> go.Figure:
    """Hours from each night's end to its publication; those that wait are hatched."""
    figure = new_figure(x="dayObs", y="hours to publication")
    for is_published, name, colour in ((True, "published", OKABE_ITO[0]), (False, "waits", STATUS_COLOURS["late"])):
        chosen = [delay for delay in debt.delays if delay.is_published == is_published]
        if chosen:
            figure.add_bar(
                x=[str(delay.day) for delay in chosen], y=[delay.hours for delay in chosen], name=name,
                marker={"color": colour, "pattern": {"shape": "" if is_published else "/"}},
                customdata=[f"/{delay.day}/mops/" for delay in chosen],
                hovertemplate="%{x}: %{y:.1f} h<extra>" + name + "</extra>",
            )  # fmt: skip
    threshold(figure, LIMIT_H, f"{LIMIT_H:g} h on average", "error")
    if debt.mean_h is not None:
        figure.add_hline(y=debt.mean_h, line={"width": 1.5}, annotation={"text": f"mean {debt.mean_h:.1f} h"})
    figure.update_xaxes(type="category", categoryorder="category ascending")
    figure.update_layout(showlegend=True)
    return figure
