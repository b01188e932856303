"""How many there were after each step of a night, and what each step lost of what could be found."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import plotly.graph_objects as go

from dayops.web.figures import OKABE_ITO, STATUS_COLOURS, new_figure, threshold
from mops.throughput import LIMIT_H, Debt

STEPS = ("detections", "attributed", "tracklets", "clusters", "linkages", "accepted")
_FEW = 10  # up to so many are counted out on the axis
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
    highest = max((number for _, number in steps), default=1)
    figure.update_xaxes(type="log", dtick=1, range=[0, math.log10(max(highest, 1)) + 0.2])
    figure.update_yaxes(autorange="reversed")
    return figure


def loss_figure(waterfall: Sequence[Mapping[str, Any]]) -> go.Figure:
    """What each step lost of the findable objects, and to which limit; below each step what is left."""
    figure = new_figure(x="step, and what it kept", y="objects lost")
    lost = [int(row.get("lost") or 0) for row in waterfall]
    limits = [escape(str(row.get("limit") or "no limit named")) for row in waterfall]
    figure.add_bar(
        x=[f"{escape(str(row.get('step', '')))}<br>{int(row.get('objects') or 0):,}" for row in waterfall], y=lost,
        marker={"color": STATUS_COLOURS["error"]}, hovertext=limits, textposition="auto",
        text=[f"{each:,}: {limit}" if each else "" for each, limit in zip(lost, limits, strict=True)],
        hovertemplate="%{y:,} lost to %{hovertext}<extra></extra>",
    )  # fmt: skip
    figure.update_yaxes(rangemode="tozero", tickformat=",d", dtick=1 if max(lost, default=0) <= _FEW else None)
    return figure


def shares_figure(rows: Sequence[Mapping[str, Any]], group: str) -> go.Figure:
    """Completeness by `group` (zone, magnitude, rate) in per cent, with what is required."""
    figure = new_figure(x=group, y="found of findable / %")
    shares = [100 * int(row.get("found") or 0) / max(1, int(row.get("findable") or 0)) for row in rows]
    figure.add_scatter(
        x=[str(row.get(group, "")) for row in rows], y=shares, mode="markers+text", cliponaxis=False,
        text=[f"{row.get('found')} of {row.get('findable')}" for row in rows], textposition="bottom center",
        marker={"color": OKABE_ITO[0], "size": 9}, hovertemplate="%{x}: %{text}, %{y:.2f} %<extra></extra>",
    )  # fmt: skip
    required = 100 * REQUIRED_COMPLETENESS
    threshold(figure, required, f"required {required:g} % (OSS-REQ-0159)", "error")
    figure.update_yaxes(range=[min([80.0, *(share - 10 for share in shares)]), 101])
    return figure


def debt_figure(debt: Debt) -> go.Figure:
    """Hours from each night's end to its publication; those that wait are hatched."""
    figure = new_figure(x="dayObs", y="hours to publication")
    for is_published, name, colour in ((True, "published", OKABE_ITO[0]), (False, "waits", STATUS_COLOURS["late"])):
        chosen = [delay for delay in debt.delays if delay.is_published == is_published]
        if chosen:
            figure.add_bar(
                x=[str(delay.day) for delay in chosen], y=[delay.hours for delay in chosen], name=name,
                width=0.8 * 86_400_000, marker={"color": colour, "pattern": {"shape": "" if is_published else "/"}},
                customdata=[f"/{delay.day}/mops/" for delay in chosen],
                hovertemplate="%{x}: %{y:.1f} h<extra>" + name + "</extra>",
            )  # fmt: skip
    threshold(figure, LIMIT_H, f"{LIMIT_H:g} h on average", "error")
    if debt.mean_h is not None:
        figure.add_hline(y=debt.mean_h, line={"width": 1.5}, annotation={"text": f"mean {debt.mean_h:.1f} h"})
    first, last = (str(day) for day in (debt.first, debt.last.next))
    figure.update_xaxes(type="date", range=[first, last], tickformat="%Y-%m-%d")
    figure.update_layout(showlegend=True)
    return figure
