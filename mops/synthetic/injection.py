"""Synthetic detections beside real ones, told apart by their ids."""

import numpy as np
import numpy.typing as npt

from mops.science.detections import Detections, joined
from mops.synthetic.sightings import FALSE

Indices = npt.NDArray[np.int64]

INJECTED = 4_000_000_000_000_000_000  # ids from here on are synthetic detections: simulate with first_id=INJECTED


def merged(real: Detections, injected: Detections, truth: Indices) -> tuple[Detections, Indices]:
    """Injected detections beside real ones, in order of time, with the truth (−1 for every real one).

    Raises
    ------
    ValueError
        Where an injected id is not marked (`INJECTED`), or an id is there twice.
    """
    both = joined([real, injected])
    if len(injected) and injected.id.min() < INJECTED:
        raise ValueError(f"Injected detections must have ids from {INJECTED}: simulate with first_id=INJECTED.")
    if len(np.unique(both.id)) < len(both):
        raise ValueError("Some ids are there twice: real detections must have ids below the injected ones.")
    order = np.argsort(both.mjd_tai, kind="stable")
    known = np.concatenate([np.full(len(real), FALSE, dtype=np.int64), truth])
    return both.take(order), known[order]
