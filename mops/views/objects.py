"""Known Solar System objects: the list with its search."""

from dataclasses import replace

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import conditional_page, require_safe

from dayops.level1.models import MpcOrbit, SSObject
from dayops.observing_day import ObservingDay
from dayops.web.tables import Column, Table
from mops.views.level1 import objects_known

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


def object_url(day: ObservingDay, ss_object_id: int) -> str:
    return reverse("mops:ssobject", args=[day, ss_object_id])
