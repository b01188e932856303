"""Reports to the Minor Planet Center, queued for people, and where tonight's objects will be."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np

from dayops import events
from dayops.archive import store
from mops.models import KeptArrays, Linkage, Night, Submission
from mops.mpc.ades_validate import validate
from mops.mpc.ades_write import Context, ades_document, psv_bytes, xml_bytes
from mops.mpc.batches import Batch, Kind, batch, observation_key
from mops.mpc.designations import Designation
from mops.mpc.from_detections import from_detections
from mops.pipeline import kept
from mops.pipeline.configuration import Configuration
from mops.pipeline.found import Found
from mops.pipeline.linkage_rows import identity
from mops.pipeline.next_night import predictions_of
from mops.pipeline.objects import name_of
from mops.pipeline.packing import unpacked

CONTEXT = Context(
    submitter="DayOps",
    institution="Rubin Observatory",
    observers=("Rubin Observatory",),
    measurers=("DayOps",),
)


@dataclass(frozen=True, slots=True)
class Report:
    """One object's report, with its files."""

    linkage: Linkage
    made: Batch
    problems: list[str]
    psv: str
    xml: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """reports : to be queued.  left_out : why others are not, with their number.  tonight : predicted places."""

    reports: list[Report]
    left_out: dict[str, int]
    tonight: list[dict[str, Any]]

    @property
    def files(self) -> list[str]:
        return [sha256 for report in self.reports for sha256 in (report.psv, report.xml)]


def prepare(night: Night, wanted: Configuration) -> Prepared:
    """The reports of a published night, written and validated; none of a night that is not published."""
    night.refresh_from_db()
    if night.state != Night.State.PUBLISHED:
        return Prepared([], {}, [])
    found = unpacked(Found, "found", kept.get(_linkages_of(night).sha256))
    number_of = {identity(found.detections.id[found.members[found.of(k)]].tolist()): k for k in range(len(found))}
    reports: list[Report] = []
    left_out: dict[str, int] = {}
    for linkage in night.linkages.filter(verdict=Linkage.Verdict.ACCEPTED).order_by("pk"):
        made, why = _batch(linkage, found, number_of[linkage.identity], wanted)
        if why:
            left_out[why] = left_out.get(why, 0) + 1
        else:
            reports.append(_written(linkage, made))
    return Prepared(reports, left_out, predictions_of(night))


def queue(night: Night, prepared: Prepared) -> dict[str, Any]:
    """Put the reports into the queue, held; observations that were queued before are not queued again."""
    Night.objects.filter(pk=night.pk).update(counts={**night.counts, "tonight": prepared.tonight})
    queued = 0
    for report in prepared.reports:
        _, new = Submission.objects.get_or_create(
            digest=report.made.digest,
            defaults={
                "night": night,
                "linkage": report.linkage,
                "ss_object_id": report.linkage.ss_object_id,
                "kind": Submission.Kind[report.made.kind.name],
                "tracklet_name": name_of(report.linkage.ss_object_id or 0),
                "sources": report.linkage.sources,
                "observation_keys": sorted(observation_key(row) for row in report.made.observations),
                "problems": report.problems,
                "psv_sha256": report.psv,
                "xml_sha256": report.xml,
            },
        )
        queued += new
    if queued:
        events.record(
            "mops.submissions.queued",
            f"{queued} reports to the Minor Planet Center wait for approval.",
            actor="DayMOPS",
            day_obs=night.run.day_obs,
            subject=f"night:{night.pk}",
        )
    return {"queued": queued, "left_out": prepared.left_out, "predicted": len(prepared.tonight)}


def _linkages_of(night: Night) -> KeptArrays:
    return KeptArrays.objects.get(night=night, kind=KeptArrays.Kind.LINKAGES)


def _batch(linkage: Linkage, found: Found, number: int, wanted: Configuration) -> tuple[Batch, str]:
    """The linkage's report, or why there is none."""
    members = found.members[found.of(number)][found.orbits.used[found.of(number)]]
    detections = found.detections.take(members)
    kind = Kind.REOBSERVED if found.object_id[number] else Kind.NEW
    name = Designation(temporary=name_of(linkage.ss_object_id or 0))
    rows = from_detections(detections, name, rms_mag=np.full(len(detections), np.nan))
    made = batch(rows, kind, sent=_sent(linkage))
    if linkage.rms_arcsec is None or linkage.rms_arcsec > wanted.submission_rms_arcsec:
        return made, f"the rms is above {wanted.submission_rms_arcsec:g}″"
    return made, made.refused


def _sent(linkage: Linkage) -> frozenset[str]:
    """Keys of the observations of this object that were queued before."""
    before = Submission.objects.filter(ss_object_id=linkage.ss_object_id).exclude(linkage=linkage)
    return frozenset(key for keys in before.values_list("observation_keys", flat=True) for key in keys)


def _written(linkage: Linkage, made: Batch) -> Report:
    document = ades_document(made.observations, CONTEXT)
    problems = [f"{problem.field}: {problem.sentence}".lstrip(": ") for problem in validate(document)]
    files = [store().put(io.BytesIO(content)) for content in (psv_bytes(document), xml_bytes(document))]
    return Report(linkage, made, problems, files[0].sha256, files[1].sha256)
