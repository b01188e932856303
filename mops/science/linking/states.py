"""What each tracklet would be under a hypothesis of its distance from the Sun, moved to one reference time.

A hypothesis says how the heliocentric distance goes with time. With it the direction becomes a place and the rate a
velocity (Holman et al. 2018, AJ 156:135; Heinze et al. 2022), Kepler's motion takes them to the reference time, and
there they are seen again from the Earth's place at that time: direction and rate. Tracklets of one object fall together
in those four coordinates, and an error of the hypothesis, which moves them along the line of sight, hardly shows.
"""

import math
from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from mops.science.constants import C_AU_PER_DAY, GM_SUN
from mops.science.detections import Detections
from mops.science.time_scales import tdb_from_tai
from mops.science.tracklets import Tracklets

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Sightings:
    """`n` tracklets as rows of numbers: float64 (n, 13).

    0 MJD TDB less the reference's; 1-3 direction; 4-6 its rate (per day); 7-9 and 10-12 the observer's heliocentric
    place and velocity (au, au/day), all at the mean time.
    """

    rows: Floats

    @classmethod
    def of(cls, detections: Detections, tracklets: Tracklets, reference_mjd_tdb: float) -> "Sightings":
        """The tracklets as seen from their observers."""
        ra, dec = np.radians(tracklets.ra), np.radians(tracklets.dec)
        rate_ra, rate_dec = np.radians(tracklets.rate_ra), np.radians(tracklets.rate_dec)
        rows = np.empty((len(tracklets), 13))
        rows[:, 0] = tdb_from_tai(tracklets.mjd_tai) - reference_mjd_tdb
        rows[:, 1:4] = np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=1)
        east = np.stack([-np.sin(ra), np.cos(ra), np.zeros_like(ra)], axis=1)
        north = np.stack([-np.sin(dec) * np.cos(ra), -np.sin(dec) * np.sin(ra), np.cos(dec)], axis=1)
        rows[:, 4:7] = rate_ra[:, None] * east + rate_dec[:, None] * north
        first, last = tracklets.members[tracklets.first[:-1]], tracklets.members[tracklets.first[1:] - 1]
        begin, end = detections.mjd_tai[first], detections.mjd_tai[last]
        velocity = (detections.observer[last] - detections.observer[first]) / (end - begin)[:, None]
        rows[:, 7:10] = detections.observer[first] + velocity * (tracklets.mjd_tai - begin)[:, None]
        rows[:, 10:13] = velocity
        return cls(rows)


@numba.njit(cache=True, nogil=True)
def state(row: Floats, r0: float, rdot: float, rddot: float, far: float, out: Floats) -> float:
    """Heliocentric state (6,) at the reference time of one sighting under r(t) = r0 + rdot t + rddot t² / 2.

    `far` is 1 for the farther of the two places at which a line of sight can meet the sphere (the only one where the
    observer is inside it) and −1 for the nearer. Returns the distance from the observer then, au; 0 where the line
    does not meet the sphere.
    """
    t = row[0]
    r = r0 + t * (rdot + 0.5 * rddot * t)
    r_rate = rdot + rddot * t
    along = row[1] * row[7] + row[2] * row[8] + row[3] * row[9]
    squared = row[7] * row[7] + row[8] * row[8] + row[9] * row[9]
    under = r * r - squared + along * along
    if under <= 0.0 or r <= 0.0:
        return 0.0
    root = far * math.sqrt(under)  # x · L
    delta = root - along
    if delta <= 0.0 or abs(root) < 1e-3 * r:
        return 0.0
    x, y, z = row[7] + delta * row[1], row[8] + delta * row[2], row[9] + delta * row[3]
    # r r' = x · v with v = O' + delta' L + delta L'
    turned_x, turned_y, turned_z = row[10] + delta * row[4], row[11] + delta * row[5], row[12] + delta * row[6]
    delta_rate = (r * r_rate - x * turned_x - y * turned_y - z * turned_z) / root
    u, v, w = turned_x + delta_rate * row[1], turned_y + delta_rate * row[2], turned_z + delta_rate * row[3]
    _propagate_by_series(x, y, z, u, v, w, delta / C_AU_PER_DAY - t, out)
    return float(delta)


@numba.njit(cache=True, nogil=True)
def _propagate_by_series(x: float, y: float, z: float, u: float, v: float, w: float, t: float, out: Floats) -> None:
    """Lagrange's f and g to the fifth order (Bate, Mueller & White 1971, eq. 5.5-21): 1e-6 au in 15 days at 1 au."""
    squared = x * x + y * y + z * z
    m = GM_SUN / (squared * math.sqrt(squared))
    p = (x * u + y * v + z * w) / squared
    q = (u * u + v * v + w * w) / squared - m
    f4, f5 = m * (m + 3.0 * q - 15.0 * p * p) / 24.0, m * p * (7.0 * p * p - m - 3.0 * q) / 8.0
    g5 = m * (m + 9.0 * q - 45.0 * p * p) / 120.0
    f = 1.0 + t * t * (-0.5 * m + t * (0.5 * m * p + t * (f4 + t * f5)))
    g = t * (1.0 + t * t * (-m / 6.0 + t * (0.25 * m * p + t * g5)))
    f_dot = t * (-m + t * (1.5 * m * p + t * (4.0 * f4 + t * 5.0 * f5)))
    g_dot = 1.0 + t * t * (-0.5 * m + t * (m * p + t * 5.0 * g5))
    out[0], out[1], out[2] = f * x + g * u, f * y + g * v, f * z + g * w
    out[3], out[4], out[5] = f_dot * x + g_dot * u, f_dot * y + g_dot * v, f_dot * z + g_dot * w
