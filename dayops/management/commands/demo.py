"""`manage.py demo`: DayOps and a simulated observatory on this machine. `make demo` calls it."""

import json
import signal
import threading
import time
from pathlib import Path
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dayops import demonstration as demo
from dayops.day_summary import day_summary
from dayops.observing_day import ObservingDay
from dayops.sign_ins import SignIn
from dayops.simulator.faults import fault_named

STALL_S = 120.0
TELL_EVERY_S = 5.0


class _Ended(Exception):
    """Ctrl-C or SIGTERM."""


class Command(BaseCommand):
    _control: threading.Thread
    _last_night: threading.Thread
    help = "Run today's calibration day on a simulated observatory and serve the pages."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="run the day in a scratch place, print a summary, end")
        parser.add_argument("--cadence", type=float, help="seconds between exposures (default 4; with --once 0)")
        parser.add_argument("--workers", type=int, default=2)
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--exposures", type=int, help="take only the first N exposures of the day's plan")
        parser.add_argument(
            "--fault", metavar="NAME", help="let one thing go wrong, by its name in the fault catalogue"
        )
        parser.add_argument("--day-obs", help="YYYY-MM-DD (default: today's)")

    def handle(self, *args: Any, **options: Any) -> None:
        _check_fault(options["fault"])
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, _end)
        try:
            with demo.only_one(settings.STATE_DIR) as said:
                self._run(said, options)
        except demo.DemonstrationError as error:
            raise CommandError(str(error)) from error

    def _run(self, said: Path, options: dict[str, Any]) -> None:
        day = ObservingDay.parse(options["day_obs"]) if options["day_obs"] else ObservingDay.current()
        cadence = options["cadence"] if options["cadence"] is not None else (0.0 if options["once"] else 4.0)
        demonstration = demo.Demonstration(settings.STATE_DIR, day, cadence, options["workers"], self.stdout)  # type: ignore[arg-type]
        try:
            kernels = demo.start_compiling(demonstration)
            people = demo.prepare(demonstration)
            wanted = options["seed"], options["exposures"], options["fault"]
            camera = demo.start_observatory(demonstration, settings.CAMERA, *wanted)
            address = demo.start_web(demonstration)
            if not options["once"]:
                self._welcome(demonstration, address, people, said)
            demo.start_engine(demonstration, camera, kernels)
            self._control = demo.start_observatory_control(demonstration, address, lambda: _frames_are_in(day, camera))
            self._last_night = demo.start_last_night(demonstration)
            tend = self._once if options["once"] else self._serve
            tend(demonstration, camera)
        except _Ended:
            demonstration.say("stopping")
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)  # a second Ctrl-C must not leave children behind
            demonstration.stop()
        demonstration.say("everything has stopped")
        if options["once"]:
            self._conclude(demonstration)

    def _welcome(self, demonstration: demo.Demonstration, address: str, people: tuple[SignIn, ...], said: Path) -> None:
        said.write_text(f"{address} (state in {demonstration.state})")
        self.stdout.write(f"\n  DayOps is at {address}   dayObs {demonstration.day}\n\n")
        for person in people:
            self.stdout.write(f"    {person.user:<11} {person.password:<17} {person.may}\n")
        self.stdout.write("\n  Ctrl-C stops everything; starting again keeps the data.\n\n")
        self.stdout.flush()

    def _serve(self, demonstration: demo.Demonstration, camera: str) -> None:
        told, next_line = "", 0.0
        while True:
            time.sleep(1.0)
            demonstration.watch()
            if time.monotonic() > next_line:
                told = self._tell(demonstration, camera, told)
                next_line = time.monotonic() + TELL_EVERY_S

    def _tell(self, demonstration: demo.Demonstration, camera: str, told: str) -> str:
        summary = day_summary(demonstration.day.day_obs)
        status = demo.camera_status(camera)
        line = f"taken {status.get('taken', '?')} of {status.get('planned', '?')} exposures; {summary.sentence}"
        if line != told:
            demonstration.say(line)
        return line

    def _once(self, demonstration: demo.Demonstration, camera: str) -> None:
        told, moved = "", time.monotonic()
        while not self._day_is_done(demonstration, camera):
            if time.monotonic() - moved > STALL_S:
                raise CommandError(f"Nothing has moved for {STALL_S:.0f} s. Logs:\n{demonstration.last_words()}")
            time.sleep(0.5)
            demonstration.watch()
            line = self._tell(demonstration, camera, told)
            moved, told = (time.monotonic(), line) if line != told else (moved, told)
        demonstration.say("the day is done")

    def _day_is_done(self, demonstration: demo.Demonstration, camera: str) -> bool:
        is_quiet = not self._control.is_alive() and not self._last_night.is_alive()
        return is_quiet and _frames_are_in(demonstration.day, camera)

    def _conclude(self, demonstration: demo.Demonstration) -> None:
        summary = day_summary(demonstration.day.day_obs)
        seconds = round(time.monotonic() - demonstration.began, 1)
        if summary.failed or not summary.exposures:
            self.stderr.write(f"{summary.failed} of {summary.runs} runs failed. Logs:\n{demonstration.last_words()}")
        self.stdout.write(json.dumps({"day_obs": demonstration.day.day_obs, **summary.as_json(), "seconds": seconds}))
        if summary.failed or not summary.exposures:
            raise SystemExit(1)


def _frames_are_in(day: ObservingDay, camera: str) -> bool:
    """Whether all that the camera offers is archived and judged, and nothing is at work."""
    status = demo.camera_status(camera)
    offered = status.get("frames", 0) - status.get("refusable", 0)
    return bool(status.get("finished")) and day_summary(day.day_obs).everything_is_in(offered)


def _check_fault(name: str | None) -> None:
    try:
        if name:
            fault_named(name)
    except ValueError as error:
        raise CommandError(str(error)) from error


def _end(number: int, frame: FrameType | None) -> None:
    raise _Ended
