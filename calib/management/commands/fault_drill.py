"""`manage.py fault_drill`: every fault of the catalogue must be caught and named, and healthy days be left in peace."""

import json
import logging
import time
from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from calib.drills.days import crew
from calib.drills.faults import Drill, matrix
from dayops import camera, kernels
from dayops.observing_day import ObservingDay
from dayops.simulator.faults import FAULTS, fault_named

HEALTHY_DAYS = 30
QUICK_FAULTS = ("light-in-a-bias", "truncated-file")


class Command(BaseCommand):
    help = "Simulate healthy days and one day for each fault, on a scratch state; print the matrix fault × check."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=HEALTHY_DAYS, help="healthy days, at least 1")
        parser.add_argument("--fault", action="append", help="only this fault; may be given more than once")
        parser.add_argument("--processes", type=int, default=2)
        parser.add_argument("--seed", type=int, default=22)
        parser.add_argument("--quick", action="store_true", help="4 healthy exposures and 2 faults, for the tests")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        faults = [fault_named(name) for name in options["fault"] or ()] or list(FAULTS)
        days = 1 if options["quick"] else max(options["days"], 1)
        if options["quick"]:
            faults = [fault_named(name) for name in QUICK_FAULTS]
        first = ObservingDay.current().date - timedelta(days=days + len(faults))
        logging.getLogger("dayops.alarms").setLevel(logging.ERROR)  # alarms are what it counts
        call_command("migrate", verbosity=0)
        kernels.warm_up()
        with crew(options["processes"]) as workers:
            drill = Drill(camera.load("minicam"), options["seed"], workers, int(f"{first:%Y%m%d}"), self._tell)
            healthy = drill.healthy(days, only=4 if options["quick"] else None)
            seen = []
            for number, fault in enumerate(faults):
                seen.append(drill.fault(fault, days + number, only=1 if options["quick"] else None))
                self._tell(f"[{time.monotonic() - began:5.0f} s] {matrix(seen[-1:])[0]}")
        self._tell(f"\nHealthy frames with a warning or error raised by: {', '.join(sorted(healthy.names)) or 'none'}.")
        self._tell(f"{'fault':<24} {'verdict':<7} checks")
        for line in matrix(seen):
            self._tell(line)
        report = {
            "faults": len(seen),
            "caught": sum(one.caught for one in seen),
            "named": sum(not one.missed for one in seen),
            "false_errors": healthy.errors,
            "false_warnings": healthy.warnings,
            "healthy_frames": healthy.frames,
            "seconds": round(time.monotonic() - began, 1),
        }
        self.stdout.write(json.dumps(report))
        if healthy.errors or any(one.missed for one in seen):
            raise CommandError("A fault was not named, or a healthy day was not left in peace: see the lines above.")

    def _tell(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
