"""From detections to tracklets, night by night."""

import math

import numba
import numpy as np
import numpy.typing as npt

from mops.science.constants import ARCSEC
from mops.science.detections import Detections
from mops.science.tracklets import sky_grid
from mops.science.tracklets.configuration import Flood, Made, TrackletConfig, Tracklets
from mops.science.tracklets.lines import AHEAD, Limits, Night, find_lines, fit_line, gnomonic
from mops.science.tracklets.pairs import find_pairs
from mops.science.tracklets.sky_grid import Floats, Ints
from mops.science.tracklets.stationary import crowd_in_visit, nights_at_place

_DEFAULT = TrackletConfig()


def make_tracklets(detections: Detections, config: TrackletConfig = _DEFAULT) -> Made:
    """All tracklets of the detections: along lines first, then pairs of what is left; see `TrackletConfig`.

    Raises
    ------
    Flood
        A visit has more detections, or a night more pairs, than the configuration allows.
    ValueError
        A place or time is not finite.
    """
    _refuse_nonsense(detections)
    _refuse_a_flooded_visit(detections, config)
    ra, dec = np.radians(detections.ra), np.radians(detections.dec)
    places = nights_at_place(
        ra, dec, detections.night.astype(np.int64), config.stationary_arcsec * ARCSEC, config.stationary_nights
    )
    stationary = places >= config.stationary_nights
    crowd = crowd_in_visit(ra, dec, detections.visit, config.crowd_arcsec * ARCSEC, config.crowd_detections)
    crowded = (crowd >= config.crowd_detections) & ~stationary
    kept = np.flatnonzero(~stationary & ~crowded)
    order = kept[np.lexsort((detections.id[kept], detections.mjd_tai[kept], detections.night[kept]))]
    bounds = np.searchsorted(detections.night[order], np.unique(detections.night[order]), side="left")
    lists: list[_Lists] = []
    in_lines = 0
    for rows in np.split(order, bounds[1:]) if len(order) else []:
        lines, pairs = _of_one_night(
            detections, rows, config, room=config.max_tracklets - sum(len(each) for each in lists)
        )
        in_lines += len(lines)
        lists += [lines, pairs]
    tracklets = measured(detections, lists)
    counts = {
        "detections": len(detections),
        "stationary": int(stationary.sum()),
        "crowded": int(crowded.sum()),
        "lines": in_lines,
        "pairs": len(tracklets) - in_lines,
        "detections_in_tracklets": len(np.unique(tracklets.members)),
    }
    return Made(tracklets, stationary, crowded, counts)


class _Lists:
    """Lists of detection indices, as one flat array and where each begins."""

    def __init__(self, first: Ints, members: Ints) -> None:
        self.first, self.members = first, members

    def __len__(self) -> int:
        return len(self.first) - 1


def _of_one_night(detections: Detections, rows: Ints, config: TrackletConfig, room: int) -> tuple[_Lists, _Lists]:
    ra, dec = np.radians(detections.ra[rows]) % (2 * np.pi), np.radians(detections.dec[rows])
    limits = Limits(
        config.max_hours / 24,
        math.radians(config.max_deg_per_day),
        config.min_arcsec * ARCSEC,
        config.great_circle_arcsec * ARCSEC,
    )
    grid = sky_grid.build(ra, dec, limits.max_days * limits.max_rate + limits.tolerance)
    seen = Night(grid, detections.mjd_tai[rows], ra, dec, detections.visit[rows], np.zeros(len(rows), np.int64))
    first, members = np.zeros(len(rows) + 1, np.int64), np.empty_like(rows)
    found = find_lines(seen, limits, first, members)
    _refuse_a_crowded_night(found, detections, rows)
    lines = _Lists(first[: found + 1].copy(), rows[members[: first[found]]])
    pairs = np.empty((len(rows), 2), np.int64)
    for _ in range(2):
        count = find_pairs(seen, limits, pairs)
        _refuse_a_crowded_night(count, detections, rows)
        if count + found > room:
            raise Flood(
                f"The night {detections.night[rows[0]]} has {count + found:,} tracklets from {len(rows):,} detections, "
                f"which is more than the {config.max_tracklets:,} allowed in all: leave out false detections "
                "(by their quality) or known objects first, or raise max_tracklets."
            )
        if count <= len(pairs):
            break
        pairs = np.empty((count, 2), np.int64)
    return lines, _Lists(2 * np.arange(count + 1), rows[pairs[:count].ravel()])


