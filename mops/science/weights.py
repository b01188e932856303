"""Astrometric uncertainty by observatory, for observations that come without one.

Rules of Vereš, Farnocchia, Chesley & Chamberlin 2017, Icarus 296, 139: their Tables 2 to 4 give a sigma to an
observatory, which in some cases changed at a date; others have 1 arcsec, photographic plates 1.5 to 2.5. Several
observations of a night by one observatory share its errors: beyond four, the sigma grows by sqrt(n / 4).
"""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

OTHERS_ARCSEC = 1.0
# Of an object's errors in a night at one station. The fifty objects' residuals correlate by 0.27; with 0.15 their
# pieces of 3 to 14 days cover the truth as often as they say, for the observatories' sigma holds part of it already.
NIGHT_CORRELATION = 0.15
CCD_FROM_MJD = 47_892.0  # 1990
_OLD_ARCSEC = ((29_400.0, 2.5), (CCD_FROM_MJD, 1.5))  # before mid-1939, and before CCDs
SURVEYS_ARCSEC = {
    "704": 1.0,
    "G96": 0.5,
    "F51": 0.2,
    "F52": 0.2,
    "G45": 0.6,
    "699": 0.8,
    "D29": 0.75,
    "C51": 1.0,
    "E12": 0.75,
    "608": 0.6,
    "J75": 1.0,
    "645": 0.3,
    "673": 0.3,
    "689": 0.5,
    "950": 0.5,
    "H01": 0.3,
    "J04": 0.4,
    "W84": 0.5,
    "568": 0.25,
    "T05": 0.8,
    "T08": 0.8,
    "T09": 0.1,
    "T12": 0.1,
    "T14": 0.1,
    "309": 0.3,
    "G83": 0.3,
    "Y28": 0.3,
}
_CHANGED = {"703": (56_658.0, 1.0, 0.8), "691": (52_640.0, 0.6, 0.5), "644": (52_883.0, 0.6, 0.4)}


def sigma_arcsec(stations: npt.NDArray[np.str_], mjd: Array) -> Array:
    """Sigma (n,) of each coordinate, arcsec, of observations by `stations` (n,) at `mjd` (n,)."""
    sigma = np.array([SURVEYS_ARCSEC.get(str(code), OTHERS_ARCSEC) for code in stations], float)
    for code, (date, before, after) in _CHANGED.items():
        sigma = np.where(stations == code, np.where(mjd < date, before, after), sigma)
    for date, old in reversed(_OLD_ARCSEC):
        sigma = np.where(mjd < date, old, sigma)
    return sigma


def shared(sigma: Array, stations: npt.NDArray[np.str_], mjd: Array) -> Array:
    """`sigma` grown by sqrt(n / 4) where a station has n > 4 observations of one object in a night."""
    return np.asarray(sigma * np.sqrt(np.maximum(_of_the_night(stations, mjd) / 4, 1)))


def correlated(
    sigma: Array, stations: npt.NDArray[np.str_], mjd: Array, correlation: float = NIGHT_CORRELATION
) -> Array:
    """`sigma` of each of n observations in a night that share their errors: n sigma² (1 + (n − 1) correlation) / n²."""
    return np.asarray(sigma * np.sqrt(1 + (_of_the_night(stations, mjd) - 1) * correlation))


def _of_the_night(stations: npt.NDArray[np.str_], mjd: Array) -> npt.NDArray[np.int64]:
    """How many observations (n,) of the same object, station and night there are with each."""
    order = np.lexsort((mjd, stations))
    new = (np.diff(mjd[order], prepend=-np.inf) > 0.33) | (stations[order] != np.roll(stations[order], 1))
    group = np.cumsum(new) - 1
    count = np.empty(len(order), np.int64)
    count[order] = np.bincount(group)[group]
    return count
