"""The tracklets of one search, and the linkages that clusters of them have become so far."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mops.science.detections import Detections
from mops.science.linking import growth, selection
from mops.science.linking.growth import Sky
from mops.science.linking.link import Clusters, LinkConfig, frame_of, night_bits
from mops.science.linking.selection import Known, Limits, Table
from mops.science.linking.states import Floats, Ints
from mops.science.linking.two_body_fit import places
from mops.science.tracklets import Tracklets, sky_grid

_GRID = np.radians(0.2)


@dataclass(frozen=True, slots=True)
class PurifyConfig:
    """What a linkage must be."""

    nights: int = 3
    sigmas: float = 4.75  # a χ² as improbable as this deviation of a Gaussian is refused
    escape_speeds: float = 1.3  # faster is no orbit; 2I/Borisov had 1.6, 3I/ATLAS 3: raise it for the like
    supposed_energy_sigma: float = 0.5  # where an arc leaves the orbit open; see `orbit_fit.FitConfig`


class Pool:
    """Judges clusters, best first, and keeps the linkages; a tracklet is in one at most."""

    def __init__(
        self, detections: Detections, tracklets: Tracklets, reference_mjd_tdb: float, config: PurifyConfig
    ) -> None:
        ends = np.stack([tracklets.members[tracklets.first[:-1]], tracklets.members[tracklets.first[1:] - 1]], axis=1)
        self.detections, self.tracklets, self.config = detections, tracklets, config
        self.reference_mjd_tdb = reference_mjd_tdb
        self.earth = frame_of(reference_mjd_tdb, LinkConfig()).earth
        self.known = Known(
            rows=places(detections, ends.ravel(), reference_mjd_tdb),
            night=night_bits(tracklets.night),
            taken=np.zeros(len(tracklets), np.int64),
        )
        self.sky = _sky(tracklets, self.known.rows[::2])
        self.table: Table = selection.table(len(tracklets) // 3 + 1)
        self.ends: dict[str, int] = dict.fromkeys(selection.REASONS, 0)
        self.hypothesis = np.empty(0, np.int64)  # of each linkage, and its zone
        self.zone = np.empty(0, "U16")
        self._grown = 0
        self.clustered = np.zeros(len(tracklets), bool)
        self.fitted = np.zeros(len(tracklets), bool)

    @property
    def free(self) -> npt.NDArray[np.bool_]:
        """Tracklets that no linkage has."""
        return np.asarray(self.known.taken == 0)

    def judge(self, clusters: Clusters, nights: int) -> Ints:
        """Make linkages of clusters of at least `nights` nights; what became of each, an index of `REASONS`."""
        count = selection.nights_of_each(clusters.first, clusters.members, self.known.night)
        order = np.lexsort((clusters.hypothesis, clusters.spread, -count))
        verdict = np.zeros(len(clusters), np.int64)
        before = int(self.table.size[0])
        growth.judge(
            order, clusters.first, clusters.members, clusters.state, self.known, self.sky, self._limits(nights),
            self.table, verdict, self.earth,
        )  # fmt: skip
        self.clustered[clusters.members] = True
        fitted = (verdict == selection.ACCEPTED) | (verdict == selection.FEW_NIGHTS)
        self.fitted[clusters.members[np.repeat(fitted, np.diff(clusters.first))]] = True
        for end, number in zip(selection.REASONS, np.bincount(verdict, minlength=len(selection.REASONS)), strict=True):
            self.ends[end] += int(number)
        made = self.table.cluster[before : self.table.size[0]]
        self.hypothesis = np.concatenate([self.hypothesis, clusters.hypothesis[made]])
        self.zone = np.concatenate([self.zone, clusters.zone[made]])
        return verdict

    def adopt(self, first: Ints, members: Ints, states: Floats, hypothesis: Ints, zone: npt.NDArray[np.str_]) -> None:
        """Take over linkages that earlier nights have made: their tracklets, and states (k, 6) at the reference."""
        longest = np.diff(first).max(initial=0)
        if longest > selection.MOST_TRACKLETS:
            raise ValueError(
                f"A known linkage has {longest} tracklets in the window; at most {selection.MOST_TRACKLETS} fit."
            )
        count = len(first) - 1
        row = np.repeat(np.arange(count), np.diff(first))
        self.table.mine[row, np.arange(len(members)) - first[row]] = members
        self.table.counts[:count], self.table.orbit[:count] = np.diff(first), states
        self.table.size[0] = count
        self.known.taken[members] = row + 1
        self.hypothesis, self.zone = hypothesis.copy(), zone.copy()

    def grow(self, nights: int = growth.ALL_NIGHTS) -> None:
        """Add to every linkage made since the last time what fits it on `nights` (a mask); join those that are one."""
        limits = self._limits(self.config.nights)
        growth.grow_all(self._grown, nights, self.known, self.sky, limits, self.table, self.earth)
        self._grown = int(self.table.size[0])

    def night_mask(self, night: int) -> int:
        """The bit of a dayObs, 0 where it has no tracklet."""
        mine = self.known.night[self.tracklets.night == night]
        return int(mine[0]) if len(mine) else 0

    def linked(self, night: int | None = None) -> tuple[Ints, Ints, Ints]:
        """Indices in the table of the linkages that are left; their tracklets, as where each begins and one list.

        Where `night` is given, only those with a tracklet of it.
        """
        kept = self.table.counts[: self.table.size[0]] > 0
        if night is not None:
            taken = self.known.taken[self.tracklets.night == night]
            kept &= np.isin(np.arange(len(kept)), taken[taken > 0] - 1)
        chosen = np.flatnonzero(kept)
        first = np.concatenate([[0], np.cumsum(self.table.counts[chosen])]).astype(np.int64)
        row = np.repeat(chosen, self.table.counts[chosen])
        column = np.arange(first[-1]) - np.repeat(first[:-1], self.table.counts[chosen])
        return chosen, first, self.table.mine[row, column].astype(np.int64)

    def _limits(self, nights: int) -> Limits:
        return Limits(nights, self.config.nights, self.config.sigmas, self.config.escape_speeds)


def _sky(tracklets: Tracklets, rows: Floats) -> Sky:
    ra, dec = np.radians(tracklets.ra), np.radians(tracklets.dec)
    names = np.unique(tracklets.night)
    middle, half = np.zeros((len(names), 9)), np.zeros(len(names))
    for q, name in enumerate(names):
        mine = rows[tracklets.night == name]
        begin, end = mine[:, 0].min(), mine[:, 0].max()
        middle[q] = mine[np.abs(mine[:, 0] - (begin + end) / 2).argmin()]
        half[q] = np.abs(mine[:, 0] - middle[q, 0]).max()
    return Sky(sky_grid.build(ra, dec, _GRID), ra, dec, middle, half)
