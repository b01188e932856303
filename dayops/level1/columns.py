"""What a model says about a column: how wide it is in PostgreSQL, whether it may be empty, and what empty looks like.

Arrays have no NULL. These stand for it in nullable columns: a masked element of a masked array; NaN, NaT and the empty
string; in columns of ids also 0, for ids begin at 1.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from django.db import models
from psycopg import sql

from dayops.level1 import fields

if TYPE_CHECKING:
    Field = models.Field[Any, Any]
else:
    Field = models.Field  # which has no parameters while it runs

Array = npt.NDArray[Any]
Columns = dict[str, Array]

_WIDTHS: dict[type[Field], str] = {
    fields.Long: ">i8",
    fields.Int: ">i4",
    fields.Short: ">i2",
    fields.Double: ">f8",
    fields.Real: ">f4",
    fields.Flag: "?",
    models.DateTimeField: ">M8[us]",
    fields.Text: "S",
    models.TextField: "S",
}
_EPOCH = np.datetime64("2000-01-01", "us")  # PostgreSQL counts its microseconds from here


def field_of(model: type[models.Model], name: str) -> Field:
    """The column `name` of `model`. Raises ValueError, with what there is, where there is none such."""
    known = {field.name: field for field in model._meta.concrete_fields}
    if name not in known or not isinstance(known[name], tuple(_WIDTHS)):
        there = ", ".join(each for each, field in known.items() if isinstance(field, tuple(_WIDTHS)))
        raise ValueError(f"{model._meta.db_table} has no column {name}; it has {there}.")
    return known[name]


def identity(model: type[models.Model]) -> str:
    """The column that a row is known by: the model's first."""
    return model._meta.concrete_fields[0].name


def width_of(field: Field) -> str:
    """The big-endian NumPy type of a column's values; ``S`` for text of any length."""
    return next(width for kind, width in _WIDTHS.items() if isinstance(field, kind))


def required(model: type[models.Model]) -> list[str]:
    """The columns that every row must have."""
    return [
        field.name
        for field in model._meta.concrete_fields
        if isinstance(field, tuple(_WIDTHS)) and not field.null and not field.has_default()
    ]


def empty(field: Field, values: Array) -> npt.NDArray[np.bool_]:
    """Which elements stand for NULL."""
    hidden = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else np.zeros(len(values), bool)
    plain = np.ma.getdata(values)
    if plain.dtype.kind == "f":
        return hidden | np.isnan(plain)
    if plain.dtype.kind == "M":
        return hidden | np.isnat(plain)
    if plain.dtype.kind in "SU":
        return np.asarray(hidden | (plain == plain.dtype.type("")))
    if isinstance(field, fields.Long) and field.null:
        return np.asarray(hidden | (plain == 0))
    return hidden


def stored(field: Field, values: Array, void: npt.NDArray[np.bool_]) -> Array:
    """Values in the bytes that PostgreSQL expects; what is `void` may be anything."""
    plain, width = np.ma.getdata(values), width_of(field)
    if width == "S":
        return plain if plain.dtype.kind == "S" else _encoded(plain.astype(str))
    if width == ">M8[us]":
        return np.where(void, 0, (plain.astype("M8[us]") - _EPOCH).astype(np.int64)).astype(">i8")
    if plain.dtype.kind == "f" and np.dtype(width).kind != "f":
        plain = np.where(void, 0, plain)
    return plain.astype(width)


def _encoded(text: Array) -> Array:
    try:
        return text.astype("S")  # ten times as fast, but of ASCII only
    except UnicodeEncodeError:
        return np.strings.encode(text, "utf-8")


def names(columns: Iterable[str]) -> sql.Composed:
    """Columns as a list in SQL."""
    return sql.SQL(", ").join(sql.Identifier(column) for column in columns)
