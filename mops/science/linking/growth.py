"""Linkages grown by what lies where their orbits would be on other nights, and joined where two are one object."""

import math
from typing import NamedTuple

import numba
import numpy as np

from mops.science.linking import selection, two_body_fit
from mops.science.linking.selection import ACCEPTED, MOST_TRACKLETS, TAKEN, Known, Limits, Table
from mops.science.linking.states import Floats, Ints
from mops.science.linking.two_body_fit import Work
from mops.science.tracklets import sky_grid
from mops.science.tracklets.sky_grid import Grid

ALL_NIGHTS = (1 << 62) - 1  # a mask
_NEAR = 4096
_FARTHEST = math.radians(0.5)  # an orbit that says less than this about a night is not asked
_SAME = 0.02  # orbits whose distances from the Sun differ by half of it are taken for one
_MAHALANOBIS = 40.0  # of two numbers: the covariance is that of a linear fit
_ALLOWED_MODEL = math.radians(1 / 3600)  # added to the place in square


class Sky(NamedTuple):
    """Where the tracklets are: a grid of their places (radians), and of each night the middle and the half, days."""

    grid: Grid
    ra: Floats
    dec: Floats
    middle: Floats  # (q, 9) a row of `two_body_fit.places` at the middle of each night
    half: Floats  # (q,)


@numba.njit(cache=True, nogil=True)
def judge(
    order: Ints, first: Ints, members: Ints, states: Floats, known: Known, sky: Sky, limits: Limits, linkages: Table,
    verdict: Ints, earth: Floats,
) -> None:  # fmt: skip
    """Take clusters in `order` to linkages; `verdict` (c,) says what became of each.

    A cluster of fewer nights than a linkage needs is first grown. `states` (c, 6) and the Earth's (6,) hold at the
    reference time.
    """
    own = two_body_fit.work(earth, 2 * MOST_TRACKLETS)
    mine = np.empty(MOST_TRACKLETS, np.int64)
    orbit = np.empty(6)
    for c in order:
        k = selection.free_members(members[first[c] : first[c + 1]], known, mine)
        if selection.nights_of(mine[:k], known.night) < limits.nights:
            verdict[c] = TAKEN
            continue
        orbit[:] = states[c]
        k, verdict[c] = selection.settle(mine, k, orbit, known, limits, own)
        if verdict[c] != ACCEPTED:
            continue
        if selection.nights_of(mine[:k], known.night) < limits.final:
            k = _grow_from_several_distances(mine, k, orbit, states[c], known, sky, limits, linkages, own)
            if k == 0:
                verdict[c] = selection.FEW_NIGHTS
                continue
        selection.keep(linkages, mine[:k], orbit, c, known, own)


@numba.njit(cache=True, nogil=True)
def _grow_from_several_distances(
    mine: Ints, k: int, orbit: Floats, start: Floats, known: Known, sky: Sky, limits: Limits, linkages: Table,
    own: Work,
) -> int:  # fmt: skip
    """Grow two nights, which may fit at more than one distance, until there are enough; 0 where there never are."""
    tried = np.full(len(selection.STARTS), np.inf)
    for m in range(len(selection.STARTS)):
        selection.scaled(start, selection.STARTS[m], own, orbit)
        total = selection.fit_tracklets(mine[:k], orbit, known, own)
        if not (selection.fits(total, k, own, limits) and selection.physical(orbit, limits)):
            continue
        tried[m] = math.log(orbit[0] ** 2 + orbit[1] ** 2 + orbit[2] ** 2)
        if np.abs(tried[:m] - tried[m]).min() < _SAME if m else False:
            continue
        more = grow(mine, k, orbit, ALL_NIGHTS, known, sky, limits, linkages, -1, own)
        if selection.nights_of(mine[:more], known.night) >= limits.final:
            return more
    return 0


@numba.njit(cache=True, nogil=True)
def grow_all(since: int, nights: int, known: Known, sky: Sky, limits: Limits, linkages: Table, earth: Floats) -> None:
    """Grow the linkages from `since` on in `nights`, and join those that are one: one is left with no tracklets."""
    own = two_body_fit.work(earth, 2 * MOST_TRACKLETS)
    mine = np.empty(MOST_TRACKLETS, np.int64)
    orbit = np.empty(6)
    for at in range(since, linkages.size[0]):
        k = linkages.counts[at]
        if k == 0:
            continue
        mine[:k] = linkages.mine[at, :k]
        orbit[:] = linkages.orbit[at]
        selection.fit_tracklets(mine[:k], orbit, known, own)
        more = grow(mine, k, orbit, nights, known, sky, limits, linkages, at, own)
        if more > k:
            selection.put(linkages, at, mine[:more], orbit, known, own)


