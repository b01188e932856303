"""Where an orbit lies among others: eccentricity and inclination against the semi-major axis."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import plotly.graph_objects as go

from dayops.web.figures import OKABE_ITO, STATUS_COLOURS, new_figure

_TICKS_AU = (0.5, 1, 1.5, 2, 2.5, 3, 4, 5, 7, 10, 20, 30, 50, 100, 300, 1000)
NEO_PERIHELION_AU = 1.3  # what is nearer than this at perihelion is a near-Earth object (CNEOS)


class Place(NamedTuple):
    """One orbit: semi-major axis in au, eccentricity, inclination in degrees; `url` is where a click leads."""

    a_au: float
    e: float
    incl: float
    url: str
    name: str


def population_figure(others: Sequence[Place], this: Place | None, against: Literal["e", "i"]) -> go.Figure:
    """The others as small points, this one as a diamond; against e with the line of perihelion 1.3 au."""
    title, unit = ("eccentricity", "") if against == "e" else ("inclination / °", "°")
    figure = new_figure(x="semi-major axis / au", y=title)
    bound = [each for each in others if each.a_au > 0]
    figure.add_scatter(
        x=[each.a_au for each in bound], y=[_of(each, against) for each in bound], mode="markers", name="others",
        marker={"size": 5, "color": OKABE_ITO[0], "opacity": 0.6}, customdata=[each.url for each in bound],
        text=[each.name for each in bound], hovertemplate="%{text}: %{x:.3f} au, %{y:.3f}" + unit + "<extra></extra>",
    )  # fmt: skip
    if this is not None and this.a_au > 0:
        figure.add_scatter(
            x=[this.a_au], y=[_of(this, against)], mode="markers", name="this one",
            marker={"size": 12, "color": OKABE_ITO[3], "symbol": "diamond"},
            hovertemplate="this one: %{x:.4f} au, %{y:.4f}" + unit + "<extra></extra>",
        )  # fmt: skip
    if against == "e":
        edge = [NEO_PERIHELION_AU * 1.02**k for k in range(1, 120)]
        figure.add_scatter(
            x=edge, y=[1 - NEO_PERIHELION_AU / a for a in edge], mode="lines", name="q = 1.3 au", hoverinfo="skip",
            line={"color": STATUS_COLOURS["warn"], "width": 1, "dash": "dash"},
        )  # fmt: skip
    over_semi_major_axis(figure, [each.a_au for each in (*bound, *([this] if this else [])) if each.a_au > 0])
    figure.update_yaxes(rangemode="tozero")
    figure.update_layout(showlegend=True)
    return figure


def over_semi_major_axis(figure: go.Figure, values: Sequence[float]) -> None:
    """A logarithmic axis of distances in au that shows all of `values`, and a factor of two and a half at least."""
    lowest, highest = min(values, default=1.0), max(values, default=5.0)
    wider = max(1.1, (2.5 * lowest / highest) ** 0.5)
    limits = [math.log10(lowest / wider), math.log10(highest * wider)]
    figure.update_xaxes(type="log", tickvals=_TICKS_AU, range=limits)


def _of(each: Place, against: Literal["e", "i"]) -> float:
    return each.e if against == "e" else each.incl
