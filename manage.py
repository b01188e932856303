#!/usr/bin/env python3
"""The command line of DayOps. Commands that need PostgreSQL and Valkey find the running ones or start them."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext

WITHOUT_SERVICES = {"camera_data_system", "help", "version", "makemigrations"}


def _services(command: str) -> AbstractContextManager[None]:
    from dayops import embedded

    if "DATABASE_URL" in os.environ or command in WITHOUT_SERVICES or command.startswith("-"):
        return nullcontext()
    return embedded.services(embedded.state_dir())


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dayops.settings")
    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit("Django is missing. Run: make setup (or: .venv/bin/python manage.py ...)")

    with _services(sys.argv[1] if len(sys.argv) > 1 else "help"):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
