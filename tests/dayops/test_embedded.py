"""Real servers, started by whoever comes first and stopped after whoever goes last."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import redis

from dayops import cluster, embedded

HOLD = """
import sys, time
from pathlib import Path
from dayops import cluster, embedded
with embedded.services(Path(sys.argv[1])):
    print("up", flush=True)
    time.sleep(60)
"""


HOLD_SCRATCH = """
import time
from dayops import embedded
with embedded.scratch() as folder:
    print(folder, flush=True)
    time.sleep(60)
"""
SAY_RUN_DIR = "import sys; from dayops import embedded; print(embedded.run_dir(embedded.Path(sys.argv[1])))"


@contextmanager
def state_folder(name="state"):
    with TemporaryDirectory(prefix="dayops-embedded-") as folder:
        Path(folder).chmod(0o711)
        state = Path(folder) / name
        yield state


def holder(state):
    """Another process that uses the servers of `state`."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(state)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def pids_of(state: Path) -> dict[str, int]:
    said = embedded.running(state)
    assert said is not None
    return said


def wait_until(condition, limit_s=20.0):
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def answers(state):
    with psycopg.connect(embedded.database_url(state)) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("dayops",)
    return redis.Redis.from_url(embedded.redis_url(state)).ping()


def alive(pid):
    return Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]


def test_both_servers_answer_while_held_and_are_gone_afterwards() -> None:
    with state_folder() as state:
        with embedded.services(state):
            said = pids_of(state)
            assert answers(state)
        assert embedded.running(state) is None
        assert not any(alive(pid) for pid in said.values())
        assert not embedded.run_dir(state).exists()


def test_what_was_stored_is_there_after_a_restart() -> None:
    with state_folder() as state:
        with embedded.services(state), psycopg.connect(embedded.database_url(state)) as connection:
            connection.execute("CREATE TABLE kept (n int)")
            connection.execute("INSERT INTO kept VALUES (7)")
        with embedded.services(state), psycopg.connect(embedded.database_url(state)) as connection:
            assert connection.execute("SELECT n FROM kept").fetchone() == (7,)


def test_a_second_user_finds_the_running_servers_and_keeps_them_up() -> None:
    with state_folder() as state:
        with embedded.services(state):
            first = pids_of(state)
            second = holder(state)
            assert embedded.running(state) == first
        assert answers(state)
        second.send_signal(signal.SIGKILL)
        second.wait()
        second.stdout.close()
        wait_until(lambda: embedded.running(state) is None)


def test_a_killed_user_leaves_no_server_behind() -> None:
    with state_folder() as state:
        user = holder(state)
        pids = pids_of(state)
        user.kill()
        user.wait()
        user.stdout.close()
        wait_until(lambda: not any(alive(pid) for pid in pids.values()))


def test_a_killed_guardian_takes_its_servers_along_and_the_next_user_starts_anew() -> None:
    with state_folder() as state:
        with embedded.services(state):
            pids = pids_of(state)
            os.kill(pids["guardian"], signal.SIGKILL)
            wait_until(lambda: not any(alive(pid) for pid in pids.values()))
        with embedded.services(state):
            assert answers(state)


@pytest.mark.parametrize("server", ["PostgreSQL", "Valkey"])
def test_a_killed_server_is_started_again(server):
    with state_folder() as state, embedded.services(state):
        before = pids_of(state)[server]
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: (embedded.running(state) or {}).get(server, before) != before)

        def back():
            try:
                return answers(state)
            except (psycopg.OperationalError, redis.ConnectionError):
                return False

        wait_until(back)


def test_a_state_folder_with_a_very_long_path_works() -> None:
    with state_folder("a" * 120 + "/" + "b" * 120) as state, embedded.services(state):
        assert answers(state)


def test_the_password_is_readable_by_its_owner_only() -> None:
    with state_folder() as state:
        secret = embedded.kept_secret(state / "database_password")
        assert len(secret) > 40
        assert embedded.kept_secret(state / "database_password") == secret
        assert (state / "database_password").stat().st_mode & 0o077 == 0


def test_servers_listen_on_no_network_port() -> None:
    with state_folder() as state, embedded.services(state):
        pids = {str(pid) for pid in pids_of(state).values()}
        sockets = {str(link.readlink()) for pid in pids for link in Path(f"/proc/{pid}/fd").iterdir() if link.exists()}
        inodes = {line.split()[9] for table in ("tcp", "tcp6") for line in _listening(table)}
        assert not {inode for inode in inodes if f"socket:[{inode}]" in sockets}


def _listening(table):
    return [line for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:] if line.split()[3] == "0A"]


def test_a_failed_start_says_where_to_look() -> None:
    with state_folder() as state:
        state.mkdir()
        (state / "postgres").mkdir(mode=0o700)
        (state / "postgres" / "PG_VERSION").write_text("18\n")  # a broken cluster
        with pytest.raises(embedded.ServicesError, match="logs in"), embedded.services(state):
            pass


def test_a_user_that_ends_with_an_error_leaves_no_scratch_behind() -> None:
    with pytest.raises(ZeroDivisionError), embedded.scratch() as folder:
        raise ZeroDivisionError
    assert not folder.exists()


def test_a_killed_user_of_a_scratch_state_leaves_nothing_behind() -> None:
    with subprocess.Popen([sys.executable, "-c", HOLD_SCRATCH], stdout=subprocess.PIPE, text=True) as user:
        assert user.stdout is not None
        folder = Path(user.stdout.readline().strip())
        assert folder.exists()
        user.kill()
    wait_until(lambda: not folder.exists())


def test_users_with_another_tmpdir_find_the_servers() -> None:
    with state_folder() as state, embedded.services(state):
        elsewhere = {**os.environ, "TMPDIR": str(state.parent)}
        said = subprocess.check_output([sys.executable, "-c", SAY_RUN_DIR, str(state)], env=elsewhere, text=True)
        assert said.strip() == str(embedded.run_dir(state))


def test_a_very_long_tmpdir_is_not_used(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / ("t" * 90)))
    assert len(str(embedded.run_dir(tmp_path) / ".s.PGSQL.5432")) < 107


@pytest.mark.skipif(os.getuid() != 0, reason="only root keeps the cluster away from a closed folder")
def test_a_state_folder_of_root_may_be_removed_and_made_anew_under_a_closed_home() -> None:
    with TemporaryDirectory(prefix="dayops-closed-") as home:
        state, clusters = Path(home) / "state", []
        for _ in range(2):
            with embedded.services(state):
                clusters.append(cluster.folder_of(state).parent)
                assert answers(state)
            shutil.rmtree(state)
    for folder in clusters:
        shutil.rmtree(folder)


def test_a_start_goes_on_where_initdb_was_killed() -> None:
    with state_folder() as state:
        half = state / "postgres.new"
        half.mkdir(parents=True)
        (half / "PG_VERSION").write_text("18\n")
        with embedded.services(state):
            assert answers(state)


def test_a_guardian_that_another_one_forestalled_is_replaced(monkeypatch):
    """A glance at the lock holds it for an instant, and may send a guardian away that should have stayed."""
    spawned = []

    def forestalled_once(state):
        spawned.append(state)
        if len(spawned) > 1:
            return spawn(state)
        return subprocess.Popen([sys.executable, "-c", ""])

    spawn = embedded._spawn_guardian
    monkeypatch.setattr(embedded, "_spawn_guardian", forestalled_once)
    with state_folder() as state, embedded.services(state):
        assert answers(state)
    assert len(spawned) == 2
