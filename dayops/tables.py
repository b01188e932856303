"""Do the tables of the database belong to this code?"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

_MIGRATING = 0x7AB1E5  # of two commands that find an empty database, one makes the tables and the other waits


class TablesError(RuntimeError):
    """The tables are missing or old; the message says the remedy."""


def expect_tables(*, make: bool) -> None:
    """Return when the tables are those of this code; where there are none at all and `make` is true, make them.

    Tables with rows in them are never changed without being asked: other processes may run on them.

    Raises
    ------
    TablesError
        Naming what is lacking.
    """
    lacking, applied = _state()
    if lacking and make:
        with _alone():  # another command may be making them at this moment
            lacking, applied = _state()
            if not applied:
                call_command("migrate", verbosity=0)
                lacking = []
    if lacking:
        what = "older than this code" if applied else "missing"
        raise TablesError(
            f"The tables of the database are {what} ({len(lacking)} migrations wait, the first is {lacking[0]}). "
            "Run: python manage.py migrate"
        )


def _state() -> tuple[list[str], int]:
    """Names of the migrations that wait, and how many have been applied."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [str(migration) for migration, _ in plan], len(executor.loader.applied_migrations)


@contextmanager
def _alone() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [_MIGRATING])
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_MIGRATING])
