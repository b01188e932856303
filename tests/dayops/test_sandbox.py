"""The sandbox answers, or says in words why there is no answer."""

import mmap
import os
import resource
import signal
import socket
import threading
import time
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dayops.sandbox import SandboxError, run_limited

MIB = 1024 * 1024
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def refusal(function, *args, **limits) -> SandboxError:
    with pytest.raises(SandboxError) as caught:
        run_limited(function, *args, **limits)
    return caught.value


@settings(max_examples=20, deadline=None)
@given(json_values)
def test_whatever_json_can_say_comes_back_unchanged(value):
    assert run_limited(lambda: value) == value


def test_an_answer_larger_than_a_pipe_arrives_whole():
    assert run_limited(lambda: "x" * (3 * MIB)) == "x" * (3 * MIB)


def test_a_memory_hog_is_stopped_at_its_limit():
    error = refusal(lambda: len(bytearray(400 * MIB)), memory_bytes=100 * MIB)
    assert error.limit == "memory"
    assert "more than 100 MiB of memory" in str(error)


def test_memory_the_parent_uses_already_is_not_counted():
    ballast = bytearray(200 * MIB)
    assert run_limited(lambda: len(bytearray(20 * MIB)), memory_bytes=100 * MIB) == 20 * MIB
    assert len(ballast) == 200 * MIB


def test_a_sleeper_is_killed_when_its_time_is_over():
    began = time.monotonic()
    error = refusal(time.sleep, 60, wall_s=0.3)
    assert error.limit == "wall"
    assert "within 0.3 s" in str(error)
    assert time.monotonic() - began < 5


def test_a_sleeper_that_ignores_every_signal_is_killed_too():
    def stubborn():
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM):
            signal.signal(number, signal.SIG_IGN)
        time.sleep(60)

    assert refusal(stubborn, wall_s=0.3).limit == "wall"


def test_an_endless_loop_is_stopped_by_its_processor_limit():
    def loop():
        while True:
            pass

    error = refusal(loop, cpu_s=1, wall_s=60)
    assert error.limit == "cpu"
    assert "1 s of processor time" in str(error)


def test_a_crash_is_told_with_its_signal():
    error = refusal(lambda: os.kill(os.getpid(), signal.SIGSEGV))
    assert error.limit == "crash"
    assert "Segmentation fault (11)" in str(error)


def test_a_child_killed_by_somebody_else_is_told_apart():
    error = refusal(lambda: os.kill(os.getpid(), signal.SIGKILL))
    assert error.limit == "killed"
    assert "out of memory?" in str(error)


def test_a_child_that_just_exits_gives_no_answer():
    assert refusal(os._exit, 0).limit == "crash"


def test_an_exception_is_told_with_its_type_and_message():
    error = refusal(int, "seven")
    assert error.limit == "exception"
    assert "ValueError: invalid literal" in str(error)


def test_even_exiting_is_only_an_exception():
    assert "SystemExit: 3" in str(refusal(exit, 3))


def test_an_answer_json_cannot_say_is_refused():
    assert refusal(lambda: object()).limit == "crash"


def test_nothing_can_be_written(tmp_path: Path):
    assert "File too large" in str(refusal((tmp_path / "loot").write_bytes, b"x"))


def test_a_file_may_be_written_up_to_the_limit_given(tmp_path: Path):
    assert run_limited((tmp_path / "scratch").write_bytes, b"x" * 100, file_bytes=100) == 100


def test_no_core_is_dumped():
    assert run_limited(resource.getrlimit, resource.RLIMIT_CORE) == [0, 0]


def test_the_child_does_not_hold_the_parents_sockets_open():
    ours, theirs = socket.socketpair()
    with ours:
        stop = threading.Event()

        def sleep_in_a_child() -> None:
            run_limited(time.sleep, 0.5)
            stop.set()

        child = threading.Thread(target=sleep_in_a_child)
        child.start()
        time.sleep(0.1)
        theirs.close()
        ours.settimeout(2)
        assert ours.recv(1) == b"", "the other end is closed although the child still runs"
        assert not stop.is_set()
        child.join()


def test_the_parents_signal_handlers_do_not_run_in_the_child():
    shared = mmap.mmap(-1, 1)
    before = signal.signal(signal.SIGUSR1, lambda *_: shared.write(b"!"))
    try:
        assert refusal(lambda: os.kill(os.getpid(), signal.SIGUSR1)).limit == "crash"
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert shared[0] == 0


def test_it_runs_beside_a_busy_thread():
    stop = threading.Event()
    beats: list[float] = []

    def beat() -> None:
        while not stop.wait(0.002):
            beats.append(time.monotonic())

    heart = threading.Thread(target=beat)
    heart.start()
    try:
        assert [run_limited(lambda n=n: n * n) for n in range(20)] == [n * n for n in range(20)]
    finally:
        stop.set()
        heart.join()
    assert len(beats) > 3


def test_nothing_is_left_behind():
    handles, children = set(Path("/proc/self/fd").iterdir()), psutil.Process().children()
    run_limited(lambda: 1)
    refusal(time.sleep, 5, wall_s=0.1)
    assert set(Path("/proc/self/fd").iterdir()) == handles
    assert psutil.Process().children() == children
