"""Reports to the Minor Planet Center, queued for people, and where tonight's objects will be."""

import io
import tomllib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from dayops import events
from dayops.archive import store
from mops.models import KeptArrays, Linkage, Night, Submission
from mops.mpc.ades_write import Context
from mops.mpc.batches import Kind, observation_key
from mops.mpc.designations import Designation
from mops.mpc.from_detections import from_detections
from mops.mpc.report import Report, report
from mops.pipeline import kept
from mops.pipeline.configuration import Configuration
from mops.pipeline.found import Found
from mops.pipeline.linkage_rows import identity
from mops.pipeline.next_night import predictions_of
from mops.pipeline.objects import name_of
from mops.pipeline.packing import unpacked

_WRITERS = 16


@dataclass(frozen=True, slots=True)
class Written:
    """One linkage's report, with its files in the archive."""

    linkage: Linkage
    report: Report
    psv_sha256: str
    xml_sha256: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """reports : to be queued.  left_out : why others are not, with their number.  tonight : predicted places."""

    reports: list[Written]
    left_out: dict[str, int]
    tonight: list[dict[str, Any]]

    @property
    def files(self) -> list[str]:
        return [sha256 for written in self.reports for sha256 in (written.psv_sha256, written.xml_sha256)]


def prepare(night: Night, wanted: Configuration) -> Prepared:
    """The reports of a published night, written and validated; none of a night that is not published."""
    night.refresh_from_db()
    if night.state != Night.State.PUBLISHED:
        return Prepared([], {}, [])
    row = KeptArrays.objects.get(night=night, kind=KeptArrays.Kind.LINKAGES)
    found = unpacked(Found, "found", kept.get(row.sha256))
    number_of = {identity(found.detections.id[found.members[found.of(k)]].tolist()): k for k in range(len(found))}
    reports: list[tuple[Linkage, Report]] = []
    left_out: Counter[str] = Counter()
    for linkage in night.linkages.filter(verdict=Linkage.Verdict.ACCEPTED).order_by("pk"):
        if linkage.rms_arcsec is None or linkage.rms_arcsec > wanted.submission_rms_arcsec:
            left_out[f"the rms is above {wanted.submission_rms_arcsec:g}″"] += 1
            continue
        made = _report(linkage, found, number_of[linkage.identity])
        if made.batch.refused:
            left_out[made.batch.refused] += 1
        else:
            reports.append((linkage, made))
    return Prepared(_stored(reports), dict(left_out), predictions_of(night))


def queue(night: Night, prepared: Prepared) -> dict[str, Any]:
    """Put the reports into the queue, held; observations that were queued before are not queued again."""
    Night.objects.filter(pk=night.pk).update(counts={**night.counts, "tonight": prepared.tonight})
    queued = sum(_queue_one(night, written) for written in prepared.reports)
    if queued:
        events.record(
            "mops.submissions.queued",
            f"{queued} reports to the Minor Planet Center wait for approval.",
            actor="DayMOPS",
            day_obs=night.run.day_obs,
            subject=f"night:{night.pk}",
        )
    return {"queued": queued, "left_out": prepared.left_out, "predicted": len(prepared.tonight)}


def _stored(reports: list[tuple[Linkage, Report]]) -> list[Written]:
    """Both files of each report in the archive; several at once, since a disk is waited for at each."""
    contents = [content for _, made in reports for content in (made.psv, made.xml)]
    with ThreadPoolExecutor(_WRITERS) as writers:
        sums = [stored.sha256 for stored in writers.map(lambda content: store().put(io.BytesIO(content)), contents)]
    return [Written(*both, *sums[2 * k : 2 * k + 2]) for k, both in enumerate(reports)]


@lru_cache(maxsize=1)
def context() -> Context:
    """Who observed and with what, as the Minor Planet Center wants to be told."""
    return Context.of(tomllib.loads(Path(__file__).with_name("reports.toml").read_text()))


def _queue_one(night: Night, written: Written) -> bool:
    linkage, made = written.linkage, written.report
    _, new = Submission.objects.get_or_create(
        digest=made.digest,
        defaults={
            "night": night,
            "linkage": linkage,
            "ss_object_id": linkage.ss_object_id,
            "kind": Submission.Kind[made.batch.kind.name],
            "tracklet_name": name_of(linkage.ss_object_id or 0),
            "sources": linkage.sources,
            "observation_keys": sorted(observation_key(row) for row in made.batch.observations),
            "problems": list(made.problems),
            "psv_sha256": written.psv_sha256,
            "xml_sha256": written.xml_sha256,
        },
    )
    return new


def _report(linkage: Linkage, found: Found, number: int) -> Report:
    """Of the detections that the orbit uses."""
    members = found.members[found.of(number)][found.orbits.used[found.of(number)]]
    name = Designation(temporary=name_of(linkage.ss_object_id or 0))
    kind = Kind.REOBSERVED if found.object_id[number] else Kind.NEW
    observations = from_detections(found.detections.take(members), name)
    return report(observations, kind, context(), sent=_sent(linkage))


def _sent(linkage: Linkage) -> frozenset[str]:
    """Keys of the observations of this object that were queued before, by another linkage."""
    before = Submission.objects.filter(ss_object_id=linkage.ss_object_id).exclude(linkage=linkage)
    return frozenset(key for keys in before.values_list("observation_keys", flat=True) for key in keys)
