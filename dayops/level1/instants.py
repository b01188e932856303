"""Instants at which something becomes known, in one order with the commits that make it known.

The order is what makes "as of T" repeat: an instant is given out under a row lock that its transaction keeps until it
commits, so whoever takes a snapshot afterwards gets a later one, and whoever took it before got an earlier one.
"""

from datetime import UTC, datetime

from django.db import connection, transaction

from dayops.observing_day import tai_offset

_MJD_OF_1970 = 40_587
_STEP_D = 2e-11  # two microseconds; a double keeps 0.6 of them at today's dates

_NEXT = """
    INSERT INTO level1_clock AS clock (id, "lastMjdTai") VALUES (
        1, extract(epoch FROM clock_timestamp())::float8 / 86400 + %(zero)s)
    ON CONFLICT (id) DO UPDATE SET "lastMjdTai" = greatest(
        extract(epoch FROM clock_timestamp())::float8 / 86400 + %(zero)s, clock."lastMjdTai" + %(step)s)
    RETURNING "lastMjdTai"
"""


def instant() -> float:
    """MJD TAI from which on the deeds of this transaction are known. The last thing that a long transaction asks for.

    Raises
    ------
    django.db.transaction.TransactionManagementError
        Outside a transaction, where the order could not be kept.
    """
    if not connection.in_atomic_block:
        raise transaction.TransactionManagementError("An instant belongs to a transaction: ask for it inside atomic().")
    zero = _MJD_OF_1970 + tai_offset(datetime.now(UTC)).total_seconds() / 86_400
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, {"zero": zero, "step": _STEP_D})
        (at,) = cursor.fetchone()
    return float(at)


def snapshot() -> float:
    """MJD TAI of now, for a day's runs: a query as of it gives the same rows for ever."""
    with transaction.atomic():
        return instant()
