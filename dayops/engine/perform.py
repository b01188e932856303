"""Running a claimed task to its end, good or bad."""

import logging
import time
import traceback
from collections.abc import Callable

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F
from django.db.models.functions import Now
from redis.exceptions import RedisError

from dayops import runs
from dayops.engine.claim import after, claim, unlock
from dayops.engine.functions import named
from dayops.engine.keeper import Keeper
from dayops.engine.work import BadInput, Retriable, Work, end_attempt, storable
from dayops.models import Attempt, Phase, Task

log = logging.getLogger(__name__)

_PAUSES_S = (1, 2, 5, 15, 60, 300)
_MAY_PASS = (Retriable, OperationalError, InterfaceError, RedisError)


_enough: list[bool] = []


def enough(*_: object) -> None:
    """Take no further task; the one in hand is finished. Fit to be a signal handler."""
    _enough.append(True)


def work_off(queue: str, worker: str, *, limit_s: float = 60.0) -> int:
    """Claim and perform until nothing is left, the time is up or `enough` was said. Returns the number performed."""
    until = time.monotonic() + limit_s
    done = 0
    while not _enough and time.monotonic() < until and (work := claim(queue, worker)) is not None:
        perform(work)
        done += 1
    return done


def perform(work: Work) -> None:
    """Run the job function of a claimed task and record how it ended. Raises nothing but Superseded."""
    keeper = Keeper(work, lambda: _overran(work))
    keeper.start()
    try:
        named(work.function)(work)
        if not work.committed:
            raise RuntimeError(f"{work.function} returned without committing its task.")
    except BadInput as error:
        _end_badly(work, error)
    except _MAY_PASS as error:
        _try_later(work, error, spare_attempt=True)
    except Exception as error:
        log.exception("task %d failed", work.task_id)
        _fail(work, error)
    finally:
        keeper.stop()
        unlock(work.task_id)


def _overran(work: Work) -> None:
    _fail(work, TimeoutError(f"{work.function} took longer than its {work.timeout_s} s and was ended."))


def _fail(work: Work, error: Exception) -> None:
    if work.attempt < work.max_attempts:
        _try_later(work, error)
    else:
        _end_badly(work, error)


@transaction.atomic
def _record_end_badly(work: Work, error: Exception) -> None:
    if not work.still_mine():
        return
    Task.objects.filter(pk=work.task_id).update(
        phase=Phase.ERROR, lease_until=None, ended_at=Now(), error=_sentence(error), error_class=_class(error)
    )
    end_attempt(work, Attempt.Outcome.ERROR, _trace(error))
    runs.settle(work.run_id)


@transaction.atomic
def _record_try_later(work: Work, error: Exception, spare: int) -> None:
    if not work.still_mine():
        return
    Task.objects.filter(pk=work.task_id).update(
        phase=Phase.QUEUED,
        lease_until=None,
        not_before=after(_PAUSES_S[min(work.attempt, len(_PAUSES_S)) - 1]),
        max_attempts=F("max_attempts") + spare,
        error=_sentence(error),
        error_class=_class(error),
    )
    end_attempt(work, Attempt.Outcome.RETRY, _trace(error))


def _end_badly(work: Work, error: Exception) -> None:
    _on_a_sound_session(work, lambda: _record_end_badly(work, error))


def _try_later(work: Work, error: Exception, *, spare_attempt: bool = False) -> None:
    """Back to the queue after a pause. What is not the task's fault does not use up its attempts."""
    _on_a_sound_session(work, lambda: _record_try_later(work, error, int(spare_attempt)))


def _on_a_sound_session(work: Work, record: Callable[[], None]) -> None:
    """A session that still works is kept: with it would go the lock that says that we live."""
    if connection.errors_occurred and not connection.is_usable():
        connection.close()
    try:
        record()
    except (OperationalError, InterfaceError) as away:
        log.warning(
            "task %d: the database is away (%s); its lease will lapse and it will be queued again", work.task_id, away
        )
        connection.close()


def _sentence(error: Exception) -> str:
    sentence = str(error) or type(error).__name__
    if isinstance(error, MemoryError):
        sentence += f" (a work-horse may use {settings.HORSE_MEMORY_GIB:g} GiB: DAYOPS_HORSE_MEMORY_GIB)"
    return storable(sentence)


def _class(error: Exception) -> str:
    return type(error).__name__[:80]


def _trace(error: Exception) -> str:
    known = isinstance(error, BadInput | Retriable)
    return storable(str(error) if known else "".join(traceback.format_exception(error))[-8000:])
