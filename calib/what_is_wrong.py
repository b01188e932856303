"""What is wrong, where and by how much: in a line for each exposure of a day, and metric by metric for one of them."""

from dataclasses import dataclass

from django.db.models import Case, Count, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.db.models.functions import Abs

from calib.metric_words import number, stored_title, stored_unit
from calib.models import Assessment, CheckResult, Finding, Level
from calib.science.checks import BY_NAME
from dayops.models import Exposure


@dataclass(frozen=True, slots=True)
class Trouble:
    """A metric that is outside its limits in `error` and `warn` amplifiers, and the finding furthest beyond."""

    worst: Finding
    error: int
    warn: int

    @property
    def title(self) -> str:
        return stored_title(self.worst.metric)

    @property
    def unit(self) -> str:
        return stored_unit(self.worst.metric)


def troubles(found: QuerySet[Finding]) -> list[Trouble]:
    """One for each metric of the findings of an exposure or a frame, ERROR in most amplifiers first (two queries)."""
    beyond = Abs(F("value") - F("limit")).desc(nulls_first=True)
    worst = found.order_by("metric", "-level", beyond, "id").distinct("metric").select_related("assessment__frame")
    error, warn = Count("id", filter=Q(level=Level.ERROR)), Count("id", filter=Q(level=Level.WARN))
    counted = found.values("metric").annotate(error=error, warn=warn)
    counts = {row["metric"]: (row["error"], row["warn"]) for row in counted}
    rows = [Trouble(each, *counts[each.metric]) for each in worst]
    return sorted(rows, key=lambda row: (row.error, row.warn), reverse=True)


def what_is_wrong(day_obs: int) -> dict[int, str]:
    """By exposure; one that is OK or not measured yet has no line (two queries).

    A failed check tells more than the amplifiers that fail with it, so that it comes first unless they are worse.
    """
    worst = {finding.assessment.exposure_id: (finding.level, _of_finding(finding)) for finding in _findings(day_obs)}
    for result in _checks(day_obs):
        exposure = result.judgement.exposure_id
        if result.level >= worst.get(exposure, (Level.OK, ""))[0]:
            worst[exposure] = result.level, _of_check(result)
    return {exposure: line for exposure, (_, line) in worst.items()}


def _findings(day_obs: int) -> list[Finding]:
    """The worst finding of the worst detector of each exposure: two looks into indexes for each."""
    of_exposure = Assessment.objects.filter(exposure=OuterRef("pk"), level__gt=Level.OK).order_by("-level", "id")
    worst = Exposure.objects.filter(day_obs=day_obs).values(found=Subquery(of_exposure.values("pk")[:1]))
    findings = Finding.objects.filter(assessment__in=worst).order_by("assessment", "-level", "id")
    return list(findings.distinct("assessment").select_related("assessment__frame"))


def _checks(day_obs: int) -> list[CheckResult]:
    """The worst failed check of each exposure; of equal ones that which explains others, a shutter before a screen."""
    failed = CheckResult.objects.filter(judgement__exposure__day_obs=day_obs, level__gt=Level.OK)
    rank = Case(*(When(check_name=name, then=Value(place)) for place, name in enumerate(BY_NAME)), default=Value(99))
    worst = failed.order_by("judgement", "-level", rank, "id").distinct("judgement")
    return list(worst.select_related("judgement"))


def _of_finding(finding: Finding) -> str:
    where = f"{finding.assessment.frame.detector_name} {finding.amplifier}".strip()
    title, unit = stored_title(finding.metric), stored_unit(finding.metric)
    if finding.limit is None:
        return f"{where}: {title} could not be measured"
    return f"{where}: {title} {_said(finding.value, unit)} (limit {_said(finding.limit, unit)})"


def _of_check(result: CheckResult) -> str:
    check = BY_NAME.get(result.check_name)
    title, unit = (check.title, check.unit) if check else (result.check_name, "")
    where = f"{result.detector}: " if result.detector else ""
    if not result.limit:
        return f"{where}{title}: {result.sentence}"
    return f"{where}{title}: {_said(result.value, unit)} (limit {_said(result.limit, unit)})"


def _said(value: float, unit: str) -> str:
    return f"{number(value)} {unit}".strip()
