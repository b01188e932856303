"""A night's result takes its place in the catalogue in one transaction, or is refused and kept for inspection."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from django.db import connection
from django.db.models.functions import Now

from dayops import events
from dayops.level1 import orphans, writing
from dayops.level1.instants import instant
from dayops.level1.models import MpcOrbit, SSObject, SSSource
from dayops.models import Severity
from dayops.observing_day import ObservingDay
from mops.models import KeptArrays, Linkage, Night
from mops.pipeline import catalogue, gate, kept, scoring
from mops.pipeline.configuration import Configuration
from mops.pipeline.counting import counts_of, standing, standing_of
from mops.pipeline.found import Found
from mops.pipeline.linkage_rows import linkage_rows
from mops.pipeline.objects import name_of, object_ids
from mops.pipeline.packing import unpacked
from mops.pipeline.properties import Properties, properties_of
from mops.pipeline.reading import dia_objects_of

_LOCK = 0x0D05  # advisory: nights are published one after another


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that can be computed before the transaction."""

    found: Found
    properties: Properties
    attributed: int
    truth: dict[str, Any]


def prepare(night: Night, wanted: Configuration) -> Prepared:
    """Elements, magnitudes and the score of what was found."""
    row = KeptArrays.objects.get(night=night, kind=KeptArrays.Kind.LINKAGES)
    found = unpacked(Found, "found", kept.get(row.sha256))
    attributions = KeptArrays.objects.get(night=night, kind=KeptArrays.Kind.ATTRIBUTIONS)
    truth = scoring.score_night(night, wanted, found)
    return Prepared(found, properties_of(found), attributions.rows, truth)


def publish(night: Night, wanted: Configuration, prepared: Prepared) -> dict[str, Any]:
    """Publish or refuse. Called inside the transaction that ends the task; a second time changes nothing.

    Nights are published one after another, so that two searches of one night cannot both think they are the first.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
    night.refresh_from_db()
    if night.state != Night.State.MAKING:
        return {"state": night.state}
    found = prepared.found
    replaced = Night.objects.filter(day_obs=night.day_obs, state=Night.State.PUBLISHED).first()
    ids = object_ids(found)
    counts = counts_of(night, found, prepared.attributed)
    reasons = gate.objections(
        standing(night, found, ids),
        standing_of(Night.objects.filter(day_obs__lt=night.day_obs, state="PUBLISHED").order_by("-day_obs").first()),
        standing_of(replaced),
        wanted,
    )
    state = Night.State.TRIAL if night.trial else Night.State.REFUSED if reasons else Night.State.PUBLISHED
    if replaced is not None and state == Night.State.PUBLISHED:
        Night.objects.filter(pk=replaced.pk).update(state=Night.State.REPLACED)
    Night.objects.filter(pk=night.pk).update(
        state=state, reasons=reasons, counts=counts, truth=prepared.truth, decided_by="DayMOPS", decided_at=Now()
    )
    Linkage.objects.bulk_create(
        linkage_rows(night, found, prepared.properties, ids if state == Night.State.PUBLISHED else 0 * ids),
        batch_size=2_000,
    )
    _tell(night, state, reasons, counts)
    if state == Night.State.PUBLISHED:
        _into_catalogue(prepared, ids, replaced)
    return {"state": state, "reasons": reasons, **{name: counts[name] for name in ("accepted", "attributed")}}


def _into_catalogue(prepared: Prepared, ids: npt.NDArray[np.int64], replaced: Night | None) -> None:
    found, properties = prepared.found, prepared.properties
    which = np.flatnonzero(ids)
    names = np.array([name_of(int(each)) for each in ids[which]], dtype=str)
    gone = _lost(replaced, ids[which]) if replaced is not None else []
    sources = catalogue.ss_sources(found, properties, which, ids[which], names)
    left = dia_objects_of(np.unique(found.detections.night).tolist(), sources["diaSourceId"].tolist())
    at = instant()  # late, since others wait for the commit from here on
    if len(gone):
        _end(gone, at)
    writing.replace(SSObject, catalogue.ss_objects(found, properties, which, ids[which], names), at)
    writing.replace(SSSource, sources, at)
    orphans.settle(left, at)
    writing.replace(MpcOrbit, catalogue.mpc_orbits(found, properties, which, names), at)


def _lost(replaced: Night, ids: npt.NDArray[np.int64]) -> list[int]:
    """Objects of the night's former result that neither its new one nor any other night knows."""
    lost = replaced.linkages.filter(ss_object_id__isnull=False).exclude(ss_object_id__in=ids.tolist())
    gone = {each for each in lost.values_list("ss_object_id", flat=True) if each is not None}
    elsewhere = Linkage.objects.filter(night__state=Night.State.PUBLISHED, ss_object_id__in=gone)
    return sorted(gone - {each for each in elsewhere.values_list("ss_object_id", flat=True) if each is not None})


def _end(gone: list[int], at: float) -> None:
    """Let objects end, their orbits and the attributions of their sources."""
    writing.end(SSObject, gone, at)
    writing.end(MpcOrbit, [name_of(each) for each in gone], at)
    sources = SSSource.objects.current().filter(ssObjectId__in=gone).values_list("diaSourceId", flat=True)
    writing.end(SSSource, list(sources), at)


def _tell(night: Night, state: str, reasons: list[str], counts: dict[str, Any]) -> None:
    day = ObservingDay(night.day_obs)
    text = (
        f"The night {day} was searched: {counts['accepted']} new objects, {counts['attributed']} detections of known."
    )
    if state == Night.State.REFUSED:
        text = f"The search of the night {day} was refused: {reasons[0]}"
    events.record(
        f"mops.night.{state.lower()}",
        text,
        actor="DayMOPS",
        day_obs=night.run.day_obs,
        severity=Severity.ALARM if state == Night.State.REFUSED else Severity.INFO,
        subject=f"night:{night.pk}",
    )
