"""Clusters to linkages: a quick orbit for each, the best first, no tracklet twice."""

import math
from typing import NamedTuple

import numba
import numpy as np
import numpy.typing as npt

from mops.science.constants import GM_SUN
from mops.science.linking import two_body_fit
from mops.science.linking.clusters import bits
from mops.science.linking.states import Floats, Ints
from mops.science.linking.two_body_fit import Work

ACCEPTED, TAKEN, FEW_NIGHTS, ASTROMETRY, UNPHYSICAL = 0, 1, 2, 3, 4
REASONS = (
    "accepted",
    "its tracklets belong to better linkages",
    "nothing on another night lies where its orbit would be",
    "no orbit fits its astrometry",
    "the orbit is not one of the Solar System",
)
MOST_TRACKLETS = 64
_FREE = 6
STARTS = (1.0, 0.6, 1.7, 0.35, 3.0)  # times the distance of the hypothesis, until an orbit fits


class Limits(NamedTuple):
    nights: int  # of a cluster that is looked at
    final: int  # of a linkage
    sigmas: float  # a χ² that good tracklets exceed as seldom as a Gaussian exceeds so many sigmas is refused
    speed: float  # in escape speeds


class Known(NamedTuple):
    """The tracklets: two places of each (2 t, 9), their night's bit (t,), and 1 + the linkage that has each, or 0."""

    rows: Floats
    night: Ints
    taken: Ints


class Table(NamedTuple):
    """Linkages: how many in `size[0]`; of each the tracklets, orbit at the reference time, χ² and cluster."""

    size: Ints
    counts: Ints
    mine: npt.NDArray[np.int32]
    orbit: Floats
    chi2: Floats
    cluster: Ints


def table(most: int) -> Table:
    """Room for `most` linkages."""
    return Table(
        size=np.zeros(1, np.int64),
        counts=np.zeros(most, np.int64),
        mine=np.empty((most, MOST_TRACKLETS), np.int32),
        orbit=np.empty((most, 6)),
        chi2=np.empty(most),
        cluster=np.empty(most, np.int64),
    )


@numba.njit(cache=True, nogil=True)
def keep(linkages: Table, mine: Ints, orbit: Floats, cluster: int, known: Known, own: Work) -> int:
    """Enter a linkage whose orbit was the last one fitted; its index."""
    at = linkages.size[0]
    linkages.size[0] += 1
    linkages.cluster[at] = cluster
    put(linkages, at, mine, orbit, known, own)
    return int(at)


@numba.njit(cache=True, nogil=True)
def put(linkages: Table, at: int, mine: Ints, orbit: Floats, known: Known, own: Work) -> None:
    """Write tracklets and orbit of linkage `at`."""
    linkages.counts[at] = len(mine)
    linkages.orbit[at] = orbit
    linkages.chi2[at] = own.chi2[: 2 * len(mine)].sum()
    for m in range(len(mine)):
        linkages.mine[at, m] = mine[m]
        known.taken[mine[m]] = at + 1


@numba.njit(cache=True, nogil=True)
def free_members(members: Ints, known: Known, mine: Ints) -> int:
    """Those that no linkage has, into `mine`; their number."""
    k = 0
    for j in members:
        if known.taken[j] == 0 and k < MOST_TRACKLETS:
            mine[k] = j
            k += 1
    return k


@numba.njit(cache=True, nogil=True)
def settle(mine: Ints, k: int, orbit: Floats, known: Known, limits: Limits, own: Work) -> tuple[int, int]:
    """Fit an orbit, leaving out tracklets that do not fit; how many of `mine` remain, at its start, and the verdict."""
    start = orbit.copy()
    while True:
        verdict = fit_from_several_distances(mine[:k], start, orbit, known, limits, own)
        if verdict == ACCEPTED:
            return k, verdict
        out = _worst(mine, k, start, known, limits, own)
        if out < 0:
            return k, verdict
        for m in range(out, k - 1):
            mine[m] = mine[m + 1]
        k -= 1


