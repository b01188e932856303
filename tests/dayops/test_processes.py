"""Child processes: restarted when they die, stopped when asked, gone with their parent."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from dayops.demonstration import free_port
from dayops.processes import Child, manage, stop_all, worker

PYTHON = sys.executable


def child(tmp_path: Path, code: str, **fields: float) -> Child:
    made = Child("test", [PYTHON, "-c", code], tmp_path / "child.log")
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def wait_until_dead(process: Child, limit_s: float = 20.0) -> None:
    deadline = time.monotonic() + limit_s
    while process.alive:
        assert time.monotonic() < deadline, "it lives on"
        time.sleep(0.02)


def test_a_child_that_lives_is_left_alone(tmp_path: Path) -> None:
    lasting = child(tmp_path, "import time; time.sleep(60)")
    lasting.start()
    assert lasting.alive
    assert not lasting.restart_if_dead()
    lasting.stop()
    assert not lasting.alive


def test_a_dead_child_is_started_again_after_its_pause(tmp_path: Path) -> None:
    dying = child(tmp_path, "pass", pause_s=0.3)
    dying.start()
    wait_until_dead(dying)
    assert not dying.restart_if_dead() or time.monotonic() - dying.started < 0.3
    time.sleep(0.4)
    assert dying.restart_if_dead()
    assert dying.restarts == 1
    dying.stop()


def test_the_pause_grows_while_a_child_keeps_dying_young(tmp_path: Path) -> None:
    dying = child(tmp_path, "pass", pause_s=0.01)
    dying.start()
    pauses = []
    for _ in range(3):
        wait_until_dead(dying)
        time.sleep(dying.pause_s)
        dying.restart_if_dead()
        pauses.append(dying.pause_s)
    assert pauses == sorted(set(pauses)), "each longer than the one before"
    dying.stop()


def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    )
    stubborn = child(tmp_path, code)
    stubborn.start()
    while "ready" not in (tmp_path / "child.log").read_text():
        time.sleep(0.02)
    stubborn.stop(patience_s=0.3)
    assert stubborn.process is not None
    assert stubborn.process.returncode == -signal.SIGKILL


GOES_WITH_THE_OTHERS = """
import os, pathlib, signal, sys, time
log = pathlib.Path(sys.argv[1])
def go(*_):
    os.write(1, b"asked\\n")
    while log.read_text().count("asked") < 3:
        time.sleep(0.02)
    sys.exit()
signal.signal(signal.SIGTERM, go)
os.write(1, b"up\\n")
time.sleep(60)
"""


def test_all_are_asked_to_stop_before_any_is_waited_for(tmp_path: Path) -> None:
    log = tmp_path / "child.log"
    crew = [Child("test", [PYTHON, "-c", GOES_WITH_THE_OTHERS, str(log)], log) for _ in range(3)]
    for member in crew:
        member.start()
    while log.read_text().count("up") < 3:
        time.sleep(0.02)
    stop_all(crew)
    assert [member.process and member.process.returncode for member in crew] == [0, 0, 0], "none had to be killed"


def test_stopping_what_never_started_is_harmless(tmp_path: Path) -> None:
    child(tmp_path, "pass").stop()


PARENT = """
import sys, time
from pathlib import Path
from dayops.processes import Child
child = Child("grandchild", [sys.executable, "-c", "import time; time.sleep(60)"], Path(sys.argv[1]) / "grandchild.log")
child.start()
print(child.process.pid, flush=True)
time.sleep(60)
"""


def test_children_die_with_a_parent_that_is_killed(tmp_path: Path) -> None:
    words = [PYTHON, "-c", PARENT, str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        grandchild = int(parent.stdout.readline())
        assert Path(f"/proc/{grandchild}").exists()
        parent.kill()
        parent.wait()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{grandchild}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{grandchild}").exists()


def test_what_a_child_says_is_kept_in_its_log(tmp_path: Path) -> None:
    talking = child(tmp_path, "import sys; print('out'); print('err', file=sys.stderr)")
    talking.start()
    wait_until_dead(talking)
    talking.stop()
    assert set((tmp_path / "child.log").read_text().split()) == {"out", "err"}


def test_a_worker_is_one_process_on_one_queue(tmp_path: Path) -> None:
    made = worker("archive-center", 3, tmp_path)
    assert made.command == manage("worker", "--queues", "archive-center")
    assert made.log.name == "worker-archive-center-3.log"


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        first = free_port(20_000 + os.getpid() % 10_000)
        taken.bind(("127.0.0.1", first))
        taken.listen()
        assert free_port(first) > first
