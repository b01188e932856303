"""The description of the calibration API: OpenAPI 3.1 at ``/api/v1/calib/openapi.json``.

Written by hand, and held to what the endpoints answer by `tests/calib/test_api.py`.
"""

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from calib.api.reviews import DECISIONS
from calib.reviews import Decision
from calib.views.threshold_query import LIMITS, SCOPE
from dayops.version import VERSION
from dayops.web.api.endpoints import endpoint
from dayops.web.api.openapi import ERROR, INSTANT, MAYBE_INSTANT, PAGES, REASON, TEXT, WHOLE, Schema

MAYBE_NUMBER: Schema = {"type": ["number", "null"], "description": "in the metric's unit"}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _requiring(names: Sequence[str], schema: Schema) -> Schema:
    return schema | {"required": list(names)}


def _list(schema: Schema) -> Schema:
    return {"type": "array", "items": schema}


def _answers(schema: Schema) -> Schema:
    return {
        "200": {"description": "done", "content": {"application/json": {"schema": schema}}},
        "default": {"description": "what was wrong", "content": {"application/json": {"schema": ERROR}}},
    }


def _get(summary: str, schema: Schema, *names: str) -> Schema:
    chosen_by = [{"name": name, "in": "query", "schema": TEXT, "required": False} for name in names]
    return {"get": {"summary": summary, "parameters": [*chosen_by, *PAGES], "responses": _answers(schema)}}


def _post(summary: str, body: Schema, schema: Schema, *parameters: Schema) -> Schema:
    content = {"required": True, "content": {"application/json": {"schema": body}}}
    return {
        "post": {
            "summary": summary,
            "parameters": list(parameters),
            "requestBody": content,
            "responses": _answers(schema),
        }
    }


REVIEW = _object(
    **dict.fromkeys(("camera", "exposure", "detector", "reason", "author"), TEXT),
    **dict.fromkeys(("id", "day_obs"), WHOLE),
    decision={"type": "string", "enum": list(Decision.values)},
    at=INSTANT,
)
ROW = _requiring(["metric"], _object(**dict.fromkeys(SCOPE, TEXT), **dict.fromkeys(LIMITS, MAYBE_NUMBER)))
CAUSE: Schema = {"type": ["integer", "null"], "description": "number of the intervention behind it"}
THRESHOLD = _object(
    **ROW["properties"],
    **dict.fromkeys(("author", "reason", "state", "url"), TEXT),
    id=WHOLE,
    cause=CAUSE,
    valid_from=INSTANT,
    valid_until=MAYBE_INSTANT,
)
CHANGE = _requiring(
    ["rows", "reason"], _object(rows=_list(ROW), reason=TEXT, valid_from=MAYBE_INSTANT, cause=CAUSE, days=WHOLE)
)
COUNTS = _object(**dict.fromkeys(("day_obs", "values", "warn", "error", "warn_then", "error_then"), WHOLE))
PREVIEW = _object(digest=TEXT, seen=WHOLE, worse=WHOLE, better=WHOLE, days=_list(COUNTS))
VERDICT = _requiring(
    ["exposures", "reason"], _object(exposures=_list(TEXT), camera=TEXT, detector=TEXT, **REASON["properties"])
)
ACTIVATE = _requiring(["rows", "reason", "digest", "seen"], _object(**CHANGE["properties"], digest=TEXT, seen=WHOLE))
GIVEN = _object(reviews=_list(REVIEW))
PAGE = dict.fromkeys(("page", "pages", "total"), WHOLE)
PK: Schema = {"name": "pk", "in": "path", "schema": WHOLE, "required": True, "description": "number of the row"}

DOCUMENT: Schema = {
    "openapi": "3.1.0",
    "info": {"title": "DayOps calibration", "version": VERSION, "description": "People's verdicts, and limits."},
    "servers": [{"url": "/api/v1/calib"}],
    "security": [{"token": []}],
    "paths": {
        "/reviews": _get(
            "People's verdicts, newest first",
            _object(reviews=_list(REVIEW), **PAGE),
            *("day", "exposure", "detector", "author"),
        ),
        **{
            f"/reviews/{deed}": _post(f"{deed.capitalize()} exposures or a frame", VERDICT, GIVEN) for deed in DECISIONS
        },
        "/thresholds": _get(
            "Limits in force and to come", _object(thresholds=_list(THRESHOLD), **PAGE), *SCOPE, "ended"
        ),
        "/thresholds/preview": _post("What a change would have said of the last days", CHANGE, PREVIEW),
        "/thresholds/activate": _post(
            "Activate what was previewed",
            ACTIVATE,
            _object(done=TEXT, since_preview=TEXT, thresholds=_list(THRESHOLD)),
        ),
        "/thresholds/{pk}/retire": _post("End a row now", REASON, _object(done=TEXT), PK),
    },
    "components": {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "made at /tokens/"}}
    },
}


@endpoint("GET")
def calib_openapi(request: HttpRequest) -> HttpResponseBase:
    """The description itself."""
    return JsonResponse(DOCUMENT)