@numba.njit(cache=True, nogil=True)
def fit_from_several_distances(
    mine: Ints, start: Floats, orbit: Floats, known: Known, limits: Limits, own: Work
) -> int:
    verdict = ASTROMETRY
    for factor in STARTS:
        scaled(start, factor, own, orbit)
        if fits(fit_tracklets(mine, orbit, known, own), len(mine), own, limits):
            if physical(orbit, limits):
                return ACCEPTED
            verdict = UNPHYSICAL
    return verdict


@numba.njit(cache=True, nogil=True)
def scaled(start: Floats, factor: float, own: Work, orbit: Floats) -> None:
    """The start moved to `factor` times its distance from the Earth, with the same motion on the sky, into `orbit`."""
    for c in range(6):
        orbit[c] = own.reference[c] + factor * (start[c] - own.reference[c])


@numba.njit(cache=True, nogil=True)
def fits(total: float, k: int, own: Work, limits: Limits) -> bool:
    """Whether χ² of `k` tracklets, and that of each, is what their sigmas allow."""
    if not total <= chi2_limit(4.0 * k - _FREE, limits.sigmas):
        return False
    worst = chi2_limit(4.0, limits.sigmas)
    for m in range(k):  # noqa: SIM110  all() of a generator does not compile
        if own.chi2[2 * m] + own.chi2[2 * m + 1] > worst:
            return False
    return True


@numba.njit(cache=True, nogil=True)
def chi2_limit(freedom: float, sigmas: float) -> float:
    """χ² as improbable as a Gaussian beyond `sigmas` (Wilson & Hilferty 1931, PNAS 17, 684)."""
    return float(freedom * (1.0 - 2.0 / (9.0 * freedom) + sigmas * math.sqrt(2.0 / (9.0 * freedom))) ** 3)


@numba.njit(cache=True, nogil=True)
def physical(orbit: Floats, limits: Limits) -> bool:
    """Not faster than the limit in escape speeds, and not in the Sun."""
    r = math.sqrt(orbit[0] ** 2 + orbit[1] ** 2 + orbit[2] ** 2)
    speed = math.sqrt(orbit[3] ** 2 + orbit[4] ** 2 + orbit[5] ** 2)
    return r > 0.05 and speed <= limits.speed * math.sqrt(2.0 * GM_SUN / r)


@numba.njit(cache=True, nogil=True)
def nights_of(mine: Ints, night: Ints) -> int:
    """How many different nights."""
    mask = 0
    for j in mine:
        mask |= int(night[j])
    return bits(mask)


@numba.njit(cache=True, nogil=True)
def nights_of_each(first: Ints, members: Ints, night: Ints) -> Ints:
    """How many different nights each cluster has."""
    out = np.empty(len(first) - 1, np.int64)
    for c in range(len(out)):
        out[c] = nights_of(members[first[c] : first[c + 1]], night)
    return out


@numba.njit(cache=True, nogil=True)
def fit_tracklets(mine: Ints, orbit: Floats, known: Known, own: Work) -> float:
    """χ² of the orbit that fits both places of each tracklet, from and into `orbit`."""
    which = np.empty(2 * len(mine), np.int64)
    for m in range(len(mine)):
        which[2 * m] = 2 * mine[m]
        which[2 * m + 1] = 2 * mine[m] + 1
    return two_body_fit.fit(known.rows, which, orbit, own)


@numba.njit(cache=True, nogil=True)
def _worst(mine: Ints, k: int, start: Floats, known: Known, limits: Limits, own: Work) -> int:
    """The tracklet without which the others fit best, if enough nights remain; −1 if there is none."""
    best, best_total = -1, np.inf
    rest = np.empty(k, np.int64)
    orbit = np.empty(6)
    for out in range(k):
        n = 0
        for m in range(k):
            if m != out:
                rest[n] = mine[m]
                n += 1
        if nights_of(rest[:n], known.night) < limits.nights:
            continue
        orbit[:] = start
        total = fit_tracklets(rest[:n], orbit, known, own)
        if total < best_total:
            best, best_total = out, total
    return best
