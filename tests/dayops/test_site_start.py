"""A site's start: its own PostgreSQL and Valkey over TCP with passwords, and refusals that say the remedy."""

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from signal import SIGINT, SIGTERM
from tempfile import TemporaryDirectory

import psycopg
import pytest
import redis

from dayops import cluster, guardian
from dayops.embedded import CHECKOUT, kept_secret, running
from dayops.processes import manage

SECRET = secrets.token_urlsafe(50)
START_A_RUN = """
import django; django.setup()
from dayops import runs, scheduler
from tests.work import run_of, task
run_of(task("far", arguments={"n": 1}))
scheduler.tick()
"""
SHOW_IT = (
    "import django; django.setup(); from dayops.models import Task; t = Task.objects.get(); print(t.phase, t.error)"
)


def run(words, environment, limit_s=120):
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DAYOPS_", "DATABASE", "REDIS", "DJANGO_"))
    }
    return subprocess.run(
        words,
        env={**clean, "DJANGO_SETTINGS_MODULE": "dayops.settings", **environment},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=limit_s,
        check=False,
    )


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(answer):
    deadline = time.monotonic() + 30
    while True:
        with suppress(psycopg.OperationalError, redis.ConnectionError):
            answer()
            return
        assert time.monotonic() < deadline, "the server did not answer"
        time.sleep(0.1)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder through which another user may pass: as root, PostgreSQL runs as one (pytest's own are closed)."""
    with TemporaryDirectory(prefix="dayops-site-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


@contextmanager
def a_site(folder: Path) -> Iterator[dict[str, str]]:
    """PostgreSQL and Valkey on loopback ports, both with passwords; yields the site's variables."""
    state = folder / "site"
    for part in (state, state / "log", state / "valkey"):
        part.mkdir()
    user = cluster.postgres_user()
    sockets = cluster.own_folder(folder / "s", user)
    binaries = cluster.binaries()
    cluster.initialise(binaries, state / "postgres", sockets, state, user)
    port, valkey_port, password = free_port(), free_port(), secrets.token_urlsafe(20)
    tcp = ["-c", "listen_addresses=127.0.0.1", "-c", f"port={port}", "-c", f"unix_socket_directories={sockets}"]
    database = guardian.Server(
        "PostgreSQL",
        [str(binaries / "postgres"), "-D", str(state / "postgres"), *tcp],
        state / "log" / "postgres.log",
        user,
        SIGINT,
    )
    valkey = guardian._valkey(state, sockets)
    valkey.command[valkey.command.index("--port") + 1] = str(valkey_port)
    valkey.command += ["--bind", "127.0.0.1", "--requirepass", password]
    valkey.stop_signal = SIGTERM
    url = f"postgresql://dayops:{kept_secret(state / 'database_password')}@127.0.0.1:{port}"
    redis_url = f"redis://:{password}@127.0.0.1:{valkey_port}/3"
    try:
        database.ensure()
        valkey.ensure()
        wait_for(lambda: _make_database(f"{url}/postgres"))
        wait_for(lambda: redis.Redis.from_url(redis_url).ping())
        yield {
            "DATABASE_URL": f"{url}/dayops",
            "REDIS_URL": redis_url,
            "DAYOPS_SECRET_KEY": SECRET,
            "DAYOPS_STATE": str(folder / "state"),
        }
    finally:
        valkey.stop()
        database.stop()


def _make_database(url):
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE dayops")


def test_a_worker_on_another_host_joins_over_tcp_with_passwords():
    with open_folder() as folder, a_site(folder) as site:
        assert run(manage("migrate", "--verbosity", "0"), site).returncode == 0
        started = run([sys.executable, "-c", START_A_RUN], site)
        assert started.returncode == 0, started.stderr
        worked = run(manage("worker", "--queues", "alert-production", "--burst"), site)
        assert worked.returncode == 0, worked.stderr
        # The worker does not know the tests' functions: that it said so proves that it took the task.
        shown = run([sys.executable, "-c", SHOW_IT], site)
        assert shown.stdout.startswith("ERROR 'tests.succeed' is not a job function"), shown.stderr
        assert running(folder / "state") is None, "with DATABASE_URL set nothing embedded starts"


SITE = {"DATABASE_URL": "postgresql://dayops:x@127.0.0.1:1/dayops", "REDIS_URL": "redis://127.0.0.1:1/0"}


@pytest.mark.parametrize(
    ("environment", "remedy"),
    [
        ({**SITE}, "DAYOPS_SECRET_KEY"),
        ({**SITE, "DAYOPS_SECRET_KEY": "secret"}, "too short or a default"),
        ({**SITE, "DAYOPS_SECRET_KEY": "django-insecure-" + "abcdefghijk" * 5}, "too short or a default"),
        ({"DATABASE_URL": SITE["DATABASE_URL"], "DAYOPS_SECRET_KEY": SECRET}, "REDIS_URL is not"),
        ({**SITE, "DATABASE_URL": "mysql://x/y", "DAYOPS_SECRET_KEY": SECRET}, "postgresql://"),
        ({**SITE, "DAYOPS_SECRET_KEY": SECRET, "DAYOPS_TLS": "perhaps"}, "neither yes nor no"),
    ],
)
def test_a_site_with_a_mistake_refuses_to_start_and_says_the_remedy(tmp_path, environment, remedy):
    done = run(manage("check"), {**environment, "DAYOPS_STATE": str(tmp_path)})
    assert done.returncode != 0
    assert remedy in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("site", [{}, {**SITE, "DAYOPS_SECRET_KEY": SECRET}])
def test_a_state_folder_that_cannot_be_made_is_said_with_the_remedy(site):
    done = run(manage("run", "list"), {**site, "DAYOPS_STATE": "/proc/dayops"})
    assert done.returncode == 1
    assert "the state folder /proc/dayops cannot be used" in done.stderr
    assert "Set DAYOPS_STATE" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_site_behind_tls_passes_the_deployment_check(tmp_path):
    site = {**SITE, "DAYOPS_SECRET_KEY": SECRET, "DAYOPS_TLS": "1", "DAYOPS_STATE": str(tmp_path)}
    done = run(manage("check", "--deploy", "--fail-level", "WARNING"), site)
    assert done.returncode == 0, done.stderr
