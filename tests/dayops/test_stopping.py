"""A process that waits ends when it is asked to, however often and whenever it is asked."""

import signal
import subprocess
import sys

import pytest

WAITS = """
from dayops.stopping import stopped_by_signals
stop = stopped_by_signals()
print("waiting", flush=True)
while not stop.is_set():
    stop.wait(0.0005)
print("ended in order", flush=True)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_one_signal_ends_the_wait(number: signal.Signals) -> None:
    with _waiting() as process:
        process.send_signal(number)
        assert process.communicate(timeout=20)[0] == "ended in order\n"


def test_a_burst_of_signals_ends_it_too() -> None:
    """A handler that took the event's lock would wait for itself in one of a few bursts."""
    for _ in range(5):
        with _waiting() as process:
            for _ in range(200):
                if process.poll() is None:
                    process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


def _waiting() -> subprocess.Popen[str]:
    process = subprocess.Popen([sys.executable, "-c", WAITS], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    return process
