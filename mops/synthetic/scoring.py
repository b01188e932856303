"""Completeness and purity of linkages against the truth."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mops.synthetic.findability import findable as findable

Indices = npt.NDArray[np.int64]

MIN_DETECTIONS = 6  # three pairs: a pure linkage of fewer has not found its object (difi's min_obs)


@dataclass(frozen=True, slots=True)
class Share:
    """`count` out of `total`; NaN out of nothing."""

    count: int
    total: int

    @property
    def value(self) -> float:
        """Between 0 and 1."""
        return self.count / self.total if self.total else float("nan")

    def __str__(self) -> str:
        return f"{self.count}/{self.total} = {100 * self.value:.2f} %"


@dataclass(frozen=True, slots=True)
class Score:
    """What became of the findable objects, and of the linkages.

    completeness : findable objects that are found.  purity : linkages of one object alone, of all linkages.
    findable, found : int64, objects, ascending; found ones need not be findable.  linkage_object : int64 (linkages,),
    the object of a pure linkage, −1 of others.  by : completeness within groups, as {"zone": {"neo": Share, …}, …}.
    duplicates : pure linkages beyond the first of an object.
    """

    completeness: Share
    purity: Share
    findable: Indices
    found: Indices
    linkage_object: Indices
    by: Mapping[str, Mapping[str, Share]]
    duplicates: int


@dataclass(frozen=True, slots=True)
class Change:
    """Findable objects that one result has and the other has not, int64 ascending."""

    gained: Indices
    lost: Indices


def score(
    first: Indices,
    members: Indices,
    truth: Indices,
    findable: Indices,
    *,
    groups: Mapping[str, npt.NDArray[np.str_]] | None = None,
    min_detections: int = MIN_DETECTIONS,
) -> Score:
    """Score linkages.

    Parameters
    ----------
    first, members
        The linkages' detections, lists of lists: linkage k has members[first[k]:first[k + 1]], indices of detections.
    truth
        The object of each detection, negative where none.
    findable
        Objects, see `findability.findable`.
    groups
        Words by object index, (objects,) each, to cut completeness by: see `groups.describe`.
    min_detections
        Distinct detections that a pure linkage needs to count as having found its object.

    Raises
    ------
    ValueError
        For lists that do not fit, or a member that is no detection.
    """
    _check(first, members, truth)
    of = pure_objects(first, members, truth)
    pure = of >= 0
    complete = pure & (distinct_sizes(first, members) >= min_detections)
    found = np.unique(of[complete])
    hit = np.isin(findable, found)
    return Score(
        completeness=Share(int(hit.sum()), len(findable)),
        purity=Share(int(pure.sum()), len(of)),
        findable=findable,
        found=found,
        linkage_object=of,
        by={name: _by_word(words[findable], hit) for name, words in (groups or {}).items()},
        duplicates=int(complete.sum()) - len(found),
    )


def compare(before: Score, after: Score) -> Change:
    """What `after` gained and lost among the objects findable in both.

    Raises
    ------
    ValueError
        Where the two were scored against different findable objects.
    """
    if not np.array_equal(before.findable, after.findable):
        raise ValueError(
            f"The scores are of different data: {len(before.findable)} and {len(after.findable)} findable objects, "
            "not the same ones. Score both results against the same detections."
        )
    one = np.intersect1d(before.findable, before.found)
    other = np.intersect1d(after.findable, after.found)
    return Change(gained=np.setdiff1d(other, one), lost=np.setdiff1d(one, other))


def pure_objects(first: Indices, members: Indices, truth: Indices) -> Indices:
    """The one object of each linkage; −1 of a linkage that is empty, mixed or holds a detection of nothing."""
    of = np.full(len(first) - 1, -1, dtype=np.int64)
    filled = np.flatnonzero(np.diff(first) > 0)
    if not len(filled):
        return of
    owner = truth[members]
    least = np.minimum.reduceat(owner, first[filled])
    most = np.maximum.reduceat(owner, first[filled])
    of[filled] = np.where((least == most) & (least >= 0), least, -1)
    return of


def distinct_sizes(first: Indices, members: Indices) -> Indices:
    """Number of different detections of each linkage."""
    linkage = np.repeat(np.arange(len(first) - 1), np.diff(first))
    order = np.lexsort((members, linkage))
    again = (np.diff(linkage[order], prepend=-1) == 0) & (np.diff(members[order], prepend=-1) == 0)
    return np.bincount(linkage[order][~again], minlength=len(first) - 1).astype(np.int64)


def _by_word(words: npt.NDArray[np.str_], hit: npt.NDArray[np.bool_]) -> dict[str, Share]:
    return {str(word): Share(int(hit[words == word].sum()), int((words == word).sum())) for word in np.unique(words)}


def _check(first: Indices, members: Indices, truth: Indices) -> None:
    if not len(first) or first[0] != 0 or first[-1] != len(members) or (np.diff(first) < 0).any():
        raise ValueError(f"`first` must rise from 0 to the {len(members)} members; it is {first[:5]}…{first[-1:]}.")
    if len(members) and (members.min() < 0 or members.max() >= len(truth)):
        raise ValueError(
            f"A member is no detection: there are {len(truth)}, members are {members.min()}–{members.max()}."
        )
