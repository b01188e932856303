"""Writes of the archive: a frame is admitted, quarantined or refused, each in one transaction.

A day of LSSTCam is thousands of frames, so a frame that simply arrives is told by its row; an event is written when
the exposure is complete, and for everything that a person should know.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from django.db import transaction

from dayops import events
from dayops.archive import hooks, labels
from dayops.archive.content_store import Store, Stored
from dayops.archive.gate import Inspection, inspect
from dayops.archive.incoming import Incoming
from dayops.camera import names
from dayops.camera.headers import BadFrame, FrameDescription
from dayops.camera.json import detector_to_json
from dayops.models import Event, Exposure, FrameState, RawFrame, Severity

ACTOR = "archiver"
_SAME_START = timedelta(seconds=1)
_CONTRADICTIONS = ("Its header says", "It was offered", "FITS checksums")  # how remarks begin that a person is told


class Outcome(StrEnum):
    ARCHIVED = "archived"
    ALREADY = "already here"
    QUARANTINED = "quarantined"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a frame came from. `verified`: its sender's SHA-256 was compared. `by_hand`: a person answers for it.

    `day_obs` is the one it was offered under, where the sender says one.
    """

    file_name: str
    source: str
    verified: bool
    by_hand: bool = False
    day_obs: int | None = None

    @property
    def label(self) -> str:
        """The sender's name for the file, fit to be kept and shown."""
        return labels.label(self.file_name)


@dataclass(frozen=True, slots=True)
class Admission:
    """A frame's row, what became of it, and the sentence that says so."""

    frame: RawFrame
    outcome: Outcome
    sentence: str


def examine(store: Store, incoming: Incoming, origin: Origin, camera: str | None = None) -> tuple[Stored, Inspection]:
    """Inspect a received file and publish it.

    What is not a frame is kept in quarantine with an alarm, except where a person has named a file of his own.

    Raises
    ------
    BadFrame
        With a sentence for each problem.
    InspectionStalled, InspectionImpossible, ArchiveFull
        Worth another try; nothing has changed.
    """
    try:
        inspection = inspect(incoming.path, origin.label, camera)
        if inspection.doubts and not (origin.verified or origin.by_hand):
            raise BadFrame(
                [*inspection.doubts, "No SHA-256 came with it that could vouch for its bytes. Send it again."]
            )
    except BadFrame as error:
        if not origin.by_hand:
            refuse(store.quarantine(incoming), error, origin)
        raise
    return store.publish(incoming), inspection


@transaction.atomic
def refuse(stored: Stored, error: BadFrame, origin: Origin) -> None:
    """Give the alarm for bytes that are no frame we can describe; once for the same bytes."""
    subject = f"quarantine:{stored.sha256}"
    if not Event.objects.filter(subject=subject).exists():
        events.record(
            "frame.refused",
            f"{origin.label} is not archived: {error} Its {stored.size} bytes are kept in quarantine. "
            "Have the sender mend it; a mended frame is fetched by itself.",
            actor=ACTOR,
            severity=Severity.ALARM,
            subject=subject,
            data={"file_name": origin.label, "source": labels.printable(origin.source), "problems": error.problems},
        )


@transaction.atomic
def admit(stored: Stored, inspection: Inspection, origin: Origin) -> Admission:
    """Enter published bytes into the archive's tables.

    The same bytes for the same exposure and detector are a no-op. Other bytes than those archived first are kept too,
    quarantined, with an alarm. Callers may race: frames of one exposure are admitted one after the other.
    """
    description = inspection.description
    exposure = _exposure(description)
    detector = description.detector.id
    present = {frame.sha256: frame for frame in exposure.frames.filter(detector=detector)}
    if stored.sha256 in present:
        return _already(present[stored.sha256])
    first = next((frame for frame in present.values() if frame.state == FrameState.ARCHIVED), None)
    frame = RawFrame(
        exposure=exposure,
        detector=detector,
        detector_name=description.detector.name,
        sha256=stored.sha256,
        size=stored.size,
        file_name=origin.label,
        source=labels.printable(origin.source)[:200],
        verified=origin.verified,
        header=inspection.header,
        amplifier_headers=inspection.amplifier_headers,
        geometry={} if description.camera in names() else detector_to_json(description.detector),
        remarks=[*description.remarks, *_remarks(exposure, inspection, stored, origin)],
    )
    return _archive(frame) if first is None else _quarantine(frame, first)


def _archive(frame: RawFrame) -> Admission:
    frame.save()
    _tell_oddities(frame)
    _tell_when_complete(frame.exposure)
    hooks.call(frame)
    return Admission(frame, Outcome.ARCHIVED, f"archived as {frame.exposure} {frame.detector_name}.")


