"""`manage.py run`: list, show, retry, abort and re-run runs, as the pages do."""

import getpass
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dayops.models import Phase, Run
from dayops.observing_day import ObservingDay
from dayops.runs import NotPossible
from dayops.web.api.runs import whole_run
from dayops.web.work_pages.operations import OPERATIONS
from dayops.web.work_pages.runs import runs_of


class Command(BaseCommand):
    help = "List, show, retry, abort or re-run runs. A change needs a reason, which is kept."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        listing = actions.add_parser("list", help="the runs of a day, newest first")
        listing.add_argument("--day-obs", help="YYYY-MM-DD (default: today's)")
        listing.add_argument("--phase", choices=Phase.values)
        listing.add_argument("--activity")
        actions.add_parser("show", help="one run as JSON").add_argument("id", type=int)
        for operation in OPERATIONS.values():
            changing = actions.add_parser(operation.name, help=operation.label.lower())
            changing.add_argument("id", type=int)
            changing.add_argument("--reason", required=True, help="why, for the record")

    def handle(self, *args: Any, **options: Any) -> None:
        match options["action"]:
            case "list":
                self._list(options)
            case "show":
                self.stdout.write(json.dumps(whole_run(_existing(options["id"]).pk), indent=2, default=str))
            case operation:
                self._operate(operation, _existing(options["id"]), options["reason"])

    def _list(self, options: dict[str, Any]) -> None:
        rows = runs_of(_day(options["day_obs"]))
        for name in ("phase", "activity"):
            if options[name]:
                rows = rows.filter(**{name: options[name]})
        for run in rows.iterator(chunk_size=500):
            progress = f"{run.tasks_done:>5} of {run.tasks_total:<5}"  # type: ignore[attr-defined]
            self.stdout.write(f"{run.pk:>8}  {run.phase:<10} {progress} {run.title}")

    def _operate(self, operation: str, run: Run, reason: str) -> None:
        try:
            done = OPERATIONS[operation].do(run.pk, f"command line: {getpass.getuser()}", reason)
        except NotPossible as error:
            raise CommandError(str(error)) from error
        self.stdout.write(done)


def _day(text: str | None) -> ObservingDay:
    try:
        return ObservingDay.parse(text) if text else ObservingDay.current()
    except ValueError as error:
        raise CommandError(str(error)) from error


def _existing(pk: int) -> Run:
    run = Run.objects.filter(pk=pk).first()
    if run is None:
        raise CommandError(f"There is no run {pk}. `manage.py run list --day-obs YYYY-MM-DD` lists a day's runs.")
    return run
