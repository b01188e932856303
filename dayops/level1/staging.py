"""A night's new rows beside the table: filled, indexed, and only then made a part of it, all in one transaction."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
from django.db import IntegrityError, models, transaction
from psycopg import sql

from dayops.level1 import session
from dayops.level1.binary import unpacked
from dayops.level1.columns import Columns, identity, names
from dayops.level1.partitioning import nights_of, partition_name

_MEMORY = sql.SQL("SET LOCAL maintenance_work_mem = '384MB'")


@dataclass
class Staging:
    """New rows of one night, in a table of their own that nobody else sees before the commit.

    `known` are the ids that the night held when the load began, sorted: rows with these need not be sent at all.
    """

    model: type[models.Model]
    night: int
    load: int
    known: npt.NDArray[np.int64]
    present: int = 0
    rows: int = 0

    @classmethod
    def begun(cls, model: type[models.Model], night: int, load: int) -> "Staging":
        made = cls(model, night, load, _ids_in(model, night))
        session.run(_MEMORY)
        session.run(
            sql.SQL(
                "CREATE TABLE {table} (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS, CHECK (night = {night}))"
            ).format(table=made._identifier, parent=made._parent, night=sql.Literal(night))
        )
        return made

    @property
    def table(self) -> str:
        return f"level1_load_{self.load}_{self.night}"

    @property
    def _identifier(self) -> sql.Identifier:
        return sql.Identifier(self.table)

    @property
    def _parent(self) -> sql.Identifier:
        return sql.Identifier(self.model._meta.db_table)

    def copy(self, columns: Columns) -> None:
        """Append those rows whose ids the night does not hold yet."""
        if len(self.known):
            ids = columns[identity(self.model)].astype(np.int64)
            at = np.minimum(np.searchsorted(self.known, ids), len(self.known) - 1)
            new = self.known[at] != ids
            self.present += int((~new).sum())
            columns = {name: values[new] for name, values in columns.items()}
        self.rows += len(columns["night"])
        if len(columns["night"]):
            session.copy_in(self.table, self.model, columns, freeze=not len(self.known))

    def take_out_doubles(self) -> list[tuple[int, int]]:
        """Make the primary key; where rows share one, keep the first of each. Returns (id, how many were taken out)."""
        try:
            with transaction.atomic():
                self._make_primary_key()
                return []
        except IntegrityError as error:
            if not isinstance(error.__cause__, psycopg.errors.UniqueViolation):
                raise
        key = names(_key(self.model))
        found = session.rows(
            sql.SQL(
                "WITH ranked AS (SELECT ctid AS place, row_number() OVER (PARTITION BY {key} ORDER BY ctid) AS turn"
                " FROM {table}), gone AS (DELETE FROM {table} WHERE ctid IN (SELECT place FROM ranked WHERE turn > 1)"
                " RETURNING {identity}) SELECT {identity}, count(*) FROM gone GROUP BY 1 ORDER BY 1"
            ).format(key=key, table=self._identifier, identity=sql.Identifier(identity(self.model)))
        )
        self.rows -= sum(number for _, number in found)
        self._make_primary_key()
        return [(int(one), int(number)) for one, number in found]

    def _make_primary_key(self) -> None:
        session.run(sql.SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(self._identifier, names(_key(self.model))))

    def index(self) -> None:
        """Make the table's other indexes, as its parent has them, unless the rows go into a night that has its own."""
        if not len(self.known):
            for (definition,) in session.rows(_DEFINITIONS, [self.model._meta.db_table]):
                _, _, method_and_columns = definition.partition(" USING ")
                session.run(sql.SQL("CREATE INDEX ON {} USING ").format(self._identifier) + sql.SQL(method_and_columns))

    def publish(self) -> int:
        """Make the rows part of the night; returns how many it gained. The caller holds the night's lock."""
        if self.night in nights_of(self.model._meta.db_table):
            gained = session.run(
                sql.SQL("INSERT INTO {} SELECT * FROM {} ON CONFLICT DO NOTHING").format(self._parent, self._identifier)
            )
            session.run(sql.SQL("DROP TABLE {}").format(self._identifier))
            self.present += self.rows - gained
            return gained
        partition = sql.Identifier(partition_name(self.model._meta.db_table, self.night))
        session.run(sql.SQL("ALTER TABLE {} RENAME TO {}").format(self._identifier, partition))
        session.run(
            sql.SQL("ALTER TABLE {} ATTACH PARTITION {} FOR VALUES IN ({})").format(
                self._parent, partition, sql.Literal(self.night)
            )
        )
        return self.rows


_DEFINITIONS = sql.SQL(
    "SELECT pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class parent ON parent.oid = indrelid"
    " WHERE relname = %s AND NOT indisprimary ORDER BY 1"
)


def _key(model: type[models.Model]) -> list[str]:
    key: Any = model._meta.pk
    return list(key.field_names)


def _ids_in(model: type[models.Model], night: int) -> npt.NDArray[np.int64]:
    if night not in nights_of(model._meta.db_table):
        return np.empty(0, np.int64)
    query = sql.SQL("SELECT {} FROM {} WHERE night = {}").format(
        sql.Identifier(identity(model)), sql.Identifier(model._meta.db_table), sql.Literal(night)
    )
    return np.sort(unpacked(session.copy_out(query), {"id": ">i8"})["id"])
