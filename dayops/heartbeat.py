"""How a worker or scheduler process says that it is alive: one row, refreshed every few seconds."""

import logging
import os
import socket
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection
from django.utils.timezone import now

from dayops.models import WorkerProcess
from dayops.version import code_version

log = logging.getLogger(__name__)

HEARTBEAT_S = 10


def process_name(role: str) -> str:
    return f"{role}-{socket.gethostname()}-{os.getpid()}"


def say_alive(name: str, role: str) -> None:
    """Refresh the row of this process. `role` is its queue, or ``scheduler``."""
    first = {"host": socket.gethostname(), "pid": os.getpid(), "queue": role, "code_version": code_version()}
    _quietly(
        lambda: WorkerProcess.objects.update_or_create(
            name=name, defaults={"seen_at": now(), "ended_at": None}, create_defaults=first
        )
    )


def say_ended(name: str) -> None:
    _quietly(lambda: WorkerProcess.objects.filter(name=name).update(ended_at=now()))


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
