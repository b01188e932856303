"""For which instants there is no product at all."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from calib.certification.actions import NOW
from calib.certification.instants import half_open
from calib.certification.lookup import DAILY
from calib.models import ProductType


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing is certified for the slot within [begins, ends), nanoseconds of TAI since 1970."""

    type: ProductType
    detector: int
    filter: str
    begins: int
    ends: int


def gaps(
    camera: str, begins: int, ends: int, collection: str = DAILY, *, known_at: datetime | None = None
) -> list[Gap]:
    """The gaps within [begins, ends) of every slot that the collection ever had a product for, in order; one query.

    Raises NotCertifiable where the range is empty. What never had a product at all is `outlook`'s to say.
    """
    values: dict[str, Any] = {"span": half_open(begins, ends), "known": known_at or NOW}
    values |= {"camera": camera, "collection": collection}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT type, detector, filter, lower(gap), upper(gap)
            FROM (
                SELECT slot.type, slot.detector, slot.filter,
                    int8multirange(%(span)s::int8range) - coalesce(range_agg(certification.valid), '{}') AS missing
                FROM calib_calibrationslot slot
                LEFT JOIN calib_certification certification ON certification.slot_id = slot.id
                    AND certification.valid && %(span)s::int8range AND certification.known @> %(known)s::timestamptz
                WHERE slot.camera = %(camera)s AND slot.collection = %(collection)s
                GROUP BY slot.id
            ) found, unnest(missing) gap
            ORDER BY 1, 2, 3, 4
            """,
            values,
        )
        return [Gap(ProductType(row[0]), *row[1:]) for row in cursor.fetchall()]
