"""Where on the sky a linkage was seen, and the path that its orbit takes through those places."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from dayops.web.figures import OKABE_ITO, STATUS_COLOURS, new_figure
from mops.views.observations import Observation

BANDS = dict(zip("ugrizy", (OKABE_ITO[each] for each in (3, 2, 4, 1, 5, 7)), strict=True))
SYMBOLS = dict(zip("ugrizy", ("star", "circle", "square", "diamond", "triangle-up", "triangle-down"), strict=True))


def sky_figure(
    observations: Sequence[Observation], path: tuple[Sequence[float], Sequence[float]] | None = None
) -> go.Figure:
    """East to the left; places of all known observations (degrees ICRS) over the fitted path.

    `path` is right ascension and declination at many times; without it the computed places are joined.
    """
    figure = new_figure(x="right ascension / °", y="declination / °")
    if not observations:
        return figure
    reference = observations[0].ra or 0.0
    x, y = path if path is not None else computed(observations)
    figure.add_scatter(
        x=[near(each, reference) for each in x], y=list(y), mode="lines", name="fitted path", hoverinfo="skip",
        line={"color": STATUS_COLOURS["missing"], "width": 1.5},
    )  # fmt: skip
    for day in dict.fromkeys(str(each.day) for each in observations):
        chosen = [each for each in observations if str(each.day) == day]
        figure.add_scatter(
            x=[near(each.ra or 0.0, reference) for each in chosen], y=[each.dec for each in chosen], mode="markers",
            name=day, marker={"size": 8, "symbol": ["circle" if each.used else "circle-open" for each in chosen]},
            hovertext=[_said(each) for each in chosen], hoverinfo="text",
        )  # fmt: skip
    squeeze = 1 / max(0.05, math.cos(math.radians(observations[0].dec or 0.0)))
    figure.update_xaxes(autorange="reversed", constrain="domain", tickformat=".3f")
    figure.update_yaxes(scaleanchor="x", scaleratio=squeeze, constrain="domain", tickformat=".3f")
    figure.update_layout(showlegend=True)
    return figure


def computed(observations: Sequence[Observation]) -> tuple[list[float], list[float]]:
    """Where the orbit says they should have been: observed less residual, degrees."""
    ra = [(each.ra or 0.0) - each.residual_ra / 3600 / _cos(each.dec or 0.0) for each in observations]
    return ra, [(each.dec or 0.0) - each.residual_dec / 3600 for each in observations]


def extent_arcmin(observations: Sequence[Observation]) -> float:
    """The great circle from the first place to the last."""
    if len(observations) < 2:
        return 0.0
    first, last = (_unit(each) for each in (observations[0], observations[-1]))
    return math.degrees(math.atan2(float(np.linalg.norm(np.cross(first, last))), float(first @ last))) * 60


def _unit(each: Observation) -> np.ndarray:
    ra, dec = math.radians(each.ra or 0.0), math.radians(each.dec or 0.0)
    return np.array([math.cos(dec) * math.cos(ra), math.cos(dec) * math.sin(ra), math.sin(dec)])


def near(ra: float, reference: float) -> float:
    """The right ascension within half a turn of `reference`, so that no line crosses the figure at 0°."""
    return reference + (ra - reference + 180.0) % 360.0 - 180.0


def _cos(dec: float) -> float:
    return max(1e-6, math.cos(math.radians(dec)))


def _said(each: Observation) -> str:
    mag = f", {each.band} {each.mag:.2f} mag" if each.mag is not None else ""
    unused = "" if each.used else ", not used in the fit"
    return f"{each.number}: MJD {each.mjd_tai:.5f} TAI, {each.ra:.6f}° {each.dec:.6f}°{escape(mag)}{unused}"
