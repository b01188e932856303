#!/usr/bin/env python3
"""The command line of DayOps. Commands that need PostgreSQL and Valkey find the running ones or start them."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext, suppress

WITHOUT_SERVICES = {"camera_data_system", "help", "version", "makemigrations", "compile_kernels"}
SCRATCH = {"certification_drill", "chaos", "fault_drill"}  # drills: never on kept data
MIGRATES = {"certification_drill", "chaos", "demo", "fault_drill"}  # makes its tables itself


def _services(words: list[str]) -> AbstractContextManager[object]:
    from dayops import embedded

    command = words[0] if words else "help"
    if command in WITHOUT_SERVICES or command.startswith("-") or "--help" in words:
        return nullcontext()
    if command in SCRATCH or (command == "demo" and "--once" in words):
        return embedded.scratch()
    if "DATABASE_URL" in os.environ:
        return nullcontext()
    return embedded.services(embedded.state_dir())


def _expect_tables(words: list[str]) -> None:
    """Before one of our own commands begins: half-way through, missing tables would be a traceback."""
    import django
    from django.conf import settings
    from django.core.management import get_commands
    from django.db import OperationalError

    from dayops.tables import expect_tables

    command = words[0] if words else "help"
    if command in WITHOUT_SERVICES | MIGRATES or "--help" in words:
        return
    django.setup()
    if not str(get_commands().get(command, "django")).startswith("django"):
        with suppress(OperationalError):  # some commands wait for a database that is away
            expect_tables(make=settings.EMBEDDED)


def _run(words: list[str]) -> None:
    from django.core.management import execute_from_command_line
    from django.db import InterfaceError, OperationalError

    from dayops.tables import TablesError

    try:
        with _services(words):
            _expect_tables(words)
            execute_from_command_line(["manage.py", *words])
    except TablesError as error:
        sys.exit(str(error))
    except (OperationalError, InterfaceError) as error:
        sys.exit(
            f"The database does not answer: {' '.join(str(error).split())} "
            "See that PostgreSQL runs, then give the command again; what it has done already is kept."
        )


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dayops.settings")
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
    try:
        from django.core.exceptions import ImproperlyConfigured
    except ImportError:
        sys.exit("Django is missing. Run: make setup")
    from dayops.embedded import ServicesError

    try:
        _run(sys.argv[1:])
    except (ServicesError, ImproperlyConfigured) as error:
        sys.exit(f"DayOps does not start: {error}")
    except BrokenPipeError:  # `manage.py run list | head` has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # so that the last flush does not fail too
        sys.exit(141)  # as a shell says SIGPIPE


if __name__ == "__main__":
    main()
