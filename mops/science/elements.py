"""Orbital elements: osculating, heliocentric, ecliptic and equinox J2000, as JPL and the MPC give them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mops.science import kepler
from mops.science.constants import GM_SUN, OBLIQUITY

Array = npt.NDArray[np.float64]

_CIRCULAR = 1e-11  # an eccentricity or inclination below it has no apsis or node; they are set to nought
_PARABOLIC = 1e-9  # |e − 1| below which the mean anomaly means nothing


@dataclass(frozen=True, slots=True)
class Elements:
    """Of `n` orbits, float64 (n,).

    a : au, negative for a hyperbola, infinite for a parabola.  q : perihelion distance, au.  e : eccentricity.
    i, node, argperi, mean_anomaly : degrees.  peri_time : MJD TDB, for an ellipse the perihelion nearest the epoch.
    A circle has argperi 0, an orbit in the ecliptic node 0; a parabola has no mean anomaly (NaN).
    """

    a: Array
    q: Array
    e: Array
    i: Array
    node: Array
    argperi: Array
    mean_anomaly: Array
    peri_time: Array

    @classmethod
    def of_mean_anomaly(
        cls,
        a: Array,
        e: Array,
        i: Array,
        node: Array,
        argperi: Array,
        mean_anomaly: Array,
        epoch_mjd_tdb: float | Array,
    ) -> "Elements":
        """From the usual six at an epoch; degrees, au, MJD TDB. Not for parabolas."""
        a, e, i, node, argperi, mean, epoch = np.broadcast_arrays(
            *(np.atleast_1d(np.asarray(each, float)) for each in (a, e, i, node, argperi, mean_anomaly, epoch_mjd_tdb))
        )
        nearest = np.where(e < 1, (mean + 180) % 360 - 180, mean)
        peri_time = epoch - np.radians(nearest) / np.sqrt(GM_SUN / np.abs(a) ** 3)
        return cls(a, a * (1 - e), e, i, node, argperi, np.where(e < 1, mean % 360, mean), peri_time)


def elements_from_states(states: Array, epoch_mjd_tdb: float | Array) -> Elements:
    """Elements of states (n, 6), heliocentric ICRF, at their epochs (a number, or one each), MJD TDB."""
    position, velocity = _turned(np.atleast_2d(states), -OBLIQUITY)
    r = np.linalg.norm(position, axis=1)
    momentum = np.cross(position, velocity)
    h = np.linalg.norm(momentum, axis=1)
    radial = np.sum(position * velocity, axis=1)
    alpha = 2 / r - np.sum(velocity**2, axis=1) / GM_SUN
    to_apsis = np.cross(velocity, momentum) / GM_SUN - position / r[:, None]
    e, p = np.linalg.norm(to_apsis, axis=1), h**2 / GM_SUN
    in_plane, across = _node_axes(momentum, h)
    argument = np.arctan2(np.sum(position * across, axis=1), np.sum(position * in_plane, axis=1))
    apsis = np.arctan2(np.sum(to_apsis * across, axis=1), np.sum(to_apsis * in_plane, axis=1))
    apsis = np.where(e < _CIRCULAR, 0.0, apsis)
    since, mean = _since_perihelion(e, alpha, r, radial, argument - apsis, p)
    with np.errstate(divide="ignore"):
        a = np.where(np.abs(e - 1) < _PARABOLIC, np.inf, 1 / alpha)
    return Elements(
        a=a,
        q=p / (1 + e),
        e=e,
        i=np.degrees(np.arctan2(np.hypot(momentum[:, 0], momentum[:, 1]), momentum[:, 2])),
        node=np.degrees(np.arctan2(in_plane[:, 1], in_plane[:, 0])) % 360,
        argperi=np.degrees(apsis) % 360,
        mean_anomaly=np.where(e < 1, np.degrees(mean) % 360, np.degrees(mean)),
        peri_time=np.asarray(epoch_mjd_tdb, float) - since,
    )


def states_from_elements(elements: Elements, epoch_mjd_tdb: float | Array) -> Array:
    """States (n, 6), heliocentric ICRF, at epochs MJD TDB, from q, e, i, node, argperi and peri_time."""
    q, e = np.atleast_1d(elements.q), np.atleast_1d(elements.e)
    node, argperi, i = (np.radians(np.atleast_1d(x)) for x in (elements.node, elements.argperi, elements.i))
    zero = np.zeros_like(node)
    in_plane = np.stack([np.cos(node), np.sin(node), zero], axis=1)
    across = np.stack([-np.sin(node) * np.cos(i), np.cos(node) * np.cos(i), np.sin(i)], axis=1)
    cos, sin = np.cos(argperi)[:, None], np.sin(argperi)[:, None]
    perihelion = (cos * in_plane + sin * across) * q[:, None]
    motion = (-sin * in_plane + cos * across) * np.sqrt(GM_SUN * (1 + e) / q)[:, None]
    there = np.concatenate(_turned(np.concatenate([perihelion, motion], axis=1), OBLIQUITY), axis=1)
    return kepler.propagate(there, np.asarray(epoch_mjd_tdb, float) - np.atleast_1d(elements.peri_time))


def _turned(states: Array, angle: float) -> tuple[Array, Array]:
    """Positions and velocities in axes turned about x: the ecliptic's by minus the obliquity."""
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    return states[:, :3] @ turn.T, states[:, 3:] @ turn.T


def _node_axes(momentum: Array, h: Array) -> tuple[Array, Array]:
    """Unit vectors in the orbit's plane: to the ascending node, and 90° on."""
    pole = momentum / h[:, None]
    node = np.stack([-pole[:, 1], pole[:, 0], np.zeros(len(pole))], axis=1)
    size = np.linalg.norm(node, axis=1)
    flat = size < _CIRCULAR
    node = np.where(flat[:, None], [1.0, 0.0, 0.0], node / np.where(flat, 1.0, size)[:, None])
    return node, np.cross(pole, node)


def _since_perihelion(e: Array, alpha: Array, r: Array, radial: Array, true: Array, p: Array) -> tuple[Array, Array]:
    """Days since perihelion and mean anomaly in radians, by the equation of Kepler or, for a parabola, of Barker."""
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        a = 1 / alpha
        motion = np.sqrt(GM_SUN / np.abs(a) ** 3)
        half = np.tan(((true + np.pi) % (2 * np.pi) - np.pi) / 2)
        eccentric = 2 * np.arctan2(np.sqrt(np.abs(1 - e)) * half, np.sqrt(1 + e))
        ellipse = eccentric - e * np.sin(eccentric)
        sinh = radial / (e * np.sqrt(GM_SUN * np.abs(a)))
        hyperbola = e * sinh - np.arcsinh(sinh)
        mean = np.where(e < 1, ellipse, hyperbola)
        barker = np.sqrt(p**3 / GM_SUN) / 2 * (half + half**3 / 3)
        parabola = np.abs(e - 1) < _PARABOLIC
        return np.where(parabola, barker, mean / motion), np.where(parabola, np.nan, mean)
