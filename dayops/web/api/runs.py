"""One run: read it, retry it, abort it, run it again."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404

from dayops.models import Run
from dayops.runs import NotPossible
from dayops.web.access import require
from dayops.web.api.endpoints import BadRequest, body_of, endpoint
from dayops.web.refusals import refusal
from dayops.web.work_pages.operations import MAY_OPERATE, OPERATIONS, REASON_LIMIT, actor_of
from dayops.web.work_pages.run import stages_of
from dayops.web.work_pages.runs import run_url, with_counts


def run_as_json(run: Run) -> dict[str, Any]:
    """A run of `with_counts` as programs see it; instants in UTC, `took` in seconds."""
    return {
        "id": run.pk,
        "activity": run.activity,
        "title": run.title,
        "day_obs": run.day_obs,
        "key": run.key,
        "phase": run.phase,
        "tasks_done": run.tasks_done,  # type: ignore[attr-defined]
        "tasks_total": run.tasks_total,  # type: ignore[attr-defined]
        "parameters": run.parameters,
        "summary": run.summary,
        "subject": run.subject,
        "requested_by": run.requested_by,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "took_s": run.took and run.took.total_seconds(),  # type: ignore[attr-defined]
        "deadline": run.deadline,
        "code_version": run.code_version,
        "error": run.error,
        "url": run_url(run),
    }


@endpoint("GET")
def run_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A run and the state of its stages."""
    return JsonResponse(whole_run(pk))


@endpoint("POST")
@require(MAY_OPERATE)
def operate_view(request: HttpRequest, pk: int, operation: str) -> HttpResponseBase:
    """Retry, abort or re-run, for ``{"reason": "…"}``. 409 with a sentence where the run's phase does not allow it."""
    get_object_or_404(Run, pk=pk)
    try:
        done = OPERATIONS[operation].do(pk, actor_of(request), reason_in(request))
    except NotPossible as error:
        return refusal(request, HTTPStatus.CONFLICT, str(error))
    return JsonResponse({"done": done, "run": whole_run(pk)})


def reason_in(request: HttpRequest) -> str:
    """The reason that was sent. Raises BadRequest where there is none."""
    reason = body_of(request).get("reason")
    if not isinstance(reason, str) or not reason.strip() or len(reason) > REASON_LIMIT:
        raise BadRequest(f'A reason of 1 to {REASON_LIMIT} characters is needed: {{"reason": "wrong filter"}}.')
    return reason.replace("\0", "").strip()


def whole_run(pk: int) -> dict[str, Any]:
    """The run `pk` with the state of its stages (two queries). Raises Http404."""
    run = get_object_or_404(with_counts(Run.objects.all()), pk=pk)
    return {**run_as_json(run), "stages": [asdict(stage) | {"phase": stage.word} for stage in stages_of(run)]}
