"""Arcs made of known orbits, as Rubin would see them; for ``python -m bench orbits`` and the tests of orbits."""

import numpy as np
import numpy.typing as npt

from mops.science import observers, propagation, time_scales
from mops.science.elements import Elements, states_from_elements
from mops.science.orbit_fit import Arcs

Array = npt.NDArray[np.float64]

EPOCH = 60_430.0


def main_belt(count: int, rng: np.random.Generator) -> Array:
    """States (count, 6) at EPOCH, a 2.2 to 3.2 au, e to 0.3, i to 25°."""
    a, e, i = rng.uniform(2.2, 3.2, count), rng.uniform(0, 0.3, count), rng.uniform(0, 25, count)
    node, argperi, anomaly = rng.uniform(0, 360, (3, count))
    return states_from_elements(Elements.of_mean_anomaly(a, e, i, node, argperi, anomaly, EPOCH), EPOCH)


def observed_arcs(
    states: Array, days: int, nights: int, sigma_arcsec: float, rng: np.random.Generator, code: str = "X05"
) -> Arcs:
    """Two detections, half an hour apart, in each of `nights` of the `days` about EPOCH, with Gaussian errors."""
    parts = []
    for state in states:
        inner = rng.choice(np.arange(1, days - 1), nights - 2, replace=False)
        night = np.sort(np.concatenate([[0, days - 1], inner])) - days // 2 + EPOCH + 0.2
        tai = np.sort(np.concatenate([night, night + 0.02]))
        place, velocity = observers.heliocentric(code, tai)
        seen = propagation.places(state[None], EPOCH, tai, place, observer_velocity=velocity)
        parts.append((time_scales.tdb_from_tai(tai), seen.ra[0], seen.dec[0], place))
    tdb, ra, dec, place = (np.concatenate(each) for each in zip(*parts, strict=True))
    sigma = np.full(len(tdb), sigma_arcsec)
    noise = rng.normal(0, sigma_arcsec / 3600, (2, len(tdb)))
    ra = (ra + noise[0] / np.cos(np.radians(dec))) % 360
    return Arcs(np.arange(0, len(tdb) + 1, 2 * nights), tdb, ra, dec + noise[1], sigma, sigma, place)
