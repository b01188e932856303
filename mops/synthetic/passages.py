"""Which object stands in which field: every object of a night against every visit, then the exact place of the few.

The first look moves each object along a straight line in space from the middle of the night and lets the observer move
as he does; what that neglects over half a night is less than `SLACK_DEG`. The second solves Kepler's problem with light
time for what remains, so that no interpolation enters a place.
"""

import numba
import numpy as np
import numpy.typing as npt

from mops.science.constants import C_AU_PER_DAY
from mops.science.kepler import propagate_one
from mops.synthetic.brightness import v_magnitude

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

SLACK_DEG = 0.25
NEAR_AU = 0.02  # nearer objects are taken to the exact look whatever the straight line says
OBSERVER_SPEED = 0.018  # au/day, more than the Earth's motion and rotation
LIGHT_TIME_STEPS = 3  # each gains a factor of v/c ≈ 1e-4: the third is below a nanoarcsecond


@numba.njit(cache=True, nogil=True)
def in_fields(
    state: Array, mid_tdb: float, tdb: Array, observer: Array, centre: Array, radius: float, found: Indices
) -> int:
    """Pairs of (visit, object) that may be in the field.

    Parameters
    ----------
    state
        (n, 6), at `mid_tdb`.
    tdb, observer, centre
        Of the visits: (m,), heliocentric (m, 3), unit vectors (m, 3).
    radius
        Radians, with the slack.
    found
        (k, 2), filled as far as it reaches.

    Returns
    -------
    int
        How many pairs there are; where that is more than k, call again with more room.
    """
    cosine = np.cos(radius)
    half_span = max(tdb.max() - mid_tdb, mid_tdb - tdb.min())
    middle = observer[len(observer) // 2]
    by_height = np.argsort(centre[:, 2])
    heights = np.arcsin(centre[by_height, 2])
    count = 0
    for item in range(len(state)):
        low, high = _heights_within_reach(state[item], middle, radius, half_span)
        for at in range(np.searchsorted(heights, low), np.searchsorted(heights, high)):
            visit = by_height[at]
            since = tdb[visit] - mid_tdb
            x = state[item, 0] + since * state[item, 3] - observer[visit, 0]
            y = state[item, 1] + since * state[item, 4] - observer[visit, 1]
            z = state[item, 2] + since * state[item, 5] - observer[visit, 2]
            along = x * centre[visit, 0] + y * centre[visit, 1] + z * centre[visit, 2]
            squared = x * x + y * y + z * z
            if low < -2.0 or (along > 0 and along * along >= cosine * cosine * squared):
                if count < len(found):
                    found[count, 0] = visit
                    found[count, 1] = item
                count += 1
    return count


@numba.njit(cache=True, nogil=True)
def _heights_within_reach(state: Array, observer: Array, radius: float, half_span: float) -> tuple[float, float]:
    """Declinations (radians) of fields that may hold the object within `half_span` days; all where it is near."""
    x, y, z = state[0] - observer[0], state[1] - observer[1], state[2] - observer[2]
    delta = np.sqrt(x * x + y * y + z * z)
    speed = np.sqrt(state[3] ** 2 + state[4] ** 2 + state[5] ** 2) + OBSERVER_SPEED
    if delta - speed * half_span < NEAR_AU:
        return -4.0, 4.0
    reach = radius + np.arcsin(speed * half_span / delta)
    declination = np.arcsin(z / delta)
    return declination - reach, declination + reach


@numba.njit(cache=True, nogil=True)
def places(
    pairs: Indices, state: Array, epoch: Array, tdb: Array, observer: Array, h: Array, g: Array, out: Array
) -> None:
    """Apparent places of pairs of (visit, object): two-body motion, light time, no aberration of the observer's motion.

    Parameters
    ----------
    pairs
        (k, 2), indices of visits and objects.
    state, epoch
        Of the pairs' objects, (k, 6) at epochs (k,), MJD TDB.
    tdb, observer
        Of the visits, (m,) and (m, 3).
    h, g
        Of the objects, (n,).
    out
        (k, 4), filled with the unit vector to the object and its V magnitude.
    """
    moved = np.empty(6)
    for pair in range(len(pairs)):
        visit, item = pairs[pair, 0], pairs[pair, 1]
        light_days = 0.0
        x = y = z = delta = 0.0
        for _ in range(LIGHT_TIME_STEPS + 1):
            propagate_one(state[pair], tdb[visit] - light_days - epoch[pair], moved)
            x = moved[0] - observer[visit, 0]
            y = moved[1] - observer[visit, 1]
            z = moved[2] - observer[visit, 2]
            delta = np.sqrt(x * x + y * y + z * z)
            light_days = delta / C_AU_PER_DAY
        r = np.sqrt(moved[0] ** 2 + moved[1] ** 2 + moved[2] ** 2)
        sun_observer = np.sqrt(observer[visit, 0] ** 2 + observer[visit, 1] ** 2 + observer[visit, 2] ** 2)
        out[pair, 0] = x / delta
        out[pair, 1] = y / delta
        out[pair, 2] = z / delta
        out[pair, 3] = v_magnitude(h[item], g[item], r, delta, sun_observer)


@numba.njit(cache=True, nogil=True)
def night_states(state: Array, since: float, observer: Array, h: Array, g: Array, out: Array) -> None:
    """States `since` days after the epoch and V magnitudes seen from one place: out (n, 7)."""
    sun_observer = np.sqrt(observer[0] ** 2 + observer[1] ** 2 + observer[2] ** 2)
    for item in range(len(state)):
        propagate_one(state[item], since, out[item, :6])
        x, y, z = out[item, 0] - observer[0], out[item, 1] - observer[1], out[item, 2] - observer[2]
        delta = np.sqrt(x * x + y * y + z * z)
        r = np.sqrt(out[item, 0] ** 2 + out[item, 1] ** 2 + out[item, 2] ** 2)
        out[item, 6] = v_magnitude(h[item], g[item], r, delta, sun_observer)


def warm_up() -> None:
    """Compile the kernels."""
    circular = np.array([[2.0, 0.0, 0.0, 0.0, 0.012, 0.0]])
    one, day, observer = np.array([15.0]), np.array([60000.0]), np.array([[1.0, 0.0, 0.0]])
    found = np.zeros((4, 2), dtype=np.int64)
    in_fields(circular, 60000.0, day, observer, np.array([[1.0, 0.0, 0.0]]), 0.03, found)
    places(found[:1], circular, day, day, observer, one, one * 0.01, np.empty((1, 4)))
    night_states(circular, 0.5, observer[0], one, one * 0.01, np.empty((1, 7)))
