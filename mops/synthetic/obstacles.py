"""Which limit kept an object from having tracklets on enough nights."""

from enum import IntEnum
from itertools import pairwise

import numba
import numpy as np
import numpy.typing as npt

from mops.science.detections import Detections
from mops.synthetic.findability import by_object_and_night, separation
from mops.synthetic.losses import Loss

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


class Obstacle(IntEnum):
    """What keeps the best pair of a night from being a tracklet: the greater, the nearer it is to being one."""

    NONE = 0
    SINGLE = 1
    APART = 2
    SMALL = 3
    FAST = 4


def why_without_tracklets(
    detections: Detections,
    truth: Indices,
    nights: int = 3,
    max_hours: float = 1.5,
    min_arcsec: float = 1.0,
    max_deg_per_day: float = 1.5,
) -> dict[int, Loss]:
    """The limit behind every detected object that is not findable (`findability.findable`, the same arguments).

    Of the nights without a pair that could be a tracklet, the obstacle that is nearest to being one counts: an arc too
    short or a rate too high before detections too far apart in time, and these before a single detection.
    """
    order, first, owner = by_object_and_night(detections, truth)
    obstacle, value = _obstacles(
        first,
        detections.mjd_tai[order],
        np.radians(detections.ra[order]),
        np.radians(detections.dec[order]),
        max_hours / 24,
        np.radians(min_arcsec / 3600),
        np.radians(max_deg_per_day),
    )
    losses = {}
    for start, end in pairwise(np.append(np.flatnonzero(np.diff(owner, prepend=-1)), len(owner))):
        good = int((obstacle[start:end] == Obstacle.NONE).sum())
        if good < nights:
            nearest = start + int(obstacle[start:end].argmax())
            behind = _loss(int(obstacle[nearest]), float(value[nearest]), max_hours, min_arcsec, max_deg_per_day)
            losses[int(owner[start])] = Loss("nights with a pair", good, nights, least=True, because=behind)
    return losses


def _loss(obstacle: int, value: float, max_hours: float, min_arcsec: float, max_deg_per_day: float) -> Loss | None:
    """In words; none where every night that there was has a pair."""
    match obstacle:
        case Obstacle.SINGLE:
            return Loss("detections a night", 1, 2, least=True)
        case Obstacle.APART:
            return Loss("pair apart in time", value * 24, max_hours, " h")
        case Obstacle.SMALL:
            return Loss("pair arc", float(np.degrees(value)) * 3600, min_arcsec, "″", least=True)
        case Obstacle.FAST:
            return Loss("rate", float(np.degrees(value)), max_deg_per_day, " deg/day")
    return None


@numba.njit(cache=True, nogil=True)
def _obstacles(
    first: Indices, mjd: Array, ra: Array, dec: Array, max_days: float, least: float, fastest: float
) -> tuple[npt.NDArray[np.int8], Array]:
    """For each object-night the obstacle of its best pair and by how much: days, radians or radians a day."""
    obstacle = np.full(len(first) - 1, Obstacle.SINGLE, dtype=np.int8)
    value = np.zeros(len(first) - 1)
    for group in range(len(first) - 1):
        for one in range(first[group], first[group + 1]):
            for other in range(one + 1, first[group + 1]):
                days = mjd[other] - mjd[one]
                if obstacle[group] == Obstacle.NONE or days <= 0:
                    continue
                kind, size = _pair(days, separation(ra[one], dec[one], ra[other], dec[other]), max_days, least, fastest)
                better = kind == Obstacle.NONE or kind > obstacle[group]
                nearer = kind == obstacle[group] and (
                    size > value[group] if kind == Obstacle.SMALL else size < value[group]
                )
                if better or nearer:
                    obstacle[group], value[group] = kind, size
    return obstacle, value


@numba.njit(cache=True, nogil=True)
def _pair(days: float, apart: float, max_days: float, least: float, fastest: float) -> tuple[int, float]:
    if days > max_days:
        return Obstacle.APART, days
    if apart < least:
        return Obstacle.SMALL, apart
    if apart > fastest * days:
        return Obstacle.FAST, apart / days
    return Obstacle.NONE, 0.0


def warm_up() -> None:
    """Compile the kernels."""
    zero = np.zeros(2)
    _obstacles(np.array([0, 2]), zero, zero, zero, 0.1, 0.1, 0.1)
