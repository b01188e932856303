"""The limits in force, and the history of each."""

from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from django.contrib import messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.timezone import now
from django.views.decorators.http import require_POST, require_safe

from calib import rejudging
from calib.metric_words import limits_in_words, number, stored_axis_title, stored_title, stored_unit
from calib.models import Threshold
from calib.threshold_changes import retire
from calib.threshold_request import NotPossible, problems_of_reason
from calib.threshold_scope import Scope
from calib.thresholds import limits_of
from calib.views.threshold_query import LIMITS, SCOPE, editor_words
from dayops.models import Event
from dayops.observing_day import ObservingDay
from dayops.web.access import require
from dayops.web.export import wanted_format
from dayops.web.tables import Column, Filter, Table
from dayops.web.work_pages.operations import actor_of

MAY_EDIT = "dayops.edit_threshold"
_LIMIT_TITLES = dict(zip(LIMITS, ("ERROR\u00a0<", "WARN\u00a0<", "WARN\u00a0>", "ERROR\u00a0>"), strict=True))


def threshold_url(row: Threshold) -> str:
    return reverse("calib-camera:threshold", args=[row.pk])


def state_of(row: Threshold, at: datetime) -> str:
    """IN FORCE, SCHEDULED or ENDED."""
    if row.valid_until is not None and row.valid_until <= at:
        return "ENDED"
    return "SCHEDULED" if row.valid_from > at else "IN FORCE"


def _limit(name: str) -> Column:
    def value(row: Threshold) -> float | None:
        found: float | None = getattr(row, name)
        return found

    def shown(row: Threshold) -> str:
        return "" if (limit := value(row)) is None else number(limit)

    return Column(name, _LIMIT_TITLES[name], value, "number", order=name, shown=shown)


def _metric(row: Threshold) -> str:
    return stored_axis_title(row.metric)


_WHY = (
    Column("valid_from", "From", lambda row: row.valid_from, "instant", order="valid_from", unit="UTC"),
    Column("author", "By", lambda row: row.author, order="author"),
    Column("reason", "Why", lambda row: row.reason, order="reason"),
)
_STATE = Column("state", "State", lambda row: state_of(row, now()), "status")
THRESHOLDS = Table(
    "thresholds",
    (
        Column("metric", "Metric", lambda row: row.metric, order="metric", shown=_metric, link=threshold_url),
        Column("scope", "For", lambda row: row.scope_in_words),
        *map(_limit, LIMITS),
        _STATE,
        *_WHY,
    ),
    search=("metric", "camera", "detector", "amplifier", "reason", "author"),
)
EXPORTED = (
    *(Column(name, name, attrgetter(name), order=name) for name in SCOPE),
    *map(_limit, LIMITS),
    _STATE,
    *(
        Column(name, name, attrgetter(name), order=name)
        for name in ("valid_from", "valid_until", "author", "reason", "pk")
    ),
)
HISTORY = Table(
    "threshold-history",
    (
        Column("id", "No.", lambda row: row.pk, "number", order="pk", link=threshold_url),
        _STATE,
        *map(_limit, LIMITS),
        Column("valid_from", "From", lambda row: row.valid_from, "instant", order="valid_from", unit="UTC"),
        Column("valid_until", "Until", lambda row: row.valid_until, "instant", order="valid_until", unit="UTC"),
        *_WHY[1:],
        Column("cause", "Intervention", lambda row: row.cause.text if row.cause else None),
    ),
)


@require_safe
def threshold_list(request: HttpRequest) -> HttpResponseBase:
    """Limits in force and to come; ``?ended=1`` those of the past too."""
    ended = request.GET.get("ended") == "1"
    rows = Threshold.objects.order_by("metric", *Threshold.SCOPE, "valid_from")
    if not ended:
        rows = rows.filter(Q(valid_until=None) | Q(valid_until__gt=now()))
    columns = EXPORTED if wanted_format(request) else THRESHOLDS.columns  # an export has each word of the scope
    table = replace(THRESHOLDS, columns=columns, filters=_filters())
    return table.respond(request, rows, "calib/thresholds/list.html", {"ended": ended})


@require_safe
def threshold_page(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One row, and every row of the same scope before and after it."""
    row = get_object_or_404(Threshold.objects.select_related("cause"), pk=pk)
    at, scope, limits = now(), Scope.of(row), limits_of(row)
    same = Threshold.objects.filter(**scope.words).select_related("cause").order_by("-valid_from", "-pk")
    today = ObservingDay.at(at)
    context = {
        "row": row,
        "title": stored_title(row.metric),
        "state": state_of(row, at),
        "limits": limits_in_words(limits, stored_unit(row.metric)),
        "edit_url": f"{reverse('calib-camera:threshold-edit')}?{editor_words(scope, limits)}",
        "blocked": "" if row.valid_until is None else "It has an end already: there is nothing to retire.",
        "events": _told(same),
        "today": today,
        "changed_today": row.valid_from >= today.begins,
    }
    table = replace(HISTORY, name=f"threshold-{pk}-history")
    return table.respond(request, same, "calib/thresholds/one.html", context)


@require_POST
@require(MAY_EDIT)
def retire_threshold(request: HttpRequest, pk: int) -> HttpResponse:
    """End a row, for the reason given."""
    get_object_or_404(Threshold, pk=pk)
    try:
        messages.success(request, retire(pk, actor_of(request), request.POST.get("reason", "")))
    except NotPossible as error:
        messages.error(request, str(error))
    return redirect("calib-camera:threshold", pk=pk)


@require_POST
@require(MAY_EDIT)
def rejudge_day(request: HttpRequest, day: ObservingDay) -> HttpResponse:
    """Have the day's frames judged again by the limits in force, and show the run that does it."""
    reason = request.POST.get("reason", "").replace("\0", "").strip()
    if problem := problems_of_reason(reason):
        messages.error(request, problem)
        return redirect("calib:day", day=day)
    try:
        run = rejudging.queue(day, actor_of(request), reason)
    except rejudging.NothingToJudge as error:
        messages.error(request, str(error))
        return redirect("calib:day", day=day)
    messages.success(request, f"The frames of {day} will be judged again by the limits in force.")
    return redirect("run", day=day, pk=run.pk)


@require_safe
def threshold_of_day(request: HttpRequest, day: ObservingDay, pk: int) -> HttpResponse:
    """Where events about a row lead."""
    return redirect("calib-camera:threshold", pk=pk)


def _told(rows: QuerySet[Threshold]) -> QuerySet[Event]:
    """What was recorded of rows of one scope, by themselves or together with others."""
    keys = list(rows.values_list("pk", flat=True))
    about = Q(data__thresholds__contains=[keys[0]])
    for key in keys[1:]:
        about |= Q(data__thresholds__contains=[key])
    return Event.objects.filter(about, kind__startswith="calib.threshold").order_by("-pk")[:50]


def _filters() -> tuple[Filter, ...]:
    """A choice for each value that rows have (one query)."""
    names = ("metric", "camera", "image_type", "filter")
    rows = list(Threshold.objects.order_by().values_list(*names).distinct())
    values = {name: sorted({row[i] for row in rows if row[i]}) for i, name in enumerate(names)}
    titles = {"metric": "Metric", "camera": "Camera", "image_type": "Type", "filter": "Filter"}
    shown = {name: [(value, _filter_title(name, value)) for value in found] for name, found in values.items()}
    return tuple(Filter(name, titles[name], choices, name) for name, choices in shown.items() if choices)


def _filter_title(name: str, value: str) -> str:
    return stored_title(value) if name == "metric" else value
