"""Which objects a linker could find: those with a tracklet's pair on enough nights."""

import numba
import numpy as np
import numpy.typing as npt

from mops.science.detections import Detections

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


def findable(
    detections: Detections,
    truth: Indices,
    nights: int = 3,
    max_hours: float = 1.5,
    min_arcsec: float = 1.0,
    max_deg_per_day: float = 1.5,
) -> Indices:
    """Objects with a pair of detections that could be a tracklet on each of `nights` nights or more.

    A pair is two detections of one object in one night at most `max_hours` apart in time, at least `min_arcsec` apart
    on the sky, and no faster than `max_deg_per_day` (Rubin's criterion; difi's TrackletMetric, Moeyens et al. 2021,
    arXiv 2105.01056, with a limit of speed).

    Parameters
    ----------
    detections, truth
        What was seen, and the object of each detection, negative where none.

    Returns
    -------
    int64 (k,)
        The objects, ascending.
    """
    objects, count = nights_with_pairs(detections, truth, max_hours, min_arcsec, max_deg_per_day)
    return objects[count >= nights]


def nights_with_pairs(
    detections: Detections, truth: Indices, max_hours: float, min_arcsec: float, max_deg_per_day: float
) -> tuple[Indices, Indices]:
    """Every object that was detected, ascending, and the number of its nights with such a pair."""
    order, first, key = by_object_and_night(detections, truth)
    paired = _has_pair(
        first,
        detections.mjd_tai[order],
        np.radians(detections.ra[order]),
        np.radians(detections.dec[order]),
        max_hours / 24,
        np.radians(min_arcsec / 3600),
        np.radians(max_deg_per_day),
    )
    objects, which = np.unique(key, return_inverse=True)
    return objects, np.bincount(which, weights=paired, minlength=len(objects)).astype(np.int64)


def by_object_and_night(detections: Detections, truth: Indices) -> tuple[Indices, Indices, Indices]:
    """Indices of the true detections sorted by object, night and time; where each object-night begins; its object.

    Returns
    -------
    order int64 (m,), first int64 (k + 1,), objects int64 (k,)

    Raises
    ------
    ValueError
        Where detections and truth are not of one length.
    """
    if len(detections) != len(truth):
        raise ValueError(f"There are {len(detections)} detections and {len(truth)} truths; each needs one.")
    order = np.lexsort((detections.mjd_tai, detections.night, truth))
    order = order[truth[order] >= 0]
    changes = np.diff(truth[order], prepend=-1) != 0
    changes |= np.diff(detections.night[order], prepend=0) != 0
    starts = np.flatnonzero(changes)
    return order, np.append(starts, len(order)), truth[order[starts]]


@numba.njit(cache=True, nogil=True)
def _has_pair(
    first: Indices, mjd: Array, ra: Array, dec: Array, max_days: float, least: float, fastest: float
) -> npt.NDArray[np.bool_]:
    paired = np.zeros(len(first) - 1, dtype=np.bool_)
    for group in range(len(first) - 1):
        for one in range(first[group], first[group + 1]):
            for other in range(one + 1, first[group + 1]):
                days = mjd[other] - mjd[one]
                if paired[group] or days > max_days:
                    break
                apart = separation(ra[one], dec[one], ra[other], dec[other])
                paired[group] = days > 0 and apart >= least and apart <= fastest * days
    return paired


@numba.njit(cache=True, nogil=True)
def separation(ra_1: float, dec_1: float, ra_2: float, dec_2: float) -> float:
    """Angle between two places, radians, by the haversine, which keeps small angles."""
    half_ra, half_dec = np.sin((ra_2 - ra_1) / 2), np.sin((dec_2 - dec_1) / 2)
    return float(2 * np.arcsin(min(1.0, np.sqrt(half_dec**2 + np.cos(dec_1) * np.cos(dec_2) * half_ra**2))))


def warm_up() -> None:
    """Compile the kernels."""
    zero = np.zeros(2)
    _has_pair(np.array([0, 2]), zero, zero, zero, 0.1, 0.1, 0.1)
