"""The runs of a day."""

from dataclasses import replace

from django.db.models import Count, DurationField, ExpressionWrapper, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.views.decorators.http import conditional_page, require_safe

from dayops.activities import activities
from dayops.models import Phase, Run, Task
from dayops.observing_day import ObservingDay
from dayops.web.refusals import is_fragment
from dayops.web.tables import Column, Filter, Table
from dayops.web.work_pages.texts import Unbroken

SHORT_TITLE = 60


def run_url(run: Run) -> str:
    return reverse("run", args=[run.day_obs, run.pk])


def _title(run: Run) -> str:
    return Unbroken(run.title) if len(run.title) <= SHORT_TITLE else run.title


RUNS = Table(
    "runs",
    (
        Column("run", "Run", lambda run: run.pk, order="pk", link=run_url),
        Column("activity", "Activity", lambda run: run.activity, order="activity"),
        Column("title", "Title", _title, order="title", link=run_url),
        Column("phase", "Phase", lambda run: run.phase, "status", order="phase"),
        Column("tasks_done", "Tasks done", lambda run: run.tasks_done, "number"),
        Column("tasks", "of", lambda run: run.tasks_total, "number"),
        Column("started", "Started", lambda run: run.started_at, "instant", order="started_at", unit="UTC"),
        Column("took", "Took", lambda run: run.took, "duration", order="took"),
        Column("requested_by", "Requested by", lambda run: run.requested_by, order="requested_by"),
        Column("error", "Error", lambda run: run.error),
    ),
    search=("title", "error", "requested_by", "key"),
)


def runs_of(day: ObservingDay) -> QuerySet[Run]:
    """The day's runs, newest first, each with `tasks_done`, `tasks_total` and `took`.

    The tasks are counted in subqueries, so that PostgreSQL counts only for the rows of the page.
    """
    return with_counts(Run.objects.filter(day_obs=day.day_obs)).order_by("-pk")


def with_counts(rows: QuerySet[Run]) -> QuerySet[Run]:
    return rows.annotate(
        tasks_done=_number_of(Q(phase=Phase.COMPLETED)),
        tasks_total=_number_of(Q()),
        took=ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField()),
    )


def _number_of(which: Q) -> Coalesce:
    tasks = Task.objects.filter(which, run=OuterRef("pk")).order_by().values("run").annotate(number=Count("id"))
    return Coalesce(Subquery(tasks.values("number"), output_field=IntegerField()), 0)


def activity_choices(day: ObservingDay) -> list[tuple[str, str]]:
    """The six, and whatever else has run on that day (one query)."""
    known = {activity.key: activity.title for activity in activities()}
    found = Run.objects.filter(day_obs=day.day_obs).order_by("activity").values_list("activity", flat=True).distinct()
    return [*known.items(), *((name, name) for name in found if name not in known)]


@require_safe
@conditional_page
def run_list(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """Filtered by activity, phase and text; live; exported as CSV or JSON."""
    filters = (
        Filter("activity", "Activity", activity_choices(day), "activity"),
        Filter("phase", "Phase", Phase.choices, "phase"),
    )
    template = "runs/table.html" if is_fragment(request) else "runs/list.html"
    return replace(RUNS, name=f"runs-{day}", filters=filters).respond(request, runs_of(day), template)
