"""`manage.py mops_simulate`: nights of a synthetic Solar System in the Level 1 database, with their truth."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dayops.models import Phase
from dayops.observing_day import ObservingDay
from mops.models import Night
from mops.pipeline.synthetic_nights import Sky, load_nights

POLL_S = 0.5
LIMIT_S = 900.0


class Command(BaseCommand):
    help = "Simulate nights of detections and load them into the Level 1 database; their truth is kept for scoring."

    def add_arguments(self, parser: CommandParser) -> None:
        usual = Sky()
        parser.add_argument("--day-obs", type=int, required=True, help="the last night, YYYYMMDD")
        parser.add_argument("--nights", type=int, default=15)
        parser.add_argument("--objects", type=int, default=usual.objects)
        parser.add_argument("--seed", type=int, default=usual.seed)
        parser.add_argument("--false-per-deg2", type=float, default=usual.false_per_deg2)
        parser.add_argument(
            "--as-they-come",
            action="store_true",
            help="load the last night once the one before has been searched, and wait until it has been, too",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not 2 <= options["nights"] <= 60:
            raise CommandError(f"--nights must be from 2 to 60, not {options['nights']}.")
        sky = Sky(objects=options["objects"], seed=options["seed"], false_per_deg2=options["false_per_deg2"])
        try:
            day = ObservingDay(options["day_obs"])
            if options["as_they_come"]:
                self._as_they_come(day, options["nights"], sky)
            else:
                load_nights(day.day_obs, options["nights"], sky, tell=self._say)
        except ValueError as error:
            raise CommandError(str(error)) from error

    def _as_they_come(self, day: ObservingDay, nights: int, sky: Sky) -> None:
        load_nights(day.day_obs, nights, sky, leave_out={day.day_obs}, tell=self._say)
        _wait_for(day.previous)
        load_nights(day.day_obs, nights, sky, tell=self._say)
        _wait_for(day)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _wait_for(day: ObservingDay) -> None:
    """Until a search of the night `day` has come to its end, well or not."""
    until = time.monotonic() + LIMIT_S
    while not Night.objects.filter(day_obs=day.day_obs, run__phase__in=Phase.ended()).exists():
        if time.monotonic() > until:
            raise CommandError(f"The night {day} was not searched within {LIMIT_S:.0f} s: is a scheduler at work?")
        time.sleep(POLL_S)
