"""Clusters to linkages with orbits: those of new objects, and those of known ones seen again."""

from collections.abc import Callable

import numpy as np

from mops.models import KeptArrays, Night
from mops.pipeline import kept
from mops.pipeline.configuration import Configuration
from mops.pipeline.found import Found, together
from mops.pipeline.improving import improved
from mops.pipeline.left import Left
from mops.pipeline.linking import is_increment
from mops.pipeline.packing import packed, unpacked
from mops.pipeline.window import window_of
from mops.science.detections import Detections
from mops.science.linking.link import Clusters, merged
from mops.science.orbit_fit import Arcs, FitConfig, fit
from mops.science.orbit_status import Status
from mops.science.tracklets import Tracklets


def purify_night(night: Night, wanted: Configuration, tell: Callable[[float, str], None]) -> Left:
    rows = KeptArrays.objects.filter(night=night, kind=KeptArrays.Kind.CLUSTERS).order_by("key")
    detections, tracklets = window_of(night, wanted)
    clusters = merged([unpacked(Clusters, "clusters", kept.get(row.sha256)) for row in rows])
    tell(0.1, f"fitting {len(clusters)} clusters")
    found = _linked(detections, tracklets, clusters, wanted)
    again = improved(night)
    both = found if again is None else together(found, again)
    counts = {
        "clusters": len(clusters),
        "tracklets": len(tracklets),
        "linkages": len(found),
        "accepted": int(found.accepted.sum()),
        "increment": is_increment(night, wanted),
    }
    return Left(packed(found=both), len(both), counts)


def _linked(detections: Detections, tracklets: Tracklets, clusters: Clusters, wanted: Configuration) -> Found:
    lists = []
    for k in range(len(clusters)):
        mine = clusters.members[clusters.first[k] : clusters.first[k + 1]]
        rows = np.unique(np.concatenate([tracklets.members[tracklets.first[t] : tracklets.first[t + 1]] for t in mine]))
        lists.append(rows[np.argsort(detections.mjd_tai[rows], kind="stable")])
    first = np.cumsum([0, *map(len, lists)]).astype(np.int64)
    members = np.concatenate(lists).astype(np.int64)
    orbits = fit(
        Arcs.of(detections, first, members),
        clusters.state,
        np.full(len(clusters), clusters.reference_mjd_tdb),
        FitConfig(tolerance=0.1),
    )
    reason = np.full(len(lists), "", dtype="<U200")
    taken: set[int] = set()
    used_count = np.add.reduceat(orbits.used.astype(int), first[:-1])
    order = np.lexsort((orbits.chi2 / np.maximum(orbits.degrees_of_freedom, 1), -used_count))
    keep = []
    for k in order:
        s = slice(first[k], first[k + 1])
        mine = members[s][orbits.used[s]]
        if orbits.status[k] != Status.OK:
            reason[k] = Status(orbits.status[k]).sentence
        elif len(np.unique(detections.night[mine])) < wanted.minimum_nights:
            reason[k] = "fewer nights than asked for"
        elif taken & set(mine.tolist()):
            continue
        else:
            taken |= set(mine.tolist())
        keep.append(k)
    keep = np.array(sorted(keep))
    f2 = np.cumsum([0, *np.diff(first)[keep]]).astype(np.int64)
    flat = np.concatenate([np.arange(first[k], first[k + 1]) for k in keep])
    from dataclasses import fields

    from mops.science.orbit_fit import Orbits

    new = Orbits(
        **{
            f.name: getattr(orbits, f.name)[flat if f.name in ("used", "residual_ra", "residual_dec") else keep]
            for f in fields(Orbits)
        }
    )
    n = len(keep)
    return Found(
        first=f2,
        members=members[flat],
        detections=detections,
        orbits=new,
        zone=clusters.zone[keep].astype("<U16"),
        r_au=np.linalg.norm(clusters.state[keep, :3], axis=1),
        rdot_au_d=np.zeros(n),
        spread_arcsec=clusters.spread[keep],
        tracklets=np.diff(clusters.first)[keep],
        object_id=np.zeros(n, np.int64),
        reason=reason[keep],
    )
