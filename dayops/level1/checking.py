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

DOUBLE = "has been given to an earlier row of the same table"
_MISSING = "is missing or not a number"
OURS = frozenset({"night", "healpix", "loadId"})
_Mask = npt.NDArray[np.bool_]


class BadTable(ValueError):
    """A table of which no row can be loaded; the message says what was expected and what to do."""


@dataclass(frozen=True, slots=True)
class Refused:
    """One row that was not loaded: its number in the source (−1: not known), the id it gave itself, and why."""

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
    for name, rule, bad in _faults_of_the_good(model, read, good, columns["night"]):
        rules.append((name, rule))
        reasons[good[bad & (reasons[good] < 0)]] = len(rules) - 1
    stay = reasons[good] < 0
    if not stay.all():
        good, columns = good[stay], {name: values[stay] for name, values in columns.items()}
    return Checked(columns, good, list(_refused(model, batch, reasons, rules, first_row)))


def _faults_of_the_good(
    model: type[models.Model], read: Columns, good: npt.NDArray[np.intp], nights: npt.NDArray[np.int32]
) -> Iterator[tuple[str, str, _Mask]]:
    """What can be asked only of rows whose own values are sound."""
    if "night" in read:
        yield "night", "is not the dayObs of midpointMjdTai", np.ma.getdata(read["night"])[good] != nights
    ids = np.ma.getdata(read[identity(model)])[good]
    repeated = np.zeros(len(ids), bool)
    if not (ids[1:] > ids[:-1]).all():  # they mostly come in their order
        repeated[:] = True
        repeated[np.unique(ids, return_index=True)[1]] = False
    yield identity(model), DOUBLE, repeated


def _rules(model: type[models.Model], name: str, values: Array) -> Iterator[tuple[_Mask, str]]:
    field = field_of(model, name)
    void, plain = empty(field, values), np.ma.getdata(values)
    if not field.null:
        yield void, _MISSING
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
    if name.endswith("MjdTai"):
        julian = (plain >= 2_400_000.5 + MJD_RANGE[0]) & (plain <= 2_400_000.5 + MJD_RANGE[1])
        yield ~void & julian, "is a Julian Date: take off 2400000.5 to make it an MJD"
        yield ~void & ~((plain >= MJD_RANGE[0]) & (plain <= MJD_RANGE[1])), "is no MJD between 1990 and 2100"


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
        said = f"{name} {rule}" if rule == _MISSING else f"{name} = {batch[name][row]} {rule}"
        yield Refused(first + int(row), str(identities[row]), said, f"{name} {rule}")
