"""The least distance between two Keplerian orbits (MOID), and where on both it happens.

From a point of the object's orbit the nearest point of the reference ellipse is known exactly, so that the distance is
a function of one anomaly, and each of its minima lies between two samples where its derivative goes from − to +. The
idea of one free anomaly is Gronchi's (2005, Celest. Mech. 93, 295) and Wiśniowski & Rickman's (2013, Acta Astron. 63,
293); the nearest point of an ellipse is the one root of Hedo et al. (2018, A&A 619, A83, §2) on the side of the point.
"""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from mops.science.constants import AU_KM, GM_SUN, OBLIQUITY

SAMPLES = 512  # of the object's orbit: minima closer together than 0.7° of true anomaly could hide one another
HALVINGS = 46  # of a bracket of 2π/512: to 2e-16 rad
J2000_MJD = 51_544.5
DAY_S = 86_400.0

Floats = npt.NDArray[np.float64]


_ON_THE_AXIS = 1e-10  # of b²: nearer to the evolute's cusp than this, t + a² has no digits left


@dataclass(frozen=True, slots=True)
class Conic:
    """One heliocentric Keplerian orbit in space.

    `p` : semi-latus rectum, au.  `e` : eccentricity.  `perihelion`, `ahead`, `pole` : unit vectors (3,), ICRF, towards
    perihelion, 90° of true anomaly ahead of it, and along the angular momentum.
    """

    p: float
    e: float
    perihelion: Floats
    ahead: Floats
    pole: Floats


@dataclass(frozen=True, slots=True)
class Moids:
    """What APDB's SSObject keeps of `n` objects; NaN where the state is not a number or moves straight at the Sun.

    moid : (n,), au (`MOIDEarth`).  delta_v : (n,), km/s, relative speed there (`MOIDEarthDeltaV`).
    ecliptic_longitude : (n,), degrees [0, 360), of the reference orbit's point (`MOIDEarthEclipticLongitude`).
    true_anomaly, true_anomaly_object : (n,), degrees [0, 360), on the reference orbit and on the object's.
    """

    moid: Floats
    delta_v: Floats
    ecliptic_longitude: Floats
    true_anomaly: Floats
    true_anomaly_object: Floats


def earths_orbit(mjd_tdb: float = J2000_MJD) -> Conic:
    """The mean orbit of the Earth–Moon barycentre at `mjd_tdb`, without the Moon's monthly swing.

    Standish & Williams, "Keplerian elements for approximate positions of the major planets" (JPL), table 1, 1800–2050.
    """
    centuries = (mjd_tdb - J2000_MJD) / 36_525
    a, e = 1.00000261 + 0.00000562 * centuries, 0.01671123 - 0.00004392 * centuries
    inclination = np.radians(-0.00001531 - 0.01294668 * centuries)
    longitude_of_perihelion = np.radians(102.93768193 + 0.32327364 * centuries)  # the node of this table is 0
    cos_w, sin_w = np.cos(longitude_of_perihelion), np.sin(longitude_of_perihelion)
    cos_i, sin_i = np.cos(inclination), np.sin(inclination)
    perihelion = _from_ecliptic(np.array([cos_w, sin_w * cos_i, sin_w * sin_i]))
    ahead = _from_ecliptic(np.array([-sin_w, cos_w * cos_i, cos_w * sin_i]))
    return Conic(a * (1 - e**2), e, perihelion, ahead, np.cross(perihelion, ahead))


def conic_of(state: Floats) -> Conic:
    """The orbit of one heliocentric state (6,), au and au/day, ICRF.

    Raises ValueError where the state has no orbit plane (it is not finite, or its velocity points along its position).
    """
    row = np.empty(11)
    if not _conic(np.asarray(state, np.float64), GM_SUN, row):
        raise ValueError(
            f"The state {state} has no orbit plane: position and velocity must be finite and not parallel."
        )
    return Conic(row[0], row[1], row[2:5].copy(), row[5:8].copy(), row[8:11].copy())


