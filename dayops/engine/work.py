"""A claimed task in the hands of its job function, and the one transaction in which it ends well."""

import resource
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from dayops import runs
from dayops.models import Attempt, LogLine, Phase, Task


class BadInput(Exception):
    """The input is wrong and will stay wrong: no retry. The message is for a person."""


class Retriable(Exception):
    """Something outside is away or full and may come back: tried again later, without using up attempts."""


class Superseded(BaseException):
    """This attempt is not the newest any more. Not an Exception, so that no job function swallows it."""


@dataclass
class Work:
    """A claimed task. `attempt` is the fencing token: whoever holds a higher one has taken over."""

    task_id: int
    run_id: int
    attempt: int
    function: str
    arguments: dict[str, Any]
    max_attempts: int
    timeout_s: int
    committed: bool = field(default=False)

    def log(self, text: str, level: str = "INFO") -> None:
        """Keep one line for the task's page."""
        LogLine.objects.create(task_id=self.task_id, attempt=self.attempt, level=level, text=storable(text))

    def progress(self, fraction: float, message: str = "") -> None:
        """Say how far we are, 0 to 1. Raises Superseded when somebody else has taken over."""
        mine = Task.objects.filter(pk=self.task_id, attempt=self.attempt, phase=Phase.EXECUTING)
        if not mine.update(progress=min(max(fraction, 0.0), 1.0), message=storable(message)[:500]):
            raise Superseded

    def still_mine(self) -> bool:
        """Whether this attempt may still write; locks run and task, so it stays true until the transaction ends."""
        runs.lock(self.run_id)
        rows = Task.objects.select_for_update(no_key=True).filter(pk=self.task_id, attempt=self.attempt)
        return rows.filter(phase=Phase.EXECUTING).values_list("pk").first() is not None

    @contextmanager
    def commit(self, *, inputs: Iterable[str] = (), outputs: Iterable[str] = ()) -> Iterator[dict[str, Any]]:
        """One transaction for everything the task leaves behind, and for its completion.

        The block writes rows and fills the yielded result (JSON). `inputs` and `outputs` are SHA-256 sums of files.
        """
        with transaction.atomic():
            result: dict[str, Any] = {}
            yield result
            if not self.still_mine():  # last, so that the run is locked for a moment only
                raise Superseded
            Task.objects.filter(pk=self.task_id).update(
                phase=Phase.COMPLETED,
                progress=1.0,
                message="",
                result=result,
                inputs=list(inputs),
                outputs=list(outputs),
                lease_until=None,
                ended_at=Now(),
                error="",
                error_class="",
            )
            end_attempt(self, Attempt.Outcome.COMPLETED)
            runs.settle(self.run_id)
        self.committed = True


def storable(text: str) -> str:
    """`text` as PostgreSQL can keep it. Messages quote file names and headers, which may hold NUL or broken UTF-8."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def end_attempt(work: Work, outcome: Attempt.Outcome, error: str = "") -> None:
    Attempt.objects.filter(task_id=work.task_id, number=work.attempt).update(
        outcome=outcome,
        ended_at=Now(),
        error=error,
        max_rss_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )
