"""Tracklets of three and more detections along a great circle, each detection in one of them only.

Great circles are straight lines on a plane that touches the sphere (gnomonic projection; Snyder 1987, *Map
Projections*, eq. 22-4 and 22-5), so that a line is fitted to time. The earliest detection without a tracklet looks
ahead; of the pairs it forms, that one is followed which most others agree with. Its members are never looked at again,
so that an object with a hundred detections in a night costs one look.
"""

import math
from typing import NamedTuple

import numba
import numpy as np

from mops.science.tracklets import sky_grid
from mops.science.tracklets.sky_grid import Floats, Grid, Ints

_MOST_PAIRS_FOLLOWED = 100  # of one detection; among more, every second, third … is taken
AHEAD = 1 << 15  # detections that can be ahead of one


class Night(NamedTuple):
    """The `n` detections of one night in the order of time: days, radians, and whether a line has taken them."""

    grid: Grid
    t: Floats
    ra: Floats
    dec: Floats
    visit: Ints
    used: Ints


class Limits(NamedTuple):
    """Days, radians a day and radians; see `TrackletConfig`."""

    max_days: float
    max_rate: float
    min_arc: float
    tolerance: float


@numba.njit(cache=True, nogil=True)
def find_lines(seen: Night, limits: Limits, first: Ints, members: Ints) -> int:
    """Find them among the `n` detections of one night.

    `seen.used` becomes 1 + the tracklet of each detection; `first` (n + 1,) and `members` (n,) are filled.
    Returns the number of tracklets, negative where too many detections were ahead of one.
    """
    ahead = np.empty(AHEAD, np.int64)
    chosen = np.empty(AHEAD, np.int64)
    plane = np.empty((AHEAD, 3))  # ξ, η, days since the first
    line = np.empty(4)  # ξ, η at the first's time and their rates
    found = 0
    first[0] = 0
    for i in range(len(seen.t)):
        if seen.used[i]:
            continue
        n = _look_ahead(seen, limits, i, i, ahead, plane)
        if n < 0:
            return -1
        if n < 2 or not _follow(n, plane, limits, line):
            continue
        k = _settle(n, ahead, plane, seen, i, line, limits.tolerance, chosen)
        if k < 3:
            continue
        place = first[found]
        for m in range(k):
            members[place + m] = chosen[m]
            seen.used[chosen[m]] = found + 1
        k = _extend(seen, limits, i, k, ahead, plane, members[place:], found + 1)
        found += 1
        first[found] = place + k
    return found


@numba.njit(cache=True, nogil=True)
def _look_ahead(seen: Night, limits: Limits, origin: int, i: int, ahead: Ints, plane: Floats) -> int:
    """Free detections after `i` that it could have moved to, in the order of time, on the plane about `origin`."""
    t, ra, dec = seen.t, seen.ra, seen.dec
    n = sky_grid.near(seen.grid, ra[i], dec[i], limits.max_days * limits.max_rate + limits.tolerance, ahead)
    kept = 0
    for m in range(n):
        j = ahead[m]
        days = t[j] - t[i]
        if seen.used[j] or days <= 0.0 or days > limits.max_days or seen.visit[j] == seen.visit[i]:
            continue
        if separation(ra[i], dec[i], ra[j], dec[j]) <= limits.max_rate * days + limits.tolerance:
            ahead[kept] = j
            kept += 1
    ahead[:kept].sort()
    for m in range(kept):
        j = ahead[m]
        plane[m, 0], plane[m, 1] = gnomonic(ra[origin], dec[origin], ra[j], dec[j])
        plane[m, 2] = t[j] - t[origin]
    return kept if n >= 0 else -1


@numba.njit(cache=True, nogil=True)
def _follow(n: int, plane: Floats, limits: Limits, line: Floats) -> bool:
    """The line through the origin and that detection which most others agree with; False where none agrees."""
    best, best_sum = 0, 0.0
    step = 1 + n // _MOST_PAIRS_FOLLOWED
    for j in range(0, n, step):
        if plane[j, 0] ** 2 + plane[j, 1] ** 2 < limits.min_arc**2:
            continue
        rate_x, rate_y = plane[j, 0] / plane[j, 2], plane[j, 1] / plane[j, 2]
        agree, total = 0, 0.0
        for m in range(n):
            off = math.hypot(plane[m, 0] - rate_x * plane[m, 2], plane[m, 1] - rate_y * plane[m, 2])
            if m != j and off <= limits.tolerance * max(1.0, plane[m, 2] / plane[j, 2]):
                agree += 1
                total += off
        if agree > best or (agree == best and agree > 0 and total < best_sum):
            best, best_sum = agree, total
            line[0], line[1], line[2], line[3] = 0.0, 0.0, rate_x, rate_y
    return best > 0


