"""Child processes of one machine: started together, restarted when they die, stopped in order.

Each child is a session of its own, so that Ctrl-C reaches only the parent, and dies with the parent even when that is
killed (Linux). systemd does the same for a site (`docs/deployment.md`).
"""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dayops.embedded import CHECKOUT

log = logging.getLogger(__name__)

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0


@dataclass
class Child:
    """One command that is meant to run for ever. `pause_s` grows while it keeps dying young."""

    name: str
    command: Sequence[str]
    log: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    pause_s: float = _FIRST_PAUSE_S
    restarts: int = 0
    asked: bool = False

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=CHECKOUT,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self.started = time.monotonic()
        self.asked = False

    @property
    def alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def restart_if_dead(self) -> bool:
        """Start again, after a pause, what has died. Returns whether it was started."""
        lived = time.monotonic() - self.started
        if self.alive or lived < self.pause_s:
            return False
        self.pause_s = _FIRST_PAUSE_S if lived > 60 else min(2 * self.pause_s, _LONGEST_PAUSE_S)
        log.warning("%s ended (exit %s); starting it again", self.name, self.process and self.process.returncode)
        self.restarts += 1
        self.start()
        return True

    def ask_to_stop(self) -> None:
        """SIGTERM, once: a second one could end a process that is about to end well."""
        if self.alive and not self.asked and self.process is not None:
            self.asked = True
            self.process.terminate()

    def stop(self, patience_s: float = 30.0) -> None:
        """SIGTERM, wait, and only then SIGKILL to its whole session."""
        if self.process is None:
            return
        self.ask_to_stop()
        try:
            self.process.wait(patience_s)
        except subprocess.TimeoutExpired:
            log.warning("%s did not end in %.0f s and is killed", self.name, patience_s)
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _die_with_parent() -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))


def manage(*words: str) -> list[str]:
    """The command line of one of our own management commands."""
    return [sys.executable, str(CHECKOUT / "manage.py"), *words]


def worker(queue: str, number: int, logs: Path, environment: Mapping[str, str] | None = None) -> Child:
    name = f"worker {queue} {number}"
    command = manage("worker", "--queues", queue)
    return Child(name, command, logs / f"worker-{queue}-{number}.log", environment or {})


def stop_all(children: Sequence[Child]) -> None:
    """Stop in the order given: first those that bring work, then those that do it."""
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.stop()
