#!/usr/bin/env python3
"""The command line of DayOps. Commands that need PostgreSQL and Valkey find the running ones or start them."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext

WITHOUT_SERVICES = {"camera_data_system", "help", "version", "makemigrations"}
SCRATCH = {"chaos"}  # drills: never on kept data


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


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dayops.settings")
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is missing. Run: make setup")
    from django.core.exceptions import ImproperlyConfigured

    from dayops.embedded import ServicesError

    try:
        with _services(sys.argv[1:]):
            execute_from_command_line(sys.argv)
    except (ServicesError, ImproperlyConfigured) as error:
        sys.exit(f"DayOps does not start: {error}")


if __name__ == "__main__":
    main()
