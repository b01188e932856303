"""`manage.py ingest PATH…`: archive files by hand."""

import getpass
import os
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dayops import events
from dayops.archive import store
from dayops.archive.by_hand import NotArchived, frames_in, ingest_file
from dayops.archive.content_store import Store
from dayops.archive.errors import ArchiveError
from dayops.archive.ingest import Outcome
from dayops.archive.labels import printable
from dayops.camera import names
from dayops.camera.headers import GENERIC
from dayops.models import FrameState

_REFUSED, _QUARANTINED = "refused", Outcome.QUARANTINED.value
_REMEDY = (
    "Those refused are where they were; mend them and give the command again (what is archived is not done twice)."
)


class Command(BaseCommand):
    help = "Archive raw frames by hand: one line for each file; exit status 1 when any was refused or quarantined."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file, or a folder of FITS files")
        parser.add_argument("--camera", choices=[*names(), GENERIC], help="where the headers are not to be asked")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            archive = store()
        except ArchiveError as error:
            raise CommandError(str(error)) from error
        files = list(frames_in(options["paths"]))
        outcomes = Counter(self._ingest(archive, path, options["camera"]) for path in files)
        if not files:
            raise CommandError("There are no FITS files (.fits, .fit, .fts, .fz, .gz) here. Name the files themselves.")
        counts = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))
        summary = f"{_number(len(files))}: {counts}."
        events.record("archive.by_hand", f"By hand, {summary}", actor=_who())
        if outcomes[_REFUSED]:
            raise CommandError(f"{summary} {_REMEDY}")
        if outcomes[_QUARANTINED]:
            raise CommandError(summary)
        self.stdout.write(summary)

    def _ingest(self, archive: Store, path: Path, camera: str | None) -> str:
        name = printable(str(path))
        try:
            admission = ingest_file(archive, path, camera)
        except NotArchived as error:
            self.stdout.write(f"{name}: {_REFUSED}. {error}")
            return _REFUSED
        self.stdout.write(f"{name}: {' '.join([admission.sentence, *admission.frame.remarks])}")
        return _QUARANTINED if admission.frame.state == FrameState.QUARANTINED else admission.outcome.value


def _number(files: int) -> str:
    return f"{files} file{'' if files == 1 else 's'}"


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"user {os.getuid()}"
