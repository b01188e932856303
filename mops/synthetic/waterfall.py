"""Where objects are lost between detection and an accepted linkage, and to which limit."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mops.science.detections import Detections
from mops.synthetic.losses import Loss
from mops.synthetic.scoring import pure_objects

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

NO_REASON = "no reason given"


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a linker hands over.

    name : "tracklet", "clustered", "fitted", "accepted" or any other.  objects : int64, those that it kept; repeats and
    objects that were lost before are passed over.  reasons : by object, the limit that lost it, for example of
    `obstacles.why_without_tracklets` or `Loss("χ² per degree of freedom", 14.2, 4)`.
    """

    name: str
    objects: Indices
    reasons: Mapping[int, Loss] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the waterfall: how many are left after the step, and what became of those it lost, by object."""

    name: str
    count: int
    lost: Mapping[int, Loss | None]

    def by_limit(self) -> list[tuple[str, int]]:
        """The limits, each with the number of objects that it cost, most first."""
        return Counter(loss.limit if loss else NO_REASON for loss in self.lost.values()).most_common()


def waterfall(detected: Indices, steps: Sequence[Step]) -> list[Row]:
    """From the detected objects through every step.

    Parameters
    ----------
    detected
        int64, the objects to follow: all that were detected, or the findable ones.
    steps
        In their order.

    Returns
    -------
    list of Row
        The first is "detected". The count of a row and its losses add up to the count of the row before.
    """
    left = np.unique(detected)
    rows = [Row("detected", len(left), {})]
    for step in steps:
        kept = np.intersect1d(left, step.objects)
        gone = np.setdiff1d(left, kept)
        rows.append(Row(step.name, len(kept), {int(o): step.reasons.get(int(o)) for o in gone}))
        left = kept
    return rows


def tracked(first: Indices, members: Indices, detections: Detections, truth: Indices, nights: int = 3) -> Indices:
    """Objects with tracklets of their own alone on `nights` nights or more; lists of lists of detections."""
    pure = pure_objects(first, members, truth)
    which = np.flatnonzero(pure >= 0)
    return _on_nights(pure[which], detections.night[members[first[which]]], nights)


def held(first: Indices, members: Indices, detections: Detections, truth: Indices, nights: int = 3) -> Indices:
    """Objects of which one list (a cluster, a linkage) holds detections on `nights` nights or more."""
    within = np.repeat(np.arange(len(first) - 1), np.diff(first))
    true = truth[members] >= 0
    rows = np.stack([within[true], truth[members][true]], axis=1)
    pairs, which = np.unique(rows, axis=0, return_inverse=True)
    enough = _on_nights(which.ravel(), detections.night[members][true], nights)
    return np.unique(pairs[enough, 1])


def _on_nights(owner: Indices, night: npt.NDArray[np.int32], nights: int) -> Indices:
    """Owners that occur with `nights` different nights or more, ascending."""
    if not len(owner):
        return np.empty(0, dtype=np.int64)
    different = np.unique(np.stack([owner, night.astype(np.int64)], axis=1), axis=0)
    owners, count = np.unique(different[:, 0], return_counts=True)
    return owners[count >= nights]


def without_hypothesis(objects: Indices, r: Array, hypotheses_r: Array, reach_au: float) -> dict[int, Loss]:
    """Objects whose heliocentric distance no hypothesis comes near.

    Parameters
    ----------
    objects, r
        Objects and their true distances from the Sun at the reference time, au, (k,) each.
    hypotheses_r
        Distances that the linker supposes, au, at least one.
    reach_au
        How far from one of them an object may be.
    """
    grid = np.sort(hypotheses_r)
    after = np.searchsorted(grid, r).clip(0, len(grid) - 1)
    miss = np.minimum(np.abs(grid[after] - r), np.abs(grid[np.maximum(after - 1, 0)] - r))
    return {
        int(objects[k]): Loss("distance from the nearest hypothesis", float(miss[k]), reach_au, " au")
        for k in np.flatnonzero(miss > reach_au)
    }
