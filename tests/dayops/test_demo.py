"""`make demo` as a person meets it: one day run through, one address, one way to stop."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import requests

from dayops.demonstration import DemonstrationError, _wait_for, free_port, only_one
from dayops.embedded import CHECKOUT, running
from dayops.processes import Child, manage


def clean_environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DAYOPS_", "DJANGO_"))}
    return {**kept, **more}


def last_json(text):
    return json.loads(text.strip().splitlines()[-1])


def test_a_day_runs_through_and_ends_with_its_summary():
    done = subprocess.run(
        manage("demo", "--once", "--exposures", "2"),
        cwd=CHECKOUT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    summary = last_json(done.stdout)
    assert (summary["exposures"], summary["runs"], summary["completed"], summary["failed"]) == (2, 6, 6, 0)
    assert summary["candidates"] > 0
    assert summary["products_certified"] == 0, "two biases make no masters"
    assert "OCS: CalibrationGenerator answers execute with -302 CMD_FAILED" in done.stdout, "and the OCS is told so"
    assert summary["forced_rows"] is None, "a part that is not built yet is null"


@contextmanager
def demonstration(state, *words):
    process = subprocess.Popen(
        [sys.executable, "-u", *manage("demo", "--cadence", "0.5", "--exposures", "1", *words)[1:]],
        cwd=CHECKOUT,
        env=clean_environment(DAYOPS_STATE=str(state)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(90)
        if process.stdout:
            process.stdout.close()


def read_until(process, wanted, limit_s=180):
    deadline, lines = time.monotonic() + limit_s, []
    while time.monotonic() < deadline:
        line = process.stdout.readline()
        lines.append(line)
        if wanted in line:
            return line
        assert line, "it ended: " + "".join(lines)
    raise AssertionError("".join(lines))


def test_the_demo_serves_on_a_free_port_stops_on_ctrl_c_and_refuses_to_start_twice():
    with TemporaryDirectory(prefix="dayops-demo-") as folder, socket.socket() as taken:
        Path(folder).chmod(0o711)
        state = Path(folder) / "state"
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        occupied = free_port(8000)
        taken.bind(("127.0.0.1", occupied))
        taken.listen()
        with demonstration(state) as process:
            address = read_until(process, "DayOps is at").split()[3]
            assert address != f"http://127.0.0.1:{occupied}"
            answer = requests.get(address, timeout=30)
            assert "Sign in" in answer.text
            with demonstration(state) as second:
                said, _ = second.communicate(timeout=90)
            assert second.returncode == 1
            assert address in said
            assert "Traceback" not in said
            process.send_signal(signal.SIGINT)
            assert process.wait(90) == 0
        assert running(state) is None
        with pytest.raises(requests.ConnectionError):
            requests.get(address, timeout=5)


def test_a_part_that_does_not_start_is_named_with_the_end_of_its_log(tmp_path):
    child = Child("Camera Data System", [sys.executable, "-c", "print('no such camera')"], tmp_path / "camera.log")
    child.start()
    with pytest.raises(DemonstrationError, match=r"Camera Data System did not start(.|\n)*no such camera"):
        _wait_for(tmp_path / "announcement.json", child)


def test_what_runs_already_is_named(tmp_path):
    with only_one(tmp_path) as said:
        said.write_text("http://127.0.0.1:8000")
        with (
            pytest.raises(DemonstrationError, match=r"runs here already: http://127\.0\.0\.1:8000"),
            only_one(tmp_path),
        ):
            pass
    with only_one(tmp_path):
        pass
