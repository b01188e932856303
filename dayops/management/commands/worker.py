"""`manage.py worker --queues NAME`: one worker process. Start as many as the host has cores to spare."""

import logging
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from dayops.worker import DayopsWorker


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
        DayopsWorker(queue).work(burst=options["burst"], logging_level="WARNING")
