"""Orbits of known objects made better with what was attributed to them tonight; what does not fit is not theirs."""

import numpy as np
import numpy.typing as npt

from mops.models import KeptArrays, Linkage, Night
from mops.pipeline import kept
from mops.pipeline.distant import supposed_bound
from mops.pipeline.found import Found
from mops.pipeline.reading import detections_by_id
from mops.science.orbit_fit import Arcs, fit
from mops.science.orbit_status import Status

ZONE = "known"
_NOT_THEIRS = "the detections of this night do not fit the orbit of the object they were attributed to"


def improved(night: Night) -> Found | None:
    """A linkage of each object seen again: all its detections and the new ones, fitted from its last orbit.

    None where no known object was seen.
    """
    row = KeptArrays.objects.get(night=night, kind=KeptArrays.Kind.ATTRIBUTIONS)
    arrays = kept.get(row.sha256)
    if not len(arrays["linkage"]):
        return None
    before = {linkage.pk: linkage for linkage in Linkage.objects.filter(pk__in=np.unique(arrays["linkage"]).tolist())}
    keys = sorted(before)
    new = {key: arrays["dia_source_id"][arrays["linkage"] == key].tolist() for key in keys}
    lists = [sorted({*before[key].sources, *new[key]}) for key in keys]
    days = sorted({day for key in keys for day in before[key].nights} | {night.day_obs})
    detections = detections_by_id(days, sorted({each for ids in lists for each in ids}))
    first, members = _members(lists, detections.id, detections.mjd_tai)
    arcs = Arcs.of(detections, first, members)
    orbits = fit(
        arcs,
        np.array([before[key].state for key in keys]),
        np.array([before[key].epoch_mjd_tdb for key in keys]),
    )
    orbits = supposed_bound(arcs, orbits)
    unknown = np.full(len(keys), np.nan)
    is_new = np.isin(detections.id[members], arrays["dia_source_id"])
    return Found(
        first=first,
        members=members,
        detections=detections,
        orbits=orbits,
        zone=np.full(len(keys), ZONE, dtype="<U16"),
        r_au=unknown,
        rdot_au_d=unknown,
        spread_arcsec=unknown,
        tracklets=np.array([before[key].tracklets + 1 for key in keys], np.int64),
        object_id=np.array([before[key].ss_object_id or 0 for key in keys], np.int64),
        reason=_reasons(first, orbits.status, orbits.used, is_new),
    )


def _reasons(
    first: npt.NDArray[np.int64],
    status: npt.NDArray[np.int8],
    used: npt.NDArray[np.bool_],
    is_new: npt.NDArray[np.bool_],
) -> npt.NDArray[np.str_]:
    """Why an improved orbit is not taken: it does not fit, or it leaves all of the new detections aside."""
    keeps_new = np.add.reduceat((used & is_new).astype(int), first[:-1]) > 0
    words = [
        "" if state == Status.OK and keeps else _NOT_THEIRS if state == Status.OK else Status(state).sentence
        for state, keeps in zip(status, keeps_new, strict=True)
    ]
    return np.array(words, dtype=str)


def _members(
    lists: list[list[int]], ids: npt.NDArray[np.int64], times: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Lists of ids as lists of indices in the order of time; `ids` ascend, and what is not among them is left out."""
    rows = []
    for wanted in lists:
        at = np.searchsorted(ids, wanted).clip(0, len(ids) - 1)
        there = at[ids[at] == wanted]
        rows.append(there[np.argsort(times[there], kind="stable")])
    first = np.cumsum([0, *(len(row) for row in rows)]).astype(np.int64)
    return first, np.concatenate(rows).astype(np.int64)
