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
from dayops.archive.labels import printable
from dayops.camera import names
from dayops.camera.headers import GENERIC

_REFUSED = "refused"


class Command(BaseCommand):
    help = "Archive raw frames by hand: one line for each file; exit status 1 when any was refused."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="a file, or a folder of FITS files")
        parser.add_argument("--camera", choices=[*names(), GENERIC], help="where the headers are not to be asked")

    def handle(self, *args: Any, **options: Any) -> None:
        archive = store()
        files = list(frames_in(options["paths"]))
        outcomes = Counter(self._ingest(archive, path, options["camera"]) for path in files)
        summary = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items())) or "no FITS files"
        if files:
            events.record("archive.by_hand", f"{len(files)} files by hand: {summary}.", actor=_who())
        if outcomes[_REFUSED] or not files:
            raise CommandError(f"{len(files)} files: {summary}. Those refused are where they were.")
        self.stdout.write(f"{len(files)} files: {summary}.")

    def _ingest(self, archive: Store, path: Path, camera: str | None) -> str:
        name = printable(str(path))
        try:
            admission = ingest_file(archive, path, camera)
        except NotArchived as error:
            self.stdout.write(f"{name}: {_REFUSED}. {error}")
            return _REFUSED
        self.stdout.write(f"{name}: {' '.join([admission.sentence + '.', *admission.frame.remarks])}")
        return admission.outcome.value


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"user {os.getuid()}"
