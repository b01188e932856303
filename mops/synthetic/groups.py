"""Words by which a score is cut: each object's zone, brightness and speed."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from mops.science.detections import Detections
from mops.synthetic.findability import by_object_and_night
from mops.synthetic.population import Population
from mops.synthetic.sky import unit_vectors

Indices = npt.NDArray[np.int64]
Words = npt.NDArray[np.str_]

MAG_EDGES = (19.0, 20.0, 21.0, 22.0, 23.0, 24.0)
RATE_EDGES = (0.02, 0.1, 0.2, 0.3, 0.5, 1.0)  # deg/day
UNKNOWN = "unknown"


def describe(detections: Detections, truth: Indices, population: Population) -> dict[str, Words]:
    """Zone, mean magnitude and mean rate of motion of each object of the population, in words, (objects,) each.

    The rate is that from the first to the last detection of the longest night; "unknown" where no night has two.
    """
    n = len(population)
    seen = truth >= 0
    count = np.bincount(truth[seen], minlength=n)
    with np.errstate(invalid="ignore", divide="ignore"):
        mag = np.bincount(truth[seen], weights=detections.mag[seen], minlength=n) / count
    return {
        "zone": population.zone,
        "magnitude": in_words(mag, MAG_EDGES, "mag"),
        "rate": in_words(rates(detections, truth, n), RATE_EDGES, "deg/day"),
    }


def rates(detections: Detections, truth: Indices, n: int) -> npt.NDArray[np.float64]:
    """deg/day from the first to the last detection of each object's longest night, (n,); NaN where there is none."""
    order, first, owner = by_object_and_night(detections, truth)
    start, end = order[first[:-1]], order[first[1:] - 1]
    days = detections.mjd_tai[end] - detections.mjd_tai[start]
    place = unit_vectors(detections.ra, detections.dec)
    chord = np.linalg.norm(place[end] - place[start], axis=1)
    apart = np.degrees(2 * np.arcsin(np.minimum(chord / 2, 1)))
    rate = np.full(n, np.nan)
    shortest_first = np.argsort(days, kind="stable")
    moved = shortest_first[days[shortest_first] > 0]
    rate[owner[moved]] = apart[moved] / days[moved]  # of an object's nights the last written stays: the longest
    return rate


def in_words(values: npt.NDArray[np.float64], edges: tuple[float, ...], unit: str) -> Words:
    """The range between edges that holds each value; "unknown" for NaN."""
    names = [
        f"below {edges[0]:g} {unit}",
        *(f"{low:g}–{high:g} {unit}" for low, high in pairwise(edges)),
        f"above {edges[-1]:g} {unit}",
        UNKNOWN,
    ]
    return np.array(names)[np.where(np.isnan(values), len(names) - 1, np.searchsorted(edges, values, side="right"))]
