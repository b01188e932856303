"""`manage.py scheduler`: the tick and the duties. Two may run; they do not disturb each other."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from dayops import scheduler


class Command(BaseCommand):
    help = "Look after the work: ring where tasks wait, give back the tasks of dead workers, do the repeating duties."

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        scheduler.run(stop)
