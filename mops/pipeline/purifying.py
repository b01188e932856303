"""Clusters to linkages with orbits: those of new objects, and those of known ones seen again."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mops.models import KeptArrays, Night
from mops.pipeline import kept
from mops.pipeline.configuration import Configuration
from mops.pipeline.distant import supposed_bound
from mops.pipeline.found import Found, together
from mops.pipeline.improving import improved
from mops.pipeline.left import Left
from mops.pipeline.linking import FIRST, is_increment, limits
from mops.pipeline.packing import packed, unpacked
from mops.pipeline.window import window_of
from mops.science.detections import Detections
from mops.science.linking.hypotheses import SETS
from mops.science.linking.link import Clusters, merged
from mops.science.linking.pool import PurifyConfig
from mops.science.linking.purify import Linkages
from mops.science.linking.search import LOOKS, Look, SearchConfig, search
from mops.science.orbit_fit import Arcs
from mops.science.orbit_status import Status

Tell = Callable[[float, str], None]


def purify_night(night: Night, wanted: Configuration, tell: Tell) -> Left:
    """Linkages of the window: of the first look's clusters, which were found task by task, and of the looks after it.

    Raises Flood, with the figure, where there are too many clusters.
    """
    detections, tracklets = window_of(night, wanted)
    first = _first_look(night)
    tell(0.05, f"{len(first)} clusters of the first look")
    looks = _Looks(tell)
    config = SearchConfig(link=limits(wanted), purify=PurifyConfig(nights=wanted.minimum_nights))
    is_new = is_increment(night, wanted)
    linkages = search(
        detections, tracklets, config, first=first, new_night=night.day_obs if is_new else None, progress=looks
    )
    found = _found(linkages, detections)
    tell(0.9, "known objects")
    again = improved(night)
    both = found if again is None else together(found, again)
    counts = {
        "tracklets": len(tracklets),
        "clusters": looks.clusters,
        "linkages": len(found),
        "accepted": int(found.accepted.sum()),
        "increment": is_new,
        "looks": looks.rows,
        "coverage": _coverage(first, linkages),
        "ends": linkages.refused,
    }
    return Left(packed(found=both), len(both), counts)


class _Looks:
    """Tells of each look as it ends, and keeps what it said."""

    def __init__(self, tell: Tell) -> None:
        self.tell = tell
        self.rows: list[dict[str, Any]] = []

    def __call__(self, look: Look, tracklets: int, clusters: int, linkages: int) -> None:
        zone = look.hypotheses.__name__
        self.rows.append(
            {"zone": zone, "nights": look.nights, "tracklets": tracklets, "clusters": clusters, "linkages": linkages}
        )
        self.tell(0.05 + 0.85 * len(self.rows) / len(LOOKS), f"{linkages} linkages after {len(self.rows)} looks")

    @property
    def clusters(self) -> int:
        return sum(row["clusters"] for row in self.rows)


def _first_look(night: Night) -> Clusters:
    rows = KeptArrays.objects.filter(night=night, kind=KeptArrays.Kind.CLUSTERS).order_by("key")
    return merged([unpacked(Clusters, "clusters", kept.get(row.sha256)) for row in rows])


def _found(linkages: Linkages, detections: Detections) -> Found:
    """The search's linkages; those whose orbit may not be used are refused with the reason."""
    r, rdot = _hypotheses(linkages)
    orbits = supposed_bound(Arcs.of(detections, linkages.first, linkages.members), linkages.orbits)
    reasons = ["" if state == Status.OK else Status(state).sentence for state in orbits.status]
    return Found(
        first=linkages.first,
        members=linkages.members,
        detections=detections,
        orbits=orbits,
        zone=linkages.zone.astype("<U16"),
        r_au=r,
        rdot_au_d=rdot,
        spread_arcsec=np.full(len(linkages), np.nan),
        tracklets=np.diff(linkages.tracklet_first),
        object_id=np.zeros(len(linkages), np.int64),
        reason=np.array(reasons, dtype="<U300"),
    )


def _hypotheses(linkages: Linkages) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Heliocentric distance and its rate, under which each linkage was found."""
    r, rdot = np.full(len(linkages), np.nan), np.full(len(linkages), np.nan)
    for zone in np.unique(linkages.zone):
        mine = linkages.zone == zone
        hypotheses = SETS[str(zone)]()
        at = np.searchsorted(hypotheses.number, linkages.hypothesis[mine])
        r[mine], rdot[mine] = hypotheses.r[at], hypotheses.rdot[at]
    return r, rdot


def _coverage(first: Clusters, linkages: Linkages) -> list[dict[str, Any]]:
    """What each hypothesis of the first look brought: clusters of which it was the best, and linkages."""
    hypotheses = SETS[FIRST]()
    clusters = np.bincount(np.searchsorted(hypotheses.number, first.hypothesis), minlength=len(hypotheses))
    mine = linkages.hypothesis[linkages.zone == FIRST]
    accepted = np.bincount(np.searchsorted(hypotheses.number, mine), minlength=len(hypotheses))
    sizes = np.zeros(len(hypotheses), int)
    np.add.at(sizes, np.searchsorted(hypotheses.number, first.hypothesis), np.diff(first.first))
    return [
        {
            "zone": FIRST,
            "r_au": round(float(hypotheses.r[k]), 4),
            "rdot": round(float(hypotheses.rdot[k]), 6),
            "tracklets": int(sizes[k]),
            "clusters": int(clusters[k]),
            "accepted": int(accepted[k]),
        }
        for k in range(len(hypotheses))
    ]
