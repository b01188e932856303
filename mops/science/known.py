"""Known objects in one night: their states and covariances at its middle, and where on the sky each can be seen.

Orbits are carried to the middle of the night once, with the planets' pull. From there every place of the night is one
step of Kepler's problem away: within half a day planets pull a main-belt object at most 0.4 mas off that, and an
object 0.1 au from the Earth 25 mas.
"""

from dataclasses import dataclass
from typing import Any

import healpy
import numba
import numpy as np
import numpy.typing as npt

from mops.science import ephemeris, kepler, observers, time_scales
from mops.science.constants import AU_KM, C_AU_PER_DAY, RADIUS_EARTH_KM
from mops.science.propagation import propagate_nbody, with_covariance

NSIDE = 32  # cells of 1.8°: a visit of 1.75° radius looks into about ten
SLOW_REACH_DEG = 1.0  # what moves farther in a night is looked for by itself in each visit
PULLED_AU = 0.15  # within it the Earth's pull in half a night is more than 10 mas
NEAR_AU = 0.05  # nearer to the observer an object's path across a night is too bent to bound
BLOCK = 50_000  # orbits whose transition matrices are in memory at once
EARTH_AU = RADIUS_EARTH_KM / AU_KM

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class NightStates:
    """`k` objects at the middle of a night.

    middle_mjd_tdb : float.  half_days : how far from it the night's times are, at most.  states : (k, 6), heliocentric,
    ICRF, au and au/day.  covariance : (k, 6, 6) of them; zero where the orbit came without one.  sun_motion : (3,),
    barycentric, au/day.  direction : (k, 3), unit vectors towards them from the Earth's centre.  reach : (k,), radians,
    by how much they may be elsewhere during the night, for any observer on the Earth.
    """

    middle_mjd_tdb: float
    half_days: float
    states: Floats
    covariance: Floats
    sun_motion: Floats
    direction: Floats
    reach: Floats

    def __len__(self) -> int:
        return len(self.states)


@dataclass(frozen=True, slots=True)
class SkyIndex:
    """Objects by the HEALPix cell they are in at the middle of the night; the fast ones apart."""

    order: Indices
    first: Indices
    fast: Indices

    def near(self, centre: Floats, radius: float) -> Indices:
        """Objects (indices, ascending) that may come within `radius` (radians) of the unit vector `centre`."""
        reach = min(radius + np.radians(SLOW_REACH_DEG), np.pi)
        cells = healpy.query_disc(NSIDE, centre, reach, inclusive=True, fact=4)
        parts = [self.order[self.first[cell] : self.first[cell + 1]] for cell in cells]
        found: Indices = np.sort(np.concatenate([*parts, self.fast]))
        return found


def in_the_night(states: Floats, epochs: Floats, covariances: Floats | None, mjd_tai: Floats) -> NightStates:
    """Carry orbits to the middle of the times `mjd_tai` of one night.

    Parameters
    ----------
    states : (k, 6), heliocentric, ICRF, au and au/day.  epochs : (k,), MJD TDB.
    covariances : (k, 6, 6) or None; one that is not finite counts as zero.
    mjd_tai : (m,), at least one. ValueError where they are not finite or span more than two days.
    """
    if len(mjd_tai) == 0 or not np.isfinite(mjd_tai).all() or np.ptp(mjd_tai) > 2:
        span = np.ptp(mjd_tai) if len(mjd_tai) else 0
        raise ValueError(f"One night's times are expected; there are {len(mjd_tai)}, and they span {span:.1f} days.")
    middle_tai = 0.5 * (np.min(mjd_tai) + np.max(mjd_tai))
    middle = float(time_scales.tdb_from_tai(np.array([middle_tai]))[0])
    there, covariance = carried(states, epochs, covariances, middle)
    earth, earth_motion = ephemeris.earth(np.array([middle]))
    _, sun_motion = ephemeris.barycentric("sun", np.array([middle]))
    half_days = 0.5 * float(np.ptp(mjd_tai))
    line = there[:, :3] - earth
    distance = np.linalg.norm(line, axis=1)
    across = np.linalg.norm(there[:, 3:] - earth_motion, axis=1) / distance
    reach = 1.5 * across * (half_days + distance / C_AU_PER_DAY) + 2 * EARTH_AU / distance
    reach = np.where(distance < NEAR_AU, np.pi, np.minimum(reach, np.pi))
    return NightStates(middle, half_days, there, covariance, sun_motion[0], line / distance[:, None], reach)


def carried(
    states: Floats, epochs: float | Floats, covariances: Floats | None, to_mjd_tdb: float
) -> tuple[Floats, Floats]:
    """States (k, 6) and covariances (k, 6, 6) at another time, by N-body motion and its transition matrix.

    NaN, and a covariance of zero, where an orbit cannot be followed so far (it is not finite, or meets the Sun or a
    planet) or its epoch is outside DE440's excerpt.
    """
    states = np.asarray(states, np.float64).reshape(-1, 6)
    epoch = np.broadcast_to(np.asarray(epochs, np.float64), len(states))
    moved, covariance = np.full((len(states), 6), np.nan), np.zeros((len(states), 6, 6))
    within = (epoch > ephemeris.FIRST_MJD_TDB) & (epoch < ephemeris.LAST_MJD_TDB) & np.isfinite(states).all(axis=1)
    if covariances is None:
        moved[within] = propagate_nbody(states[within], epoch[within], to_mjd_tdb)
        return moved, covariance
    for start in range(0, len(states), BLOCK):
        which = start + np.flatnonzero(within[start : start + BLOCK])
        sound = np.array(covariances[which])
        sound[~np.isfinite(sound).all(axis=(1, 2))] = 0.0
        moved[which], covariance[which] = with_covariance(states[which], sound, epoch[which], to_mjd_tdb)
    covariance[~np.isfinite(covariance).all(axis=(1, 2))] = 0.0
    return moved, covariance


