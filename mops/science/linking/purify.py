"""From clusters to linkages: orbits decide what belongs together, and each tracklet belongs once."""

from dataclasses import dataclass

import numba
import numpy as np
import numpy.typing as npt

from mops.science import orbit_fit
from mops.science.detections import Detections
from mops.science.kepler import propagate
from mops.science.linking.link import Clusters
from mops.science.linking.pool import Pool, PurifyConfig
from mops.science.linking.selection import chi2_limit
from mops.science.linking.states import Floats, Ints
from mops.science.orbit_fit import Arcs, FitConfig, Orbits
from mops.science.tracklets import Tracklets

_DEFAULT = PurifyConfig()
_TOLERANCE = 0.05  # of χ²: a quarter of a sigma along the loosest direction; short arcs creep for less
NO_ORBIT = "the N-body orbit does not fit its detections"


@dataclass(frozen=True, slots=True)
class Linkages:
    """`k` linkages. `members[first[j]:first[j + 1]]` are indices of detections, in the order of time, each once.

    tracklet_first, tracklet_members : the same for tracklets.  orbits : N-body, at 0 h TDB in the middle of each arc;
    the status says whether an orbit may be used: a linkage of three close nights may be sure and its orbit not.
    merit : float64 (k,), nights less χ² per degree of freedom.  hypothesis, zone : what found each.
    refused : how many clusters met which end.  clustered, fitted : bool (t,), tracklets that were in a cluster, and
    in one that an orbit fits.
    """

    first: Ints
    members: Ints
    tracklet_first: Ints
    tracklet_members: Ints
    orbits: Orbits
    merit: Floats
    hypothesis: Ints
    zone: npt.NDArray[np.str_]
    refused: dict[str, int]
    clustered: npt.NDArray[np.bool_]
    fitted: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.merit)


def purify(
    detections: Detections, tracklets: Tracklets, clusters: Clusters, config: PurifyConfig = _DEFAULT
) -> Linkages:
    """Linkages that one orbit explains, of at least `config.nights` nights, not overlapping, grown and joined.

    The best come first: more nights, then the smaller spread. `search` looks again at what is left.
    """
    pool = Pool(detections, tracklets, clusters.reference_mjd_tdb, config)
    pool.judge(clusters, config.nights)
    pool.grow()
    return finished(pool)


def finished(pool: Pool, night: int | None = None) -> Linkages:
    """The pool's linkages (of one night, where it is given) with N-body orbits; those that none fits are left out."""
    chosen, tracklet_first, tracklet_members = pool.linked(night)
    first, members = detections_of(pool.tracklets.first, pool.tracklets.members, tracklet_first, tracklet_members)
    orbits = _orbits(pool, first, members, pool.table.orbit[chosen])
    good = np.flatnonzero(_fits(orbits, pool.config.sigmas))
    first, members, flat = _part(first, members, good)
    tracklet_first, tracklet_members, _ = _part(tracklet_first, tracklet_members, good)
    orbits = _orbits_of(orbits, good, flat)
    return Linkages(
        first=first,
        members=members,
        tracklet_first=tracklet_first,
        tracklet_members=tracklet_members,
        orbits=orbits,
        merit=_nights(pool.detections.night, first, members) - orbits.chi2 / np.maximum(orbits.degrees_of_freedom, 1),
        hypothesis=pool.hypothesis[chosen[good]],
        zone=pool.zone[chosen[good]],
        refused=pool.ends | {NO_ORBIT: len(chosen) - len(good)},
        clustered=pool.clustered,
        fitted=pool.fitted,
    )


@numba.njit(cache=True, nogil=True)
def detections_of(first: Ints, members: Ints, tracklet_first: Ints, tracklet_members: Ints) -> tuple[Ints, Ints]:
    """Detections of linkages, each once and rising, from the lists of tracklets (`first`, `members`)."""
    out_first = np.zeros(len(tracklet_first), np.int64)
    total = 0
    for j in tracklet_members:
        total += first[j + 1] - first[j]
    out = np.empty(total, np.int64)
    place = 0
    for k in range(len(tracklet_first) - 1):
        begin = place
        for j in tracklet_members[tracklet_first[k] : tracklet_first[k + 1]]:
            for m in range(first[j], first[j + 1]):
                out[place] = members[m]
                place += 1
        out[begin:place].sort()
        kept = begin
        for m in range(begin, place):
            if m == begin or out[m] != out[kept - 1]:
                out[kept] = out[m]
                kept += 1
        place = kept
        out_first[k + 1] = place
    return out_first, out[:place].copy()


def _orbits(pool: Pool, first: Ints, members: Ints, states: Floats) -> Orbits:
    """All detections and no supposition where that fits; else without outliers, and a bound orbit supposed."""
    arcs = Arcs.of(pool.detections, first, members)
    middle = np.add.reduceat(arcs.mjd_tdb, first[:-1]) / np.diff(first) if len(members) else np.empty(0)
    epoch = np.round(middle)
    seeds = propagate(states, epoch - pool.reference_mjd_tdb)
    orbits = orbit_fit.fit(arcs, seeds, epoch, FitConfig(tolerance=_TOLERANCE, reject_chi2=0.0))
    again = np.flatnonzero(~_fits(orbits, pool.config.sigmas))
    if len(again):
        supposing = FitConfig(tolerance=10 * _TOLERANCE, energy_sigma=pool.config.supposed_energy_sigma)
        second = orbit_fit.fit(arcs.take(again), seeds[again], epoch[again], supposing)
        _, _, flat = _part(first, members, again)
        for name in _PER_ARC:
            getattr(orbits, name)[again] = getattr(second, name)
        for name in _PER_DETECTION:
            getattr(orbits, name)[flat] = getattr(second, name)
    return orbits


_PER_ARC = (
    "epoch_mjd_tdb",
    "state",
    "covariance",
    "chi2",
    "degrees_of_freedom",
    "rms_arcsec",
    "status",
    "iterations",
)
_PER_DETECTION = ("used", "residual_ra", "residual_dec")


def _orbits_of(orbits: Orbits, chosen: Ints, flat: Ints) -> Orbits:
    return Orbits(
        **{name: getattr(orbits, name)[chosen] for name in _PER_ARC},
        **{name: getattr(orbits, name)[flat] for name in _PER_DETECTION},
    )


def _fits(orbits: Orbits, sigmas: float) -> npt.NDArray[np.bool_]:
    freedom, where = np.unique(np.maximum(orbits.degrees_of_freedom, 1), return_inverse=True)
    limit = np.array([chi2_limit(float(each), sigmas) for each in freedom])
    return np.asarray(orbits.chi2 <= limit[where])


def _part(first: Ints, members: Ints, chosen: Ints) -> tuple[Ints, Ints, Ints]:
    """Some of the lists: where each begins, their members, and where those were."""
    lengths = np.diff(first)[chosen]
    new = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    flat = np.repeat(first[:-1][chosen] - new[:-1], lengths) + np.arange(new[-1])
    return new, members[flat], flat


def _nights(night: npt.NDArray[np.int32], first: Ints, members: Ints) -> Ints:
    """Nights of each; members are in the order of time."""
    names = night[members]
    changes = np.concatenate([[0], np.cumsum(np.diff(names) != 0)]) if len(names) else np.empty(0, np.int64)
    return np.asarray(changes[first[1:] - 1] - changes[first[:-1]] + 1, np.int64)
