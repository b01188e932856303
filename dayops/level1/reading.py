"""Sources as arrays, straight out of PostgreSQL's binary COPY."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.db import connection, models
from psycopg import sql

from dayops.level1 import fields, session
from dayops.level1.binary import unpacked
from dayops.level1.columns import Columns, field_of, identity, width_of
from dayops.level1.models import DiaForcedSource, DiaSource
from dayops.level1.session import Statement

USUAL = (
    "diaSourceId", "midpointMjdTai", "ra", "dec", "raErr", "decErr", "ra_dec_Cov", "visit", "detector", "psfFlux",
    "psfFluxErr", "snr", "trailLength", "trailAngle", "reliability", "band", "night",
)  # fmt: skip

_KNOWN = sql.SQL("""
    source."loadId" IN (SELECT id FROM level1_load WHERE "knownFromMjdTai" <= {at})
    AND (source."timeWithdrawnMjdTai" IS NULL OR source."timeWithdrawnMjdTai" > {at})
""")
_NOW = sql.SQL('source."timeWithdrawnMjdTai" IS NULL')
_ATTRIBUTION = sql.SQL("""
    SELECT "ssObjectId" FROM "SSSource" WHERE "diaSourceId" = source."diaSourceId" AND {valid}
""")


def dia_sources(
    nights: Sequence[int],
    *,
    as_of_mjd_tai: float | None = None,
    columns: Sequence[str] = USUAL,
    unattributed: bool = False,
) -> Columns:
    """DiaSources of some nights, in the order of their ids.

    Parameters
    ----------
    nights
        dayObs.
    as_of_mjd_tai
        An instant (`instants.snapshot`): what the database held then; None: what it holds now. Withdrawn rows are not
        given. `ssObjectId` is the attribution of that instant.
    columns
        APDB's names.
    unattributed
        Only those that belong to no Solar System object.

    Returns
    -------
    Name → array (n,). What is NULL is NaN; 0 in whole numbers, False in flags, the empty string in `band`.

    Raises
    ------
    ValueError
        For a column that there is not.
    """
    restrictions: list[Statement] = [known_at(as_of_mjd_tai)]
    attribution = _ATTRIBUTION.format(valid=valid_at(as_of_mjd_tai))
    if unattributed:
        restrictions.append(sql.SQL('source."ssObjectId" IS NULL AND NOT EXISTS ({})').format(attribution))
    return read(DiaSource, nights, columns, restrictions, attribution)


def forced_sources(
    nights: Sequence[int], *, as_of_mjd_tai: float | None = None, columns: Sequence[str] | None = None
) -> Columns:
    """DiaForcedSources of some nights, as `dia_sources`; all of their columns unless some are named."""
    every = [field.name for field in DiaForcedSource._meta.concrete_fields if field.name != "timeWithdrawnMjdTai"]
    return read(DiaForcedSource, nights, columns or every, [known_at(as_of_mjd_tai)])


def known_at(mjd_tai: float | None) -> Statement:
    """The rows of `source` that were known and not withdrawn at an instant, or now."""
    return _NOW if mjd_tai is None else _KNOWN.format(at=sql.Literal(mjd_tai))


def valid_at(mjd_tai: float | None) -> sql.Composed:
    """The rows of a table with validities that hold at an instant, or now."""
    if mjd_tai is None:
        return sql.Composed([sql.SQL('"validityEndMjdTai" IS NULL')])
    return sql.SQL(
        '"validityStartMjdTai" <= {at} AND ("validityEndMjdTai" IS NULL OR "validityEndMjdTai" > {at})'
    ).format(at=sql.Literal(mjd_tai))


def read(
    model: type[models.Model],
    nights: Sequence[int],
    columns: Sequence[str],
    restrictions: Sequence[Statement],
    attribution: Statement | None = None,
) -> Columns:
    """Rows of a table by night that all `restrictions` hold for (SQL on `source`), in the order of their ids."""
    wanted = list(dict.fromkeys([identity(model), *columns]))
    query = sql.SQL("SELECT {} FROM {} source WHERE source.night = ANY({}) AND {}").format(
        sql.SQL(", ").join(never_null(model, name, attribution) for name in wanted),
        sql.Identifier(model._meta.db_table),
        sql.Literal([int(night) for night in nights]),
        sql.SQL(" AND ").join(restrictions),
    )
    found = unpacked(session.copy_out(query), {name: kind_read(model, name) for name in wanted})
    order = np.argsort(found[identity(model)], kind="stable")
    return {name: as_read(model, name, found.pop(name)[order]) for name in columns}


def kind_read(model: type[models.Model], name: str) -> str:
    """Big-endian type in which a column crosses the wire: text as its first letter's number."""
    return ">i4" if width_of(field_of(model, name)) == "S" else width_of(field_of(model, name))


def as_read(model: type[models.Model], name: str, values: Any) -> Any:
    """A column that crossed the wire, as people know it; what is no column of the model stays as it is."""
    if name in {field.name for field in model._meta.concrete_fields if isinstance(field, fields.Text)}:
        return values.astype(np.uint32).view("U1")
    return values


def never_null(model: type[models.Model], name: str, attribution: Statement | None = None) -> sql.Composable:
    """A column of `source` as SQL that gives no NULL."""
    field, column = field_of(model, name), sql.Identifier("source", name)
    if isinstance(field, fields.Text):
        return sql.SQL("coalesce(ascii({}), 0)").format(column)
    if name == "ssObjectId" and attribution is not None:
        return sql.SQL("coalesce(({}), {}, 0)").format(attribution, column)
    if not field.null:
        return column
    if isinstance(field, fields.Flag):
        return sql.SQL("coalesce({}, false)").format(column)
    kind = sql.SQL(str(field.db_type(connection)))
    return sql.SQL("coalesce({}, {}::{})").format(
        column, sql.Literal("NaN") if width_of(field)[1] == "f" else sql.Literal("0"), kind
    )
