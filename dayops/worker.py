"""The worker process: plain RQ on exactly one queue, with what RQ lacks (docs/architecture.md).

The work-horse dies with its parent, the only job it can be made to run is the bell, hot kernels are compiled before it
is forked, and its memory is limited.
"""

import ctypes
import logging
import os
import resource
import signal
import time
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, connections
from rq import Queue, Worker
from rq.job import Job

from dayops import engine
from dayops.doorbell import BellJob, bell
from dayops.doorbell import connection as redis_connection
from dayops.heartbeat import HEARTBEAT_S, process_name, say_alive, say_ended
from dayops.kernels import warm_up

log = logging.getLogger(__name__)

_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


def answer(queue: str) -> None:
    """What the bell asks for: work on `queue` until nothing is left. Runs in the work-horse."""
    try:
        engine.work_off(queue, os.environ.get("RQ_WORKER_ID", process_name(queue)))
    except engine.Superseded:
        log.warning("an attempt was superseded; this work-horse ends")
    except (OperationalError, InterfaceError) as error:
        log.warning("the database is away (%s); the tick will ring again", error)
    finally:
        connections.close_all()


class DayopsWorker(Worker):
    """RQ's worker, one queue, JSON only, horses that do not outlive it."""

    job_class = BellJob
    max_connection_wait_time = 5.0  # after a long absence of Redis nobody should wait a minute for its workers

    def __init__(self, queue: str) -> None:
        super().__init__(
            [bell(queue)],
            name=process_name(queue),
            connection=redis_connection(),
            serializer="json",
            job_monitoring_interval=HEARTBEAT_S,
            worker_ttl=3 * HEARTBEAT_S,
            maintenance_interval=60,
            log_job_description=False,
        )
        self.log_result_lifespan = False
        self.queue_name = queue
        self._said_alive = 0.0

    def register_birth(self) -> None:
        warm_up()
        super().register_birth()  # type: ignore[no-untyped-call]
        say_alive(self.name, self.queue_name)

    def register_death(self) -> None:
        say_ended(self.name)
        super().register_death()  # type: ignore[no-untyped-call]

    def heartbeat(self, timeout: int | None = None, pipeline: Any = None) -> None:
        super().heartbeat(timeout, pipeline)
        if not self._is_horse and time.monotonic() - self._said_alive > HEARTBEAT_S / 2:
            say_alive(self.name, self.queue_name)
            self._said_alive = time.monotonic()

    def fork_work_horse(self, job: Job, queue: Queue) -> None:
        connections.close_all()  # a child must not inherit a session that its parent uses
        super().fork_work_horse(job, queue)

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        try:
            _die_with(self.pid)
            limit_memory()
        except BaseException:  # going on would be a second worker under the first one's name
            log.exception("this work-horse cannot start")
            os._exit(75)
        super().main_work_horse(job, queue)

    def setup_work_horse_signals(self) -> None:
        super().setup_work_horse_signals()  # type: ignore[no-untyped-call]
        signal.signal(signal.SIGUSR1, engine.enough)

    def handle_warm_shutdown_request(self) -> None:
        super().handle_warm_shutdown_request()  # type: ignore[no-untyped-call]
        if self._horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self._horse_pid, signal.SIGUSR1)  # finish the task in hand, take no other


def _die_with(parent: int | None) -> None:
    _LIBC.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    if os.getppid() != parent:  # it died before we asked
        os._exit(75)


def limit_memory() -> None:
    """Limit the address space of this process, as far as its own hard limit lets us."""
    wanted = int(settings.HORSE_MEMORY_GIB * 2**30)
    _, allowed = resource.getrlimit(resource.RLIMIT_AS)
    limit = wanted if allowed == resource.RLIM_INFINITY else min(wanted, allowed)
    if wanted > 0:
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
