"""The figures of one known object, each with the numbers that matter in its caption."""

from collections.abc import Sequence
from datetime import UTC, datetime
from math import isfinite

import numpy as np
import numpy.typing as npt
from django.urls import reverse
from plotly.graph_objects import Figure

from dayops.level1.models import MpcOrbit
from dayops.observing_day import ObservingDay, mjd_tai
from mops.plots import in_time, sky, solar_system
from mops.plots.population import Place, population_figure
from mops.science.elements import Elements, states_from_elements
from mops.science.time_scales import tdb_from_tai
from mops.views.level1 import orbits_of_known
from mops.views.observations import Observation, known
from mops.views.words import plural, said

MOST_OTHERS = 3000
TITLES = {
    "top": ("In the Solar System, from above", 420),
    "edge": ("In the Solar System, along the ecliptic", 240),
    "sky": ("Motion on the sky", 300),
    "residuals": ("Offsets from the ephemeris", 280),
    "light": ("Light curve", 260),
    "a-e": ("Among the others: eccentricity", 300),
    "a-i": ("Among the others: inclination", 300),
}


def figures_of(
    day: ObservingDay, pk: int, orbit: MpcOrbit | None, sources: Sequence[Observation]
) -> dict[str, dict[str, object]]:
    """By name with a plain word for templates: address, title, caption and height; those that there are numbers for."""
    seen, captions = known(sources), {}
    if orbit is not None and has_elements(orbit):
        a = f"a {said(orbit.a, 4)} au"
        captions["top"] = f"q {said(orbit.q)} au, {a}. Places of now, by two-body motion from the elements."
        captions["edge"] = f"i {said(orbit.i)}°."
        if orbit.a and orbit.a > 0:
            captions |= {"a-e": f"{a}, e {said(orbit.e)}; among known objects.", "a-i": f"{a}, i {said(orbit.i)}°."}
    if seen:
        captions["sky"] = f"{plural(len(seen), 'source')}, {said(sky.extent_arcmin(seen))}′ from first to last."
        captions["residuals"] = "Attributed source minus ephemeris, on the sky. Bars: catalogue sigmas."
        captions["light"] = f"{plural(sum(each.mag is not None for each in seen), 'magnitude')}, bright is up."
    found = {}
    for name, (title, height) in TITLES.items():
        if name in captions:
            url = reverse("mops:ssobject-figure", args=[day, pk, name])
            figure = {"url": url, "title": title, "caption": captions[name], "height": height}
            found[name.replace("-", "_")] = figure
    return found


def has_elements(orbit: MpcOrbit) -> bool:
    values = (orbit.q, orbit.e, orbit.i, orbit.node, orbit.argperi, orbit.peri_time)
    return all(value is not None and isfinite(value) for value in values)


def of_sources(name: str, seen: Sequence[Observation]) -> Figure:
    if name == "sky":
        return sky.sky_figure(seen)
    return in_time.light_curve(seen) if name == "light" else in_time.residual_figure(seen, None)


def of_orbit(name: str, day: ObservingDay, orbit: MpcOrbit) -> Figure:
    if name in {"a-e", "a-i"}:
        this = Place(orbit.a or 0.0, orbit.e or 0.0, orbit.i or 0.0, "", orbit.designation)
        return population_figure(orbits_of_known(day, MOST_OTHERS), this, "e" if name == "a-e" else "i")
    now = float(tdb_from_tai(mjd_tai(datetime.now(UTC).replace(minute=0, second=0, microsecond=0))))
    points = solar_system.orbit_points(orbit.e, orbit.q, orbit.i, orbit.node, orbit.argperi)
    place = solar_system.to_ecliptic(states_from_elements(_elements(orbit), now)[:, :3])[0]
    return solar_system.orbit_figure(points, place, now, "top" if name == "top" else "edge")


def _elements(orbit: MpcOrbit) -> Elements:
    def one(value: float | None) -> npt.NDArray[np.float64]:
        return np.array([np.nan if value is None else value])

    given = (orbit.a, orbit.q, orbit.e, orbit.i, orbit.node, orbit.argperi, orbit.mean_anomaly, orbit.peri_time)
    return Elements(*(one(each) for each in given))
