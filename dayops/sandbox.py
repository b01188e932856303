"""Run one function on untrusted input in a child process that cannot hang, eat the machine or take the parent along.

The child is a fork, so that nothing need be imported again. It closes every inherited file (a database socket kept
open by an orphan would keep a dead worker's advisory lock alive), forgets the parent's signal handlers, limits itself,
calls the function, writes the answer as JSON to a pipe and ends with ``os._exit``: no finaliser, no ``atexit``, no
unflushed buffer of the parent runs in it. It takes no lock that another thread of the parent may have held.
"""

import gc
import json
import os
import resource
import select
import signal
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NoReturn

Limit = Literal["memory", "cpu", "wall", "killed", "crash", "exception"]
_ANSWER_LIMIT_BYTES = 64 * 1024 * 1024
_OUT_OF_MEMORY = 77
_MIB = 1024 * 1024
_HANDLED = range(1, signal.NSIG)


class SandboxError(Exception):
    """The child gave no answer. `limit` says which wall it ran into, the message says it in words."""

    def __init__(self, message: str, limit: Limit) -> None:
        super().__init__(message)
        self.limit: Limit = limit


def run_limited(
    function: Callable[..., Any],
    *args: Any,
    memory_bytes: int = 1024 * _MIB,
    cpu_s: float = 60,
    wall_s: float = 120,
    file_bytes: int = 0,
) -> Any:
    """Call ``function(*args)`` in a limited child and return its answer.

    Parameters
    ----------
    function
        Its answer must be what JSON can say (tuples come back as lists); never pickled.
    memory_bytes
        Address space the child may use beyond what it begins with.
    cpu_s, wall_s
        Seconds of processor and of the clock, after which it is killed.
    file_bytes
        Largest file it may write; none by default.

    Raises
    ------
    SandboxError
        When it ran out of memory or time, crashed or raised.
    """
    read_end, write_end = os.pipe()
    child = _fork()
    if child == 0:
        _be_the_child(write_end, function, args, memory_bytes, cpu_s, wall_s, file_bytes)
    os.close(write_end)
    try:
        answer = _read_until(read_end, time.monotonic() + wall_s)
    finally:
        os.close(read_end)
        status = _end(child)
    if answer is None:
        raise SandboxError(f"no answer within {wall_s:g} s", "wall")
    return _understood(answer, status, memory_bytes, cpu_s)


def _fork() -> int:
    with warnings.catch_warnings():
        # Python ≥ 3.12 warns of forks beside threads; what makes this one safe is said at the top.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _read_until(handle: int, deadline: float) -> bytes | None:
    """Everything up to the end of the pipe; None when the deadline passes first."""
    poll = select.poll()
    poll.register(handle, select.POLLIN | select.POLLHUP)
    parts: list[bytes] = []
    total = 0
    while (left := deadline - time.monotonic()) > 0:
        if not poll.poll(left * 1000):
            continue
        part = os.read(handle, 1 << 16)
        total += len(part)
        if not part or total > _ANSWER_LIMIT_BYTES:
            return b"".join(parts)
        parts.append(part)
    return None


def _end(child: int) -> int:
    """Reap the child, which by now has answered, died or used up its time: the kill only ever meets the last."""
    pid, status = os.waitpid(child, os.WNOHANG)
    if pid == 0:
        # Its end of the pipe is closed or its time is over; give an exiting child a moment to say how it ended.
        pid, status = _wait_briefly(child)
    if pid == 0:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    return status


def _wait_briefly(child: int) -> tuple[int, int]:
    for _ in range(200):
        time.sleep(0.001)
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return pid, status
    return 0, 0


def _understood(answer: bytes, status: int, memory_bytes: int, cpu_s: float) -> Any:
    if os.WIFSIGNALED(status):
        raise _killed(os.WTERMSIG(status), cpu_s)
    if os.WEXITSTATUS(status) == _OUT_OF_MEMORY:
        raise SandboxError(f"needed more than {memory_bytes / _MIB:.0f} MiB of memory", "memory")
    try:
        message = json.loads(answer)
    except ValueError as error:
        raise SandboxError("ended without a readable answer", "crash") from error
    if "error" in message:
        raise SandboxError(message["error"], "exception")
    return message["answer"]


def _killed(number: int, cpu_s: float) -> SandboxError:
    if number == signal.SIGXCPU:
        return SandboxError(f"needed more than {cpu_s:g} s of processor time", "cpu")
    if number == signal.SIGALRM:
        return SandboxError("did not end in time", "wall")
    if number == signal.SIGKILL:
        return SandboxError("was killed from outside: is the machine out of memory?", "killed")
    return SandboxError(f"crashed: {signal.strsignal(number) or 'signal'} ({number})", "crash")


def _be_the_child(
    write_end: int,
    function: Callable[..., Any],
    args: tuple[Any, ...],
    memory_bytes: int,
    cpu_s: float,
    wall_s: float,
    file_bytes: int,
) -> NoReturn:
    code = 1
    try:
        gc.freeze()  # what was inherited must never be finalised here
        write_end = _keep_only(write_end)
        _forget_signals()
        _limit(memory_bytes, cpu_s, wall_s, file_bytes)
        _answer(write_end, function, args)
        code = 0
    except MemoryError:
        code = _OUT_OF_MEMORY
    finally:
        os._exit(code)


def _answer(write_end: int, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    try:
        message = {"answer": function(*args)}
    except MemoryError:
        raise
    except BaseException as error:
        message = {"error": f"raised {type(error).__name__}: {str(error)[:2000]}"}
    data = memoryview(json.dumps(message).encode())
    while data:
        data = data[os.write(write_end, data) :]


def _keep_only(handle: int) -> int:
    """Close every inherited file but `handle`, which becomes number 3; 0, 1 and 2 lead nowhere."""
    if handle != 3:
        os.dup2(handle, 3, inheritable=False)
    os.closerange(4, os.sysconf("SC_OPEN_MAX"))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    os.close(nowhere)
    return 3


def _forget_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in _HANDLED:
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _limit(memory_bytes: int, cpu_s: float, wall_s: float, file_bytes: int) -> None:
    # Should the parent die, nobody would kill a sleeping child: it carries its own alarm.
    signal.setitimer(signal.ITIMER_REAL, wall_s + 1)
    seconds = max(1, round(cpu_s))
    _lower(resource.RLIMIT_CPU, seconds, hard=seconds + 1)
    _lower(resource.RLIMIT_AS, _address_space_bytes() + memory_bytes)
    _lower(resource.RLIMIT_FSIZE, file_bytes)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, 64)


def _lower(which: int, value: int, hard: int | None = None) -> None:
    _, allowed = resource.getrlimit(which)
    ceiling = value if hard is None else hard
    if allowed != resource.RLIM_INFINITY:
        ceiling = min(ceiling, allowed)
    resource.setrlimit(which, (min(value, ceiling), ceiling))


def _address_space_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * resource.getpagesize()
