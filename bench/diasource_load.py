"""A night of 10⁷ DiaSources from a Parquet file into an indexed partition; the same file again; then cones on the sky.

26 of APDB's columns are filled, beside the three of our own; the primary key and four more indexes are built, of which
one is partial and small. The night is 1,000 visits of an LSSTCam: detector by detector over 9,600 square degrees.
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet

ROWS = 10_000_000
NIGHT = 20261120
_MJD = 61_365.0
_CONE_DEG = 0.5
LIMIT_S, LIMIT_MS = 90.0, 10.0


def run(*, quick: bool, rows: int = ROWS) -> dict[str, Any]:
    """Make the file, load it, load it again, search it. `seconds` is from opening it to the commit."""
    from dayops.level1.binary import warm_up

    rows = 100_000 if quick else rows
    warm_up()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "night.parquet"
        columns = _write(path, rows)
        print(f"{rows:,} rows of {columns} columns, {path.stat().st_size / 2**20:,.0f} MiB of Parquet", flush=True)
        before = _cpu_s()
        seconds, loaded = _load(path)
        cpu_s = _cpu_s() - before
        replay_seconds, again = _load(path)
    report = {
        "rows": loaded.rows,
        "columns": columns,
        "indexes": _indexes(),
        "seconds": round(seconds, 1),
        "cpu_s": round(cpu_s, 1),
        "replay_changed_rows": again.rows,
        "replay_seconds": round(replay_seconds, 1),
        **_cones(50 if quick else 400),
        **_reading(),
        "load_average": round(os.getloadavg()[0], 1),
    }
    if loaded.rows != rows:
        raise SystemExit(f"{loaded.rows} of {rows} rows were loaded: {loaded.reasons}")
    for name, value in report.items():
        limit = {"seconds": LIMIT_S, "cone_p95_ms": LIMIT_MS}.get(name)
        print(f"{name:<24} {value}" + (f"  (limit {limit:g})" if limit else ""))
    return report


def _write(path: Path, rows: int) -> int:
    """The night, visit by visit, in row groups of 250,000; returns the number of columns."""
    writer = None
    for table in _visits(rows):
        writer = writer or pyarrow.parquet.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is None:
        raise SystemExit("There is nothing to load.")
    writer.close()
    return len(writer.schema.names)


def _visits(rows: int) -> Iterator[pa.Table]:
    chance = np.random.default_rng(5)
    per_visit = max(rows // 1000, 100)
    for first in range(0, rows, 250_000):
        number = np.arange(first, min(first + 250_000, rows))
        yield pa.table(_columns(chance, number, number // per_visit))


def _columns(chance: np.random.Generator, number: Any, visit: Any) -> dict[str, Any]:
    """Rows with the given numbers; a visit's fields of 3.5° lie side by side in rows of 40."""
    size = len(number)
    dec = -60 + 2.4 * (visit // 40) + chance.uniform(0, 3.1, size)
    ra = (3.6 * (visit % 40) / np.cos(np.radians(dec)) + chance.uniform(0, 3.1, size)) % 360
    small = {
        name: chance.normal(100, 10, size).astype(np.float32)
        for name in ("raErr", "decErr", "ra_dec_Cov", "x", "y", "apFlux", "apFluxErr", "snr", "psfFlux", "psfFluxErr")
    }
    return {
        "diaSourceId": number + 170_000_000_000_000_000,
        "visit": visit + 2026112000000,
        "detector": (number % 189).astype(np.int16),
        "diaObjectId": pa.array(chance.integers(1, 2**50, size), mask=chance.random(size) < 0.1),
        "ssObjectId": pa.array(chance.integers(1, 2**50, size), mask=chance.random(size) < 0.95),
        "midpointMjdTai": _MJD + visit * 4e-4,
        "ra": ra,
        "dec": dec,
        **small,
        "isNegative": chance.random(size) < 0.4,
        "isDipole": chance.random(size) < 0.1,
        "extendedness": chance.random(size, np.float32),
        "reliability": chance.random(size, np.float32),
        "band": pa.array(np.array(list("ugrizy"))[visit % 6]).dictionary_encode(),
        "timeProcessedMjdTai": _MJD + visit * 4e-4 + 0.001,
        "bboxSize": chance.integers(5, 60, size).astype(np.int32),
        "pixelFlags_edge": chance.random(size) < 0.02,
    }


def _load(path: Path) -> tuple[float, Any]:
    from dayops.level1.files import batches
    from dayops.level1.loading import load
    from dayops.level1.models import DiaSource

    began = time.perf_counter()
    last = [0.0]

    def tell(text: str) -> None:
        now = time.perf_counter() - began
        if now - last[0] > 5 or "indexed" in text:
            last[0] = now
            print(f"[{now:5.1f} s] {text}", flush=True)

    loaded = load(batches(path, DiaSource), source=path.name, tell=tell)
    return time.perf_counter() - began, loaded


def _cpu_s() -> float:
    """CPU seconds of this process, of its PostgreSQL session and of the session's workers, which have ended."""
    from django.db import connection

    connection.ensure_connection()
    session = psutil.Process(connection.connection.info.backend_pid)
    own, postmaster = session.cpu_times(), session.parent()
    ended = postmaster.cpu_times() if postmaster else own
    return float(time.process_time() + own.user + own.system + ended.children_user + ended.children_system)


def _indexes() -> int:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE tablename = %s", [f"DiaSource_{NIGHT}"])
        return int(cursor.fetchone()[0])


def _cones(turns: int) -> dict[str, float]:
    """Cones at places of the survey, each asked for the first time."""
    from django.db import connection

    from dayops.level1.cone_search import dia_sources_near

    with connection.cursor() as cursor:
        cursor.execute(f'ANALYZE "DiaSource_{NIGHT}"')  # as autovacuum does within a minute
    chance = np.random.default_rng(6)
    times, found = [], []
    for _ in range(turns):
        visit = chance.integers(0, 1000)
        dec = -60 + 2.4 * (visit // 40) + 1.5
        ra = (3.6 * (visit % 40) / np.cos(np.radians(dec)) + 1.5) % 360
        began = time.perf_counter()
        near = dia_sources_near(ra, dec, _CONE_DEG, [NIGHT])
        times.append(time.perf_counter() - began)
        found.append(len(near["diaSourceId"]))
    return {
        "cone_p50_ms": round(1000 * float(np.percentile(times, 50)), 2),
        "cone_p95_ms": round(1000 * float(np.percentile(times, 95)), 2),
        "cone_rows": float(np.median(found)),
    }


def _reading() -> dict[str, float]:
    from dayops.level1.reading import dia_sources

    began = time.perf_counter()
    read = dia_sources([NIGHT], unattributed=True)
    return {"read_rows_per_s": round(len(read["diaSourceId"]) / (time.perf_counter() - began))}
