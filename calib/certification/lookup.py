"""What is to be used at an instant of observation, as it is known now or was known then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from calib.certification.actions import NOW
from calib.models import ProductType

DAILY = "daily"
LONGTERM = "longterm"
CHAIN = (DAILY, LONGTERM)


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
    def slot(self) -> tuple[ProductType, int, str]:
        return self.type, self.detector, self.filter


def lookup(camera: str, at: int, *, known_at: datetime | None = None, chain: Sequence[str] = CHAIN) -> list[Found]:
    """The product of every type, detector and filter of `camera` for the instant `at`, in that order; one query.

    Of the collections in `chain` the first that has one for a slot gives it. `known_at` (UTC) asks for what the
    database said then; now unless told. Where nothing is certified there is no element.
    """
    statement = f"""
        {CHOSEN}
        WHERE certification.valid @> %(at)s::bigint AND certification.known @> %(known)s::timestamptz
            AND slot.camera = %(camera)s AND slot.collection = ANY(%(chain)s)
        {_FIRST_OF_CHAIN}
    """
    return found_by(statement, camera=camera, at=at, known=known_at or NOW, chain=list(chain))


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
    statement = f"""
        {CHOSEN}
        WHERE certification.valid @> %(at)s::bigint AND certification.known @> %(known)s::timestamptz
            AND int8range(certification.slot_id, certification.slot_id, '[]') && int8range(slot.id, slot.id, '[]')
            AND slot.camera = %(camera)s AND slot.collection = ANY(%(chain)s)
            AND slot.type = %(type)s AND slot.detector = %(detector)s AND slot.filter = %(filter)s
        {_FIRST_OF_CHAIN}
    """
    values = {"camera": camera, "type": str(type), "detector": detector, "filter": filter}
    found = found_by(statement, at=at, known=known_at or NOW, chain=list(chain), **values)
    return found[0] if found else None


def found_by(statement: str, **values: Any) -> list[Found]:
    """What a statement that begins with `CHOSEN` finds."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [Found(ProductType(row[0]), *row[1:]) for row in cursor.fetchall()]


CHOSEN = """
    SELECT DISTINCT ON (slot.type, slot.detector, slot.filter)
        slot.type, slot.detector, slot.filter, slot.collection, product.id, product.sha256, product.day_obs,
        lower(certification.valid), upper(certification.valid), lower(certification.known), certification.action_id
    FROM calib_certification certification
    JOIN calib_calibrationslot slot ON slot.id = certification.slot_id
    JOIN calib_product product ON product.id = certification.product_id
"""
_FIRST_OF_CHAIN = """
    ORDER BY slot.type, slot.detector, slot.filter, array_position(%(chain)s, slot.collection::text)
"""
