"""A night's detections out of the Level 1 database, as the kernels take them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from psycopg import sql

from dayops.level1.models import DiaSource
from dayops.level1.reading import dia_sources, known_at, read
from mops.science import observers
from mops.science.detections import BANDS, Detections

OBSERVATORY = "X05"  # Simonyi Survey Telescope, Rubin Observatory
_COLUMNS = (
    "diaSourceId",
    "visit",
    "midpointMjdTai",
    "ra",
    "dec",
    "raErr",
    "decErr",
    "psfFlux",
    "band",
    "reliability",
    "night",
)
_NO_SIGMA_ARCSEC = 0.1  # of a DiaSource without its own error
_MAG_OF_NJY = 31.4


def detections_of(
    nights: Sequence[int],
    *,
    as_of_mjd_tai: float,
    minimum_reliability: float,
    observatory: str = OBSERVATORY,
) -> Detections:
    """The DiaSources of `nights` as of an instant, in the order of their ids.

    A source whose reliability is below the minimum is left out; one without a reliability is not.
    """
    found = dia_sources(nights, as_of_mjd_tai=as_of_mjd_tai, columns=_COLUMNS)
    reliable = ~(found["reliability"] < minimum_reliability)
    return _as_detections({name: values[reliable] for name, values in found.items()}, observatory)


def detections_by_id(
    nights: Sequence[int], ids: Sequence[int], *, as_of_mjd_tai: float | None = None, observatory: str = OBSERVATORY
) -> Detections:
    """The DiaSources `ids`, which are of `nights`, in the order of their ids; those that are not there are left out."""
    wanted = sql.SQL('source."diaSourceId" = ANY({})').format(sql.Literal([int(each) for each in ids]))
    return _as_detections(read(DiaSource, nights, _COLUMNS, [wanted, known_at(as_of_mjd_tai)]), observatory)


def dia_objects_of(nights: Sequence[int], ids: Sequence[int]) -> npt.NDArray[np.int64]:
    """diaObjectIds that the DiaSources `ids`, of `nights`, had been given to; ascending."""
    wanted = sql.SQL('source."diaSourceId" = ANY({})').format(sql.Literal([int(each) for each in ids]))
    found = read(DiaSource, nights, ("diaSourceId", "diaObjectId"), [wanted, known_at(None)])["diaObjectId"]
    return np.unique(found[found > 0])


def _as_detections(column: dict[str, npt.NDArray[Any]], observatory: str) -> Detections:
    place, _ = observers.heliocentric(observatory, column["midpointMjdTai"])
    return Detections(
        id=column["diaSourceId"].astype(np.int64),
        mjd_tai=column["midpointMjdTai"],
        ra=column["ra"],
        dec=column["dec"],
        sigma_ra=_arcsec(column["raErr"]) * np.cos(np.radians(column["dec"])),
        sigma_dec=_arcsec(column["decErr"]),
        mag=magnitudes(column["psfFlux"]),
        band=band_numbers(column["band"]),
        night=column["night"].astype(np.int32),
        visit=column["visit"].astype(np.int64),
        observer=place,
    )


def magnitudes(flux_njy: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """AB magnitudes of fluxes in nJy; NaN for none and for negative ones."""
    positive = flux_njy > 0
    return np.where(positive, _MAG_OF_NJY - 2.5 * np.log10(np.where(positive, flux_njy, 1.0)), np.nan)


def band_numbers(bands: npt.NDArray[np.str_]) -> npt.NDArray[np.int8]:
    """Index in `BANDS`, −1 for any other word."""
    numbers = np.full(len(bands), -1, np.int8)
    for number, band in enumerate(BANDS):
        numbers[np.asarray(bands) == band] = number
    return numbers


def _arcsec(degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    given = np.asarray(degrees, float) * 3600
    return np.where(given > 0, given, _NO_SIGMA_ARCSEC)
