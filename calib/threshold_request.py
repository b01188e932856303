"""A change of limits as a person asks for it, and what may be wrong with it, in words."""

import math
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from django.db.models import QuerySet

from calib.science.judgement import Limits
from calib.threshold_scope import Scope, Vocabulary
from dayops.models import Note
from dayops.observing_day import ObservingDay

REASON_LIMIT = 500
MOST_ROWS = 5_000
FURTHEST = timedelta(days=30)
LIMIT_TITLES = {
    "error_low": "ERROR below",
    "warn_low": "WARN below",
    "warn_high": "WARN above",
    "error_high": "ERROR above",
}


class NotPossible(Exception):
    """Limits cannot be changed like this; the message says why and what to do."""


class BadChange(NotPossible):
    """What was asked for makes no sense; `problems` has a sentence for each field that is wrong."""

    def __init__(self, problems: dict[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Row:
    """New limits of one scope, in the metric's unit."""

    scope: Scope
    limits: Limits


@dataclass(frozen=True, slots=True)
class Change:
    """Rows that begin together. `valid_from` None: at the moment of activation. `cause`: key of an intervention."""

    rows: tuple[Row, ...]
    reason: str
    valid_from: datetime | None = None
    cause: int | None = None


def check(change: Change, at: datetime) -> None:
    """Raise BadChange where `change`, asked for at `at`, makes no sense."""
    if problems := _problems_of_words(change, at) | _problems_of_rows(change.rows, Vocabulary()):
        raise BadChange(problems)


def problems_of_reason(reason: str) -> str:
    """Why `reason` will not do, empty where it will."""
    text = reason.strip()
    if not text:
        return "A reason is needed: say in a few words why, for those who read it later."
    return f"The reason has {len(text)} characters: shorten it to {REASON_LIMIT}." if len(text) > REASON_LIMIT else ""


def problems_of_limits(limits: Limits) -> dict[str, str]:
    """What is wrong with four limits, as a sentence for each that is wrong."""
    given = {name: value for name, value in asdict(limits).items() if value is not None}
    if wrong := {name: f"{value} is not a finite number." for name, value in given.items() if not math.isfinite(value)}:
        return wrong
    if not given:
        return {"warn_high": "Give at least one limit. To have none, retire the row that is in force."}
    names = list(given)
    return {
        lower: f"{LIMIT_TITLES[lower]} {given[lower]:g} and {LIMIT_TITLES[upper]} {given[upper]:g} are in the wrong "
        "order: from low to high come ERROR below, WARN below, WARN above, ERROR above."
        for lower, upper in pairwise(names)
        if given[lower] > given[upper]
    }


def causes() -> QuerySet[Note]:
    """The interventions that may be the reason of a change, newest first."""
    return Note.objects.filter(kind=Note.Kind.INTERVENTION, retracted_at=None).order_by("-happened_at", "-pk")


def said(at: datetime) -> str:
    """An instant in a sentence."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _problems_of_words(change: Change, at: datetime) -> dict[str, str]:
    earliest, latest, begins = ObservingDay.at(at).begins, at + FURTHEST, change.valid_from
    problems = {"reason": problems_of_reason(change.reason)}
    if begins is not None and begins < earliest:
        problems["valid_from"] = f"Limits may begin at {said(earliest)}, when today's dayObs began, or later."
    if begins is not None and begins > latest:
        problems["valid_from"] = f"Limits may begin at {said(latest)}, {FURTHEST.days} days from now, or earlier."
    if change.cause is not None and not causes().filter(pk=change.cause).exists():
        problems["cause"] = f"There is no intervention of number {change.cause}: choose one of the list, or none."
    return {name: problem for name, problem in problems.items() if problem}


def _problems_of_rows(rows: tuple[Row, ...], vocabulary: Vocabulary) -> dict[str, str]:
    if not rows:
        return {"rows": "No limits are given."}
    if len(rows) > MOST_ROWS:
        return {"rows": f"{len(rows)} rows are too many for one change: at most {MOST_ROWS}."}
    if len({row.scope for row in rows}) < len(rows):
        return {"rows": "Two rows are about the same: give each scope once."}
    problems: dict[str, str] = {}
    for row in rows:
        problems |= vocabulary.problems(row.scope) | problems_of_limits(row.limits)
    return problems
