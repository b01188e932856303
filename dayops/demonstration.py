"""One machine's demonstration: DayOps and a simulated observatory, for `make demo`.

The order is that of the printed lines: services, tables, sign-ins, Camera Data System, web, scheduler, workers, day.
"""

import fcntl
import json
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import requests
from django.core.management import call_command
from django.db import connections

from dayops.observing_day import ObservingDay
from dayops.processes import Child, manage, stop_all, worker
from dayops.sign_ins import SignIn, demonstration_sign_ins, observatory_control_token
from dayops.simulator.ocs import run_day

FIRST_PORT = 8000
START_LIMIT_S = 60.0
KERNELS_LIMIT_S = 600.0


class DemonstrationError(RuntimeError):
    """The demonstration cannot go on; the message says why and where to look."""


@dataclass
class Demonstration:
    """Everything that was started, in the order in which it is to be stopped."""

    state: Path
    day: ObservingDay
    cadence_s: float
    workers: int
    out: TextIO = field(default_factory=lambda: sys.stdout)
    children: list[Child] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    ending: threading.Event = field(default_factory=threading.Event)

    @property
    def logs(self) -> Path:
        return self.state / "log"

    def say(self, text: str) -> None:
        self.out.write(f"{time.monotonic() - self.began:7.1f} s  {text}\n")
        self.out.flush()

    def start(self, child: Child) -> None:
        child.start()
        self.children.append(child)

    def watch(self) -> None:
        """Start again what died."""
        for child in self.children:
            if child.restart_if_dead():
                self.say(f"{child.name} had ended and was started again; see {child.log}")

    def stop(self) -> None:
        self.ending.set()
        stop_all(self.children)

    def last_words(self) -> str:
        """The end of every log, for when the logs are about to go with their scratch folder."""
        return "\n".join(_end_of(log) for log in sorted(self.logs.glob("*.log")))


def prepare(demonstration: Demonstration) -> tuple[SignIn, ...]:
    """Tables and people."""
    demonstration.say("PostgreSQL and Valkey run")
    call_command("migrate", verbosity=0)
    demonstration.say("tables are up to date")
    people = demonstration_sign_ins(demonstration.state)
    demonstration.say("one sign-in for each role")
    return people


def start_observatory(
    demonstration: Demonstration, camera: str, seed: int, exposures: int | None = None, fault: str | None = None
) -> str:
    """Start the simulated Camera Data System; returns its address."""
    announcement = demonstration.state / "camera_data_system.json"
    announcement.unlink(missing_ok=True)
    words = ["--port", "0", "--folder", str(demonstration.state / "camera"), "--announce", str(announcement)]
    words += ["--cadence", str(demonstration.cadence_s), "--seed", str(seed), "--camera", camera]
    words += ["--day-obs", str(demonstration.day.day_obs)]
    words += ["--exposures", str(exposures)] if exposures else []
    words += ["--fault", fault] if fault else []
    child = Child("Camera Data System", manage("camera_data_system", *words), demonstration.logs / "camera.log")
    demonstration.start(child)
    said = _wait_for(announcement, child)
    demonstration.say(f"Camera Data System (simulated) at {said['url']}")
    return str(said["url"])


def start_compiling(demonstration: Demonstration) -> Child:
    """Compile the kernels once, beside everything else that has to start; at the very first time it takes a while."""
    child = Child("kernels", manage("compile_kernels"), demonstration.logs / "kernels.log")
    child.start()
    return child


def start_engine(demonstration: Demonstration, camera_data_system: str, kernels: Child) -> None:
    """Scheduler and workers, these once the kernels are compiled: each would compile them again."""
    environment = {"DAYOPS_CAMERA_DATA_SYSTEM": camera_data_system}
    scheduler = Child("scheduler", manage("scheduler"), demonstration.logs / "scheduler.log", environment)
    demonstration.start(scheduler)
    if kernels.process is not None:
        kernels.process.wait(KERNELS_LIMIT_S)
        demonstration.say("kernels are compiled")
    for number in range(1, demonstration.workers + 1):
        demonstration.start(worker("alert-production", number, demonstration.logs, environment))
    demonstration.start(worker("archive-center", 1, demonstration.logs, environment))
    demonstration.say(f"scheduler and {demonstration.workers + 1} workers started")


