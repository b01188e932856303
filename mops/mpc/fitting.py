"""Orbits of the objects of a file of observations, without anything known of them before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mops.mpc.as_detections import as_detections
from mops.mpc.observation import Observation, Refusal
from mops.science.elements import Elements, elements_from_states
from mops.science.orbit_fit import Arcs, Orbits
from mops.science.orbit_start import determine
from mops.science.orbit_status import Status


@dataclass(frozen=True, slots=True)
class Fitted:
    """`k` objects with their orbits. first : int64 (k + 1,), where the flat arrays of `orbits` are cut.

    arc_days, nights : (k,), of all observations.  refused : observations that could not be used, with the reason.
    """

    names: Sequence[str]
    first: npt.NDArray[np.int64]
    orbits: Orbits
    elements: Elements
    arc_days: npt.NDArray[np.float64]
    nights: npt.NDArray[np.int64]
    refused: Sequence[Refusal]

    def sentence(self, k: int) -> str:
        """What became of object k."""
        return Status(int(self.orbits.status[k])).sentence


def fitted(objects: Mapping[str, Sequence[Observation]]) -> Fitted:
    """An orbit for each object that has a usable observation."""
    names = list(objects)
    converted = as_detections([row for name in names for row in objects[name]])
    owner = np.repeat(np.arange(len(names)), [len(objects[name]) for name in names])[converted.rows]
    there = np.unique(owner)
    first = np.searchsorted(owner, [*there, len(names)]).astype(np.int64)
    detections = converted.detections
    orbits = determine(Arcs.of(detections, first, np.arange(len(detections))))
    pieces = [slice(first[k], first[k + 1]) for k in range(len(there))]
    return Fitted(
        names=[names[k] for k in there],
        first=first,
        orbits=orbits,
        elements=elements_from_states(orbits.state, orbits.epoch_mjd_tdb),
        arc_days=np.array([np.ptp(detections.mjd_tai[piece]) for piece in pieces]),
        nights=np.array([len(np.unique(detections.night[piece])) for piece in pieces], np.int64),
        refused=converted.refused,
    )
