"""Builders: objects with orbits, and a night's detections of them."""

import numpy as np

from mops.science import known, observers, time_scales
from mops.science.apparent import place_of
from mops.science.detections import Detections
from mops.science.elements import Elements, states_from_elements

EPOCH = 60_390.0
FIRST_MJD = 60_400.05


def orbits(count: int, seed: int = 1) -> np.ndarray:
    """Main-belt states (count, 6) at `EPOCH`."""
    random = np.random.default_rng(seed)
    a, e, i = random.uniform(2.1, 3.3, count), random.uniform(0, 0.25, count), random.uniform(0, 20, count)
    node, argperi, mean = random.uniform(0, 360, (3, count))
    return states_from_elements(Elements.of_mean_anomaly(a, e, i, node, argperi, mean, EPOCH), EPOCH)


def covariances(count: int, position_au: float = 1e-8, motion_au_day: float = 1e-10) -> np.ndarray:
    one = np.diag([position_au**2] * 3 + [motion_au_day**2] * 3)
    return np.repeat(one[None], count, axis=0)


def places(states, which, mjd_tai, observer):
    """RA and Dec, degrees, of the objects `which` at these times."""
    night = known.in_the_night(states, np.full(len(states), EPOCH), None, mjd_tai)
    return place_of(known.lines_of_sight(night, which, time_scales.tdb_from_tai(mjd_tai), observer))


def seen(
    states: np.ndarray, visits: int = 3, minutes: float = 30.0, sigma: float = 0.0, seed: int = 5
) -> tuple[Detections, np.ndarray]:
    """Each object once in each of `visits` visits of the whole sky; and the object of each detection."""
    count = len(states)
    which = np.tile(np.arange(count), visits)
    visit = np.repeat(np.arange(visits), count)
    times = FIRST_MJD + visit * minutes / 1_440
    observer, _ = observers.heliocentric("X05", times)
    ra, dec = places(states, which, times, observer)
    east, north = np.random.default_rng(seed).normal(0, 1, (2, len(ra))) * sigma / 3_600
    return detections(ra + east / np.cos(np.radians(dec)), dec + north, times, observer, visit, sigma or 0.05), which


def detections(ra, dec, mjd_tai, observer, visit=None, sigma=0.05) -> Detections:
    count = len(ra)
    nothing = np.zeros(count)
    return Detections(
        id=np.arange(count) + 100, mjd_tai=mjd_tai, ra=ra % 360, dec=dec, sigma_ra=nothing + sigma,
        sigma_dec=nothing + sigma, mag=nothing + 21, band=np.zeros(count, np.int8), night=np.zeros(count, np.int32),
        visit=np.zeros(count, np.int64) if visit is None else visit, observer=observer,
    )  # fmt: skip
