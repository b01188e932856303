"""Orbits that are known when a night is searched: those of the nights that are published."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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


def known_objects(night: Night) -> KnownObjects:
    """Those of published nights before this one, each by its newest linkage.

    An object whose newest linkage a person rejected is left out.
    """
    rows = (
        Linkage.objects.filter(
            night__state=Night.State.PUBLISHED,
            night__day_obs__lt=night.day_obs,
            verdict=Linkage.Verdict.ACCEPTED,
            ss_object_id__isnull=False,
        )
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