def moids(states: Floats, reference: Conic | None = None) -> Moids:
    """The MOID of each orbit to a reference ellipse, by default `earths_orbit()`.

    Parameters
    ----------
    states : float64 (n, 6), heliocentric, ICRF, au and au/day; elliptic, parabolic or hyperbolic.
    reference : an ellipse. ValueError where it is open.
    """
    reference = earths_orbit() if reference is None else reference
    if not reference.e < 1:
        raise ValueError(f"The reference orbit has e = {reference.e:.4f}; an ellipse (e < 1) is expected.")
    packed = np.concatenate([[reference.p, reference.e], reference.perihelion, reference.ahead, reference.pole])
    found = np.full((len(states), 6), np.nan)
    _all(np.ascontiguousarray(states, np.float64).reshape(-1, 6), packed, GM_SUN, found)
    point = found[:, 2, None] * reference.perihelion + found[:, 3, None] * reference.ahead
    x, y = point[:, 0], np.cos(OBLIQUITY) * point[:, 1] + np.sin(OBLIQUITY) * point[:, 2]
    return Moids(
        moid=found[:, 0],
        delta_v=found[:, 4] * AU_KM / DAY_S,
        ecliptic_longitude=np.degrees(np.arctan2(y, x)) % 360,
        true_anomaly=np.degrees(np.arctan2(found[:, 3], found[:, 2])) % 360,
        true_anomaly_object=np.degrees(found[:, 1]) % 360,
    )


def warm_up() -> None:
    """Compile, so that no night waits for it."""
    moids(np.array([[1.5, 0.0, 0.1, 0.0, 0.015, 0.0]]))


def _from_ecliptic(vector: Floats) -> Floats:
    cos, sin = np.cos(OBLIQUITY), np.sin(OBLIQUITY)
    return np.array([vector[0], cos * vector[1] - sin * vector[2], sin * vector[1] + cos * vector[2]])


@numba.njit(cache=True, nogil=True)
def _all(states: Any, reference: Any, mu: float, found: Any) -> None:
    """Rows of `found`: MOID, ν of the object, the reference's point in its own plane (x, y), relative speed au/day."""
    orbit, axes, steps, slopes = np.empty(11), np.empty(7), np.empty(SAMPLES + 1), np.empty(SAMPLES + 1)
    for index in range(len(states)):
        if _conic(states[index], mu, orbit):
            _in_plane_of(reference, orbit, axes)
            _one(orbit, reference, axes, mu, steps, slopes, found[index])


@numba.njit(cache=True, nogil=True)
def _conic(state: Any, mu: float, orbit: Any) -> bool:
    """p, e and the axes (Laplace's vector; where it vanishes, towards the body); False where there is no plane."""
    r, v, h = state[:3], state[3:], np.cross(state[:3], state[3:])
    distance, momentum = np.sqrt(np.dot(r, r)), np.sqrt(np.dot(h, h))
    if not (momentum > 1e-12 * distance * np.sqrt(np.dot(v, v)) and np.isfinite(momentum)):
        return False
    laplace = np.cross(v, h) / mu - r / distance
    e = np.sqrt(np.dot(laplace, laplace))
    orbit[0], orbit[1] = momentum**2 / mu, e
    orbit[2:5] = laplace / e if e > 1e-10 else r / distance
    orbit[8:11] = h / momentum
    orbit[5:8] = np.cross(orbit[8:11], orbit[2:5])
    return True


@numba.njit(cache=True, nogil=True)
def _in_plane_of(reference: Any, orbit: Any, axes: Any) -> None:
    """The object's perihelion and ahead axes in the frame of the reference orbit: x, y, z of each, then its ν limit.

    Beyond r = Q + q + q′ no point of the object's orbit can be nearer than the two perihelia are to each other.
    """
    for axis in range(3):
        side = reference[2 + 3 * axis : 5 + 3 * axis]
        axes[axis], axes[3 + axis] = np.dot(orbit[2:5], side), np.dot(orbit[5:8], side)
    p, e = orbit[0], orbit[1]
    farthest = reference[0] / (1 - reference[1]) + reference[0] / (1 + reference[1]) + p / (1 + e)
    axes[6] = np.pi if e < 1 and p / (1 - e) <= farthest else np.arccos((p / farthest - 1) / e)


@numba.njit(cache=True, nogil=True)
def _one(orbit: Any, reference: Any, axes: Any, mu: float, anomalies: Any, slopes: Any, found: Any) -> None:
    point = np.empty(3)
    found[0] = np.inf
    for index in range(SAMPLES + 1):
        anomalies[index] = axes[6] * (2 * index / SAMPLES - 1)
        slopes[index] = _slope(anomalies[index], orbit, reference, axes, point)
        _keep(anomalies[index], point, found)
    for index in range(SAMPLES):
        if slopes[index] <= 0 and slopes[index + 1] >= 0:
            low, high = anomalies[index], anomalies[index + 1]
            for _ in range(HALVINGS):
                middle = 0.5 * (low + high)
                if _slope(middle, orbit, reference, axes, point) < 0:
                    low = middle
                else:
                    high = middle
            _slope(high, orbit, reference, axes, point)
            _keep(high, point, found)
    found[4] = _relative_speed(found, orbit, reference, axes, mu)


