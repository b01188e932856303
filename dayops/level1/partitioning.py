"""Tables that are cut into one partition a night."""

from typing import Any

from django.db import connection, migrations

BY_NIGHT = "CREATE TABLE %(table)s (%(definition)s) PARTITION BY LIST (night)"


class CreateModelByNight(migrations.CreateModel):
    """`CreateModel` for a table with a `night`, partitioned by it. A night's partition is made when it is loaded."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        usual = schema_editor.sql_create_table
        schema_editor.sql_create_table = BY_NIGHT
        try:
            super().database_forwards(app_label, schema_editor, from_state, to_state)
        finally:
            schema_editor.sql_create_table = usual


def partition_name(table: str, night: int) -> str:
    return f"{table}_{night}"


def nights_of(table: str) -> list[int]:
    """The nights that have a partition, in their order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT child.relname FROM pg_inherits JOIN pg_class child ON child.oid = inhrelid"
            " WHERE inhparent = %s::regclass",
            [connection.ops.quote_name(table)],
        )
        return sorted(int(name.removeprefix(f"{table}_")) for (name,) in cursor.fetchall())
