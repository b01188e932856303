"""Which calibrations the plan expected on the last days, and which came."""

from collections.abc import Callable
from datetime import UTC, datetime

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import require_safe

from calib.coverage import CoverageRow, chunks_of, coverage, rows_of
from calib.views.trend_query import days_before, days_of, until_of
from dayops.observing_day import ObservingDay
from dayops.web.markup import NOTHING, status
from dayops.web.refusals import in_words
from dayops.web.tables import Column, Table

MOST_DAYS, CHUNK_DAYS = 92, 7


@require_safe
@in_words
def coverage_page(request: HttpRequest) -> HttpResponseBase:
    """``?days=14&until=``: a row for each step of the plan, a column for each day, the newest first."""
    last = until_of(request.GET.get("until", ""))
    number = days_of(request.GET.get("days", ""), usual=14, most=MOST_DAYS)
    days = [days_before(last, back) for back in range(max(number, CHUNK_DAYS))]
    plans = coverage(settings.CAMERA, days, datetime.now(UTC))
    shown = {str(day): plans[str(day)] for day in days[:number]}
    week = {str(day): plans[str(day)] for day in days[:CHUNK_DAYS]}
    chunks = chunks_of(week)
    context = {
        "camera": settings.CAMERA,
        "days": number,
        "day_choices": sorted({7, 14, 30, 92, number}),
        "first": days[number - 1],
        "last": last,
        "received": sum(plan.received for plan in shown.values()),
        "expected": sum(plan.expected for plan in shown.values()),
        "chunks": chunks,
        "chunks_taken": sum(chunk.cell.state == "OK" for chunk in chunks),
        "chunk_days": CHUNK_DAYS,
    }
    return _table(days[:number]).respond(request, rows_of(shown), "calib/coverage.html", context)


def _table(days: list[ObservingDay]) -> Table:
    columns = [Column("step", "Step", lambda row: row.title, order="step"), *map(_day_column, days)]
    return Table(f"coverage_{days[-1]}_{days[0]}", columns)


def _day_column(day: ObservingDay) -> Column:
    """A day's cells: state in words, led by its icon, as a link to the day."""

    def words(row: CoverageRow) -> str | None:
        cell = row.cells.get(str(day))
        return cell.words if cell else None

    def shown(row: CoverageRow) -> str:
        cell = row.cells.get(str(day))
        if cell is None:
            return NOTHING
        numbers = cell.words.removesuffix(cell.state).strip()
        return format_html("{} {}", status(cell.state), numbers) if numbers else status(cell.state)

    link: Callable[[CoverageRow], str] = lambda row: reverse("calib:day", args=[day])  # noqa: E731
    return Column(str(day), f"{day.date:%m-%d}", words, link=link, shown=shown)
