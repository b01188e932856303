"""How a worker or scheduler process says that it is alive: one row, refreshed every few seconds."""

import logging
import os
import secrets
import socket
from collections.abc import Callable
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, connection
from django.db.models.functions import Now

from dayops.models import WorkerProcess
from dayops.version import code_version

log = logging.getLogger(__name__)

HEARTBEAT_S = 10


def process_name(role: str) -> str:
    """New for each process: in a container every start has the same host name and process id."""
    return f"{role}-{socket.gethostname()[:64]}-{os.getpid()}-{secrets.token_hex(2)}"


def say_alive(name: str, role: str) -> None:
    """Refresh the row of this process. `role` is its queue, or ``scheduler``."""
    first = {"host": socket.gethostname(), "pid": os.getpid(), "queue": role, "code_version": code_version()}
    _quietly(
        lambda: WorkerProcess.objects.update_or_create(
            name=name, defaults={"seen_at": Now(), "ended_at": None}, create_defaults=first
        )
    )


def say_ended(name: str) -> None:
    _quietly(lambda: WorkerProcess.objects.filter(name=name).update(ended_at=Now()))


def forget_old_processes() -> int:
    """Drop the rows of processes that have been gone for a week; a crash loop makes thousands. Returns how many."""
    return WorkerProcess.objects.filter(seen_at__lt=Now() - timedelta(days=7)).delete()[0]


def _quietly(write: Callable[[], object]) -> None:
    """A heartbeat that cannot be written must not end the process: the database may be back for the next one.

    The connection is closed each time: a worker forks, and a child must not inherit a session that its parent uses.
    """
    try:
        write()
    except (DatabaseError, InterfaceError) as error:
        log.warning("heartbeat not written: %s", error)
    finally:
        connection.close()
