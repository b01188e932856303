"""What is to be used at an instant of observation, as it is known now or was known then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import connection

from calib.models import ProductType

DAILY = "daily"
LONGTERM = "longterm"
CHAIN = (DAILY, LONGTERM)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Slot = tuple[ProductType, int, str]  # type, detector, filter


@dataclass(frozen=True, slots=True)
class Found:
    """A certified product. `valid_from`, `valid_to` are nanoseconds of TAI since 1970; None has no end.

    `known_from` is when the database began to say so, by the deed `action`.
    """

    type: ProductType
    detector: int
    filter: str
    collection: str
    product: int
    sha256: str
    day_obs: int
    valid_from: int
    valid_to: int | None
    known_from: datetime
    action: int

    @property
    def slot(self) -> Slot:
        return self.type, self.detector, self.filter


def lookup(
    camera: str,
    at: int,
    *,
    detector: int | None = None,
    known_at: datetime | None = None,
    chain: Sequence[str] = CHAIN,
) -> list[Found]:
    """The product of every type, detector and filter of `camera` for the instant `at`, in that order; one query.

    Of all detectors unless one is told. Of the collections in `chain` the first that has one for a slot gives it.
    `known_at` (UTC) asks for what the database said then; now unless told. Where nothing is certified there is no
    element.
    """
    only = "" if detector is None else "AND slot.detector = %(detector)s"
    return _lookup(only, {"camera": camera, "at": at, "detector": detector, "known": known_at, "chain": list(chain)})


def lookup_one(
    camera: str,
    at: int,
    type: ProductType | str,
    detector: int,
    filter: str = "",
    *,
    known_at: datetime | None = None,
    chain: Sequence[str] = CHAIN,
) -> Found | None:
    """The same for one slot: its product, or None where nothing is certified."""
    one = {"type": str(type), "detector": detector, "filter": filter}
    only = "AND (slot.type, slot.detector, slot.filter) = (%(type)s, %(detector)s, %(filter)s)"
    found = _lookup(only, {"camera": camera, "at": at, "known": known_at, "chain": list(chain), **one})
    return found[0] if found else None


def _lookup(only: str, values: dict[str, Any]) -> list[Found]:
    certified = _KNOWN_NOW if values["known"] is None else _KNOWN_THEN
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT DISTINCT ON (slot.type, slot.detector, slot.filter) {FOUND}
            FROM calib_calibrationslot slot
            CROSS JOIN LATERAL ({certified} LIMIT 1) certification
            {PRODUCT}
            WHERE slot.camera = %(camera)s AND slot.collection = ANY(%(chain)s) {only}
                AND certification.valid @> %(at)s::bigint
            ORDER BY slot.type, slot.detector, slot.filter, array_position(%(chain)s, slot.collection::text)
            """,  # noqa: S608 (of constants)
            values,
        )
        return [found(row) for row in cursor.fetchall()]


def found(row: tuple[Any, ...]) -> Found:
    """A row of the columns `FOUND`."""
    return Found(*(ProductType(row[0]), *row[1:-2], _utc(row[-2]), row[-1]))


@lru_cache(maxsize=1024)
def _utc(microseconds: int) -> datetime:
    """Few deeds make a whole focal plane: their instants are counted in PostgreSQL and told once, ten times faster."""
    return _EPOCH + timedelta(microseconds=microseconds)


# The planner takes the two times of a certification for independent of each other and expects a hundred times too many:
# LIMIT and OFFSET let it ask slot by slot, each by an index.
FOUND = """
    slot.type, slot.detector, slot.filter, slot.collection, product.id, product.sha256, product.day_obs,
    lower(certification.valid), upper(certification.valid),
    (extract(epoch FROM lower(certification.known)) * 1000000)::bigint, certification.action_id
"""
PRODUCT = """
    CROSS JOIN LATERAL (
        SELECT id, sha256, day_obs FROM calib_product WHERE id = certification.product_id OFFSET 0
    ) product
"""
_KNOWN_NOW = """
    SELECT * FROM calib_certification known
    WHERE known.slot_id = slot.id AND upper_inf(known.known) AND lower(known.valid) <= %(at)s
    ORDER BY lower(known.valid) DESC
"""
_KNOWN_THEN = """
    SELECT * FROM calib_certification known
    WHERE int8range(known.slot_id, known.slot_id, '[]') && int8range(slot.id, slot.id, '[]')
        AND known.valid @> %(at)s::bigint AND known.known @> %(known)s::timestamptz
"""
