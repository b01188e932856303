"""How complete and how pure a night's result is, where its detections carry their truth."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mops.models import KeptArrays, Night, SyntheticTruth
from mops.pipeline import kept
from mops.pipeline.configuration import Configuration
from mops.pipeline.found import Found
from mops.pipeline.known_objects import published_elsewhere
from mops.pipeline.packing import unpacked
from mops.pipeline.reading import detections_of
from mops.pipeline.start import window
from mops.pipeline.window import window_of
from mops.science.detections import Detections
from mops.science.linking.link import Clusters
from mops.synthetic import waterfall
from mops.synthetic.findability import findable
from mops.synthetic.groups import describe
from mops.synthetic.losses import Loss
from mops.synthetic.obstacles import why_without_tracklets
from mops.synthetic.population import Population
from mops.synthetic.scoring import pure_objects, score

Ints = npt.NDArray[np.int64]

_NO_CLUSTER = Loss("its tracklets are in no cluster of three nights under any hypothesis, nor near an orbit of two")
_NO_ORBIT = Loss("no orbit fits the clusters that its tracklets are in")


def score_night(night: Night, wanted: Configuration, found: Found) -> dict[str, Any]:
    """Completeness and purity by zone, and the loss waterfall of the findable objects; empty without truth.

    An object counts as found where a linkage of this night or of an earlier published one is of it alone.
    """
    truths = list(SyntheticTruth.objects.filter(day_obs__in=window(night.day_obs, wanted)).order_by("day_obs"))
    detections = detections_of(
        window(night.day_obs, wanted),
        as_of_mjd_tai=night.as_of_mjd_tai,
        minimum_reliability=0.0,
    )
    if not truths or not len(detections) or set(np.unique(detections.night)) - {truth.day_obs for truth in truths}:
        return {}
    truth = _truth_of(truths, detections)
    population = unpacked(Population, "population", kept.get(truths[-1].population_sha256))
    return _scored(night, wanted, found, detections, truth, population)


def _scored(
    night: Night, wanted: Configuration, found: Found, detections: Detections, truth: Ints, population: Population
) -> dict[str, Any]:
    objects = findable(detections, truth, wanted.minimum_nights, *_limits(wanted))
    before = _linkages_before(night, detections)
    known = pure_objects(*before, truth)
    accepted = _accepted(found, detections)
    result = score(*_both(accepted, before), truth, objects, groups=describe(detections, truth, population))
    purity = score(*accepted, truth, objects).purity
    steps = _steps(night, wanted, found, detections, truth, known[known >= 0], result.found)
    return {
        "completeness": _number(result.completeness.value),
        "purity": _number(purity.value),
        "findable": len(objects),
        "found": result.completeness.count,
        **{
            f"by_{group}": [
                {group: word, "findable": share.total, "found": share.count} for word, share in shares.items()
            ]
            for group, shares in result.by.items()
        },
        "waterfall": _rows(waterfall.waterfall(objects, steps)),
    }


def _steps(
    night: Night, wanted: Configuration, found: Found, detections: Detections, truth: Ints, known: Ints, linked: Ints
) -> list[waterfall.Step]:
    """What each step kept of the objects; those known before count as kept by all."""
    nights = wanted.minimum_nights
    in_window, tracklets = window_of(night, wanted)
    window_truth = _aligned(in_window.id, detections.id, truth)
    tracked = waterfall.tracked(tracklets.first, tracklets.members, in_window, window_truth, nights)
    clusters = [
        unpacked(Clusters, "clusters", kept.get(row.sha256))
        for row in KeptArrays.objects.filter(night=night, kind=KeptArrays.Kind.CLUSTERS).order_by("key")
    ]
    clustered = [
        _held_by_clusters(each, tracklets.first, tracklets.members, in_window, window_truth, nights)
        for each in clusters
    ]
    own = _aligned(found.detections.id, detections.id, truth)
    fitted = waterfall.held(found.first, found.members, found.detections, own, nights)
    refused = _refused(found, own)
    seen = np.unique(truth).tolist()
    return [
        waterfall.Step(
            "tracklet", np.union1d(tracked, known), why_without_tracklets(detections, truth, nights, *_limits(wanted))
        ),
        waterfall.Step("clustered", _union(known, *clustered, fitted), dict.fromkeys(seen, _NO_CLUSTER)),
        waterfall.Step("fitted", np.union1d(fitted, known), dict.fromkeys(seen, _NO_ORBIT)),
        waterfall.Step("accepted", np.union1d(linked, known), refused),
    ]


def _limits(wanted: Configuration) -> tuple[float, float, float]:
    return wanted.tracklet_max_hours, wanted.tracklet_min_arcsec, wanted.tracklet_max_deg_per_day


def _held_by_clusters(
    clusters: Clusters, first: Ints, members: Ints, detections: Detections, truth: Ints, nights: int
) -> Ints:
    """Objects of which a cluster's tracklets hold detections on enough nights."""
    sizes = np.diff(first)[clusters.members]
    flat = np.repeat(first[clusters.members] - np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes) + np.arange(
        sizes.sum()
    )
    starts = np.concatenate([[0], np.cumsum(sizes)])[clusters.first]
    return waterfall.held(starts, members[flat], detections, truth, nights)


