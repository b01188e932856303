"""What a night gave before it was measured: true sightings and false ones."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mops.synthetic.pointings import Pointings
from mops.synthetic.sky import tangents, unit_vectors

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

FALSE = -1  # truth of a detection of nothing
FALSE_SPREAD = 0.3  # mag: false detections crowd at the limit, exponentially


@dataclass(frozen=True, slots=True)
class Sightings:
    """What one night gave before it is put in order: visit index, unit vector, magnitude in band, truth."""

    visit: Indices
    unit: Array
    mag: Array
    truth: Indices


def false_sightings(pointings: Pointings, rng: np.random.Generator, per_deg2: float, radius_deg: float) -> Sightings:
    """Poisson numbers of them, uniform in each cap, exponentially rarer to the bright side of its limit."""
    height = 1 - np.cos(np.radians(radius_deg))
    area_deg2 = 2 * np.pi * height * np.degrees(1) ** 2
    visit = np.repeat(np.arange(len(pointings)), rng.poisson(per_deg2 * area_deg2, len(pointings)))
    cosine = 1 - height * rng.random(len(visit))
    sine, turn = np.sqrt(1 - cosine**2), rng.uniform(0, 2 * np.pi, len(visit))
    centre = unit_vectors(pointings.ra, pointings.dec)[visit]
    east, north = tangents(pointings.ra[visit], pointings.dec[visit])
    unit = cosine[:, None] * centre + (sine * np.cos(turn))[:, None] * north + (sine * np.sin(turn))[:, None] * east
    mag = pointings.m5[visit] - rng.exponential(FALSE_SPREAD, len(visit))
    return Sightings(visit, unit, mag, np.full(len(visit), FALSE, dtype=np.int64))


def both(first: Sightings, second: Sightings) -> Sightings:
    """One after another."""
    return Sightings(
        np.concatenate([first.visit, second.visit]),
        np.concatenate([first.unit, second.unit]),
        np.concatenate([first.mag, second.mag]),
        np.concatenate([first.truth, second.truth]),
    )
