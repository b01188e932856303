"""`manage.py scheduler`: the tick and the duties. Two may run; they do not disturb each other."""

from typing import Any

from django.core.management.base import BaseCommand

from dayops import scheduler
from dayops.stopping import stopped_by_signals


class Command(BaseCommand):
    help = "Look after the work: ring where tasks wait, give back the tasks of dead workers, do the repeating duties."

    def handle(self, *args: Any, **options: Any) -> None:
        scheduler.run(stopped_by_signals())
