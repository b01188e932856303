"""Limits: read them, preview a change, activate what was previewed, retire."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404
from django.utils.timezone import now

from calib.models import Threshold
from calib.threshold_changes import activate, digest_of, retire
from calib.threshold_preview import preview
from calib.threshold_proposal import problems_of_days
from calib.threshold_request import BadChange, Change, NotPossible, Row, check
from calib.views.threshold_edit import since_preview
from calib.views.threshold_query import LIMITS, SCOPE, EditorQuery, Reader
from calib.views.thresholds import MAY_EDIT, state_of, threshold_url
from dayops.web.access import require
from dayops.web.api.endpoints import BadRequest, body_of, endpoint, one_page
from dayops.web.refusals import refusal
from dayops.web.work_pages.operations import actor_of


def threshold_as_json(row: Threshold) -> dict[str, Any]:
    """One row; limits in the metric's unit, null where none binds."""
    plain = (*SCOPE, *LIMITS, "valid_from", "valid_until", "author", "reason")
    found = {name: getattr(row, name) for name in plain}
    return {"id": row.pk, **found, "cause": row.cause_id, "state": state_of(row, now()), "url": threshold_url(row)}


@endpoint("GET")
def thresholds_view(request: HttpRequest) -> HttpResponseBase:
    """Limits in force and to come, with ``?ended=1`` all; each word of the scope chooses, ``?metric=`` and so on."""
    rows = Threshold.objects.order_by("metric", *Threshold.SCOPE, "valid_from", "pk")
    if request.GET.get("ended") != "1":
        rows = rows.filter(Q(valid_until=None) | Q(valid_until__gt=now()))
    for name in SCOPE:
        if name in request.GET:
            rows = rows.filter(**{name: request.GET[name].replace("\0", "")})
    return JsonResponse(one_page(request, rows, "thresholds", threshold_as_json))


@endpoint("POST")
def preview_view(request: HttpRequest) -> HttpResponseBase:
    """What a change would have said of the last `days` days, and the digest that activates it. Changes nothing."""
    body = body_of(request)
    change, days = _change(body), _whole(body, "days", 7)
    try:
        check(change, now())
    except BadChange as error:
        return refusal(request, HTTPStatus.BAD_REQUEST, str(error))
    if problems := problems_of_days(days):
        raise BadRequest(" ".join(problems.values()))
    found = preview(change.rows, days, now())
    return JsonResponse(
        {
            "digest": digest_of(change, found.seen),
            "seen": found.seen,
            "worse": found.worse,
            "better": found.better,
            "days": [asdict(day) for day in found.days.values()],
        }
    )


@endpoint("POST")
@require(MAY_EDIT)
def activate_view(request: HttpRequest) -> HttpResponseBase:
    """Put in force what was previewed: the same body, with the preview's `digest` and `seen`."""
    body = body_of(request)
    change, seen, days = _change(body), _whole(body, "seen", -1), _whole(body, "days", 7)
    try:
        done = activate(change, str(body.get("digest", "")), seen, actor_of(request))
    except BadChange as error:
        return refusal(request, HTTPStatus.BAD_REQUEST, str(error))
    except NotPossible as error:
        return refusal(request, HTTPStatus.CONFLICT, str(error))
    rows = [threshold_as_json(row) for row in done.rows]
    return JsonResponse({"done": done.sentence, "since_preview": since_preview(change, seen, days), "thresholds": rows})


@endpoint("POST")
@require(MAY_EDIT)
def retire_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """End a row now, for a `reason`."""
    row, reason = get_object_or_404(Threshold, pk=pk), body_of(request).get("reason")
    try:
        done = retire(row.pk, actor_of(request), reason if isinstance(reason, str) else "")
    except NotPossible as error:
        return refusal(request, HTTPStatus.CONFLICT, str(error))
    return JsonResponse({"done": done})


def _change(body: dict[str, Any]) -> Change:
    """The change that a body describes: `rows` of scope and limits of one metric, `reason`, `valid_from`, `cause`."""
    rows = body.get("rows")
    if not isinstance(rows, list) or not rows or not all(isinstance(row, dict) for row in rows):
        raise BadRequest('Give rows: {"rows": [{"metric": "read_noise_e", "warn_high": 9}], "reason": "…"}.')
    words = Reader({name: _word(body.get(name)) for name in ("reason", "valid_from", "cause")})
    found = []
    for row in rows:
        if unknown := row.keys() - {*SCOPE, *LIMITS}:
            raise BadRequest(f"A row has no {', '.join(sorted(map(str, unknown)))[:100]}; it may have {_KNOWN}.")
        query = EditorQuery.read({name: _word(value) for name, value in row.items()})
        if query.problems:
            raise BadRequest(" ".join(query.problems.values()))
        found.append(Row(query.scope, query.limits))
    change = Change(tuple(found), words.text("reason"), words.instant("valid_from"), words.whole("cause"))
    if words.problems:
        raise BadRequest(" ".join(words.problems.values()))
    if len({row.scope.metric for row in found}) > 1:
        raise BadRequest("The rows are of more than one metric: change one at a time.")
    return change


_KNOWN = ", ".join((*SCOPE, *LIMITS))


def _word(value: object) -> str:
    return "" if value is None else str(value)


def _whole(body: dict[str, Any], name: str, default: int) -> int:
    value = body.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise BadRequest(f"{name} is not a whole number.")
    return value