@numba.njit(cache=True, nogil=True)
def _settle(
    n: int, ahead: Ints, plane: Floats, seen: Night, i: int, line: Floats, tolerance: float, chosen: Ints
) -> int:
    """Those within `tolerance` of the fitted line, one a visit, the first `i` among them; their number."""
    rows = np.empty(n, np.int64)
    within = 3 * tolerance
    k = 0
    for turn in range(3):
        k = _members(n, ahead, plane, seen.visit, line, within, rows)
        if k < 2:
            return 0
        fit_line(plane, rows[:k], 1, line)
        within = 1.5 * tolerance if turn == 0 else tolerance
    k = _members(n, ahead, plane, seen.visit, line, tolerance, rows)
    if k < 2 or math.hypot(line[0], line[1]) > tolerance:
        return 0
    chosen[0] = i
    for m in range(k):
        chosen[m + 1] = ahead[rows[m]]
    return k + 1


@numba.njit(cache=True, nogil=True)
def _members(n: int, ahead: Ints, plane: Floats, visit: Ints, line: Floats, within: float, rows: Ints) -> int:
    """Rows within a distance of the line; of several of one visit, the nearest."""
    k = 0
    last_off = 0.0
    for m in range(n):
        off = math.hypot(plane[m, 0] - line[0] - line[2] * plane[m, 2], plane[m, 1] - line[1] - line[3] * plane[m, 2])
        if off > within:
            continue
        if k > 0 and visit[ahead[rows[k - 1]]] == visit[ahead[m]]:
            if off < last_off:
                rows[k - 1] = m
                last_off = off
            continue
        rows[k] = m
        last_off = off
        k += 1
    return k


@numba.njit(cache=True, nogil=True)
def _extend(seen: Night, limits: Limits, i: int, k: int, ahead: Ints, plane: Floats, members: Ints, number: int) -> int:
    """Follow the line of the last `max_days` beyond its end until nothing more lies on it; the number of members."""
    t, ra, dec = seen.t, seen.ra, seen.dec
    line = np.empty(4)
    rows = np.empty(AHEAD, np.int64)
    while True:
        last = members[k - 1]
        begin = 0
        while t[members[begin]] < t[last] - limits.max_days and begin < k - 2:
            begin += 1
        own = np.empty((k - begin, 3))
        for m in range(begin, k):
            own[m - begin, 0], own[m - begin, 1] = gnomonic(ra[i], dec[i], ra[members[m]], dec[members[m]])
            own[m - begin, 2] = t[members[m]] - t[i]
        fit_line(own, np.arange(k - begin), 0, line)
        n = _look_ahead(seen, limits, i, last, ahead, plane)
        more = _members(max(n, 0), ahead, plane, seen.visit, line, limits.tolerance, rows)
        if more == 0:
            return k
        # The line bends over hours: what is nearest in time is taken, and the line fitted again.
        until = plane[rows[0], 2] + 0.5 * (t[last] - t[members[begin]])
        for m in range(more):
            if plane[rows[m], 2] <= until:
                members[k] = ahead[rows[m]]
                seen.used[members[k]] = number
                k += 1


@numba.njit(cache=True, nogil=True)
def fit_line(plane: Floats, rows: Ints, with_origin: int, line: Floats) -> None:
    """Least squares of ξ and η against time over `rows`, and the point (0, 0, 0) where `with_origin` is 1."""
    n = len(rows) + with_origin
    mean_t = mean_x = mean_y = 0.0
    for m in rows:
        mean_x += plane[m, 0] / n
        mean_y += plane[m, 1] / n
        mean_t += plane[m, 2] / n
    tt, tx, ty = with_origin * mean_t**2, with_origin * mean_t * mean_x, with_origin * mean_t * mean_y
    for m in rows:
        days = plane[m, 2] - mean_t
        tt += days * days
        tx += days * (plane[m, 0] - mean_x)
        ty += days * (plane[m, 1] - mean_y)
    line[2], line[3] = tx / tt, ty / tt
    line[0], line[1] = mean_x - line[2] * mean_t, mean_y - line[3] * mean_t


@numba.njit(cache=True, nogil=True)
def gnomonic(ra0: float, dec0: float, ra: float, dec: float) -> tuple[float, float]:
    """ξ (east) and η (north), radians, on the plane that touches the sphere at (ra0, dec0)."""
    sin0, cos0, sin1, cos1 = math.sin(dec0), math.cos(dec0), math.sin(dec), math.cos(dec)
    cos_ra = math.cos(ra - ra0)
    scale = sin0 * sin1 + cos0 * cos1 * cos_ra
    return cos1 * math.sin(ra - ra0) / scale, (cos0 * sin1 - sin0 * cos1 * cos_ra) / scale


@numba.njit(cache=True, nogil=True)
def separation(ra0: float, dec0: float, ra1: float, dec1: float) -> float:
    """Great-circle distance, radians (haversine: exact for small angles)."""
    a = math.sin((dec1 - dec0) / 2) ** 2 + math.cos(dec0) * math.cos(dec1) * math.sin((ra1 - ra0) / 2) ** 2
    return 2 * math.asin(math.sqrt(min(a, 1.0)))
