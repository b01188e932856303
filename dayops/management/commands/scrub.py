"""`manage.py scrub`: read the archive again and compare every file with its address."""

import argparse
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dayops.archive import store
from dayops.archive.scrub import collect, scrub

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
        archive = store()
        report = scrub(archive, sample=options["sample"], progress=self._progress)
        for digest in report.rotten:
            self.stdout.write(f"{digest}: damaged")
        for digest in report.missing:
            self.stdout.write(f"{digest}: missing")
        if options["collect"]:
            self.stdout.write(f"{collect(archive, report)} files that nothing refers to were removed.")
        if not report.sound:
            raise CommandError(f"{report.sentence} Restore what is damaged or missing from its copy.")
        self.stdout.write(report.sentence)

    def _progress(self, done: int, total: int) -> None:
        if time.monotonic() - self._told > _TELL_EVERY_S:
            self._told = time.monotonic()
            self.stdout.write(f"{done} of {total} files read")


def _natural(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected 1 or more files")
    return number
