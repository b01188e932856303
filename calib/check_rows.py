"""The checks of one exposure as rows for people, the worst first."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from calib.metric_words import number
from calib.models import CheckResult, Judgement, Level
from calib.science.checks import BY_NAME, CheckDefinition
from dayops.models import Exposure

_NAMED = 6


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check over all the detectors it was made for; `worst` is the result that counts."""

    check: CheckDefinition
    worst: CheckResult
    made: int
    bad: tuple[str, ...]
    drop_url: str

    @property
    def verdict(self) -> str:
        return Level(self.worst.level).label

    @property
    def value(self) -> str:
        return f"{number(self.worst.value)} {self.check.unit}".strip()

    @property
    def limit(self) -> str:
        """The limit that is broken; empty where it is 0 and its words would only repeat that nothing is allowed."""
        return "" if not self.worst.limit else f"{number(self.worst.limit)} {self.check.unit}".strip()

    @property
    def where(self) -> str:
        """The detectors that are not OK, as many as a line holds."""
        more = f" and {len(self.bad) - _NAMED} more" if len(self.bad) > _NAMED else ""
        return f"{', '.join(self.bad[:_NAMED])}{more}"


def check_rows(exposure: Exposure) -> list[CheckRow]:
    """One row for each check that applies, the worst first; of equal ones those that explain others (one query)."""
    results: dict[str, list[CheckResult]] = {}
    for result in CheckResult.objects.filter(judgement__exposure=exposure).order_by("id"):
        results.setdefault(result.check_name, []).append(result)
    rows = [_row(exposure, check, results[name]) for name, check in BY_NAME.items() if name in results]
    return sorted(rows, key=lambda row: -row.worst.level)


def judgement_of(exposure: Exposure) -> Judgement | None:
    """The machine's verdict on the exposure as a whole, None before there is one."""
    return Judgement.objects.filter(exposure=exposure).first()


def _row(exposure: Exposure, check: CheckDefinition, results: list[CheckResult]) -> CheckRow:
    worst = max(results, key=lambda result: (result.level, abs(result.value)))
    bad = tuple(result.detector for result in results if result.level != Level.OK and result.detector)
    return CheckRow(check, worst, len(results), bad, _drop_url(exposure, worst))


def _drop_url(exposure: Exposure, result: CheckResult) -> str:
    """Where a person rejects what the check proposes to drop, with the form filled in."""
    drop: list[Any] = result.proposal.get("drop", [])
    words = [*(("exposure", name) for name in drop), ("reason", BY_NAME[result.check_name].title)]
    return f"{reverse('calib:reviews', args=[exposure.day_obs])}?{urlencode(words)}" if drop else ""
