"""The bell: an RQ job without payload that says "there may be work on this queue".

It is for latency only. Rings may be lost or doubled freely: PostgreSQL knows what is to be done, and the scheduler's
tick rings again where work waits. A message that named its task and was put back on a timer would pile up faster
than it is answered (docs/architecture.md).
"""

import logging
from functools import cache

from django.conf import settings
from django.db import transaction
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.job import Job

log = logging.getLogger(__name__)

ANSWER = "dayops.worker.answer"
_RING_TTL_S = 600
_HORSE_LIMIT_S = 6 * 3600
MOST_RINGS = 8


class NotAllowed(Exception):
    """A message in Redis named something else than the bell."""


class BellJob(Job):
    """An RQ job that can only be the bell: whoever writes to Redis still cannot make a worker call anything else."""

    @property
    def func(self):  # type: ignore[no-untyped-def]
        if self.func_name != ANSWER or self._instance is not None or self.args or len(self.kwargs) != 1:
            raise NotAllowed(f"{self.func_name!r} is not on the allow-list: the only job is {ANSWER!r}.")
        return super().func

    def restore(self, raw_data):  # type: ignore[no-untyped-def]
        for field in [name for name in raw_data if b"callback" in name or b"webhook" in name]:
            raw_data.pop(field)
        return super().restore(raw_data)


@cache
def connection() -> "Redis":
    """One connection pool for each process, for those who listen."""
    return Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2, socket_timeout=5)


@cache
def _hurried() -> "Redis":
    """For those who ring: a page must not wait for a Redis that hangs, and a ring may be lost."""
    once = Retry(NoBackoff(), 0)
    return Redis.from_url(settings.REDIS_URL, socket_connect_timeout=0.5, socket_timeout=0.5, retry=once)


def bell(name: str) -> Queue:
    """The queue of a worker, who may wait for it."""
    return _queue(name, connection())


def _queue(name: str, redis: "Redis") -> Queue:
    return Queue(name, connection=redis, job_class=BellJob, serializer="json")


def ring(queue: str) -> None:
    """Put one ring on `queue`, unless enough wait: whoever answers those will see this work too.

    A Redis that is away is only logged: the tick will ring.
    """
    try:
        if rings_waiting(queue) < MOST_RINGS:
            _enqueue(queue)
    except (RedisError, OSError) as error:
        log.warning("could not ring %s: %s", queue, error)


def _enqueue(queue: str) -> None:
    _queue(queue, _hurried()).enqueue_call(
        ANSWER,
        kwargs={"queue": queue},
        timeout=_HORSE_LIMIT_S,
        ttl=_RING_TTL_S,
        result_ttl=0,
        failure_ttl=_RING_TTL_S,
        description=f"work on {queue}?",
    )


def ring_on_commit(queues: set[str]) -> None:
    for queue in sorted(queues):
        transaction.on_commit(lambda queue=queue: ring(queue))  # type: ignore[misc]


def rings_waiting(queue: str) -> int:
    """How many rings lie unanswered. Raises RedisError when Redis is away."""
    return int(_queue(queue, _hurried()).count)
