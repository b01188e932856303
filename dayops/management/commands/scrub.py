"""`manage.py scrub`: read the archive again and compare every file with its address."""

import argparse
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dayops.archive import store
from dayops.archive.errors import ArchiveError
from dayops.archive.labels import printable
from dayops.archive.scrub import REMEDY, Report, collect, named, scrub

_TELL_EVERY_S = 5.0


class Command(BaseCommand):
    help = "Re-hash the archive; report damaged, missing and unreferenced content; exit status 1 when it is not sound."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--sample", type=_natural, help="read only so many files, chosen at random")
        parser.add_argument(
            "--collect", action="store_true", help="then remove what nothing has referred to for 24 hours"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._told = time.monotonic()
        try:
            report = self._scrub(options)
        except ArchiveError as error:
            raise CommandError(str(error)) from error
        if not report.sound:
            raise CommandError(f"{report.sentence} {REMEDY}")
        self.stdout.write(report.sentence)

    def _scrub(self, options: dict[str, Any]) -> Report:
        archive = store()
        report = scrub(archive, sample=options["sample"], progress=self._progress)
        for digest in report.rotten:
            self.stdout.write(f"{named(digest)} is damaged: {digest}")
        for digest in report.missing:
            self.stdout.write(f"{named(digest)} is missing: {digest}")
        for key in report.strange:
            self.stdout.write(f"{printable(key)} is none of the archive's files; see who put it there")
        if options["collect"]:
            self.stdout.write(f"{collect(archive, report)} files that nothing refers to were removed.")
        return report

    def _progress(self, done: int, total: int) -> None:
        if time.monotonic() - self._told > _TELL_EVERY_S:
            self._told = time.monotonic()
            self.stdout.write(f"{done} of {total} files read")


def _natural(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of files: expected 1 or more")
    return int(text)
