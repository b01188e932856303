"""What will be used, slot by slot of what a camera needs: found, how old, or missing and what there was before."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from calib.certification.actions import NOW
from calib.certification.instants import day_obs_of
from calib.certification.lookup import CHAIN, FOUND, PRODUCT, Found, Slot, found, lookup
from calib.models import ProductType
from dayops import camera as cameras
from dayops.observing_day import ObservingDay


@dataclass(frozen=True, slots=True)
class Outlook:
    """One slot. `age_days` is from the dayObs of the product to that of the instant asked about.

    Where nothing is `found`, `earlier` is the certification that ended last before the instant, if ever there was one.
    """

    type: ProductType
    detector: int
    filter: str
    found: Found | None
    age_days: int | None
    earlier: Found | None

    @property
    def sentence(self) -> str:
        """What is to be used, in words."""
        if self.found:
            age = f"{self.age_days} day{'' if self.age_days == 1 else 's'}"
            return f"That of {ObservingDay(self.found.day_obs)} in {self.found.collection}, {age} old."
        if self.earlier:
            return f"Missing: the newest before is that of {ObservingDay(self.earlier.day_obs)}, not valid any more."
        return "Missing: none was ever certified."


def outlook(
    camera: str,
    at: int,
    *,
    types: Iterable[ProductType] = tuple(ProductType),
    filters: Iterable[str] | None = None,
    detectors: Iterable[int] | None = None,
    known_at: datetime | None = None,
    chain: Sequence[str] = CHAIN,
) -> list[Outlook]:
    """Every slot that `camera` needs at the instant `at`: all detectors and filters of it unless told; two queries.

    Flats are needed once for each filter, once without one where the camera has none. Raises ValueError for a camera
    that has no file here.
    """
    needed = list(_needed(camera, types, filters, detectors))
    certified = {each.slot: each for each in lookup(camera, at, known_at=known_at, chain=chain)}
    missing = [slot for slot in needed if slot not in certified]
    earlier = _earlier(camera, at, missing, known_at, chain) if missing else {}
    return [_outlook(slot, certified.get(slot), earlier.get(slot), at) for slot in needed]


def _needed(
    camera: str, types: Iterable[ProductType], filters: Iterable[str] | None, detectors: Iterable[int] | None
) -> Iterator[Slot]:
    geometry = cameras.load(camera)
    of_flats = tuple(geometry.filters if filters is None else filters) or ("",)
    everywhere = sorted(geometry.by_id if detectors is None else detectors)
    for kind in types:
        for detector in everywhere:
            for name in of_flats if kind == ProductType.FLAT else ("",):
                yield kind, detector, name


def _outlook(slot: Slot, certified: Found | None, earlier: Found | None, at: int) -> Outlook:
    if certified is None:
        return Outlook(*slot, None, None, earlier)
    age = ObservingDay(day_obs_of(at)).date - ObservingDay(certified.day_obs).date
    return Outlook(*slot, certified, age.days, None)


def _earlier(
    camera: str,
    at: int,
    missing: list[Slot],
    known_at: datetime | None,
    chain: Sequence[str],
) -> dict[Slot, Found]:
    types, detectors, filters = (list(column) for column in zip(*missing, strict=True))
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT ON (slot.type, slot.detector, slot.filter) {FOUND}
            FROM calib_calibrationslot slot
            JOIN unnest(%(types)s::text[], %(detectors)s::int[], %(filters)s::text[]) AS missing (t, d, f)
                ON (slot.type, slot.detector, slot.filter) = (t, d, f)
            CROSS JOIN LATERAL (
                SELECT * FROM calib_certification known
                WHERE int8range(known.slot_id, known.slot_id, '[]') && int8range(slot.id, slot.id, '[]')
                    AND known.valid << int8range(%(at)s, NULL) AND known.known @> %(known)s::timestamptz
                ORDER BY upper(known.valid) DESC LIMIT 1
            ) certification
            {PRODUCT}
            WHERE slot.camera = %(camera)s AND slot.collection = ANY(%(chain)s)
            ORDER BY slot.type, slot.detector, slot.filter, upper(certification.valid) DESC,
                array_position(%(chain)s, slot.collection::text)
            """,  # noqa: S608 (of constants)
            {
                "camera": camera,
                "at": at,
                "known": known_at or NOW,
                "chain": list(chain),
                "types": [str(kind) for kind in types],
                "detectors": detectors,
                "filters": filters,
            },
        )
        rows = [found(row) for row in cursor.fetchall()]
    return {each.slot: each for each in rows}
