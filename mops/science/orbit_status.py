"""What became of a fit, and whether its orbit can be believed: each status has a sentence for people."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from mops.science import orbit_solver
from mops.science.constants import AU_KM, GM_SUN, RADIUS_SUN_AU

Array = npt.NDArray[np.float64]


class Status(IntEnum):
    """Of an orbit; OK alone may be used."""

    OK = orbit_solver.FITTED
    DIVERGED = orbit_solver.DIVERGED
    TOO_FEW = orbit_solver.TOO_FEW
    OUTLIERS = orbit_solver.OUTLIERS
    UNCONSTRAINED = 4
    UNPHYSICAL = 5
    BAD_INPUT = 6

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    Status.OK: "The orbit fits its detections and is known well enough to be used.",
    Status.DIVERGED: "No orbit near the seed fits: the fit left the neighbourhood or could not be followed.",
    Status.TOO_FEW: "There are too few detections for six unknowns.",
    Status.OUTLIERS: "Too many detections disagree with any one orbit: they are not all of one object.",
    Status.UNCONSTRAINED: "The arc does not fix the orbit: its distance or its being bound is uncertain.",
    Status.UNPHYSICAL: "The orbit runs through the Sun, or faster than anything known.",
    Status.BAD_INPUT: "A detection, its sigma or observer, or the seed is no number, or outside of 1889-2113.",
}


@dataclass(frozen=True, slots=True)
class Belief:
    """Limits of what is believed.

    distance_share : sigma of the heliocentric distance over the distance.  energy_share : sigma of 1/a in units of 1/r
    or, for a hyperbola, of 1/a.  unbound_sigmas : a hyperbola must be one by so many sigmas of its energy.  What
    exceeds these is UNCONSTRAINED.  fastest_km_s : of the speed far from the Sun (3I/ATLAS: 58).  farthest_au :
    greatest distance at the epoch.  What exceeds these is UNPHYSICAL.
    """

    distance_share: float = 0.1
    energy_share: float = 0.5
    unbound_sigmas: float = 3.0
    fastest_km_s: float = 150.0
    farthest_au: float = 1_000.0


BELIEF = Belief()


def judge(status: npt.NDArray[np.int8], states: Array, covariance: Array, belief: Belief) -> npt.NDArray[np.int8]:
    """Status (k,) of fitted orbits, those not to be believed UNPHYSICAL or UNCONSTRAINED."""
    judged = status.copy()
    fitted = np.flatnonzero(status == Status.OK)
    state, spread = states[fitted], covariance[fitted]
    r, speed = np.linalg.norm(state[:, :3], axis=1), np.linalg.norm(state[:, 3:], axis=1)
    energy = 2 / r - speed**2 / GM_SUN  # 1 / a
    slope = np.concatenate([-2 * state[:, :3] / r[:, None] ** 3, -2 * state[:, 3:] / GM_SUN], axis=1)
    energy_sigma = np.sqrt(np.einsum("ki,kij,kj->k", slope, spread, slope))
    outward = state[:, :3] / r[:, None]
    distance_sigma = np.sqrt(np.einsum("ki,kij,kj->k", outward, spread[:, :3, :3], outward))
    loose = ~(distance_sigma <= belief.distance_share * r)
    loose |= ~(energy_sigma <= belief.energy_share * np.maximum(1 / r, -energy))
    loose |= (energy < 0) & ~(-energy > belief.unbound_sigmas * energy_sigma)
    judged[fitted[loose]] = Status.UNCONSTRAINED
    fastest = belief.fastest_km_s * 86_400 / AU_KM
    absurd = (perihelion(state) < RADIUS_SUN_AU) | (-energy * GM_SUN > fastest**2) | (r > belief.farthest_au)
    judged[fitted[absurd & ~loose]] = Status.UNPHYSICAL
    return judged


def perihelion(states: Array) -> Array:
    """Perihelion distance (n,) au of states (n, 6)."""
    r, square = np.linalg.norm(states[:, :3], axis=1), np.sum(states[:, 3:] ** 2, axis=1)
    semilatus = np.sum(np.cross(states[:, :3], states[:, 3:]) ** 2, axis=1) / GM_SUN
    eccentricity = np.sqrt(np.maximum(1 - semilatus * (2 / r - square / GM_SUN), 0))
    return np.asarray(semilatus / (1 + eccentricity))
