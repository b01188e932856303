"""`manage.py worker --queues NAME`: one worker process. Start as many as the host has cores to spare."""

import logging
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from redis.exceptions import RedisError

from dayops.doorbell import connection
from dayops.worker import DayopsWorker

log = logging.getLogger(__name__)

_PAUSE_S = 3.0


class Command(BaseCommand):
    help = "Work on one queue until told to stop (SIGTERM finishes the task in hand)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--queues", required=True, help=f"one of: {', '.join(settings.QUEUES)}")
        parser.add_argument("--burst", action="store_true", help="end when nothing is left to do")

    def handle(self, *args: Any, **options: Any) -> None:
        queue = options["queues"]
        if queue not in settings.QUEUES:
            raise CommandError(
                f"--queues {queue}: a worker serves exactly one queue, one of {', '.join(settings.QUEUES)}. "
                "A worker on two queues can lose messages; start two workers instead."
            )
        logging.getLogger("rq.worker").setLevel(logging.WARNING)
        _wait_for_redis()
        DayopsWorker(queue).work(burst=options["burst"], logging_level="WARNING")


def _wait_for_redis() -> None:
    while True:
        try:
            connection().ping()
            return
        except (RedisError, OSError) as error:
            log.warning("Redis does not answer (%s): see that REDIS_URL is right and Valkey runs. Waiting.", error)
            time.sleep(_PAUSE_S)
