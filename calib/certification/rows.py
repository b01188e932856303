"""The statements that change certifications, each for all its slots at once."""

from typing import Any

from django.db import connection
from psycopg.types.range import Range

from calib.models import CertificationAction


def end(action: CertificationAction, slots: list[int], valid: Range[int]) -> int:
    """What was known of `slots` within `valid` is known no more; what of it reaches beyond stays. How many rows ended.

    A range that lies within an older one leaves two parts of it.
    """
    ending = _known_within(slots, valid)
    _run(
        """
        UPDATE calib_certification SET known = tstzrange(lower(known), %(at)s), ended_by_id = %(action)s
        WHERE id = ANY(%(ending)s)
        """,
        action,
        ending=ending,
    )
    _run(
        """
        INSERT INTO calib_certification (slot_id, product_id, valid, known, action_id)
        SELECT slot_id, product_id, rest, tstzrange(%(at)s, NULL), %(action)s
        FROM calib_certification, unnest(int8multirange(valid) - int8multirange(%(valid)s::int8range)) rest
        WHERE id = ANY(%(ending)s) ORDER BY slot_id
        """,
        action,
        ending=ending,
        valid=valid,
    )
    return len(ending)


def _known_within(slots: list[int], valid: Range[int]) -> list[int]:
    """The certifications of `slots` that are known now and overlap `valid`.

    What is known now of a slot does not overlap itself: it is what begins within `valid`, and the last that begins
    before. The planner cannot know, so that each slot is asked by itself (OFFSET 0) through `certification_known_now`.
    """
    values: dict[str, Any] = {"slots": slots, "valid": valid}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(array_agg(known.id), '{}')
            FROM unnest(%(slots)s::bigint[]) AS touched (slot)
            CROSS JOIN LATERAL (
                SELECT coalesce(max(lower(valid)), lower(%(valid)s::int8range)) FROM calib_certification
                WHERE slot_id = slot AND upper_inf(known) AND lower(valid) < lower(%(valid)s::int8range)
            ) AS before (start)
            CROSS JOIN LATERAL (
                SELECT id FROM calib_certification
                WHERE slot_id = slot AND upper_inf(known) AND lower(valid) >= start AND valid && %(valid)s::int8range
                OFFSET 0
            ) AS known
            """,
            values,
        )
        (found,) = cursor.fetchone()
    return list(found)


def end_made_by(action: CertificationAction, undone: CertificationAction) -> int:
    """What `undone` made known is known no more."""
    return _run(
        """
        UPDATE calib_certification SET known = tstzrange(lower(known), %(at)s), ended_by_id = %(action)s
        WHERE action_id = %(undone)s AND upper_inf(known)
        """,
        action,
        undone=undone.pk,
    )


def end_product(action: CertificationAction, product: int) -> int:
    """`product` is to be used nowhere in the action's collection."""
    return _run(
        """
        UPDATE calib_certification SET known = tstzrange(lower(known), %(at)s), ended_by_id = %(action)s
        WHERE product_id = %(product)s AND upper_inf(known)
        AND slot_id IN (SELECT id FROM calib_calibrationslot WHERE collection = %(collection)s)
        """,
        action,
        product=product,
        collection=action.collection,
    )


def insert(action: CertificationAction, slots: list[int], products: list[int], valid: Range[int]) -> int:
    """Each of `products` is to be used in the slot of the same place, within `valid`."""
    return _run(
        """
        INSERT INTO calib_certification (slot_id, product_id, valid, known, action_id)
        SELECT slot, product, %(valid)s::int8range, tstzrange(%(at)s, NULL), %(action)s
        FROM unnest(%(slots)s::bigint[], %(products)s::bigint[]) AS new (slot, product)
        """,
        action,
        slots=slots,
        products=products,
        valid=valid,
    )


def insert_ended_by(action: CertificationAction, undone: CertificationAction) -> int:
    """What `undone` ended is known again."""
    return _run(
        """
        INSERT INTO calib_certification (slot_id, product_id, valid, known, action_id)
        SELECT slot_id, product_id, valid, tstzrange(%(at)s, NULL), %(action)s
        FROM calib_certification WHERE ended_by_id = %(undone)s
        """,
        action,
        undone=undone.pk,
    )


def insert_what_was_before(action: CertificationAction) -> int:
    """Where `action` ended something, the newest earlier one of the same slot and instants stands again.

    Only one that another took the place of: neither a product flagged bad nor one that somebody took away comes back.
    """
    return _run(
        """
        INSERT INTO calib_certification (slot_id, product_id, valid, known, action_id)
        SELECT slot_id, product_id, piece, tstzrange(%(at)s, NULL), %(action)s
        FROM (
            SELECT ended.slot_id, earlier.product_id, int8multirange(earlier.valid * ended.valid) - coalesce(
                range_agg(earlier.valid) OVER (
                    PARTITION BY ended.id ORDER BY lower(earlier.known) DESC, earlier.id DESC
                    ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                ), '{}') AS pieces
            FROM calib_certification ended
            JOIN calib_certification earlier ON earlier.valid && ended.valid
                AND int8range(earlier.slot_id, earlier.slot_id, '[]') && int8range(ended.slot_id, ended.slot_id, '[]')
            JOIN calib_product product ON product.id = earlier.product_id AND product.flagged_bad_at IS NULL
            JOIN calib_certificationaction successor ON successor.id = earlier.ended_by_id
                AND successor.kind = 'CERTIFY'
            WHERE ended.ended_by_id = %(action)s
        ) found, unnest(pieces) piece
        """,
        action,
    )


def _run(statement: str, action: CertificationAction, **values: Any) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"action": action.pk, "at": action.at, **values})
        return int(cursor.rowcount)