def measured(detections: Detections, lists: list[_Lists]) -> Tracklets:
    """Tracklets with their lines fitted, in the order of the lists."""
    lengths = np.concatenate([np.diff(each.first) for each in lists]) if lists else np.empty(0, np.int64)
    members = np.concatenate([each.members for each in lists]) if lists else np.empty(0, np.int64)
    first = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    values = fit_tracklets(first, members, detections.mjd_tai, np.radians(detections.ra), np.radians(detections.dec))
    return Tracklets(
        first=first,
        members=members,
        mjd_tai=values[0],
        ra=np.degrees(values[1]) % 360.0,
        dec=np.degrees(values[2]),
        rate_ra=np.degrees(values[3]),
        rate_dec=np.degrees(values[4]),
        night=detections.night[members[first[:-1]]],
        n_points=lengths.astype(np.int32),
        hours=values[5],
        rms_arcsec=values[6],
    )


@numba.njit(cache=True, nogil=True)
def fit_tracklets(first: Ints, members: Ints, mjd: Floats, ra: Floats, dec: Floats) -> Floats:
    """Mean time, RA and Dec then, their rates (radians a day, on the sky), hours, and rms (arcsec): (7, k)."""
    k = len(first) - 1
    out = np.zeros((7, k))
    line = np.empty(4)
    for j in range(k):
        mine = members[first[j] : first[j + 1]]
        n = len(mine)
        t0 = mjd[mine[0]]
        ra0, dec0 = ra[mine[n // 2]], dec[mine[n // 2]]
        plane = np.empty((n, 3))
        mean = 0.0
        for m in range(n):
            mean += (mjd[mine[m]] - t0) / n
        for m in range(n):
            plane[m, 0], plane[m, 1] = gnomonic(ra0, dec0, ra[mine[m]], dec[mine[m]])
            plane[m, 2] = mjd[mine[m]] - t0 - mean
        fit_line(plane, np.arange(n), 0, line)
        square = 0.0
        for m in range(n):
            square += (plane[m, 0] - line[0] - line[2] * plane[m, 2]) ** 2
            square += (plane[m, 1] - line[1] - line[3] * plane[m, 2]) ** 2
        out[0, j] = t0 + mean
        out[1, j], out[2, j] = _from_plane(ra0, dec0, line[0], line[1])
        out[3, j], out[4, j] = line[2], line[3]
        out[5, j] = (mjd[mine[n - 1]] - t0) * 24
        out[6, j] = math.sqrt(square / n) / ARCSEC if n > 2 else 0.0
    return out


@numba.njit(cache=True, nogil=True)
def _from_plane(ra0: float, dec0: float, x: float, y: float) -> tuple[float, float]:
    scale = math.cos(dec0) - y * math.sin(dec0)
    return ra0 + math.atan2(x, scale), math.atan2(math.sin(dec0) + y * math.cos(dec0), math.hypot(x, scale))


def _refuse_nonsense(detections: Detections) -> None:
    bad = ~(np.isfinite(detections.ra) & np.isfinite(detections.dec) & np.isfinite(detections.mjd_tai))
    bad |= np.abs(detections.dec) > 90.0
    if bad.any():
        raise ValueError(
            f"{bad.sum()} of {len(bad)} detections have no usable place or time (the first is diaSource "
            f"{detections.id[np.argmax(bad)]}): leave them out before making tracklets."
        )


def _refuse_a_flooded_visit(detections: Detections, config: TrackletConfig) -> None:
    visits, counts = np.unique(detections.visit, return_counts=True)
    if len(counts) and counts.max() > config.max_per_visit:
        raise Flood(
            f"Visit {visits[counts.argmax()]} has {counts.max():,} detections, more than the {config.max_per_visit:,} "
            "that a usable visit can have: leave it out, or raise max_per_visit."
        )


def _refuse_a_crowded_night(found: int, detections: Detections, rows: npt.NDArray[np.int64]) -> None:
    if found < 0:
        raise Flood(
            f"The night {detections.night[rows[0]]} has {len(rows):,} detections, and more than {AHEAD:,} of them "
            "within reach of a single one: leave out false detections first."
        )


def warm_up() -> None:
    """Compile the kernels."""
    n, step = 3, np.arange(3, dtype=np.float64)
    some = np.full(n, 0.1)
    make_tracklets(
        Detections(
            id=np.arange(n),
            mjd_tai=60000.0 + 0.02 * step,
            ra=10.0 + 0.005 * step,
            dec=0.0 * step,
            sigma_ra=some,
            sigma_dec=some,
            mag=some,
            band=np.zeros(n, np.int8),
            night=np.full(n, 20260101, np.int32),
            visit=np.arange(n),
            observer=np.zeros((n, 3)),
        )
    )
