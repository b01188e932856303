"""What the pipeline writes: rows that are there once, rows that take the place of others, and ends.

All of it belongs to the caller's transaction. Rows with a validity begin and end at one instant of that transaction:

    with transaction.atomic():
        at = instant()
        replace(SSObject, objects, at)
        replace(SSSource, attributions, at)
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import models, transaction
from psycopg import sql

from dayops.level1 import session, sky
from dayops.level1.columns import Columns, field_of, identity, names, required
from dayops.level1.models import DiaObject, MpcOrbit

START, END = "validityStartMjdTai", "validityEndMjdTai"
_GIVEN = sql.Identifier("level1_given")


def append(model: type[models.Model], columns: Columns) -> int:
    """Write rows (name → (n,)) of Visit, DetectorVisitProcessingSummary and the like; those already there stay.

    Returns how many were new.

    Raises
    ------
    ValueError
        For a column that there is not, or that is lacking.
    """
    if not len(next(iter(columns.values()))):
        return 0
    columns = _with_defaults(model, columns)
    with transaction.atomic():
        _give(model, columns)
        return session.run(
            sql.SQL("INSERT INTO {table} ({columns}) SELECT {columns} FROM {given} ON CONFLICT DO NOTHING").format(
                table=_table(model), columns=names(columns), given=_GIVEN
            )
        )


def replace(model: type[models.Model], columns: Columns, at_mjd_tai: float) -> int:
    """Make rows of DiaObject, SSObject, SSSource or MpcOrbit the valid ones of their keys, from an instant on.

    A valid row that says the same stays as it is, so that what is written twice changes nothing. A column that is not
    given is empty.

    Parameters
    ----------
    columns
        Name → (n,), without the validity; one row a key. See `dayops.level1.columns` for what stands for NULL.
    at_mjd_tai
        From `instants.instant`, in this transaction.

    Returns
    -------
    How many rows were written.

    Raises
    ------
    ValueError
        For a column that there is not, or that is lacking; for a key that is given twice.
    """
    if not len(next(iter(columns.values()))):
        return 0
    key = key_of(model)
    if len(np.unique(columns[key])) != len(columns[key]):
        raise ValueError(f"A {key} is given more than once: one row of {model._meta.db_table} is valid at a time.")
    columns = _with_defaults(model, columns)
    if model is DiaObject:
        columns = columns | {"healpix": sky.pixels(columns["ra"], columns["dec"])}
    with transaction.atomic():
        _give(model, columns)
        words = {
            "table": _table(model),
            "given": _GIVEN,
            "key": sql.Identifier(key),
            "columns": names(columns),
            "same": _same(model, columns),
            "at": sql.Literal(at_mjd_tai),
        }
        session.run(sql.SQL(_FORGET_THE_SAME).format(**words))
        session.run(sql.SQL(_END_THE_OLD).format(**words))
        return session.run(sql.SQL(_BEGIN_THE_NEW).format(**words))


_FORGET_THE_SAME = """
    DELETE FROM {given} given USING {table} held
    WHERE held.{key} = given.{key} AND held."validityEndMjdTai" IS NULL
    AND {same}
"""
_END_THE_OLD = """
    UPDATE {table} SET "validityEndMjdTai" = {at}
    WHERE "validityEndMjdTai" IS NULL AND {key} IN (SELECT {key} FROM {given})
"""
_BEGIN_THE_NEW = """
    INSERT INTO {table} ({columns}, "validityStartMjdTai") SELECT {columns}, {at} FROM {given}
"""


def end(model: type[models.Model], keys: Sequence[Any] | npt.NDArray[Any], at_mjd_tai: float) -> int:
    """Let the valid rows of some keys end without successors; returns how many did."""
    return session.run(
        sql.SQL('UPDATE {} SET "validityEndMjdTai" = {} WHERE "validityEndMjdTai" IS NULL AND {} = ANY({})').format(
            _table(model),
            sql.Literal(at_mjd_tai),
            sql.Identifier(key_of(model)),
            sql.Literal(np.asarray(keys).tolist()),
        )
    )


def withdraw(model: type[models.Model], nights: Sequence[int], ids: npt.NDArray[np.int64], at_mjd_tai: float) -> int:
    """Mark sources of some nights as invalid from an instant on; returns how many were not so before."""
    return session.run(
        sql.SQL(
            'UPDATE {} SET "timeWithdrawnMjdTai" = {}'
            ' WHERE night = ANY({}) AND {} = ANY({}) AND "timeWithdrawnMjdTai" IS NULL'
        ).format(
            _table(model),
            sql.Literal(at_mjd_tai),
            sql.Literal([int(night) for night in nights]),
            sql.Identifier(identity(model)),
            sql.Literal(ids.tolist()),
        )
    )


def key_of(model: type[models.Model]) -> str:
    """What a row with a validity is about."""
    return "designation" if model is MpcOrbit else identity(model)


def _table(model: type[models.Model]) -> sql.Identifier:
    return sql.Identifier(model._meta.db_table)


def _give(model: type[models.Model], columns: Columns) -> None:
    """Bring the rows into a temporary table of this transaction."""
    lacking = set(required(model)) - set(columns) - {START}
    if lacking:
        raise ValueError(f"{model._meta.db_table} needs {', '.join(sorted(lacking))} too.")
    if {START, END} & set(columns):
        raise ValueError(f"{START} and {END} are set by the instant that is given, not by columns.")
    for name in columns:
        field_of(model, name)
    session.run(sql.SQL("DROP TABLE IF EXISTS {}").format(_GIVEN))
    session.run(
        sql.SQL("CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} LIMIT 0").format(
            _GIVEN, names(columns), _table(model)
        )
    )
    session.copy_in("level1_given", model, columns)


def _with_defaults(model: type[models.Model], columns: Columns) -> Columns:
    size = len(next(iter(columns.values())))
    defaults = {each.name: each.get_default() for each in model._meta.concrete_fields if each.has_default()}
    return {name: np.full(size, default) for name, default in defaults.items()} | columns


def _same(model: type[models.Model], columns: Columns) -> sql.Composed:
    """That a valid row says what is given, and nothing where nothing is given."""
    said = [field.name for field in model._meta.concrete_fields if field.name not in {"id", START, END}]
    return sql.SQL(" AND ").join(
        sql.SQL("{} IS NOT DISTINCT FROM {}").format(sql.Identifier("held", name), sql.Identifier("given", name))
        if name in columns
        else sql.SQL("{} IS NULL").format(sql.Identifier("held", name))
        for name in said
    )