def _refused(found: Found, truth: Ints) -> dict[int, Loss]:
    """The limit that a refused linkage of one object ran into, by object."""
    of = pure_objects(found.first, found.members, truth)
    return {
        int(owner): Loss(str(reason).split(":")[0].strip().rstrip("."))
        for owner, reason in zip(of, found.reason, strict=True)
        if owner >= 0 and reason
    }


def _accepted(found: Found, detections: Detections) -> tuple[Ints, Ints]:
    lists = [found.detections.id[found.members[found.of(int(k))]] for k in np.flatnonzero(found.accepted)]
    return _as_indices(lists, detections)


def _linkages_before(night: Night, detections: Detections) -> tuple[Ints, Ints]:
    rows = published_elsewhere(night).values_list("sources", flat=True)
    return _as_indices([np.array(sources) for sources in rows], detections)


def _as_indices(lists: Sequence[npt.NDArray[np.int64]], detections: Detections) -> tuple[Ints, Ints]:
    """Lists of ids as lists of indices of detections in the window; lists that are wholly outside are left out."""
    order = np.argsort(detections.id)
    ids = detections.id[order]
    inside = [order[at[ids[at] == each]] for each in lists for at in [np.searchsorted(ids, each).clip(0, len(ids) - 1)]]
    inside = [each for each in inside if len(each)]
    first = np.cumsum([0, *(len(each) for each in inside)]).astype(np.int64)
    return first, np.concatenate(inside) if inside else np.empty(0, np.int64)


def _both(one: tuple[Ints, Ints], other: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    return np.concatenate([one[0], one[0][-1] + other[0][1:]]), np.concatenate([one[1], other[1]])


def _truth_of(truths: Sequence[SyntheticTruth], detections: Detections) -> Ints:
    files = [kept.get(truth.sha256) for truth in truths]
    ids = np.concatenate([file["id"] for file in files])
    return _aligned(detections.id, ids, np.concatenate([file["truth"] for file in files]))


def _aligned(wanted: Ints, ids: Ints, values: Ints) -> Ints:
    """The values of `wanted` among `ids`; −1 where it is not there."""
    order = np.argsort(ids)
    at = np.searchsorted(ids[order], wanted).clip(0, max(len(ids) - 1, 0))
    return np.where(ids[order][at] == wanted, values[order][at], -1)


def _union(*parts: Ints) -> Ints:
    return np.unique(np.concatenate(parts))


def _rows(rows: Sequence[waterfall.Row]) -> list[dict[str, Any]]:
    return [
        {
            "step": row.name,
            "objects": row.count,
            "lost": len(row.lost),
            "limit": "; ".join(f"{limit} ({number})" for limit, number in row.by_limit()[:3]),
        }
        for row in rows
    ]


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
