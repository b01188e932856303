"""What these pages read of Level 1: detections by their ids, and known objects with their orbits."""

import math
from collections.abc import Iterable, Sequence

from django.db.models import QuerySet
from django.urls import reverse

from dayops.level1.models import DiaSource, MpcOrbit, SSObject, SSSource
from dayops.observing_day import ObservingDay
from mops.models import Linkage
from mops.plots.population import Place
from mops.views.observations import Observation

ZERO_POINT = 31.4  # AB magnitude of 1 nJy (Oke & Gunn 1983)
MOST_SOURCES = 2000
_COLUMNS = (
    "diaSourceId", "night", "midpointMjdTai", "ra", "dec", "raErr", "decErr", "band", "psfFlux", "psfFluxErr", "visit",
)  # fmt: skip


def observations_of(linkage: Linkage) -> list[Observation]:
    """The linkage's detections with their residuals (one query); those that Level 1 lacks have residuals alone."""
    rows = detections(linkage.sources, linkage.nights)
    own = zip(linkage.sources, linkage.residual_ra, linkage.residual_dec, linkage.used, strict=True)
    return [
        observation(number, source, ra, dec, used, rows.get(source))
        for number, (source, ra, dec, used) in enumerate(own, 1)
    ]


def observations_of_object(ss_object_id: int) -> list[Observation]:
    """The sources attributed to a known object, newest first; residuals are ephemeris offsets (two queries)."""
    attributed = SSSource.objects.current().filter(ssObjectId=ss_object_id).order_by("-diaSourceId")[:MOST_SOURCES]
    given = list(attributed.values_list("diaSourceId", "ephOffsetRa", "ephOffsetDec"))
    rows = detections([source for source, *_ in given])
    found = [
        observation(number, source, _number(ra), _number(dec), True, rows.get(source))
        for number, (source, ra, dec) in enumerate(given, 1)
    ]
    return sorted(found, key=lambda each: -(each.mjd_tai or 0.0))


def detections(sources: Sequence[int], nights: Iterable[int] | None = None) -> dict[int, DiaSource]:
    """Rows by diaSourceId, of `nights` alone where these are known: each night is a partition of its own."""
    rows = DiaSource.objects.filter(diaSourceId__in=list(sources)).only(*_COLUMNS)
    rows = rows.filter(night__in=list(nights)) if nights is not None else rows
    return {row.diaSourceId: row for row in rows}


def observation(
    number: int, source: int, residual_ra: float, residual_dec: float, used: bool, row: DiaSource | None
) -> Observation:
    if row is None:
        return Observation(number, source, residual_ra, residual_dec, used)
    mag, mag_sigma = magnitude(row.psfFlux, row.psfFluxErr)
    return Observation(
        number, source, residual_ra, residual_dec, used,
        mjd_tai=row.midpointMjdTai, ra=row.ra, dec=row.dec, sigma_ra=_arcsec(row.raErr), sigma_dec=_arcsec(row.decErr),
        band=row.band or "", mag=mag, mag_sigma=mag_sigma, visit=row.visit, day=ObservingDay(row.night),
    )  # fmt: skip


def magnitude(flux_njy: float | None, error_njy: float | None) -> tuple[float | None, float | None]:
    """AB magnitude and its sigma of a flux in nJy; None where there is no light to speak of."""
    if not flux_njy or not flux_njy > 0:
        return None, None
    sigma = 2.5 / math.log(10) * error_njy / flux_njy if error_njy else None
    return ZERO_POINT - 2.5 * math.log10(flux_njy), sigma


def orbits_of_known(day: ObservingDay, most: int) -> list[Place]:
    """Elements of at most `most` known objects; a click searches the list of objects for it (one query)."""
    rows = MpcOrbit.objects.current().filter(a__gt=0, e__isnull=False, i__isnull=False).order_by("designation")
    page = reverse("mops:objects", args=[day])
    return [
        Place(a, e, incl, f"{page}?q={name}", name)
        for name, a, e, incl in rows.values_list("designation", "a", "e", "i")[:most]
    ]


def objects_known() -> QuerySet[SSObject]:
    """The known objects as they are valid now."""
    found: QuerySet[SSObject] = SSObject.objects.current()
    return found


def orbit_of(known: SSObject) -> MpcOrbit | None:
    """The valid orbit of an object; None where none is kept."""
    if not known.designation:
        return None
    found: MpcOrbit | None = MpcOrbit.objects.current().filter(designation=known.designation).first()
    return found


def _arcsec(degrees: float | None) -> float | None:
    return None if degrees is None else 3600 * degrees


def _number(value: float | None) -> float:
    return math.nan if value is None else value
