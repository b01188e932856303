"""Time scales of dates as MJD: UTC and TAI of detections, TDB of orbits. Everything takes a float or an array.

Dates before 1972 are Universal Time, as the MPC defines them: TT − UT follows Espenak & Meeus (NASA/TP-2006-214141).
Leap seconds come with ERFA; a date in UTC counts days of 86,400 seconds.
"""

import erfa
import numpy as np
import numpy.typing as npt

Dates = float | npt.NDArray[np.float64]

TT_MINUS_TAI_S = 32.184
_DAY_S = 86_400.0
_1972 = 41_317.0
_1900 = 15_019.8
# Espenak & Meeus: first year, year that counts as nought, coefficients of TT − UT in seconds from the highest power
_DELTA_T = (
    (1900.0, 1900.0, (-0.000197, 0.0061966, -0.0598939, 1.494119, -2.79)),
    (1920.0, 1920.0, (0.0020936, -0.076100, 0.84493, 21.20)),
    (1941.0, 1950.0, (1 / 2547, -1 / 233, 0.407, 29.07)),
    (1961.0, 1975.0, (-1 / 718, -1 / 260, 1.067, 45.45)),
)


def tai_from_utc(mjd_utc: Dates) -> npt.NDArray[np.float64]:
    """MJD TAI of MJD UTC (before 1972: of Universal Time)."""
    utc = np.asarray(mjd_utc, float)
    return utc + tai_minus_utc_s(utc) / _DAY_S


def utc_from_tai(mjd_tai: Dates) -> npt.NDArray[np.float64]:
    """MJD UTC of MJD TAI; the instants of a leap second take the name of the second after it."""
    tai = np.asarray(mjd_tai, float)
    guess = tai - tai_minus_utc_s(tai) / _DAY_S
    return tai - tai_minus_utc_s(guess) / _DAY_S


def tai_from_tt(mjd_tt: Dates) -> npt.NDArray[np.float64]:
    """MJD TAI of MJD TT."""
    return np.asarray(mjd_tt, float) - TT_MINUS_TAI_S / _DAY_S


def tdb_from_tai(mjd_tai: Dates) -> npt.NDArray[np.float64]:
    """MJD TDB of MJD TAI, good to 10 µs from 1600 to 2200 (Kaplan 2005, USNO Circular 179, eq. 2.6)."""
    tt = np.asarray(mjd_tai, float) + TT_MINUS_TAI_S / _DAY_S
    return tt + _tdb_minus_tt_s(tt) / _DAY_S


def tai_from_tdb(mjd_tdb: Dates) -> npt.NDArray[np.float64]:
    """MJD TAI of MJD TDB."""
    tdb = np.asarray(mjd_tdb, float)
    # TDB − TT changes by 3e-15 of the millisecond between the two arguments
    return tdb - (_tdb_minus_tt_s(tdb) + TT_MINUS_TAI_S) / _DAY_S


def tai_minus_utc_s(mjd_utc: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """TAI − UTC in seconds; before 1972 TAI − UT."""
    offset = np.concatenate([[np.nan], _LEAP_OFFSETS])[np.searchsorted(_LEAP_DATES, mjd_utc, side="right")]
    return np.where(mjd_utc < _1972, _delta_t_s(mjd_utc) - TT_MINUS_TAI_S, offset)


def _leap_seconds() -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    table = erfa.leap_seconds.get()
    table = table[table["year"] >= 1972]
    _, mjd = erfa.cal2jd(table["year"], table["month"], 1)
    return np.asarray(mjd, float), np.asarray(table["tai_utc"], float)


_LEAP_DATES, _LEAP_OFFSETS = _leap_seconds()


def _delta_t_s(mjd: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    year = 1900.0 + (mjd - _1900) / 365.25
    pieces = [np.polyval(coefficients, year - zero) for _, zero, coefficients in _DELTA_T]
    which = np.searchsorted([first for first, _, _ in _DELTA_T], year, side="right") - 1
    return np.choose(np.clip(which, 0, len(pieces) - 1), pieces)


def _tdb_minus_tt_s(mjd: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    t = (mjd - 51_544.5) / 36_525
    return (
        0.001657 * np.sin(628.3076 * t + 6.2401)
        + 0.000022 * np.sin(575.3385 * t + 4.2970)
        + 0.000014 * np.sin(1256.6152 * t + 6.1969)
        + 0.000005 * np.sin(606.9777 * t + 4.0212)
        + 0.000005 * np.sin(52.9691 * t + 0.4444)
        + 0.000002 * np.sin(21.3299 * t + 5.5431)
        + 0.000010 * t * np.sin(628.3076 * t + 4.2490)
    )
