"""Searches of nights and reports to the Minor Planet Center."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404

from dayops.observing_day import ObservingDay
from dayops.web.api.endpoints import BadRequest, endpoint, one_page
from mops.models import Night, Submission
from mops.views.lookup import night_url
from mops.views.submissions import submission_url


def night_as_json(night: Night) -> dict[str, Any]:
    """One search without its counts; instants in UTC."""
    names = ("day_obs", "configuration", "trial", "state", "reasons", "as_of_mjd_tai", "reference_mjd_tdb")
    return {
        "id": night.pk,
        **{name: getattr(night, name) for name in names},
        "run": night.run_id,
        "phase": night.run.phase,
        "requested_by": night.run.requested_by,
        "created_at": night.created_at,
        "decided_at": night.decided_at,
        "decided_by": night.decided_by,
        "url": night_url(night),
    }


def submission_as_json(row: Submission) -> dict[str, Any]:
    """One report; `sources` are its diaSourceIds."""
    names = ("kind", "state", "tracklet_name", "digest", "problems", "sources", "confirmation", "psv_sha256")
    return {
        "id": row.pk,
        "night": row.night_id,
        "linkage": row.linkage_id,
        "ss_object_id": row.ss_object_id,
        **{name: getattr(row, name) for name in names},
        "xml_sha256": row.xml_sha256,
        "decided_at": row.decided_at,
        "decided_by": row.decided_by,
        "reason": row.reason,
        "url": submission_url(row),
    }


@endpoint("GET")
def nights_view(request: HttpRequest) -> HttpResponseBase:
    """All searches, newest night first; ``?day=`` and ``?state=`` choose among them."""
    rows = chosen(request, Night.objects.select_related("run"), "day_obs", Night.State.values)
    return JsonResponse(one_page(request, rows.order_by("-day_obs", "-pk"), "nights", night_as_json))


@endpoint("GET")
def night_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One search with its parameters, counts and, where known, truth."""
    night = get_object_or_404(Night.objects.select_related("run"), pk=pk)
    more = {"parameters": night.parameters, "counts": night.counts, "truth": night.truth}
    return JsonResponse({**night_as_json(night), **more})


@endpoint("GET")
def submissions_view(request: HttpRequest) -> HttpResponseBase:
    """All reports, newest first; ``?day=`` (of the night) and ``?state=`` choose among them."""
    rows = chosen(request, Submission.objects.select_related("night"), "night__day_obs", Submission.State.values)
    return JsonResponse(one_page(request, rows.order_by("-pk"), "submissions", submission_as_json))


def chosen(request: HttpRequest, rows: QuerySet[Any], day_field: str, states: list[str]) -> QuerySet[Any]:
    """The rows of ``?day=`` and ``?state=``. Raises BadRequest for what is neither."""
    if state := request.GET.get("state", ""):
        if state not in states:
            raise BadRequest(f"state={state[:40]!r} is none of {', '.join(states)}.")
        rows = rows.filter(state=state)
    if day := request.GET.get("day", ""):
        try:
            rows = rows.filter(**{day_field: ObservingDay.parse(day).day_obs})
        except ValueError as error:
            raise BadRequest(f"day={day[:40]!r} is not a dayObs like 2026-11-22.") from error
    return rows
