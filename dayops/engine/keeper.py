"""The thread that keeps a lease while the job function computes, and ends the process when the lease is lost."""

import os
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from dayops.engine.claim import after
from dayops.engine.work import Work
from dayops.models import Phase, Task

SUPERSEDED_EXIT = 75  # EX_TEMPFAIL


class Keeper(threading.Thread):
    """Extends the lease of `work` every third of its length. `time_is_up` is called when the task overruns."""

    def __init__(self, work: Work, time_is_up: Callable[[], None]) -> None:
        super().__init__(daemon=True, name=f"lease of task {work.task_id}")
        self.work = work
        self.time_is_up = time_is_up
        self.over = threading.Event()
        self.until = time.monotonic() + work.timeout_s
        self.lease_ends = time.monotonic() + settings.LEASE_S

    def run(self) -> None:
        while not self.over.wait(settings.LEASE_S / 3):
            if time.monotonic() > self.until:
                self.time_is_up()
                os._exit(SUPERSEDED_EXIT)
            self._keep()
        connection.close()

    def _keep(self) -> None:
        try:
            extended = self._extend()
        except (OperationalError, InterfaceError):
            connection.close()
            extended = time.monotonic() < self.lease_ends  # later we could not know whether the task is still ours
        if not extended and not self.over.is_set():
            os._exit(SUPERSEDED_EXIT)

    def _extend(self) -> bool:
        mine = Task.objects.filter(pk=self.work.task_id, attempt=self.work.attempt, phase=Phase.EXECUTING)
        extended = mine.update(lease_until=after(settings.LEASE_S))
        self.lease_ends = time.monotonic() + settings.LEASE_S
        return bool(extended)

    def stop(self) -> None:
        self.over.set()
        self.join()
