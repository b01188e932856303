"""Which detections of a night are known objects: predicted places against detections, visit by visit, one to one.

A pair is a match within `radius_arcsec`, as Rubin does it, or within `sigmas` of the predicted and the measured place's
errors together (Milani & Gronchi 2010, Theory of Orbit Determination, chapter 8: the attribution penalty of a point).
Where several pairs want one detection, or one object in one visit, the most likely keeps it and the others are listed.
"""

from dataclasses import dataclass, replace
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from mops.science import known, observers, time_scales
from mops.science.apparent import place_of
from mops.science.detections import Detections
from mops.science.known import NightStates
from mops.science.matching import AttributionConfig as AttributionConfig
from mops.science.matching import Pairs as Pairs
from mops.science.matching import joined, match, no_pairs

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Attributions:
    """Of a night.

    won : the attributions, ordered by detection; each detection once, each object once a visit.  lost : pairs that
    matched and gave way.  winner_object : int64 of each lost pair, the object that has the detection, −1 where the
    object kept another detection of the visit and this one stays free.  uncertain : int64, objects that were in a
    visit's sky and whose errors reach beyond `farthest_arcsec`, so that not all of their sky was searched.
    """

    won: Pairs
    lost: Pairs
    winner_object: Indices
    uncertain: Indices


def attribute(
    detections: Detections,
    states: Floats,
    epochs: Floats,
    covariances: Floats | None = None,
    config: AttributionConfig | None = None,
) -> Attributions:
    """Attribute the detections of one night to known orbits.

    Parameters
    ----------
    detections : n, of one night; those with a place, time or observer that is no number match nothing.
    states : (k, 6), heliocentric, ICRF, au and au/day.  epochs : (k,), MJD TDB.
    covariances : (k, 6, 6) of the states; None, or not finite for an object: its orbit counts as exact.

    Raises
    ------
    ValueError : the times span more than two days, or the arrays of the objects differ in length.
    """
    config = config or AttributionConfig()
    if not (len(states) == len(epochs) and (covariances is None or len(covariances) == len(states))):
        raise ValueError(f"There are {len(states)} states and {len(epochs)} epochs; one covariance each is expected.")
    usable = np.isfinite(detections.mjd_tai + detections.ra + detections.dec + detections.observer.sum(axis=1))
    original = np.flatnonzero(usable)
    if len(original) == 0 or len(states) == 0:
        return Attributions(no_pairs(), no_pairs(), np.empty(0, np.int64), np.empty(0, np.int64))
    seen = detections if len(original) == len(detections) else detections.take(original)
    pairs, uncertain = _all_pairs(seen, known.in_the_night(states, epochs, covariances, seen.mjd_tai), config)
    chosen, winner = _resolve(pairs, seen.visit[pairs.detection])
    named = replace(pairs, detection=original[pairs.detection])
    won, lost = np.flatnonzero(chosen), np.flatnonzero(~chosen)
    won = won[np.argsort(named.detection[won], kind="stable")]
    return Attributions(named.take(won), named.take(lost), winner[lost], uncertain)


def warm_up() -> None:
    """Compile, so that no night waits for it."""
    times, state, two = np.array([60_400.0, 60_400.02]), np.array([[2.5, 0.0, 0.0, 0.0, 0.011, 0.001]]), np.arange(2)
    covariance, observer = np.eye(6)[None] * 1e-16, observers.heliocentric("X05", times)[0]
    night = known.in_the_night(state, times[:1], covariance, times)
    ra, dec = place_of(known.lines_of_sight(night, np.zeros(2, np.int64), time_scales.tdb_from_tai(times), observer))
    sigma, band, day = np.full(2, 0.1), np.zeros(2, np.int8), np.zeros(2, np.int32)
    detections = Detections(two, times, ra, dec, sigma, sigma, sigma, band, day, two, observer)
    attribute(detections, state, times[:1], covariance, AttributionConfig(radius_arcsec=60.0))


def _all_pairs(seen: Detections, night: NightStates, config: AttributionConfig) -> tuple[Pairs, Indices]:
    """Pairs, and the uncertain objects; what is near the Earth is carried to each visit by itself."""
    near = known.near_the_earth(night)
    pairs, unsure = match(seen, night, known.index(night, near), config)
    found, uncertain = [pairs], [unsure]
    for rows in _visits(seen.visit) if len(near) else []:
        there = known.in_the_night(
            night.states[near], np.full(len(near), night.middle_mjd_tdb), night.covariance[near], seen.mjd_tai[rows]
        )
        pairs, unsure = match(seen.take(rows), there, known.index(there), config)
        found.append(replace(pairs, detection=rows[pairs.detection], object=near[pairs.object]))
        uncertain.append(near[unsure])
    return joined(found), np.unique(np.concatenate(uncertain))


def _visits(visit: Indices) -> list[Indices]:
    """The detections (indices) of each visit."""
    order = np.argsort(visit, kind="stable")
    _, starts = np.unique(visit[order], return_index=True)
    return np.split(order, starts[1:])


def _resolve(pairs: Pairs, visit: Indices) -> tuple[npt.NDArray[np.bool_], Indices]:
    """Which pairs win, the best merit first; and of each pair the object that has its detection, or −1."""
    chosen = np.zeros(len(pairs), np.bool_)
    if len(pairs) == 0:
        return chosen, np.empty(0, np.int64)
    owner = np.full(pairs.detection.max() + 1, -1, np.int64)
    _, place = np.unique(np.stack([visit, pairs.object]), axis=1, return_inverse=True)
    order = np.lexsort((pairs.object, pairs.detection, pairs.merit))
    _take_best(order, pairs.detection, pairs.object, place.ravel().astype(np.int64), owner, chosen)
    return chosen, owner[pairs.detection]


@numba.njit(cache=True, nogil=True)
def _take_best(order: Any, detection: Any, body: Any, place: Any, owner: Any, chosen: Any) -> None:
    satisfied = np.zeros(place.max() + 1, np.bool_)
    for pair in order:
        if owner[detection[pair]] < 0 and not satisfied[place[pair]]:
            owner[detection[pair]], satisfied[place[pair]], chosen[pair] = body[pair], True, True
