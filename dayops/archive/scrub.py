"""Does the archive still hold what its tables say, bit for bit?"""

import os
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

from dayops import events
from dayops.archive.content_store import Store, is_address
from dayops.archive.errors import Damaged, NotInArchive
from dayops.archive.folder import Entry
from dayops.archive.hooks import kept_elsewhere
from dayops.archive.ingest import ACTOR
from dayops.models import RawFrame, Severity

# Content is published before the row that refers to it commits; only what stays unreferenced this long is waste.
SETTLED = timedelta(hours=24)
REMEDY = "Restore it from a copy: python manage.py ingest COPY (or put back what the archive's backup has)."
Progress = Callable[[int, int], None]


@dataclass
class Report:
    """What a scrub found, by SHA-256. `waste` is content that nothing refers to, `abandoned` broken transfers.

    `strange` are files in the archive's folders that are not at an address of theirs: somebody put them there.
    """

    checked: int = 0
    checked_bytes: int = 0
    rotten: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    waste: list[str] = field(default_factory=list)
    abandoned: list[str] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        return not (self.rotten or self.missing)

    @property
    def sentence(self) -> str:
        return (
            f"{self.checked} files ({self.checked_bytes / 1e9:.2f} GB) were read again: {len(self.rotten)} damaged, "
            f"{len(self.missing)} missing; {len(self.waste)} that nothing refers to, "
            f"{len(self.abandoned)} abandoned transfers, {len(self.strange)} strange files."
        )


def scrub(archive: Store, *, sample: int | None = None, progress: Progress = lambda done, total: None) -> Report:
    """Look for what is missing, and read everything (or a random `sample`) again and compare it with its address.

    One alarm for each damaged or missing file, and one event for the whole.
    """
    wanted = referenced()  # before the look: what is archived meanwhile must not seem to be missing
    present: dict[str, Entry] = {}
    strange: list[str] = []
    for entry in archive.walk():
        if is_address(entry.key):
            present[PurePosixPath(entry.key).name] = entry
        else:
            strange.append(entry.key)
    report = Report(
        missing=sorted(wanted - present.keys()),
        waste=sorted(digest for digest in present.keys() - wanted if _settled(present[digest])),
        abandoned=_abandoned(archive),
        strange=strange,
    )
    _read_again(archive, _chosen(wanted & present.keys(), sample), report, progress)
    _tell(report)
    return report


def collect(archive: Store, report: Report) -> int:
    """Remove what a scrub found to be waste or abandoned, unless something refers to it by now. Returns how many."""
    waste = set(report.waste) - referenced()
    for digest in waste:
        archive.remove(digest)
    for name in report.abandoned:
        (archive.incoming / name).unlink(missing_ok=True)
    removed = len(waste) + len(report.abandoned)
    if removed:
        events.record("archive.collected", f"{removed} files that nothing refers to were removed.", actor=ACTOR)
    return removed


def referenced() -> set[str]:
    """SHA-256 of all content that some row refers to."""
    frames = set(RawFrame.objects.values_list("sha256", flat=True).iterator(chunk_size=10_000))
    return frames.union(*kept_elsewhere())


def named(digest: str) -> str:
    """What people call the content `digest`."""
    frame = _frame(digest)
    return f"{frame.file_name} ({frame.exposure} {frame.detector_name})" if frame else f"Content {digest}"


def _frame(digest: str) -> RawFrame | None:
    return RawFrame.objects.filter(sha256=digest).select_related("exposure").first()


def _chosen(digests: set[str], sample: int | None) -> list[str]:
    everything = sorted(digests)
    if sample is None or sample >= len(everything):
        return everything
    return random.SystemRandom().sample(everything, sample)


def _read_again(archive: Store, digests: Iterable[str], report: Report, progress: Progress) -> None:
    digests = list(digests)
    for number, digest in enumerate(digests, 1):
        try:
            report.checked_bytes += archive.verify(digest)
        except NotInArchive:
            report.missing.append(digest)
        except (Damaged, OSError):  # a disk that cannot read it back has lost it as surely
            report.rotten.append(digest)
        report.checked = number
        progress(number, len(digests))


def _settled(entry: Entry) -> bool:
    return datetime.now(UTC) - entry.modified > SETTLED


def _abandoned(archive: Store) -> list[str]:
    before = datetime.now(UTC) - SETTLED
    return sorted(name for name, modified in _incoming(archive) if modified < before.timestamp())


def _incoming(archive: Store) -> Iterator[tuple[str, float]]:
    for file in os.scandir(archive.incoming):
        with suppress(FileNotFoundError):  # published while we looked
            yield file.name, file.stat().st_mtime


def _tell(report: Report) -> None:
    for digest in report.rotten:
        _alarm("archive.rot", digest, f"is damaged: it cannot be read or no longer hashes to its address. {REMEDY}")
    for digest in report.missing:
        _alarm("archive.missing", digest, f"is missing from the archive. {REMEDY}")
    severity = Severity.INFO if report.sound else Severity.ALARM
    events.record("archive.scrubbed", report.sentence, actor=ACTOR, severity=severity)


def _alarm(kind: str, digest: str, sentence: str) -> None:
    frame = _frame(digest)
    events.record(
        kind,
        f"{named(digest)} {sentence}",
        actor=ACTOR,
        day_obs=frame.exposure.day_obs if frame else None,
        severity=Severity.ALARM,
        subject=f"exposure:{frame.exposure.camera}/{frame.exposure.name}" if frame else f"content:{digest}",
        data={"sha256": digest},
    )