def near_the_earth(night: NightStates) -> Indices:
    """Objects that the Earth pulls too far off a two-body path for one night: carry these to each visit by itself."""
    place, _ = ephemeris.earth(np.array([night.middle_mjd_tdb]))
    return np.flatnonzero(np.linalg.norm(night.states[:, :3] - place, axis=1) < PULLED_AU)


def index(night: NightStates, without: Indices | None = None) -> SkyIndex:
    """Sort the objects into cells. Those that are not numbers, and those in `without`, are left out."""
    finite = np.isfinite(night.reach) & np.isfinite(night.direction).all(axis=1)
    finite[without if without is not None else []] = False
    slow = np.flatnonzero(finite & (night.reach <= np.radians(SLOW_REACH_DEG)))
    cells = healpy.vec2pix(NSIDE, *night.direction[slow].T) if len(slow) else np.empty(0, np.int64)
    order = np.argsort(cells, kind="stable")
    first = np.searchsorted(cells[order], np.arange(healpy.nside2npix(NSIDE) + 1))
    return SkyIndex(slow[order], first, np.flatnonzero(finite & (night.reach > np.radians(SLOW_REACH_DEG))))


def lines_of_sight(night: NightStates, which: Indices, mjd_tdb: Floats, observer: Floats) -> Floats:
    """From observers (n, 3), heliocentric, to the objects `which` (n,) as seen at `mjd_tdb` (n,): (n, 3), au, ICRF."""
    line = np.empty((len(which), 3))
    since = np.ascontiguousarray(mjd_tdb - night.middle_mjd_tdb)
    _lines(night.states, np.asarray(which, np.int64), since, np.ascontiguousarray(observer), night.sun_motion, line)
    return line


def sky_covariance(night: NightStates, which: Indices, mjd_tdb: Floats, line: Floats) -> Floats:
    """Of the places of `which` (n,) seen along `line` (n, 3): (n, 3), variance east, covariance, north, arcsec²."""
    found = np.empty((len(which), 3))
    since = np.ascontiguousarray(mjd_tdb - night.middle_mjd_tdb)
    _projections(night.covariance, np.asarray(which, np.int64), since, line, found)
    return found


def warm_up() -> None:
    """Compile, so that no night waits for it."""
    state = np.array([[2.5, 0.0, 0.0, 0.0, 0.011, 0.001]])
    times = np.array([60_400.0, 60_400.3])
    night = in_the_night(state, np.array([60_400.0]), np.eye(6)[None] * 1e-14, times)
    place = observers.heliocentric("X05", times[:1])[0]
    line = lines_of_sight(night, np.zeros(1, np.int64), times[:1], place)
    sky_covariance(night, np.zeros(1, np.int64), times[:1], line)


@numba.njit(cache=True, nogil=True)
def _lines(states: Any, which: Any, since: Any, observer: Any, sun_motion: Any, line: Any) -> None:
    then = np.empty(6)
    for row in range(len(which)):
        line_of_sight(states[which[row]], since[row], observer[row], sun_motion, 3, then, line[row])


@numba.njit(cache=True, nogil=True)
def line_of_sight(
    state: Any, since: float, observer: Any, sun_motion: Any, repetitions: int, then: Any, line: Any
) -> float:
    """Write the line from `observer` to a body seen `since` days after `state`, corrected for light time; its length.

    Each repetition gives four digits more of the light time. `then` (6,) becomes the heliocentric state at emission.
    """
    delay, distance = 0.0, 0.0
    for _ in range(repetitions + 1):
        kepler.propagate_one(state, since - delay, then)
        distance = 0.0
        for axis in range(3):
            line[axis] = then[axis] - observer[axis] - delay * sun_motion[axis]
            distance += line[axis] * line[axis]
        distance = np.sqrt(distance)
        delay = distance / C_AU_PER_DAY
    return distance


@numba.njit(cache=True, nogil=True)
def _projections(covariance: Any, which: Any, since: Any, line: Any, found: Any) -> None:
    for row in range(len(which)):
        found[row, 0], found[row, 1], found[row, 2] = project(covariance[which[row]], since[row], line[row])


@numba.njit(cache=True, nogil=True)
def project(covariance: Any, since: float, line: Any) -> tuple[float, float, float]:
    """Variance east, covariance and variance north of a place, arcsec²: within a night position error grows by its
    velocity's alone (what gravity adds is 1e-4 of it)."""
    flat = np.sqrt(line[0] ** 2 + line[1] ** 2)
    distance = np.sqrt(flat**2 + line[2] ** 2)
    cos, sin = (line[0] / flat, line[1] / flat) if flat > 0 else (1.0, 0.0)
    up, out = flat / distance, line[2] / distance
    north = (-out * cos, -out * sin, up)
    east = (-sin, cos, 0.0)
    ee, en, nn = 0.0, 0.0, 0.0
    for i in range(3):
        for j in range(3):
            c = covariance[i, j] + since * (covariance[i, 3 + j] + covariance[3 + i, j])
            c += since * since * covariance[3 + i, 3 + j]
            ee += east[i] * c * east[j]
            en += east[i] * c * north[j]
            nn += north[i] * c * north[j]
    scale = (206_264.806_247_096_37 / distance) ** 2
    return ee * scale, en * scale, nn * scale
