"""Django's session, as the driver sees it: COPY and composed SQL are psycopg's own. Errors are raised as Django's."""

from collections.abc import Iterator
from typing import Any

import psycopg
from django.db import connection, models
from psycopg import sql

from dayops.level1.binary import SIGNATURE, TRAILER, packed
from dayops.level1.columns import Columns, names

Statement = sql.SQL | sql.Composed


def cursor() -> "psycopg.Cursor[Any]":
    """A cursor in Django's session, hence in its transaction. Parameters are put in by the driver, also into COPY."""
    connection.ensure_connection()
    made: psycopg.Cursor[Any] = psycopg.ClientCursor(connection.connection)
    return made


def run(statement: Statement, parameters: Any = None) -> int:
    """Execute, and say how many rows it touched."""
    with connection.wrap_database_errors, cursor() as at:
        at.execute(statement, parameters)
        return at.rowcount


def rows(statement: Statement, parameters: Any = None) -> list[tuple[Any, ...]]:
    with connection.wrap_database_errors, cursor() as at:
        found: list[tuple[Any, ...]] = at.execute(statement, parameters).fetchall()
    return found


def copy_in(table: str, model: type[models.Model], columns: Columns, *, freeze: bool = False) -> None:
    """Append rows to `table`, which has `model`'s columns. `freeze`: it was made in this very transaction."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT binary, FREEZE {})").format(
        sql.Identifier(table), names(columns), sql.SQL("on" if freeze else "off")
    )
    with connection.wrap_database_errors, cursor() as at, at.copy(statement) as copy:
        copy.write(SIGNATURE)
        for piece in packed(model, columns):
            copy.write(piece)
        copy.write(TRAILER)


def copy_out(query: sql.Composable, parameters: Any = None) -> Iterator[bytes]:
    """The rows of a query in binary, as they come."""
    statement = sql.SQL("COPY ({}) TO STDOUT (FORMAT binary)").format(query)
    with connection.wrap_database_errors, cursor() as at, at.copy(statement, parameters) as copy:
        for piece in copy:
            yield bytes(piece)