def _quarantine(frame: RawFrame, first: RawFrame) -> Admission:
    frame.state = FrameState.QUARANTINED
    frame.reason = (
        f"{frame.exposure} {frame.detector_name} was archived at {first.archived_at:%Y-%m-%d %H:%M:%S} UTC with other "
        f"bytes ({first.sha256[:12]}…, {first.file_name}). Both are kept; this one ({frame.sha256[:12]}…) is not used. "
        "Ask who sent them which is right."
    )
    frame.save()
    _tell("frame.quarantined", frame.reason, frame, Severity.ALARM)
    return Admission(frame, Outcome.QUARANTINED, f"quarantined. {frame.reason}")


def _already(frame: RawFrame) -> Admission:
    state = "archived" if frame.state == FrameState.ARCHIVED else "quarantined"
    when = f"{frame.archived_at:%Y-%m-%d %H:%M:%S} UTC"
    sentence = f"already {state} at {when} as {frame.exposure} {frame.detector_name}."
    return Admission(frame, Outcome.ALREADY, sentence)


def restored(frame: RawFrame) -> Admission:
    """Tell that content which the tables knew, but the archive had lost, has been put back."""
    sentence = f"restored: the archive's copy of {frame.exposure} {frame.detector_name} was missing or damaged."
    _tell("archive.restored", f"{frame.file_name} is {sentence}", frame, Severity.INFO)
    return Admission(frame, Outcome.RESTORED, sentence)


def _exposure(description: FrameDescription) -> Exposure:
    """The exposure's row, locked until the transaction ends."""
    facts = {
        "day_obs": description.day_obs,
        "seq_num": description.seq_num,
        "image_type": description.image_type,
        "exposure_s": description.exposure_s,
        "filter": description.filter,
        "step": description.step,
        "began_at": description.began_at,
        "detectors_expected": description.detectors_expected,
    }
    identity = {"camera": description.camera, "name": description.exposure}
    mine = Exposure.objects.select_for_update(no_key=True).filter(**identity)
    if (present := mine.first()) is not None:
        return present
    Exposure.objects.get_or_create(**identity, defaults=facts)
    return mine.get()


def _remarks(exposure: Exposure, inspection: Inspection, stored: Stored, origin: Origin) -> list[str]:
    remarks = _contradictions(exposure, inspection.description)
    if origin.day_obs not in {None, inspection.description.day_obs}:
        remarks.append(
            f"It was offered as a frame of dayObs {origin.day_obs}; by its start it belongs to "
            f"{inspection.description.day_obs}, where it is shown."
        )
    if inspection.doubts:
        remarks.append(
            f"FITS checksums disagree in {len(inspection.doubts)} places: bytes were changed after they were written "
            f"({inspection.doubts[0]})"
        )
    others = RawFrame.objects.filter(sha256=stored.sha256).exclude(exposure=exposure).select_related("exposure")
    remarks += [f"The same bytes are archived as {other.exposure} too." for other in others[:3]]
    return remarks


def _contradictions(exposure: Exposure, description: FrameDescription) -> list[str]:
    """What this frame says otherwise than the first frame of its exposure did."""
    said = {
        name: (getattr(exposure, name), getattr(description, name))
        for name in ("day_obs", "seq_num", "image_type", "exposure_s", "filter", "step", "detectors_expected")
    }
    if abs(exposure.began_at - description.began_at) > _SAME_START:
        said["began_at"] = (exposure.began_at, description.began_at)
    return [
        f"Its header says {name}={this}; the exposure's first frame said {first}."
        for name, (first, this) in said.items()
        if first != this
    ]


def _tell_oddities(frame: RawFrame) -> None:
    """One warning for what contradicts something else; remarks that stand alone are only kept with the frame."""
    odd = [remark for remark in frame.remarks if remark.startswith(_CONTRADICTIONS)]
    if odd:
        _tell("frame.contradiction", f"{frame.file_name} is archived, but: {' '.join(odd)}", frame, Severity.WARN)


def _tell_when_complete(exposure: Exposure) -> None:
    archived = exposure.frames.filter(state=FrameState.ARCHIVED).count()
    if archived == exposure.detectors_expected > 1:
        events.record(
            "exposure.archived",
            f"All {archived} frames of {exposure} ({exposure.image_type}, {exposure.exposure_s:g} s) are archived.",
            actor=ACTOR,
            day_obs=exposure.day_obs,
            subject=_subject(exposure),
        )


def _tell(kind: str, text: str, frame: RawFrame, severity: Severity) -> None:
    events.record(
        kind,
        text,
        actor=ACTOR,
        day_obs=frame.exposure.day_obs,
        severity=severity,
        subject=_subject(frame.exposure),
        data={"detector": frame.detector_name, "sha256": frame.sha256, "source": frame.source},
    )


def _subject(exposure: Exposure) -> str:
    return f"exposure:{exposure.camera}/{exposure.name}"
