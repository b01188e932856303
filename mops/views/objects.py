"""Known Solar System objects: the list with its search, and one object with its orbit, sources and nights."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import isfinite

import numpy as np
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe
from plotly.graph_objects import Figure

from dayops.level1.models import MpcOrbit, SSObject
from dayops.observing_day import ObservingDay, mjd_tai
from dayops.web.figures import figure_response
from dayops.web.tables import Column, Table
from mops.models import Linkage
from mops.plots import in_time, sky, solar_system
from mops.plots.population import Place, population_figure
from mops.science.elements import Elements, states_from_elements
from mops.science.time_scales import tdb_from_tai
from mops.views.candidate import OBSERVATIONS
from mops.views.level1 import objects_known, observations_of_object, orbit_of, orbits_of_known
from mops.views.lookup import candidate_url, in_words, not_here
from mops.views.observations import Observation, known
from mops.views.words import plural, said

MOST_OTHERS = 3000
_ELEMENTS = (
    ("a", "a", "au"), ("e", "e", ""), ("q", "q", "au"), ("i", "i", "°"), ("Ω", "node", "°"), ("ω", "argperi", "°"),
    ("M", "mean_anomaly", "°"),
)  # fmt: skip
LINKAGES_SHOWN = 50
TITLES = {
    "top": ("In the Solar System, from above", 420),
    "edge": ("In the Solar System, along the ecliptic", 240),
    "sky": ("Motion on the sky", 300),
    "residuals": ("Offsets from the ephemeris", 280),
    "light": ("Light curve", 260),
    "a-e": ("Among the others: eccentricity", 300),
    "a-i": ("Among the others: inclination", 300),
}


OBJECTS = Table(
    "objects",
    (
        Column("ss_object_id", "SSObject", lambda row: row.ssObjectId, order="ssObjectId"),
        Column("designation", "Designation", lambda row: row.designation, order="designation"),
        Column("observations", "Observations", lambda row: row.nObs, "number", order="nObs"),
        Column("arc", "Arc", lambda row: row.arc, "number", order="arc", unit="d"),
        Column("a", "a", lambda row: row.orbit_a, "number", unit="au"),
        Column("e", "e", lambda row: row.orbit_e, "number", digits=3),
        Column("incl", "i", lambda row: row.orbit_i, "number", unit="°", digits=3),
        Column("h", "H", lambda row: row.orbit_h, "number", unit="mag", digits=3),
        Column("moid", "MOID", lambda row: row.MOIDEarth, "number", order="MOIDEarth", unit="au", digits=3),
        Column("first", "First seen", lambda row: row.firstObservationMjdTai, "number", order="firstObservationMjdTai",
               unit="MJD TAI", digits=9),
    ),
    search=("designation",),
    page_size=50,
)  # fmt: skip


def with_orbits(rows: QuerySet[SSObject]) -> QuerySet[SSObject]:
    """Each with `orbit_a`, `orbit_e`, `orbit_i` and `orbit_h` of its valid orbit."""
    orbit = MpcOrbit.objects.current().filter(designation=OuterRef("designation"))
    return rows.annotate(**{f"orbit_{name}": Subquery(orbit.values(name)[:1]) for name in ("a", "e", "i", "h")})


@require_safe
@conditional_page
def objects_page(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """All objects known now, by designation; ``?q=`` searches."""
    columns = [replace(OBJECTS.columns[0], link=lambda row: object_url(day, row.ssObjectId)), *OBJECTS.columns[1:]]
    table = replace(OBJECTS, columns=columns)
    rows = with_orbits(objects_known()).order_by("designation", "ssObjectId")
    return table.respond(request, rows, "mops/objects.html", {"night": None})


@require_safe
@conditional_page
@in_words
def object_page(request: HttpRequest, day: ObservingDay, pk: int) -> HttpResponseBase:
    """One object; its table is that of its sources."""
    found = _object(pk)
    orbit = orbit_of(found)
    sources = observations_of_object(pk)
    linkages = Linkage.objects.filter(ss_object_id=pk).select_related("night").order_by("-pk")
    linkages = linkages.only("verdict", "review", "night__day_obs", "night__configuration")[:LINKAGES_SHOWN]
    context = {
        "object": found,
        "orbit": orbit,
        "elements": _rows(orbit) if orbit else [],
        "figures": _figures(day, pk, orbit, sources),
        "bands": [(band, *_of_band(found, band)) for band in "ugrizy" if _of_band(found, band)[0] is not None],
        "nights": sorted({each.day for each in sources if each.day}, key=str, reverse=True),
        "linkages": [(row, candidate_url(row)) for row in linkages],
        "sources": len(sources),
        "night": None,
        "subject": f"ssobject:{pk}",
    }
    columns = [column for column in OBSERVATIONS.columns if column.name != "used"]
    table = replace(OBSERVATIONS, name=f"sources-of-{pk}", columns=columns)
    return table.respond(request, sources, "mops/object.html", context)


@gzip_page
@require_safe
@conditional_page
@in_words
def object_figure(request: HttpRequest, day: ObservingDay, pk: int, figure: str) -> HttpResponse:
    found = _object(pk)
    orbit = orbit_of(found)
    match figure:
        case "sky" | "residuals" | "light":
            seen = known(observations_of_object(pk))
            if seen:
                return figure_response(_of_sources(figure, seen))
        case "top" | "edge" | "a-e" | "a-i" if orbit is not None and has_elements(orbit):
            return figure_response(_of_orbit(figure, day, orbit))
    raise not_here(f"{found} has no figure “{figure[:40]}”.", "Open its page for those it has.")


def object_url(day: ObservingDay, ss_object_id: int) -> str:
    return reverse("mops:ssobject", args=[day, ss_object_id])


def has_elements(orbit: MpcOrbit) -> bool:
    values = (orbit.q, orbit.e, orbit.i, orbit.node, orbit.argperi, orbit.peri_time)
    return all(value is not None and isfinite(value) for value in values)


def _object(pk: int) -> SSObject:
    found = objects_known().filter(ssObjectId=pk).first()
    if found is None:
        raise not_here(f"No object {pk} is known.", "Search the list of known objects by designation.")
    return found


def _of_band(found: SSObject, band: str) -> tuple[float | None, float | None, int]:
    return getattr(found, f"{band}_H"), getattr(found, f"{band}_HErr"), getattr(found, f"{band}_nObs")


def _rows(orbit: MpcOrbit) -> list[tuple[str, str, float | None, float | None]]:
    """Symbol, unit, value and sigma of each element that is known."""
    values = [(symbol, unit, getattr(orbit, name), getattr(orbit, f"{name}_unc")) for symbol, name, unit in _ELEMENTS]
    return [row for row in values if row[2] is not None]


def _figures(
    day: ObservingDay, pk: int, orbit: MpcOrbit | None, sources: Sequence[Observation]
) -> dict[str, dict[str, object]]:
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


def _of_sources(name: str, seen: Sequence[Observation]) -> Figure:
    if name == "sky":
        return sky.sky_figure(seen)
    return in_time.light_curve(seen) if name == "light" else in_time.residual_figure(seen, None)


def _of_orbit(name: str, day: ObservingDay, orbit: MpcOrbit) -> Figure:
    if name in {"a-e", "a-i"}:
        this = Place(orbit.a or 0.0, orbit.e or 0.0, orbit.i or 0.0, "", orbit.designation)
        return population_figure(orbits_of_known(day, MOST_OTHERS), this, "e" if name == "a-e" else "i")
    now = float(tdb_from_tai(mjd_tai(datetime.now(UTC).replace(minute=0, second=0, microsecond=0))))
    points = solar_system.orbit_points(orbit.e, orbit.q, orbit.i, orbit.node, orbit.argperi)
    place = solar_system.to_ecliptic(states_from_elements(_elements(orbit), now)[:, :3])[0]
    return solar_system.orbit_figure(points, place, now, "top" if name == "top" else "edge")


def _elements(orbit: MpcOrbit) -> Elements:
    def one(value: float | None) -> np.ndarray:
        return np.array([np.nan if value is None else value])

    given = (orbit.a, orbit.q, orbit.e, orbit.i, orbit.node, orbit.argperi, orbit.mean_anomaly, orbit.peri_time)
    return Elements(*(one(each) for each in given))
