"""DiaObjects of which sources turned out to be of the Solar System.

A DiaObject is of the fixed sky. When a DiaSource is attributed to an SSObject it is no longer one of its DiaObject's: a
DiaObject that loses its last source ends, and one that keeps some is made again from these (LSE-163, "Solar System
Object Processing": what the unlinking orphans is deleted; here its validity ends, so that it was there before).
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from psycopg import sql

from dayops.level1 import session
from dayops.level1.binary import unpacked
from dayops.level1.columns import Columns
from dayops.level1.models import DiaObject
from dayops.level1.writing import end, replace

BANDS = "ugrizy"
_KEPT = sql.SQL("""
    SELECT source."diaObjectId", source."midpointMjdTai", coalesce(source."psfFlux", 'NaN'::float4),
        coalesce(source."psfFluxErr", 'NaN'::float4), coalesce(ascii(source.band), 0)
    FROM "DiaSource" source
    WHERE source."diaObjectId" = ANY({objects}) AND source."timeWithdrawnMjdTai" IS NULL
    AND source."ssObjectId" IS NULL AND NOT EXISTS (
        SELECT FROM "SSSource" WHERE "diaSourceId" = source."diaSourceId" AND "validityEndMjdTai" IS NULL
    )
""")
_STAYS = ("ra", "dec", "raErr", "decErr", "ra_dec_Cov")
_KINDS = {"object": ">i8", "mjd": ">f8", "flux": ">f4", "error": ">f4", "band": ">i4"}


def settle(dia_object_ids: npt.NDArray[np.int64], at_mjd_tai: float) -> tuple[int, int]:
    """Bring DiaObjects into line with the sources left to them, from an instant on.

    Parameters
    ----------
    dia_object_ids
        Objects of which sources were attributed or withdrawn in this transaction; ids without a valid object pass.
    at_mjd_tai
        From `instants.instant`.

    Returns
    -------
    How many ended, and how many were made again. Position and its errors stay, fluxes are recomputed.
    """
    objects = DiaObject.objects.current().filter(diaObjectId__in=np.unique(dia_object_ids).tolist())
    held = list(objects.order_by("diaObjectId").values("diaObjectId", *_STAYS))
    if not held:
        return 0, 0
    ids = np.array([one["diaObjectId"] for one in held])
    left = unpacked(session.copy_out(_KEPT.format(objects=sql.Literal(ids.tolist()))), _KINDS)
    which = np.searchsorted(ids, left["object"])
    number = np.bincount(which, minlength=len(ids))
    alive = number > 0
    made = {
        name: np.array([one[name] for one in held], float) for name in ("ra", "dec", "raErr", "decErr", "ra_dec_Cov")
    }
    made |= {
        "diaObjectId": ids,
        "nDiaSources": number,
        **_times(left, which, len(ids)),
        **_fluxes(left, which, len(ids)),
    }
    return (
        end(DiaObject, ids[~alive], at_mjd_tai),
        replace(DiaObject, {name: values[alive] for name, values in made.items()}, at_mjd_tai),
    )


def _times(left: Columns, which: npt.NDArray[np.intp], size: int) -> Columns:
    first, last = np.full(size, np.inf), np.full(size, -np.inf)
    np.minimum.at(first, which, left["mjd"])
    np.maximum.at(last, which, left["mjd"])
    return {"firstDiaSourceMjdTai": first, "lastDiaSourceMjdTai": last}


def _fluxes(left: Columns, which: npt.NDArray[np.intp], size: int) -> Columns:
    """Mean flux weighted by 1/σ², its standard error, and the spread of the fluxes, nJy, by band."""
    made: Columns = {}
    good = np.isfinite(left["flux"]) & (left["error"] > 0)
    for band in BANDS:
        mine = good & (left["band"] == ord(band))
        at, flux, weight = which[mine], left["flux"][mine].astype(float), left["error"][mine].astype(float) ** -2

        def total(values: Any, at: Any = at) -> Any:
            return np.bincount(at, values, size)

        count, weights = np.bincount(at, minlength=size), total(weight)
        with np.errstate(invalid="ignore", divide="ignore"):  # no source of a band: NaN, which is NULL
            mean = total(flux * weight) / weights
            made[f"{band}_psfFluxMean"] = mean
            made[f"{band}_psfFluxMeanErr"] = np.where(count, weights**-0.5, np.nan)
            made[f"{band}_psfFluxSigma"] = np.sqrt(total((flux - total(flux)[at] / count[at]) ** 2) / (count - 1.0))
        made[f"{band}_psfFluxSigma"][count < 2] = np.nan
        made[f"{band}_psfFluxNdata"] = count
    return made
