"""`manage.py level1_load FILE…`: tables of sources become nights of the Level 1 database."""

import getpass
import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from dayops import events
from dayops.level1.checking import BadTable
from dayops.level1.files import batches
from dayops.level1.loading import Loaded, load
from dayops.level1.models import DiaForcedSource, DiaSource

TABLES = {model.__name__: model for model in (DiaSource, DiaForcedSource)}
SHOWN = 5
_REMEDY = "Mend those rows or files and give the command again (what is loaded is not loaded twice)."


class Command(BaseCommand):
    help = "Load Parquet, CSV or FITS tables of sources; exit status 1 when a file or a row was refused."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--table", choices=sorted(TABLES), default="DiaSource")

    def handle(self, *args: Any, **options: Any) -> None:
        lacking = [self._load(path, options["table"]) for path in options["files"]]
        if any(lacking):
            raise CommandError(_REMEDY)

    def _load(self, path: Path, table: str) -> bool:
        """Load one file and say what became of it; true where something was refused."""
        model = TABLES[table]
        try:
            with transaction.atomic():
                done = load(batches(path, model), model=model, source=str(path), tell=self._tell)
                sentence = _sentence(done)
                events.record("level1.load", f"{path.name}: {sentence}", actor=_who())
        except BadTable as error:
            self.stdout.write(f"{path}: refused. {error}")
            return True
        self.stdout.write(f"{path}: {sentence}")
        for reason, number in done.reasons.most_common():
            self.stdout.write(f"  {number:,} × {reason}")
        for one in done.refused[:SHOWN]:
            self.stdout.write(f"  row {one.row}, id {one.identity}: {one.reason}")
        return bool(done.reasons)

    def _tell(self, text: str) -> None:
        self.stdout.write(f"  {text}")
        self.stdout.flush()


def _sentence(done: Loaded) -> str:
    nights = ", ".join(map(str, done.nights)) or "no night"
    refused = sum(done.reasons.values())
    kept = f" (the first {len(done.refused):,} are kept as refusals of load {done.load})" if refused else ""
    return (
        f"{done.rows:,} of {done.read:,} rows loaded into {nights};"
        f" {done.present:,} were there already, {refused:,} refused{kept}."
    )


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        return f"user {os.getuid()}"
