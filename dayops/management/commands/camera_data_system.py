"""``manage.py camera_data_system``: the simulated observatory takes its day's plan and serves the frames."""

import argparse
import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dayops.camera import load
from dayops.observing_day import ObservingDay
from dayops.simulator.camera_data_system import CameraDataSystemServer, FrameHandler
from dayops.simulator.faults import Fault, fault_named
from dayops.simulator.misbehaviour import MISBEHAVIOURS
from dayops.simulator.observatory import Observatory, Programme, usual_beginning
from dayops.stopping import stopped_by_signals


class Command(BaseCommand):
    help = "Simulate the observatory: take the day's calibration plan and serve the raw frames over HTTP."
    requires_system_checks: list[str] = []  # it needs neither the database nor the pages

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--folder", type=Path, required=True, help="keeps the frames; a restart goes on from them")
        parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes any free port")
        parser.add_argument("--day-obs", type=_day, default=None, help="YYYYMMDD; today when not given")
        parser.add_argument("--seed", type=_natural, default=1, help="same seed, same frames")
        parser.add_argument("--camera", default="minicam")
        parser.add_argument("--cadence", type=_seconds, default=1.0, help="seconds between exposures; 0: no pause")
        parser.add_argument("--exposures", type=_natural, default=None, help="take only the first N of the plan")
        parser.add_argument("--begin", type=_instant, default=None, help="UTC start of the first exposure, ISO 8601")
        parser.add_argument("--announce", type=Path, help="file that receives the address as JSON once it answers")
        parser.add_argument("--fault", type=_fault, default=None, metavar="NAME", help="one fault of the catalogue")
        parser.add_argument("--misbehave", choices=sorted(MISBEHAVIOURS), help="serve badly, for drills")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = stopped_by_signals()
        handler = MISBEHAVIOURS.get(options["misbehave"] or "", FrameHandler)
        try:
            observatory = Observatory(options["folder"], _programme(options))
            server = CameraDataSystemServer(observatory, options["port"], handler)
        except (ValueError, OSError) as error:
            raise CommandError(f"The Camera Data System cannot start: {error}") from error
        with server:
            self._serve(server, stop, options["cadence"], options["announce"])

    def _serve(self, server: CameraDataSystemServer, stop: threading.Event, cadence_s: float, to: Path | None) -> None:
        observatory = server.observatory
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        serving.start()
        if to:
            _announce(to, server)
        status = observatory.status()
        day = ObservingDay(status["day_obs"])
        self._say(f"{status['camera']} at {server.url}: {status['taken']} of {status['planned']} exposures of {day}")
        try:
            observatory.take_all(stop, cadence_s)
            self._say(f"{observatory.status()['taken']} of {status['planned']} exposures taken")
            stop.wait()
        except OSError as error:
            raise CommandError(f"A frame cannot be written to {observatory.folder}: {error}") from error
        finally:
            server.shutdown()
            serving.join()

    def _say(self, sentence: str) -> None:
        self.stdout.write(f"Camera Data System: {sentence}")
        self.stdout.flush()


def _programme(options: dict[str, Any]) -> Programme:
    day = options["day_obs"] or ObservingDay.current()
    begins_at = options["begin"] or usual_beginning(day.day_obs, datetime.now(UTC))
    return Programme(
        load(options["camera"]), day.day_obs, options["seed"], begins_at, options["exposures"], options["fault"]
    )


def _announce(file: Path, server: CameraDataSystemServer) -> None:
    beside = file.with_name(f".{file.name}.part")
    beside.write_text(json.dumps({"url": server.url, "pid": os.getpid(), "folder": str(server.observatory.folder)}))
    beside.replace(file)


def _day(text: str) -> ObservingDay:
    try:
        return ObservingDay.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _fault(name: str) -> Fault:
    try:
        return fault_named(name)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def _natural(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0 to 86400")
    return seconds


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an instant: expected 2026-11-22T16:20:00Z") from error
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
