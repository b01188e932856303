"""Orbits that are known when a night is searched: those of the nights that are published."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from django.db.models import QuerySet

from mops.models import Linkage, Night

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class KnownObjects:
    """`k` objects: object_id int64 (k,), ssObjectId; state (k, 6) at epoch_mjd_tdb (k,); covariance (k, 6, 6), NaN
    where it is not known; linkage int64 (k,), key of the newest Linkage.
    """

    object_id: npt.NDArray[np.int64]
    epoch_mjd_tdb: Floats
    state: Floats
    covariance: Floats
    linkage: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.object_id)


def published_elsewhere(night: Night) -> QuerySet[Linkage]:
    """Accepted linkages of all other nights that were published when the search of this one began.

    Not those of the night itself: searched again, it finds its objects anew.
    """
    return Linkage.objects.filter(
        night__state=Night.State.PUBLISHED,
        night__decided_at__lte=night.created_at,
        verdict=Linkage.Verdict.ACCEPTED,
        ss_object_id__isnull=False,
    ).exclude(night__day_obs=night.day_obs)


def taken_sources(night: Night, days: Sequence[int]) -> npt.NDArray[np.int64]:
    """diaSourceIds that belong to objects of other nights, of linkages with a detection on one of `days`; ascending."""
    rows = published_elsewhere(night).filter(nights__overlap=list(days)).values_list("sources", "used")
    lists = [np.array(sources, np.int64)[np.array(used, bool)] for sources, used in rows.iterator(chunk_size=10_000)]
    return np.unique(np.concatenate(lists)) if lists else np.empty(0, np.int64)


def known_objects(night: Night) -> KnownObjects:
    """The objects of other nights, each by its newest linkage; not one whose newest linkage a person rejected."""
    rows = (
        published_elsewhere(night)
        .order_by("ss_object_id", "-night__day_obs", "-pk")
        .distinct("ss_object_id")
        .values_list("pk", "ss_object_id", "epoch_mjd_tdb", "state", "covariance", "review")
    )
    ours = [row for row in rows if row[-1] != Linkage.Review.REJECTED]
    unknown = [float("nan")] * 36
    return KnownObjects(
        object_id=np.array([row[1] for row in ours], np.int64),
        epoch_mjd_tdb=np.array([row[2] for row in ours], float),
        state=np.array([row[3] for row in ours], float).reshape(-1, 6),
        covariance=np.array([row[4] or unknown for row in ours], float).reshape(-1, 6, 6),
        linkage=np.array([row[0] for row in ours], np.int64),
    )
