"""An orbit in the Solar System: from above the ecliptic and along it, among the planets' orbits, with places now.

Conic sections: Murray & Dermott 1999, Solar System Dynamics, eqs 2.20 (orbit) and 2.122 (rotation to the ecliptic).
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
import numpy.typing as npt
import plotly.graph_objects as go

from dayops.web.figures import OKABE_ITO, STATUS_COLOURS, new_figure
from mops.science.constants import OBLIQUITY
from mops.science.ephemeris import FIRST_MJD_TDB, LAST_MJD_TDB, body
from mops.science.kepler import propagate

Array = npt.NDArray[np.float64]
View = Literal["top", "edge"]
PERIODS_D = {
    "mercury": 88.0, "venus": 224.7, "earth": 365.3, "mars": 687.0, "jupiter": 4332.6, "saturn": 10759.0,
    "uranus": 30687.0, "neptune": 60190.0,
}  # fmt: skip
_COLOURS = {"earth": OKABE_ITO[0], "mars": OKABE_ITO[4], "jupiter": OKABE_ITO[1]}
_POINTS = 361
_BEYOND = 1.6  # of the object's own reach: planets farther out are left out
_UNBOUND_REACH = 6.0  # perihelion distances drawn of an orbit that is not closed


def orbit_points(e: float, q: float, incl: float, node: float, argperi: float) -> Array:
    """(n, 3) au, ecliptic J2000: the whole ellipse, or an unbound orbit as far out as six perihelion distances.

    Angles in degrees. Raises ValueError for an orbit without a size.
    """
    parameter = q * (1 + e)
    if not (math.isfinite(parameter) and parameter > 0):
        raise ValueError(f"q = {q} au with e = {e} is no orbit that could be drawn.")
    if e < 1:
        anomaly = np.linspace(-math.pi, math.pi, _POINTS)
        radius = parameter / (1 + e * np.cos(anomaly))
    else:
        cosine = (parameter / (_UNBOUND_REACH * q) - 1) / e
        anomaly = np.linspace(-1, 1, _POINTS) * math.acos(max(-1.0, min(1.0, cosine)))
        radius = parameter / (1 + e * np.cos(anomaly))
    plane = np.stack([radius * np.cos(anomaly), radius * np.sin(anomaly), np.zeros(_POINTS)])
    return np.asarray((_about_z(node) @ _about_x(incl) @ _about_z(argperi) @ plane).T)


def place_at(state: Sequence[float], epoch_mjd_tdb: float, mjd_tdb: float) -> Array:
    """(3,) au, ecliptic J2000: where two-body motion brings the state (6,) ICRF of `epoch_mjd_tdb`."""
    moved = propagate(np.array(state, float)[None], mjd_tdb - epoch_mjd_tdb)
    return np.asarray(to_ecliptic(moved[:, :3])[0])


def to_ecliptic(places: Array) -> Array:
    """(n, 3) from ICRF axes to the ecliptic of J2000."""
    return np.asarray(places @ _about_x(-math.degrees(OBLIQUITY)).T)


def orbit_figure(orbit: Array, place: Array | None, mjd_tdb: float, view: View) -> go.Figure:
    """The orbit (n, 3), the object's `place` (3,) and the planets' at `mjd_tdb`; the Sun in the middle."""
    up = 1 if view == "top" else 2
    figure = new_figure(x="x / au, to the equinox", y="y / au" if view == "top" else "z / au, to the ecliptic's north")
    reach = float(np.linalg.norm(orbit, axis=1).max())
    for name in _planets_within(reach):
        path, at = _planet_path(name, round(mjd_tdb)), to_ecliptic(body(name, mjd_tdb)[0])[0]
        colour = _COLOURS.get(name, STATUS_COLOURS["missing"])
        figure.add_scatter(
            x=path[:, 0].tolist(), y=path[:, up].tolist(), mode="lines", line={"color": colour, "width": 1},
            opacity=0.6, showlegend=False, hoverinfo="skip",
        )  # fmt: skip
        figure.add_scatter(
            x=[float(at[0])], y=[float(at[up])], mode="markers", marker={"color": colour, "size": 7},
            name=name.capitalize(), hovertemplate=f"{name.capitalize()}: %{{x:.3f}}, %{{y:.3f}} au<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=orbit[:, 0].tolist(), y=orbit[:, up].tolist(), mode="lines", line={"color": OKABE_ITO[3], "width": 2},
        name="orbit", hoverinfo="skip",
    )  # fmt: skip
    if place is not None:
        figure.add_scatter(
            x=[float(place[0])], y=[float(place[up])], mode="markers", name="the object",
            marker={"color": OKABE_ITO[3], "size": 11, "symbol": "diamond"},
            hovertemplate="the object: %{x:.3f}, %{y:.3f} au<extra></extra>",
        )  # fmt: skip
    figure.add_scatter(
        x=[0.0], y=[0.0], mode="markers", name="Sun", marker={"color": OKABE_ITO[6], "size": 10}, hoverinfo="name"
    )
    figure.update_xaxes(constrain="domain")
    figure.update_yaxes(scaleanchor="x", constrain="domain", nticks=8 if view == "top" else 4)
    figure.update_layout(showlegend=True)
    return figure


def _planets_within(reach: float) -> list[str]:
    """The planets inside the object's reach, and the next one beyond."""
    sizes = {name: (days / 365.25) ** (2 / 3) for name, days in PERIODS_D.items()}  # Kepler's third law
    return [name for name, size in sizes.items() if size <= max(_BEYOND * reach, 1.1)]


@lru_cache(maxsize=64)
def _planet_path(name: str, mjd: int) -> Array:
    half = PERIODS_D[name] / 2
    dates = np.linspace(max(mjd - half, FIRST_MJD_TDB), min(mjd + half, LAST_MJD_TDB), 181)
    return to_ecliptic(body(name, dates)[0])


def _about_x(degrees: float) -> Array:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[1, 0, 0], [0, c, -s], [0, s, c]])


def _about_z(degrees: float) -> Array:
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
