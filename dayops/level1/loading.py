"""Loading sources: a stream of rows becomes partitions, all of them or none.

    batches ─▶ checked (a thread ahead) ─▶ COPY into a staging table a night ─▶ primary key, indexes
            ─▶ the nights' locks ─▶ attach, or insert into a night that is there ─▶ an instant ─▶ commit

A killed load leaves nothing: its staging tables were never committed. A load that is given twice adds nothing: rows are
known by their ids. Two loads of one night at once wait for each other at the end, where each takes its nights' locks in
their order.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from django.db import connection, models, transaction

from dayops.level1 import sky
from dayops.level1.ahead import ahead
from dayops.level1.checking import DOUBLE, BadTable, Checked, Refused, checked, kept_columns
from dayops.level1.columns import Columns, identity
from dayops.level1.instants import instant
from dayops.level1.models import DiaSource, Load, Refusal
from dayops.level1.staging import Staging

KEPT_REFUSALS = 10_000


@dataclass(slots=True)
class Loaded:
    """What a load did. `refused` are the first of them; `reasons` counts all."""

    load: int
    rows: int = 0
    present: int = 0
    read: int = 0
    nights: list[int] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    known_from_mjd_tai: float | None = None


def load(
    batches: Iterable[Columns],
    *,
    model: type[models.Model] = DiaSource,
    source: str = "arrays",
    tell: Callable[[str], None] = lambda text: None,
) -> Loaded:
    """Load rows of DiaSource or DiaForcedSource.

    Parameters
    ----------
    batches
        Columns by their APDB names, (n,) each, all batches alike; some 250,000 rows a batch are good. `night`,
        `healpix` and `loadId` are made here. See `dayops.level1.columns` for what stands for NULL.
        They are made in another thread, which has no part in this transaction.
    source
        What people are told of where the rows came from.
    tell
        Is given a line of progress now and then.

    Returns
    -------
    What was loaded, what was there already and what was refused; it is committed when the caller's transaction is.

    Raises
    ------
    BadTable
        Where no row could be loaded: a column is lacking, or is in a time scale other than TAI.
    """
    with transaction.atomic():
        record = Load.objects.create(table=model._meta.db_table, source=source)
        done = Loaded(load=record.pk)
        staged: dict[int, Staging] = {}
        for batch in ahead(_prepared(model, batches)):
            _note(done, batch)
            _stage(model, staged, batch, record.pk)
            tell(f"{done.read:,} rows read, {sum(one.rows for one in staged.values()):,} new")
        for one in staged.values():
            _complete(done, one, tell)
        _publish(done, staged)
        _keep(record, done)
    return done


def load_columns(columns: Columns, *, model: type[models.Model] = DiaSource, source: str = "arrays") -> Loaded:
    """Load one table of arrays; see `load`."""
    return load([columns], model=model, source=source)


def _prepared(model: type[models.Model], batches: Iterable[Columns]) -> Iterator[Checked]:
    first = 0
    for batch in batches:
        sizes = {len(values) for values in batch.values()}
        if len(sizes) > 1:
            raise BadTable(f"The columns are of different lengths: {sorted(sizes)}.")
        found = checked(model, {name: batch[name] for name in kept_columns(model, list(batch))}, first)
        first += max(sizes, default=0)
        _place(found.columns)
        yield found


def _place(columns: Columns) -> None:
    """Give rows their pixels, and their batch the order of the sky: what is searched together then lies together."""
    columns["healpix"] = sky.pixels(np.ma.getdata(columns["ra"]), np.ma.getdata(columns["dec"]))
    order = np.argsort(columns["healpix"])
    for name, values in columns.items():
        columns[name] = values[order]


def _note(done: Loaded, batch: Checked) -> None:
    done.read += len(batch.rows) + len(batch.refused)
    done.reasons.update(one.rule for one in batch.refused)
    done.refused += batch.refused[: KEPT_REFUSALS - len(done.refused)]


def _stage(model: type[models.Model], staged: dict[int, Staging], batch: Checked, number: int) -> None:
    batch.columns["loadId"] = np.full(len(batch.rows), number, np.int32)
    nights = batch.columns["night"]
    for night in np.unique(nights).tolist():
        if night not in staged:
            staged[night] = Staging.begun(model, night, number)
        mine = nights == night
        staged[night].copy(batch.columns if mine.all() else {n: v[mine] for n, v in batch.columns.items()})


def _complete(done: Loaded, staging: Staging, tell: Callable[[str], None]) -> None:
    name = identity(staging.model)
    for one, number in staging.take_out_doubles():
        done.reasons[f"{name} {DOUBLE}"] += number
        if len(done.refused) < KEPT_REFUSALS:
            done.refused.append(Refused(-1, str(one), f"{name} = {one} {DOUBLE}", f"{name} {DOUBLE}"))
    staging.index()
    tell(f"night {staging.night}: {staging.rows:,} rows indexed")


def _publish(done: Loaded, staged: dict[int, Staging]) -> None:
    with connection.cursor() as cursor:
        for night in sorted(staged):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('level1/night', %s))", [night])
    for night, staging in sorted(staged.items()):
        gained = staging.publish()
        done.rows += gained
        done.present += staging.present
        if gained:
            done.nights.append(night)


def _keep(record: Load, done: Loaded) -> None:
    Refusal.objects.bulk_create(
        [Refusal(load=record, row=one.row, identity=one.identity[:40], reason=one.reason) for one in done.refused],
        batch_size=1_000,
    )
    record.nights, record.rows_read, record.rows_loaded = done.nights, done.read, done.rows
    record.rows_present, record.rows_refused = done.present, sum(done.reasons.values())
    record.reasons = dict(done.reasons)
    record.knownFromMjdTai = done.known_from_mjd_tai = instant()
    record.save()
