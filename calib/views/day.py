"""The day's exposure table, live."""

from dataclasses import replace
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponseBase
from django.urls import NoReverseMatch, reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import conditional_page, require_safe

from calib.exposure_table import ExposureRow, exposure_rows
from calib.lacking import lacking
from calib.metric_words import number, tidy
from calib.models import Level
from calib.plan_progress import PlanProgress, StepProgress, plan_progress
from calib.views.lookup import exposure_url
from calib.what_is_wrong import what_is_wrong
from dayops.archive.catch_up import backlog
from dayops.models import FrameState, RawFrame
from dayops.observing_day import ObservingDay
from dayops.web.refusals import is_fragment
from dayops.web.tables import Column, Filter, Table

MOST_QUARANTINED = 50


def _run_url(row: ExposureRow) -> str:
    """The assessment of the exposure; before there is one, the day's runs."""
    name, args = ("run", [row.exposure.day_obs, row.run]) if row.run else ("runs", [row.exposure.day_obs])
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return exposure_url(row.exposure)


EXPOSURES = Table(
    "exposures",
    (
        Column("seq", "Seq", lambda row: row.exposure.seq_num, "number", order="seq"),
        Column(
            "name", "Exposure", lambda row: row.exposure.name, order="name", link=lambda row: exposure_url(row.exposure)
        ),
        Column("verdict", "Verdict", lambda row: row.verdict, "status", order="verdict"),
        Column("people", "People", lambda row: row.people, "status", order="people"),
        Column("type", "Type", lambda row: row.exposure.image_type, order="type"),
        Column("filter", "Filter", lambda row: row.exposure.filter or None, order="filter"),
        Column(
            "exposure_s",
            "Time",
            lambda row: tidy(row.exposure.exposure_s),
            "number",
            order="exposure_s",
            unit="s",
            shown=lambda row: number(row.exposure.exposure_s),
        ),
        Column(
            "began",
            "Began",
            lambda row: row.exposure.began_at,
            "instant",
            order="began",
            unit="UTC",
            shown=lambda row: f"{row.exposure.began_at:%H:%M:%S}",
        ),
        Column(
            "archived",
            "Archived",
            lambda row: row.archived,
            "number",
            order="archived",
            shown=lambda row: f"{row.archived} of {row.exposure.detectors_expected}",
        ),
        Column("expected", "of", lambda row: row.exposure.detectors_expected, "number", on_page=False),
        Column("measured", "Measured", lambda row: row.measured, "number", order="measured"),
        Column("warn", "WARN", lambda row: row.warn, "number", order="warn"),
        Column("error", "ERROR", lambda row: row.error, "number", order="error"),
        Column("run", "Run", lambda row: row.run, order="run", link=_run_url),
        Column("camera", "Camera", lambda row: row.exposure.camera, on_page=False),
    ),
    search=("name", "wrong", "camera"),
)


@require_safe
@conditional_page
def day_page(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """Plan, exposures and quarantine of a day. The page's own poll gets the live part alone."""
    rows = exposure_rows(day.day_obs)
    plan = plan_progress(day, rows, datetime.now(UTC))
    quarantined = RawFrame.objects.filter(exposure__day_obs=day.day_obs, state=FrameState.QUARANTINED)
    context = {
        "plan": plan,
        "steps": _steps(plan, rows),
        "rows": rows,
        "lacking": lacking(rows),
        "backlog": backlog(day.day_obs),
        "quarantined": quarantined.select_related("exposure").order_by("-id")[:MOST_QUARANTINED],
        "archived": sum(row.archived for row in rows),
        "measured": sum(row.measured for row in rows),
        "worst": max((row.worst for row in rows if row.worst is not None), default=None),
        "levels": Level,
    }
    template = "calib/day_live.html" if is_fragment(request) else "calib/day.html"
    table = replace(EXPOSURES, name=f"exposures-{day}", columns=_columns(day), filters=_filters(rows))
    response = table.respond(request, rows, template, context)
    patch_vary_headers(response, ["X-DayOps-Fragment"])
    return response


def _columns(day: ObservingDay) -> tuple[Column, ...]:
    """Those of every day, and after the verdicts what is wrong."""
    wrong = what_is_wrong(day.day_obs)
    place = EXPOSURES.columns.index(EXPOSURES.by_name["people"]) + 1
    column = Column("wrong", "What is wrong", lambda row: wrong.get(row.exposure.pk), order="wrong")
    return (*EXPOSURES.columns[:place], column, *EXPOSURES.columns[place:])


def _steps(plan: PlanProgress, rows: list[ExposureRow]) -> list[tuple[StepProgress, str]]:
    """Each step with the worst verdict of its exposures, empty before there is one."""
    worst: dict[str, int] = {}
    for row in rows:
        if row.worst is not None:
            worst[row.exposure.step] = max(row.worst, worst.get(row.exposure.step, row.worst))
    return [(each, Level(worst[each.step.name]).label if each.step.name in worst else "") for each in plan.steps]


def _filters(rows: list[ExposureRow]) -> tuple[Filter, ...]:
    """A choice for each value that the day has."""
    columns = [EXPOSURES.by_name[name] for name in ("type", "filter", "verdict")]
    values = [sorted({str(column.value(row)) for row in rows if column.value(row)}) for column in columns]
    return tuple(
        Filter(column.name, column.title, [(value, value) for value in each], column.name)
        for column, each in zip(columns, values, strict=True)
    )
