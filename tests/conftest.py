"""What every test may rely on."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import TransactionTestCase

from dayops.doorbell import connection as redis_connection

# What migrations put in and every test may expect: people's groups and rights, and the starting thresholds.
KEPT = {
    "auth_group",
    "auth_group_permissions",
    "auth_permission",
    "calib_threshold",
    "dayops_note",  # a threshold may name the intervention behind it
    "django_content_type",
    "django_migrations",
}


# What takes longest begins first, so that neither of two processes is left with it at the end.
FIRST = ("test_drills_and_benches.py", "test_demo.py", "test_access_matrix.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.path.name not in FIRST)


def _empty_what_the_test_left(self: TransactionTestCase) -> None:
    """After a test that committed. Replica mode gets a superuser past the trigger that keeps events for ever."""
    with connection.cursor() as cursor:
        tables = sorted(set(connection.introspection.table_names(cursor)) - KEPT)
        names = ", ".join(connection.ops.quote_name(table) for table in tables)
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(f"TRUNCATE {names}")
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("DELETE FROM calib_threshold WHERE author <> 'DayOps'")
        cursor.execute("UPDATE calib_threshold SET valid_until = NULL WHERE valid_until IS NOT NULL")
        cursor.execute("DELETE FROM dayops_note")


TransactionTestCase._fixture_teardown = _empty_what_the_test_left  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def _silent_bells() -> Iterator[None]:
    """Leave no ring behind for the next test."""
    yield
    redis_connection().flushdb()
