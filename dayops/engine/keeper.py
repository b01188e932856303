"""The thread that keeps a lease while the job function computes, and ends the process when the lease is lost."""

import logging
import os
import threading
import time
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from dayops.engine.claim import after
from dayops.engine.work import Work
from dayops.models import Attempt, Phase, Task

log = logging.getLogger(__name__)

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
        try:
            self._watch()
        except Exception:  # a lease that nobody keeps will be given away: better to end than to compute in vain
            log.exception("task %d: its lease cannot be kept", self.work.task_id)
            os._exit(SUPERSEDED_EXIT)
        finally:
            connection.close()

    def _watch(self) -> None:
        while not self.over.wait(settings.LEASE_S / 3):
            if time.monotonic() > self.until:
                self.time_is_up()
                os._exit(SUPERSEDED_EXIT)
            if not self._keep():
                if self._ended_by_itself():
                    return
                os._exit(SUPERSEDED_EXIT)

    def _keep(self) -> bool:
        try:
            return self._extend()
        except (OperationalError, InterfaceError):
            connection.close()
            return time.monotonic() < self.lease_ends  # later we could not know whether the task is still ours

    def _ended_by_itself(self) -> bool:
        """The main thread may have committed, or given up, while we waited for the row it held."""
        ours = Attempt.objects.filter(task_id=self.work.task_id, number=self.work.attempt)
        return not ours.filter(outcome__in=[Attempt.Outcome.LOST, Attempt.Outcome.ABORTED]).exists()

    def _extend(self) -> bool:
        mine = Task.objects.filter(pk=self.work.task_id, attempt=self.work.attempt, phase=Phase.EXECUTING)
        extended = mine.update(lease_until=after(settings.LEASE_S))
        self.lease_ends = time.monotonic() + settings.LEASE_S
        return bool(extended)

    def stop(self) -> None:
        self.over.set()
        self.join()
