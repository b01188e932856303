"""Which rows of a table may be loaded, and why the others may not."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.db import models

from dayops.level1 import fields
from dayops.level1.columns import Array, Columns, Field, empty, field_of, identity, required, width_of
from dayops.level1.models.sources import BANDS, MJD_RANGE
from dayops.level1.nights import day_obs
from dayops.level1.numbers import numbers

OURS = frozenset({"night", "healpix", "loadId"})
_Mask = npt.NDArray[np.bool_]


class BadTable(ValueError):
    """A table of which no row can be loaded; the message says what was expected and what to do."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One row that was not loaded: its number in the source, the id it gave itself, and why."""

    row: int
    identity: str
    reason: str
    rule: str


@dataclass(frozen=True, slots=True)
class Checked:
    """Rows fit to be loaded, and which of the batch's rows these are, beside those refused."""

    columns: Columns
    rows: npt.NDArray[np.intp]
    refused: list[Refused]


def kept_columns(model: type[models.Model], there: list[str]) -> list[str]:
    """Of a table's columns those that `model` keeps.

    Raises
    ------
    BadTable
        Where a column that every row needs is lacking, or one says that its times are in another scale.
    """
    for name in there:
        if other := re.fullmatch(r"(.*)mjd(utc|tt|tdb|ut1)", name, re.IGNORECASE):
            raise BadTable(
                f"Column {name} is not in TAI, the only time scale of the Level 1 database: convert its times and"
                f" call it {other[1]}MjdTai, or leave it out."
            )
    lacking = [name for name in required(model) if name not in there and name not in OURS]
    if lacking:
        raise BadTable(
            f"The table has no {', '.join(lacking)}, which every {model._meta.db_table} needs (APDB 10.0.0);"
            f" it has {', '.join(there[:40]) or 'no columns at all'}."
        )
    known = {field.name for field in model._meta.concrete_fields}
    return [name for name in there if name in known and name not in OURS - {"night"}]


def checked(model: type[models.Model], batch: Columns, first_row: int) -> Checked:
    """Divide a batch (name → (n,)) into rows to load and rows refused, for the first rule that each breaks."""
    size = len(next(iter(batch.values())))
    read: Columns = {}
    reasons = np.full(size, -1)
    rules: list[tuple[str, str]] = []
    for name, values in batch.items():
        read[name], unreadable = numbers(field_of(model, name), values)
        for mask, rule in [(unreadable, "is not a number"), *_rules(model, name, read[name])]:
            if mask.any():
                rules.append((name, rule))
                reasons[mask & (reasons < 0)] = len(rules) - 1
    good = np.flatnonzero(reasons < 0)
    columns = {name: values[good] for name, values in read.items() if name != "night"}
    columns["night"] = day_obs(np.ma.getdata(columns["midpointMjdTai"]))
    if "night" in read:
        other = np.ma.getdata(read["night"])[good] != columns["night"]
        rules.append(("night", "is not the dayObs of midpointMjdTai"))
        reasons[good[other]] = len(rules) - 1
        good, columns = good[~other], {name: values[~other] for name, values in columns.items()}
    return Checked(columns, good, list(_refused(model, batch, reasons, rules, first_row)))


def _rules(model: type[models.Model], name: str, values: Array) -> Iterator[tuple[_Mask, str]]:
    field = field_of(model, name)
    void, plain = empty(field, values), np.ma.getdata(values)
    if not field.null:
        yield void, "is missing or not a number"
    if isinstance(field, fields.Text):
        if name == "band":
            yield ~void & ~np.isin(plain, list(BANDS)), f"is none of {', '.join(BANDS)}"
        return
    if plain.dtype.kind == "f":
        largest = np.finfo(np.dtype(width_of(field)) if np.dtype(width_of(field)).kind == "f" else float).max
        yield ~void & ~(np.abs(plain) <= largest), "is infinite, or too large for its column"
    if np.dtype(width_of(field)).kind == "i":
        yield from _whole(field, name, plain, void)
    if name == "ra":
        yield ~((plain >= 0) & (plain < 360)), "is outside [0, 360) degrees"
    if name == "dec":
        yield ~(np.abs(plain) <= 90), "is outside −90 to 90 degrees"
    if name == "midpointMjdTai":
        yield (
            (plain >= 2_400_000.5 + MJD_RANGE[0]) & (plain <= 2_400_000.5 + MJD_RANGE[1]),
            ("is a Julian Date: take off 2400000.5 to make it an MJD"),
        )
        yield ~((plain >= MJD_RANGE[0]) & (plain <= MJD_RANGE[1])), "is no MJD between 1990 and 2100"


def _whole(field: Field, name: str, plain: Array, void: _Mask) -> Iterator[tuple[_Mask, str]]:
    if plain.dtype.kind == "f":
        fits = (np.abs(plain) < 2**53) & (np.floor(plain) == plain)
        yield ~void & ~fits, "is no whole number below 2^53: write whole numbers as integers"
    bits = 8 * np.dtype(width_of(field)).itemsize - 1
    yield ~void & (plain > 2**bits - 1), f"is beyond 2^{bits} − 1"
    if name.endswith("Id") or name == "visit":
        yield ~void & (plain <= 0), "is not positive, as every id is"


def _refused(
    model: type[models.Model], batch: Columns, reasons: npt.NDArray[np.int_], rules: list[tuple[str, str]], first: int
) -> Iterator[Refused]:
    identities = batch[identity(model)]
    for row in np.flatnonzero(reasons >= 0):
        name, rule = rules[reasons[row]]
        value = batch[name][row]
        yield Refused(first + int(row), str(identities[row]), f"{name} = {value} {rule}", f"{name} {rule}")
