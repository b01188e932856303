"""Pytest plugin: a PostgreSQL and a Valkey of the tests' own, in a temporary place, before Django reads its settings.

It must load before pytest-django (``-p tests.services`` in pyproject.toml). With pytest-xdist every worker has servers
of its own, since some tests kill them.
"""

import os
import sys
from contextlib import ExitStack

_open = ExitStack()


def _start() -> None:
    from dayops import embedded

    _open.enter_context(embedded.scratch())
    os.environ["DAYOPS_CAMERA"] = "minicam"
    os.environ["NUMBA_NUM_THREADS"] = "1"
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"  # Playwright's loop runs in the test's own thread


def pytest_unconfigure() -> None:
    _open.close()


if "pytest" in sys.modules:
    _start()
