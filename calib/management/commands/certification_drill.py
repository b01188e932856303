"""`manage.py certification_drill`: no bad set is certified by itself, and no good one is refused."""

import json
import logging
import time
from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser

from calib.drills.certification import EVERY, Drill, line, summary
from calib.drills.days import crew
from calib.drills.narrowed import narrowed
from dayops import camera, kernels
from dayops.observing_day import ObservingDay
from dayops.simulator.faults import FAULTS, fault_named

HEALTHY_DAYS = 8
QUICK_FAULTS = ("bias-shift",)
QUICK_DETECTORS = ("R22_S11",)


class Command(BaseCommand):
    help = "Simulate healthy days and one day for each fault, on a scratch state; make and judge the masters of each."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=HEALTHY_DAYS, help="healthy days at the beginning, at least 1")
        parser.add_argument("--fault", action="append", help="only this fault; may be given more than once")
        parser.add_argument("--detector", action="append", help="only this detector; may be given more than once")
        parser.add_argument("--processes", type=int, default=2)
        parser.add_argument("--seed", type=int, default=22)
        parser.add_argument("--quick", action="store_true", help="a healthy day, a fault, one detector: for the tests")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.monotonic()
        names = QUICK_FAULTS if options["quick"] else options["fault"] or ()
        faults = [fault_named(name) for name in names] or list(FAULTS)
        days = 1 if options["quick"] else max(options["days"], 1)
        detectors = QUICK_DETECTORS if options["quick"] else options["detector"]
        last = ObservingDay.current().date
        first = last - timedelta(days=days + len(faults) + len(faults) // EVERY)
        logging.getLogger("dayops.alarms").setLevel(logging.ERROR)  # they are what the drill calls for
        call_command("migrate", verbosity=0)
        kernels.warm_up()
        observed = narrowed("minicam", detectors) if detectors else camera.load("minicam")
        seen = []
        with crew(options["processes"]) as workers:
            drill = Drill(observed, options["seed"], workers, int(f"{first:%Y%m%d}"))
            for one in drill.run(days, faults):
                seen.append(one)
                self._tell(f"[{time.monotonic() - began:5.0f} s] {line(one)}")
                for sentence in one.departures[:3]:
                    self._tell(f"          {sentence}")
        report = summary(seen) | {"seconds": round(time.monotonic() - began, 1)}
        self.stdout.write(json.dumps(report))
        if report["certified_bad"] or report["refused_good"]:
            raise CommandError("A bad set was certified or a good one refused: see the lines above.")

    def _tell(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
