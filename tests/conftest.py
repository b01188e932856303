"""What every test may rely on."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import TransactionTestCase

from dayops.doorbell import connection as redis_connection

_flush = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]


def _flush_past_the_append_only_trigger(self: TransactionTestCase) -> None:
    """Empty the tables after a test that committed. Only a superuser in replica mode gets past the event trigger."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
    _flush(self)
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = DEFAULT")


TransactionTestCase._fixture_teardown = _flush_past_the_append_only_trigger  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _silent_bells() -> Iterator[None]:
    """Leave no ring behind for the next test."""
    yield
    redis_connection().flushdb()
