"""Sources near places of the sky, by ranges of pixels in a btree and an exact check of what these hold.

The ranges of a place are of pixels about a quarter of the radius wide. Each is one look into the index of a night;
`LATERAL … OFFSET 0` keeps the planner from turning them into one walk over the whole night.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from django.db import models
from psycopg import sql

from dayops.level1 import session, sky
from dayops.level1.binary import unpacked_arrays
from dayops.level1.columns import Columns
from dayops.level1.models import DiaSource
from dayops.level1.reading import as_read, kind_read, known_at, never_null

NEAR = ("diaSourceId", "ra", "dec", "midpointMjdTai", "psfFlux", "psfFluxErr", "band", "night")
LARGEST_DEG = 10.0  # beyond this a cone is no small part of a night: read the night
AT_ONCE = 1_000

_QUERY = """
    SELECT part.place, near.*
    FROM unnest({place}::int4[], {first}::int8[], {last}::int8[]) AS part (place, first, last)
    CROSS JOIN LATERAL (
        SELECT {columns} FROM {table} source
        WHERE night = ANY({nights}) AND healpix BETWEEN part.first AND part.last AND {known} OFFSET 0
    ) near
"""


def dia_sources_near(
    ra: float | npt.NDArray[np.float64],
    dec: float | npt.NDArray[np.float64],
    radius_deg: float,
    nights: Sequence[int],
    *,
    as_of_mjd_tai: float | None = None,
    columns: Sequence[str] = NEAR,
    model: type[models.Model] = DiaSource,
) -> Columns:
    """DiaSources (or rows of another table by night) within a radius of one place or of each of many.

    Parameters
    ----------
    ra, dec
        Degrees; one place, or (n,) each.
    radius_deg
        Up to 10°.
    nights
        dayObs.
    as_of_mjd_tai
        As for `reading.dia_sources`.
    columns
        APDB's names.

    Returns
    -------
    Name → array (m,), with two more: `place`, the index of the place that a row is near, and `separation_arcsec`.
    Sorted by place, then by separation. What is NULL is as in `reading.dia_sources`.

    Raises
    ------
    ValueError
        For a place that is none, a radius out of range, a column that there is not.
    """
    places_ra, places_dec = np.broadcast_arrays(np.atleast_1d(ra).astype(float), np.atleast_1d(dec).astype(float))
    if not (np.isfinite(places_ra).all() and (np.abs(places_dec) <= 90).all()):
        raise ValueError("A place has no right ascension, or a declination outside −90 to 90 degrees.")
    if not 0 < radius_deg <= LARGEST_DEG:
        raise ValueError(f"A radius of {radius_deg}° is not between 0 and {LARGEST_DEG:g}°: read whole nights instead.")
    wanted = list(dict.fromkeys([*columns, "ra", "dec"]))
    parts = []
    for begin in range(0, max(len(places_ra), 1), AT_ONCE):
        these = slice(begin, begin + AT_ONCE)
        asked = query(model, places_ra[these], places_dec[these], radius_deg, nights, wanted, as_of_mjd_tai)
        kinds = {"place": ">i4"} | {name: kind_read(model, name) for name in wanted}
        part = unpacked_arrays(b"".join(session.copy_out(_as_arrays(asked, kinds))), kinds)
        part["place"] += begin
        parts.append(_within(part, places_ra, places_dec, radius_deg))
    found = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    order = np.lexsort((found["separation_arcsec"], found["place"]))
    shown = [*columns, "place", "separation_arcsec"]
    return {name: as_read(model, name, found[name][order]) for name in shown}


def query(
    model: type[models.Model],
    ra: npt.NDArray[np.float64],
    dec: npt.NDArray[np.float64],
    radius_deg: float,
    nights: Sequence[int],
    columns: Sequence[str],
    as_of_mjd_tai: float | None,
) -> sql.Composed:
    """What is asked of PostgreSQL: all rows in the pixels that touch a cone."""
    covers = [sky.ranges(float(a), float(d), radius_deg) for a, d in zip(ra, dec, strict=True)]
    places = np.repeat(np.arange(len(covers)), [len(cover) for cover in covers])
    ranges = np.concatenate([np.empty((0, 2), np.int64), *covers])
    return sql.SQL(_QUERY).format(
        columns=sql.SQL(", ").join(
            sql.SQL("{} AS {}").format(never_null(model, name), sql.Identifier(name)) for name in columns
        ),
        place=sql.Literal(places.tolist()),
        first=sql.Literal(ranges[:, 0].tolist()),
        last=sql.Literal(ranges[:, 1].tolist()),
        table=sql.Identifier(model._meta.db_table),
        nights=sql.Literal([int(night) for night in nights]),
        known=known_at(as_of_mjd_tai),
    )


def _as_arrays(rows: sql.Composed, names: Iterable[str]) -> sql.Composed:
    aggregates = sql.SQL(", ").join(sql.SQL("array_agg({})").format(sql.Identifier(name)) for name in names)
    return sql.SQL("SELECT {} FROM ({}) found").format(aggregates, rows)


def _within(part: Columns, ra: npt.NDArray[np.float64], dec: npt.NDArray[np.float64], radius_deg: float) -> Columns:
    apart = sky.separation_deg(part["ra"], part["dec"], ra[part["place"]], dec[part["place"]])
    near = apart <= radius_deg
    return {name: values[near] for name, values in part.items()} | {"separation_arcsec": 3600.0 * apart[near]}
