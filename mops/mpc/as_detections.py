"""Observations of the Minor Planet Center as the arrays that linking and orbit fitting take."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

import numpy as np
import numpy.typing as npt

from mops.mpc.observation import Observation, Refusal
from mops.mpc.stations import place_needed
from mops.mpc.vocabulary import lsst_band
from mops.mpc.weights import expected_sigma_arcsec
from mops.science import ephemeris, observers, time_scales
from mops.science.constants import AU_KM
from mops.science.detections import Detections


@dataclass(frozen=True, slots=True)
class Converted:
    """`detections` (n), the index in the given observations of each (`rows`, int64 (n,)), and what was left out.

    The `id` of a detection is its row; `visit` numbers the different pairs of observatory and time, from 0.
    """

    detections: Detections
    rows: npt.NDArray[np.int64]
    refused: tuple[Refusal, ...]


def as_detections(observations: Sequence[Observation]) -> Converted:
    """Detections of observations, in their order.

    An observation without uncertainty takes the one expected of its observatory (`mops.mpc.weights`). Left out, with
    a reason, is an observation whose observer moves and whose place is not given.
    """
    reasons = [_without_place(row) for row in observations]
    rows = np.array([index for index, reason in enumerate(reasons) if not reason], np.int64)
    refused = tuple(Refusal(row.line, why) for row, why in zip(observations, reasons, strict=True) if why)
    return Converted(_detections([observations[row] for row in rows], rows), rows, refused)


def mjd_tai(observations: Sequence[Observation]) -> npt.NDArray[np.float64]:
    """MJD TAI of observations, float64 (n,)."""
    return time_scales.tai_from_utc(np.array([row.mjd_utc for row in observations], np.float64))


def _without_place(row: Observation) -> str:
    return "" if row.place_km is not None else place_needed(row.station)


def _detections(observations: list[Observation], rows: npt.NDArray[np.int64]) -> Detections:
    tai = mjd_tai(observations)
    return Detections(
        id=rows,
        mjd_tai=tai,
        ra=_floats([row.ra for row in observations]),
        dec=_floats([row.dec for row in observations]),
        sigma_ra=_floats([_sigma(row, row.rms_ra) for row in observations]),
        sigma_dec=_floats([_sigma(row, row.rms_dec) for row in observations]),
        mag=_floats([row.mag for row in observations]),
        band=np.array([lsst_band(row.band) for row in observations], np.int8),
        night=np.array([row.night for row in observations], np.int32),
        visit=_visits(observations),
        observer=_observers(observations, tai),
    )


def _floats(values: list[float]) -> npt.NDArray[np.float64]:
    return np.array(values, np.float64)


def _sigma(row: Observation, rms: float) -> float:
    return expected_sigma_arcsec(row.station, row.mode, row.mjd_utc) if isnan(rms) else rms


def _visits(observations: list[Observation]) -> npt.NDArray[np.int64]:
    numbers: dict[tuple[str, float], int] = {}
    return np.array([numbers.setdefault((row.station, row.mjd_utc), len(numbers)) for row in observations], np.int64)


def _observers(observations: list[Observation], tai: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Heliocentric places (n, 3), au."""
    places = np.empty((len(observations), 3))
    given = np.array([row.place_km is not None for row in observations], bool)
    if given.any():
        earth, _ = ephemeris.earth(time_scales.tdb_from_tai(tai[given]))
        places[given] = earth + np.array([row.place_km for row in observations if row.place_km]) / AU_KM
    if not given.all():
        codes = np.array([row.station for row in observations if row.place_km is None])
        places[~given], _ = observers.heliocentric(codes, tai[~given])
    return places