@numba.njit(cache=True, nogil=True)
def _keep(anomaly: float, point: Any, found: Any) -> None:
    if point[2] < found[0]:
        found[0], found[1], found[2], found[3] = point[2], anomaly, point[0], point[1]


@numba.njit(cache=True, nogil=True)
def _slope(anomaly: float, orbit: Any, reference: Any, axes: Any, point: Any) -> Any:
    """Half of d(distance²)/dν, divided by r: the nearest point moves along the ellipse, so only the object's motion
    counts. `point` becomes the reference's nearest point (x, y in its plane, au) and the distance."""
    cos, sin, e = np.cos(anomaly), np.sin(anomaly), orbit[1]
    r = orbit[0] / (1 + e * cos)
    bend = e * sin / (1 + e * cos)  # (dr/dν) / r
    x = r * (cos * axes[0] + sin * axes[3])
    y = r * (cos * axes[1] + sin * axes[4])
    z = r * (cos * axes[2] + sin * axes[5])
    _nearest(x, y, reference[0], reference[1], point)
    dx, dy = x - point[0], y - point[1]
    point[2] = np.sqrt(dx * dx + dy * dy + z * z)
    along, across = bend * cos - sin, bend * sin + cos
    return (
        dx * (along * axes[0] + across * axes[3])
        + dy * (along * axes[1] + across * axes[4])
        + z * (along * axes[2] + across * axes[5])
    )


@numba.njit(cache=True, nogil=True)
def _nearest(x: float, y: float, p: float, e: float, point: Any) -> None:
    """The nearest point of the ellipse, focus at the origin, to (x, y).

    With a ≥ b the half axes and u, v ≥ 0 the point from the centre, the nearest is a²u/(t+a²), b²v/(t+b²), where t is
    the only root above −b² of (au/(t+a²))² + (bv/(t+b²))² = 1. That function falls and is convex, so Newton from its
    left, max(au − a², bv − b²), climbs to the root without passing it.
    """
    a = p / (1 - e * e)
    aa, bb = a * a, a * p
    b, centre = np.sqrt(bb), -a * e
    u, v = abs(x - centre), abs(y) if abs(y) > 1e-14 * b else 0.0
    t = max(a * u - aa, b * v - bb)
    near_u, near_v = a, 0.0
    if v > 0 or t + bb > _ON_THE_AXIS * bb:
        for _ in range(60):
            f, g = a * u / (t + aa), b * v / (t + bb) if v > 0 else 0.0
            excess = f * f + g * g - 1
            step = excess / (2 * (f * f / (t + aa) + (g * g / (t + bb) if v > 0 else 0.0)))
            t += step
            if not step > 1e-15 * (t + aa):
                break
        near_u, near_v = aa * u / (t + aa), bb * v / (t + bb) if v > 0 else 0.0
    if v == 0 and t + bb <= _ON_THE_AXIS * bb:  # on the major axis inside the evolute: the two nearest are off it
        near_u = min(aa * u / (aa - bb), a) if aa > bb else 0.0
        near_v = b * np.sqrt(max(1 - (near_u / a) ** 2, 0.0))
    size = np.sqrt((near_u / a) ** 2 + (near_v / b) ** 2)  # 1, but for the digits that a point near the centre costs
    near_u, near_v = near_u / size, near_v / size
    point[0] = centre + np.copysign(near_u, x - centre)
    point[1] = np.copysign(near_v, y)


@numba.njit(cache=True, nogil=True)
def _relative_speed(found: Any, orbit: Any, reference: Any, axes: Any, mu: float) -> Any:
    """|v − v′| in au/day: each velocity is √(μ/p) (−sin ν, e + cos ν) in its own plane."""
    scale, own = np.sqrt(mu / orbit[0]), np.sqrt(mu / reference[0])
    v_p, v_a = -np.sin(found[1]) * scale, (orbit[1] + np.cos(found[1])) * scale
    r = np.sqrt(found[2] ** 2 + found[3] ** 2)
    vx = v_p * axes[0] + v_a * axes[3] + own * found[3] / r
    vy = v_p * axes[1] + v_a * axes[4] - own * (reference[1] + found[2] / r)
    vz = v_p * axes[2] + v_a * axes[5]
    return np.sqrt(vx * vx + vy * vy + vz * vz)
