"""`manage.py chaos --tasks N`: workers and Valkey are killed at random; nothing may be lost or doubled."""

import json
import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dayops.drills import chaos


class Command(BaseCommand):
    help = "Kill workers, work-horses and Valkey while tasks run, on a scratch state; count what is lost or doubled."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--tasks", type=int, default=200)
        parser.add_argument("--workers", type=int, default=3)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--quick", action="store_true", help="20 tasks, for the tests")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        tasks = 20 if options["quick"] else options["tasks"]
        control = max(tasks // 2, 20)
        call_command("migrate", verbosity=0)
        found, faults = chaos.run(tasks, control, workers=options["workers"], seed=options["seed"], tell=self._tell)
        for name, number in sorted(faults.counts.items()):
            self._tell(f"{name:<22} {number:>4} times")
        self._tell(f"control: {found.control_damaged} of {control} naive tasks damaged")
        report = {
            "tasks": tasks,
            "committed": found.committed,
            "lost": found.lost,
            "doubled": found.doubled,
            "different": found.different,
            "kills": faults.kills,
            "control_damaged": found.control_damaged,
            "seconds": round(time.monotonic() - began, 1),
        }
        self.stdout.write(json.dumps(report))
        if found.committed != tasks or found.lost or found.doubled or found.different:
            raise CommandError("The engine lost or doubled work: see the line above.")
        if not found.control_damaged:
            raise CommandError("The control came out whole: these faults prove nothing.")

    def _tell(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
