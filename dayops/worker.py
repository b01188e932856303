"""The worker process: plain RQ on exactly one queue, with what RQ lacks (research/platform.md §2.2).

The work-horse dies with its parent, the only job it can be made to run is the bell, hot kernels are compiled before it
is forked, and its memory is limited.
"""

import ctypes
import logging
import os
import resource
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection, connections
from django.utils.timezone import now
from rq import Queue, Worker
from rq.job import Job

from dayops import engine
from dayops.doorbell import BellJob, bell
from dayops.doorbell import connection as redis_connection
from dayops.models import WorkerProcess
from dayops.version import code_version

log = logging.getLogger(__name__)

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1
HEARTBEAT_S = 10
_warm_ups: list[Callable[[], None]] = []


def warm_up_with(function: Callable[[], None]) -> None:
    """Have `function` called once in every worker before it forks: compile kernels, load tables."""
    if function not in _warm_ups:
        _warm_ups.append(function)


def answer(queue: str) -> None:
    """What the bell asks for: work on `queue` until nothing is left. Runs in the work-horse."""
    try:
        engine.work_off(queue, os.environ.get("RQ_WORKER_ID", f"{socket.gethostname()}-{os.getpid()}"))
    except engine.Superseded:
        log.warning("an attempt was superseded; this work-horse ends")
    finally:
        connections.close_all()


class DayopsWorker(Worker):
    """RQ's worker, one queue, JSON only, horses that do not outlive it."""

    job_class = BellJob

    def __init__(self, queue: str) -> None:
        name = f"{queue}-{socket.gethostname()}-{os.getpid()}"
        super().__init__(
            [bell(queue)],
            name=name,
            connection=redis_connection(),
            serializer="json",
            job_monitoring_interval=HEARTBEAT_S,
            worker_ttl=3 * HEARTBEAT_S,
            maintenance_interval=60,
            log_job_description=False,
        )
        self.log_result_lifespan = False
        self.queue_name = queue

    def register_birth(self) -> None:
        for warm_up in _warm_ups:
            warm_up()
        super().register_birth()  # type: ignore[no-untyped-call]
        self._say_alive()

    def register_death(self) -> None:
        super().register_death()  # type: ignore[no-untyped-call]
        _quietly(lambda: WorkerProcess.objects.filter(name=self.name).update(ended_at=now()))

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        super().heartbeat(timeout, pipeline)
        if not self._is_horse:
            self._say_alive()

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        connections.close_all()  # a child must not inherit a session that its parent uses
        super().fork_work_horse(job, queue)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        parent = os.getppid()
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
        if os.getppid() != parent:  # it died before we asked
            os._exit(75)
        _limit_memory()
        super().main_work_horse(job, queue)

    def setup_work_horse_signals(self) -> None:
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        signal.signal(signal.SIGUSR1, engine.enough)

    def handle_warm_shutdown_request(self) -> None:
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        if self._horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self._horse_pid, signal.SIGUSR1)  # finish the task in hand, take no other

    def _say_alive(self) -> None:
        _quietly(
            lambda: WorkerProcess.objects.update_or_create(
                name=self.name,
                defaults={"seen_at": now(), "ended_at": None},
                create_defaults={
                    "host": socket.gethostname(),
                    "pid": os.getpid(),
                    "queue": self.queue_name,
                    "code_version": code_version(),
                },
            )
        )


def _quietly(write: Callable[[], object]) -> None:
    """A heartbeat that cannot be written must not end the worker: the database may be back for the next one."""
    try:
        write()
    except (DatabaseError, InterfaceError) as error:
        log.warning("heartbeat not written: %s", error)
    finally:
        connection.close()


def _limit_memory() -> None:
    limit = int(settings.HORSE_MEMORY_GIB * 2**30)
    if limit > 0:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
