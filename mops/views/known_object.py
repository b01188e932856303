"""One known object: its orbit, the sources attributed to it, the nights and searches that had it."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import conditional_page, require_safe

from dayops.level1.models import MpcOrbit, SSObject
from dayops.observing_day import ObservingDay
from dayops.web.figures import figure_response
from dayops.web.refusals import in_words, not_here
from dayops.web.tables import Table
from mops.models import Linkage
from mops.views.candidate import OBSERVATIONS
from mops.views.known_object_figures import figures_of, has_elements, of_orbit, of_sources
from mops.views.level1 import objects_known, observations_of_object, orbit_of
from mops.views.lookup import candidate_url
from mops.views.observations import known

LINKAGES_SHOWN = 50
_ELEMENTS = (
    ("a", "a", "au"), ("e", "e", ""), ("q", "q", "au"), ("i", "i", "°"), ("Ω", "node", "°"), ("ω", "argperi", "°"),
    ("M", "mean_anomaly", "°"),
)  # fmt: skip
SOURCES = Table(
    "sources", [column for column in OBSERVATIONS.columns if column.name != "used"], OBSERVATIONS.search, page_size=100
)


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
        "figures": figures_of(day, pk, orbit, sources),
        "bands": [(band, *_of_band(found, band)) for band in "ugrizy" if _of_band(found, band)[0] is not None],
        "nights": sorted({each.day for each in sources if each.day}, key=str, reverse=True),
        "linkages": [(row, candidate_url(row)) for row in linkages],
        "sources": len(sources),
        "night": None,
        "subject": f"ssobject:{pk}",
    }
    return replace(SOURCES, name=f"sources-of-{pk}").respond(request, sources, "mops/object.html", context)


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
                return figure_response(of_sources(figure, seen))
        case "top" | "edge" | "a-e" | "a-i" if orbit is not None and has_elements(orbit):
            return figure_response(of_orbit(figure, day, orbit))
    raise not_here(f"{found} has no figure “{figure[:40]}”.", "Open its page for those it has.")


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
