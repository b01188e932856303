"""Tracklets of two detections, among those that no line has taken; a detection may be in several."""

import numba
import numpy as np

from mops.science.tracklets import sky_grid
from mops.science.tracklets.lines import AHEAD, Limits, Night, separation
from mops.science.tracklets.sky_grid import Ints


@numba.njit(cache=True, nogil=True)
def find_pairs(seen: Night, limits: Limits, out: Ints) -> int:
    """Pairs (earlier, later) of one night into `out` (capacity, 2) as far as it holds them; how many there are.

    Negative where too many detections are near one.
    """
    t, ra, dec = seen.t, seen.ra, seen.dec
    ahead = np.empty(AHEAD, np.int64)
    found = 0
    for i in range(len(t)):
        if seen.used[i]:
            continue
        n = sky_grid.near(seen.grid, ra[i], dec[i], limits.max_days * limits.max_rate, ahead)
        if n < 0:
            return -1
        for m in range(n):
            j = ahead[m]
            days = t[j] - t[i]
            if seen.used[j] or days <= 0.0 or days > limits.max_days or seen.visit[j] == seen.visit[i]:
                continue
            arc = separation(ra[i], dec[i], ra[j], dec[j])
            if limits.min_arc <= arc <= limits.max_rate * days:
                if found < len(out):
                    out[found, 0] = i
                    out[found, 1] = j
                found += 1
    return found
