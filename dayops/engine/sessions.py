"""What every database session of DayOps promises."""

from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper


def lets_go_when_frozen(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """A process that freezes inside a transaction, and holds rows that others wait for, loses its session.

    Twice the lease: whoever lives says something sooner, and PostgreSQL itself keeps the time.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = %s", [int(2000 * settings.LEASE_S)])