@numba.njit(cache=True, nogil=True)
def grow(
    mine: Ints, k: int, orbit: Floats, nights: int, known: Known, sky: Sky, limits: Limits, linkages: Table, at: int,
    own: Work,
) -> int:  # fmt: skip
    """Add to `mine` what fits on each night of the mask `nights`, the nearest in time first; the new number.

    The orbit of `mine[:k]` must be the one fitted last; it still is at the end. `at` is the linkage that grows, or −1
    for a cluster that is none yet; only a linkage takes in another.
    """
    near = np.empty(_NEAR, np.int64)
    moved, trial, best_orbit = np.empty(6), np.empty(6), np.empty(6)
    place = np.empty((1, 9))
    for q in np.argsort(np.abs(sky.middle[:, 0] - own.middle[0])):
        if not (nights >> q) & 1:
            continue
        found = _near_prediction(q, own, sky, near, place[0], moved)
        best, best_total = -1, np.inf
        for m in range(found):
            j = near[m]
            if not _could_be(j, q, mine[:k], at, known, sky, place[0], own):
                continue
            if known.taken[j] > 0:
                joined = _join(mine, k, orbit, known.taken[j] - 1, known, limits, linkages, own)
                if joined > k:
                    k = joined
                else:
                    selection.fit_tracklets(mine[:k], orbit, known, own)
                continue
            if k == MOST_TRACKLETS:
                return k
            mine[k] = j
            if selection.fit_from_several_distances(mine[: k + 1], orbit, trial, known, limits, own) == ACCEPTED:
                total = own.chi2[: 2 * k + 2].sum()
                if total < best_total:
                    best, best_total = j, total
                    best_orbit[:] = trial
            selection.fit_tracklets(mine[:k], orbit, known, own)
        if best >= 0 and k < MOST_TRACKLETS:
            mine[k] = best
            orbit[:] = best_orbit
            k += 1
            selection.fit_tracklets(mine[:k], orbit, known, own)
    return k


@numba.njit(cache=True, nogil=True)
def _near_prediction(q: int, own: Work, sky: Sky, near: Ints, place: Floats, moved: Floats) -> int:
    """Tracklets near where the orbit fitted last would be in night `q`; `place` becomes what is predicted.

    place[0:7] is a row; 7 and 8 hold the variances, radians², of the two axes, the covariance is neglected to the safe
    side.
    """
    seen = np.empty(3)
    partial, back = np.empty((2, 6)), np.empty(6)
    place[:] = sky.middle[q]
    distance = two_body_fit.see(own.here, own.middle[0], place, moved, seen)
    place[1:4] = seen
    two_body_fit.set_basis(own.here, own)
    two_body_fit.partials(place, own.here, moved, distance, own, partial)
    if not two_body_fit.factorise(own.normal, 0.0, own.factor):
        return 0
    for k in range(2):
        two_body_fit.substitute(own.factor, partial[k], back)
        place[7 + k] = (back * back).sum() + _ALLOWED_MODEL**2
    wide = math.sqrt(place[7] + place[8])
    if not wide < _FARTHEST:
        return 0
    along = across = 0.0
    for c in range(3):
        along += (moved[3 + c] - own.earth[3 + c]) * seen[c]
        across += (moved[3 + c] - own.earth[3 + c]) ** 2
    drift = math.sqrt(max(across - along * along, 0.0)) / distance
    reach = min(6.0 * wide + 1.2 * drift * sky.half[q], 2.0 * _FARTHEST)
    ra, dec = math.atan2(seen[1], seen[0]), math.asin(min(max(seen[2], -1.0), 1.0))
    return max(sky_grid.near(sky.grid, ra, dec, reach, near), 0)


@numba.njit(cache=True, nogil=True)
def _could_be(j: int, q: int, mine: Ints, at: int, known: Known, sky: Sky, place: Floats, own: Work) -> bool:
    """Whether tracklet `j` is of night `q`, free or another linkage's, and where the orbit says."""
    if known.night[j] != np.int64(1) << q or (known.taken[j] > 0 and (at < 0 or known.taken[j] == at + 1)):
        return False
    for m in mine:
        if m == j:
            return False
    moved, seen, off = np.empty(6), np.empty(3), np.empty(2)
    row = known.rows[2 * j]
    two_body_fit.see(own.here, own.middle[0], row, moved, seen)
    two_body_fit.residuals(row, seen, off)
    east, north = off[0] ** 2 / (place[7] + row[7] ** 2), off[1] ** 2 / (place[8] + row[8] ** 2)
    return bool(east + north < _MAHALANOBIS)


@numba.njit(cache=True, nogil=True)
def _join(
    mine: Ints, k: int, orbit: Floats, other: int, known: Known, limits: Limits, linkages: Table, own: Work
) -> int:  # fmt: skip
    """Take in another linkage if one orbit fits both; the new number of tracklets."""
    more = k + linkages.counts[other]
    if more > MOST_TRACKLETS:
        return k
    mine[k:more] = linkages.mine[other, : linkages.counts[other]]
    trial = orbit.copy()
    total = selection.fit_tracklets(mine[:more], trial, known, own)
    if not (selection.fits(total, more, own, limits) and selection.physical(trial, limits)):
        return k
    orbit[:] = trial
    linkages.counts[other] = 0
    known.taken[mine[k:more]] = 0
    return int(more)
