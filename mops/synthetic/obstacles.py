"""Which limit kept an object from having tracklets on enough nights."""

import numba
import numpy as np
import numpy.typing as npt

from mops.science.detections import Detections
from mops.synthetic.findability import by_object_and_night, separation

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

NONE, SINGLE, APART, SMALL, FAST = range(5)


def too_small(what: str, value: float, bound: float, unit: str) -> str:
    """A sentence part: pair arc 0.8″ < 1″."""
    return f"{what} {value:.3g}{unit} < {bound:g}{unit}"


def too_large(what: str, value: float, bound: float, unit: str) -> str:
    """A sentence part: rate 1.7 deg/day > 1.5 deg/day."""
    return f"{what} {value:.3g}{unit} > {bound:g}{unit}"


def why_without_tracklets(
    detections: Detections,
    truth: Indices,
    nights: int = 3,
    max_hours: float = 1.5,
    min_arcsec: float = 1.0,
    max_deg_per_day: float = 1.5,
) -> dict[int, str]:
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
    starts = np.append(np.flatnonzero(np.diff(owner, prepend=-1)), len(owner))
    reasons = {}
    for start, end in zip(starts[:-1], starts[1:], strict=True):
        good = int((obstacle[start:end] == NONE).sum())
        if good < nights:
            worst = start + int(obstacle[start:end].argmax())
            limits = (max_hours, min_arcsec, max_deg_per_day)
            reasons[int(owner[start])] = _reason(good, nights, int(obstacle[worst]), float(value[worst]), limits)
    return reasons


def _reason(good: int, nights: int, obstacle: int, value: float, limits: tuple[float, float, float]) -> str:
    count = f"{good} nights < {nights}"
    max_hours, min_arcsec, max_deg_per_day = limits
    if obstacle == SINGLE:
        return f"{count}: one detection a night"
    if obstacle == APART:
        return f"{count}: {too_large('pair apart by', value * 24, max_hours, ' h')}"
    if obstacle == SMALL:
        return f"{count}: {too_small('pair arc', np.degrees(value) * 3600, min_arcsec, '″')}"
    if obstacle == FAST:
        return f"{count}: {too_large('rate', np.degrees(value), max_deg_per_day, ' deg/day')}"
    return count


@numba.njit(cache=True, nogil=True)
def _obstacles(
    first: Indices, mjd: Array, ra: Array, dec: Array, max_days: float, least: float, fastest: float
) -> tuple[npt.NDArray[np.int8], Array]:
    """For each object-night the obstacle of its best pair and by how much: days, radians or radians a day."""
    obstacle = np.full(len(first) - 1, SINGLE, dtype=np.int8)
    value = np.zeros(len(first) - 1)
    for group in range(len(first) - 1):
        for one in range(first[group], first[group + 1]):
            for other in range(one + 1, first[group + 1]):
                days = mjd[other] - mjd[one]
                if obstacle[group] == NONE or days <= 0:
                    continue
                kind, size = _pair(days, separation(ra[one], dec[one], ra[other], dec[other]), max_days, least, fastest)
                better = kind == NONE or kind > obstacle[group]
                nearer = kind == obstacle[group] and (size > value[group] if kind == SMALL else size < value[group])
                if better or nearer:
                    obstacle[group], value[group] = kind, size
    return obstacle, value


@numba.njit(cache=True, nogil=True)
def _pair(days: float, apart: float, max_days: float, least: float, fastest: float) -> tuple[int, float]:
    if days > max_days:
        return APART, days
    if apart < least:
        return SMALL, apart
    if apart > fastest * days:
        return FAST, apart / days
    return NONE, 0.0


def warm_up() -> None:
    """Compile the kernels."""
    zero = np.zeros(2)
    _obstacles(np.array([0, 2]), zero, zero, zero, 0.1, 0.1, 0.1)
