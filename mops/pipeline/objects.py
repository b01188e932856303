"""Which object a linkage is of: known ones are found again, new ones get the next id and our own designation."""

import numpy as np
import numpy.typing as npt
from django.db.models import Max

from mops.models import Linkage
from mops.mpc.designations import own_designation
from mops.pipeline.found import Found


def object_ids(found: Found) -> npt.NDArray[np.int64]:
    """ssObjectId of each accepted linkage, 0 of the others: its own, that of one found before, or the next free one.

    A linkage most of whose detections belong to one linkage of the past is of that one's object.
    """
    ids = np.where(found.accepted, found.object_id, 0)
    new = np.flatnonzero(found.accepted & (ids == 0))
    before = _objects_of([int(source) for source in found.detections.id[np.unique(found.members)]])
    used = {int(each) for each in ids if each}
    for linkage in new:
        sources = found.detections.id[found.members[found.of(int(linkage))]]
        owners = [before[int(source)] for source in sources if int(source) in before]
        best = max(set(owners), key=owners.count, default=0)
        if best and best not in used and 2 * owners.count(best) > len(sources):
            ids[linkage] = best
            used.add(best)
    free = np.flatnonzero(found.accepted & (ids == 0))
    last = Linkage.objects.aggregate(last=Max("ss_object_id"))["last"]
    first = 1 if last is None else last + 1
    ids[free] = first + np.arange(len(free))
    return ids


def _objects_of(sources: list[int]) -> dict[int, int]:
    """The object that each detection was last linked to."""
    rows = Linkage.objects.filter(sources__overlap=sources, ss_object_id__isnull=False).order_by("pk")
    return {source: owner or 0 for many, owner in rows.values_list("sources", "ss_object_id") for source in many}


def name_of(object_id: int) -> str:
    """Our own designation of an object."""
    return own_designation(object_id)