def start_web(demonstration: Demonstration) -> str:
    """The web server on the first free port from 8000; returns its address once it answers."""
    port = free_port(FIRST_PORT)
    if port != FIRST_PORT:
        demonstration.say(f"port {FIRST_PORT} is taken; using {port}")
    address = f"http://127.0.0.1:{port}"
    child = web_server(port, demonstration.logs)
    demonstration.start(child)
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and child.alive:
        with suppress(requests.RequestException):
            if requests.get(f"{address}/healthz", timeout=2).ok:
                demonstration.say(f"web server answers at {address}")
                return address
        time.sleep(0.1)
    raise DemonstrationError(f"The web server did not answer.\n{_end_of(child.log)}")


def start_observatory_control(
    demonstration: Demonstration, address: str, frames_are_in: Callable[[], bool]
) -> threading.Thread:
    """The simulated observatory control system, in a thread: it knows DayOps only by its HTTP interface.

    What it could not do is said; the day goes on without it, as it would at night.
    """
    token, day_obs = observatory_control_token(), demonstration.day.day_obs
    wanted = {"pipeline": "daily-calibrations", "data_query": {"day_obs": day_obs}}

    def control() -> None:
        try:
            run_day(address, token, day_obs, frames_are_in, demonstration.say, demonstration.ending, wanted)
        except Exception as error:
            demonstration.say(f"OCS: {error}")
        finally:
            connections.close_all()

    thread = threading.Thread(target=control, name="observatory control", daemon=True)
    thread.start()
    return thread


def start_last_night(demonstration: Demonstration) -> threading.Thread:
    """Last night's detections and those of the two weeks before, in a thread that ends when they have been searched."""
    night = str(demonstration.day.previous.day_obs)
    words = manage("mops_simulate", "--day-obs", night, "--as-they-come")
    child = Child("last night", words, demonstration.logs / "last_night.log")

    def load() -> None:
        child.start()
        while child.alive and not demonstration.ending.wait(0.2):
            pass
        stop_all([child])
        if child.process is not None and child.process.returncode > 0:
            demonstration.say(f"Last night's detections were not searched. {_end_of(child.log)}")

    thread = threading.Thread(target=load, name="last night", daemon=True)
    thread.start()
    return thread


def web_server(port: int, logs: Path) -> Child:
    """gunicorn on a loopback port, threads in two processes, everything imported once before they fork."""
    options = ["--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--workers", "2", "--threads", "4"]
    command = [sys.executable, "-m", "gunicorn", *options, "--preload", "--log-level", "warning", "dayops.wsgi"]
    return Child("web server", command, logs / "web.log", {"DJANGO_SETTINGS_MODULE": "dayops.settings"})


def free_port(first: int) -> int:
    """The first loopback port from `first` on which nobody listens."""
    for port in range(first, first + 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise DemonstrationError(f"No free port between {first} and {first + 199} on 127.0.0.1.")


def camera_status(url: str) -> dict[str, Any]:
    """What the simulated Camera Data System says of itself, or nothing while it does not answer."""
    with suppress(requests.RequestException, ValueError):
        status: dict[str, Any] = requests.get(f"{url}/status", timeout=5).json()
        return status
    return {}


@contextmanager
def only_one(state: Path) -> Iterator[Path]:
    """Refuse, in words, to start twice on one state folder. Yields the file that says what runs where."""
    said = state / "demonstration.json"
    with (state / "demonstration.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            text = said.read_text() if said.exists() else "it is still starting"
            raise DemonstrationError(f"A demonstration runs here already: {text}") from None
        said.unlink(missing_ok=True)
        try:
            yield said
        finally:
            said.unlink(missing_ok=True)


def _wait_for(announcement: Path, child: Child) -> dict[str, Any]:
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline and child.alive:
        if announcement.exists():
            said: dict[str, Any] = json.loads(announcement.read_text())
            return said
        time.sleep(0.05)
    raise DemonstrationError(f"{child.name} did not start.\n{_end_of(child.log)}")


def _end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-8:]
    return "\n".join([f"{log} ends with:", *(f"    {line}" for line in lines)])
