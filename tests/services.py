"""Pytest plugin: a PostgreSQL and a Valkey of the tests' own, in a temporary place, before Django reads its settings.

It must load before pytest-django (``-p tests.services`` in pyproject.toml). With pytest-xdist the controlling process
starts the servers and every worker gets a database and a Valkey database number of its own.
"""

import os
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

_open = ExitStack()


def _start() -> None:
    if "PYTEST_XDIST_WORKER" not in os.environ:
        folder = Path(tempfile.mkdtemp(prefix="dayops-test-"))
        folder.chmod(0o711)
        os.environ["DAYOPS_STATE"] = str(folder)
        for name in [name for name in os.environ if name in {"DATABASE_URL", "REDIS_URL", "DAYOPS_SECRET_KEY"}]:
            del os.environ[name]  # tests never touch a site's servers
        _open.callback(shutil.rmtree, folder, ignore_errors=True)
    os.environ["DAYOPS_CAMERA"] = "minicam"
    os.environ["NUMBA_NUM_THREADS"] = "1"
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")  # Playwright's loop runs in the test's own thread
    from dayops import embedded

    _open.enter_context(embedded.services(embedded.state_dir()))
    number = os.environ.get("PYTEST_XDIST_WORKER", "gw-1").removeprefix("gw")
    os.environ["DAYOPS_VALKEY_DB"] = str(int(number) + 1)


def pytest_unconfigure() -> None:
    _open.close()


if "pytest" in sys.modules:
    _start()
