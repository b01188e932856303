"""Where the planets are during an integration: DE440 as a table of polynomials that a kernel reads in some 20 ns.

Each day has, for each coordinate, the polynomial through DE440 at six of its Chebyshev points; it differs from DE440 by
less than a metre.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from mops.science import ephemeris
from mops.science.constants import GM_PLANETS

Array = npt.NDArray[np.float64]

NAMES = tuple(GM_PLANETS)
COUNT = len(NAMES)
GM = np.array(list(GM_PLANETS.values()))
COLUMNS = 3 * COUNT + 3  # x of all, y of all, z of all, and the Sun's own acceleration turned round
_POINTS = 6
_DAYS_A_STEP = 1.0
_MARGIN_DAYS = 20.0
_ROUNDED_TO_DAYS = 200.0


@dataclass(frozen=True, slots=True)
class Perturbers:
    """Polynomials from `first_mjd_tdb` on: coefficients (days, powers from the highest, COLUMNS)."""

    first_mjd_tdb: float
    coefficients: Array


def perturbers(first_mjd_tdb: float, last_mjd_tdb: float) -> Perturbers:
    """The table for integrations between two dates (MJD TDB); the last few made are kept.

    Raises ValueError for dates outside DE440's excerpt (1889 to 2113).
    """
    ephemeris.check_dates(np.array([first_mjd_tdb, last_mjd_tdb]))
    first = np.floor((first_mjd_tdb - _MARGIN_DAYS) / _ROUNDED_TO_DAYS) * _ROUNDED_TO_DAYS
    last = np.ceil((last_mjd_tdb + _MARGIN_DAYS) / _ROUNDED_TO_DAYS) * _ROUNDED_TO_DAYS
    return _table(max(float(first), ephemeris.FIRST_MJD_TDB), min(float(last), ephemeris.LAST_MJD_TDB))


@lru_cache(maxsize=4)
def _table(first: float, last: float) -> Perturbers:
    points = 0.5 - 0.5 * np.cos(np.pi * (np.arange(_POINTS) + 0.5) / _POINTS)
    days = np.arange(first, last, _DAYS_A_STEP)
    values = _columns((days[:, None] + points).ravel()).reshape(len(days), _POINTS, COLUMNS)
    to_powers = np.linalg.inv(np.vander(points, _POINTS))
    return Perturbers(first, np.ascontiguousarray(np.einsum("pk,dkc->dpc", to_powers, values)))


def _columns(dates: Array) -> Array:
    """Heliocentric places of all bodies, and the sum of −GM r / r³ by which the Sun, the origin, is pulled away."""
    places = np.array([ephemeris.body(name, dates)[0] for name in NAMES])  # bodies, dates, axes
    distance = np.linalg.norm(places, axis=2)
    indirect = -np.einsum("b,bda,bd->da", GM, places, distance**-3.0)
    return np.concatenate([places[:, :, 0].T, places[:, :, 1].T, places[:, :, 2].T, indirect], axis=1)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def read(first: float, coefficients: Any, date: float, row: Any) -> None:
    """Write the COLUMNS of `date` to `row`; outside the table its first or last day's polynomial goes on."""
    day = min(max(int(date - first), 0), len(coefficients) - 1)
    fraction = date - first - day
    for column in range(len(row)):
        row[column] = coefficients[day, 0, column]
    for power in range(1, coefficients.shape[1]):
        for column in range(len(row)):
            row[column] = row[column] * fraction + coefficients[day, power, column]
