"""The numbers of a night: how it stands beside others, and what its page shows."""

from typing import Any

import numpy as np
import numpy.typing as npt

from dayops.models import Task
from mops.models import Linkage, Night
from mops.pipeline.found import Found
from mops.pipeline.gate import Standing
from mops.pipeline.known_objects import published_elsewhere


def standing(night: Night, found: Found, ids: npt.NDArray[np.int64]) -> Standing:
    """Of a night that was just searched; `ids` are its linkages' objects."""
    mine = found.detections.night[found.members] == night.day_obs
    explained = int((mine & found.accepted[found.owner] & found.orbits.used).sum())
    return Standing(
        detections=_of_task(night, "attribute").get("detections", 0),
        explained=explained,
        rms_arcsec=found.orbits.rms_arcsec[found.accepted].tolist(),
        objects=frozenset(int(each) for each in ids if each) | _known_elsewhere(night),
    )


def _known_elsewhere(night: Night) -> frozenset[int]:
    return frozenset(each for each in published_elsewhere(night).values_list("ss_object_id", flat=True) if each)


def standing_of(night: Night | None) -> Standing | None:
    """Of a night that is published."""
    if night is None:
        return None
    rows = list(night.linkages.filter(verdict=Linkage.Verdict.ACCEPTED).values_list("rms_arcsec", "ss_object_id"))
    return Standing(
        detections=night.counts.get("detections", 0),
        explained=night.counts.get("explained", 0),
        rms_arcsec=[rms for rms, _ in rows if rms is not None],
        objects=frozenset(each for _, each in rows if each),
    )


def counts_of(night: Night, found: Found, attributed: int) -> dict[str, Any]:
    """What the night's page shows: the numbers of each step, seconds, and why linkages were refused."""
    attribute, purify = _of_task(night, "attribute"), _of_task(night, "purify")
    reasons, numbers = np.unique([_kind_of(reason) for reason in found.reason if reason], return_counts=True)
    return {
        "detections": attribute.get("detections", 0),
        "known": attribute.get("known", 0),
        "attributed": attributed,
        "explained": standing(night, found, found.object_id).explained,
        "tracklets": purify.get("tracklets", 0),
        "clusters": purify.get("clusters", 0),
        "linkages": len(found),
        "accepted": int((found.accepted & (found.object_id == 0)).sum()),
        "improved": int((found.accepted & (found.object_id > 0)).sum()),
        "refused": {str(reason): int(number) for reason, number in zip(reasons, numbers, strict=True)},
        "increment": bool(purify.get("increment", False)),
        "coverage": purify.get("coverage", []),
        "seconds": _seconds(night),
    }


def _kind_of(reason: str) -> str:
    """The reason without its figures: what comes before the first colon or figure."""
    return reason.split(":")[0].split("(")[0].strip().rstrip(".")


def _of_task(night: Night, stage: str) -> dict[str, Any]:
    task = Task.objects.filter(run=night.run_id, stage=stage).order_by("pk").values_list("result", flat=True).first()
    return task or {}


def _seconds(night: Night) -> dict[str, float]:
    """Wall seconds of each stage so far, summed over its tasks."""
    seconds: dict[str, float] = {}
    rows = Task.objects.filter(run=night.run_id, started_at__isnull=False, ended_at__isnull=False)
    for stage, began, ended in rows.values_list("stage", "started_at", "ended_at"):
        if began is not None and ended is not None:
            seconds[stage] = round(seconds.get(stage, 0.0) + (ended - began).total_seconds(), 3)
    return seconds
