"""The place opposite the Sun, where surveys look, and a population brought there."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mops.science.constants import OBLIQUITY
from mops.science.ephemeris import earth
from mops.science.kepler import propagate
from mops.synthetic.population import Population

Array = npt.NDArray[np.float64]


def ecliptic_longitude(position: Array) -> Array:
    """Degrees in [0, 360), of equatorial vectors (n, 3)."""
    turned = position @ equatorial_from_ecliptic()
    return np.asarray(np.degrees(np.arctan2(turned[:, 1], turned[:, 0])) % 360, dtype=np.float64)


def opposition_longitude(mjd_tdb: float) -> float:
    """Ecliptic longitude opposite the Sun as the Earth sees it: that of the Earth from the Sun, degrees."""
    return float(ecliptic_longitude(earth(np.array([mjd_tdb]))[0])[0])


def equatorial_from_ecliptic() -> Array:
    """The matrix (3, 3) that turns ecliptic vectors of J2000 into ICRF axes."""
    cos, sin = np.cos(OBLIQUITY), np.sin(OBLIQUITY)
    return np.array([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]])


def gathered(population: Population, mjd_tdb: float, width_deg: float, seed: int) -> Population:
    """The same orbits turned about the pole of the ecliptic, so that every object is near opposition.

    A small survey then sees most objects, and not one in a hundred. Sizes, shapes and inclinations of orbits stay;
    resonances with Jupiter do not.

    Parameters
    ----------
    population
        Any.
    mjd_tdb
        When the objects stand near opposition.
    width_deg
        Their heliocentric longitudes are uniform within this distance of it.
    seed
        Of the longitudes.
    """
    longitude = ecliptic_longitude(propagate(population.state, mjd_tdb - population.epoch_mjd_tdb)[:, :3])
    wanted = opposition_longitude(mjd_tdb) + np.random.default_rng(seed).uniform(-width_deg, width_deg, len(population))
    turn = wanted - longitude
    elements = replace(population.elements, node=(population.elements.node + turn) % 360)
    return replace(population, state=_turned(population.state, np.radians(turn)), elements=elements)


def _turned(state: Array, angle: Array) -> Array:
    """States (n, 6) turned by angles (n,) about the pole of the ecliptic."""
    to_equatorial = equatorial_from_ecliptic()
    cos, sin = np.cos(angle), np.sin(angle)
    turned = []
    for vector in (state[:, :3], state[:, 3:]):
        x, y, z = (vector @ to_equatorial).T
        turned.append(np.stack([cos * x - sin * y, sin * x + cos * y, z], axis=1) @ to_equatorial.T)
    return np.concatenate(turned, axis=1)
