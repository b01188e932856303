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


def _one(summary: str, schema: Schema, *parameters: Schema) -> Schema:
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": _answers(schema)}}


def _asked(name: str, description: str) -> Schema:
    return {"name": name, "in": "query", "schema": TEXT, "required": False, "description": description}


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

_MAYBE_WHOLE: Schema = {"type": ["integer", "null"]}
_NUMBER: Schema = {"type": ["number", "null"]}
_FREE: Schema = {"type": "object"}
_OF_SET = _object(
    **dict.fromkeys(("camera", "state", "configuration", "requested_by", "phase", "decided_by", "url"), TEXT),
    **dict.fromkeys(("id", "day_obs", "run"), WHOLE),
    reasons=_list(TEXT),
    parameters=_FREE,
    created_at=INSTANT,
    decided_at=MAYBE_INSTANT,
)
_OF_PRODUCT = _object(
    **dict.fromkeys(("type", "camera", "detector", "filter", "sha256", "flagged_bad_by", "flag_reason"), TEXT),
    **dict.fromkeys(("url", "file"), TEXT),
    **dict.fromkeys(("id", "set", "day_obs", "size"), WHOLE),
    created_at=INSTANT,
    flagged_bad_at=MAYBE_INSTANT,
)
_TEST = _object(
    product=WHOLE,
    test=TEXT,
    passed={"type": "boolean"},
    sentence=TEXT,
    values=_list(_NUMBER),
    **dict.fromkeys(("lower", "upper", "incumbent"), _NUMBER),
    frame=_MAYBE_WHOLE,
)
_DEED = _object(
    **dict.fromkeys(("kind", "collection", "camera", "actor", "reason"), TEXT),
    **dict.fromkeys(("id", "day_obs"), WHOLE),
    **dict.fromkeys(("set", "undoes"), _MAYBE_WHOLE),
    override={"type": "boolean"},
    at=INSTANT,
)
_STAGE = _object(name=TEXT, state=TEXT, done=WHOLE, expected=WHOLE, took_s=_NUMBER)
_SLOT = _object(
    **dict.fromkeys(("type", "detector", "filter", "state", "sha256", "collection", "why"), TEXT),
    **dict.fromkeys(("tests_passed", "tests_failed"), WHOLE),
    **dict.fromkeys(("product", "day_obs", "age_days", "certification", "candidate"), _MAYBE_WHOLE),
)
_SPELL = _object(
    **dict.fromkeys(("valid_from", "valid_to", "known_to"), MAYBE_INSTANT), known_from=INSTANT, action=WHOLE
)
_GAP = _object(type=TEXT, detector=WHOLE, filter=TEXT, begins=INSTANT, ends=INSTANT)
_TONIGHT = _object(
    day_obs=WHOLE,
    at=INSTANT,
    at_tai_ns={"type": "integer", "format": "int64", "description": "nanoseconds of TAI since 1970"},
    known=MAYBE_INSTANT,
    is_complete={"type": "boolean"},
    sentence=TEXT,
    newest_set=_MAYBE_WHOLE,
    slots=_list(_SLOT),
    gaps=_list(_GAP),
)
_DAY = _asked("day", "dayObs like 2026-11-22; the current one unless told")
_INSTANT = "2026-11-22 20:15 in UTC, or ISO 8601"
PRODUCTS: Schema = {
    "/products/sets": _get("Sets of a day, newest first", _object(sets=_list(_OF_SET), **PAGE), "day"),
    "/products/sets/{pk}": _one(
        "One set with its stages, products, failed tests and deeds",
        _object(
            **_OF_SET["properties"],
            stages=_list(_STAGE),
            products=_list(_OF_PRODUCT),
            failed=_list(_TEST),
            deeds=_list(_DEED),
        ),
        PK,
    ),
    "/products/sets/{pk}/override": _post("Certify what the gate refused", REASON, _object(deed=_DEED), PK),
    "/products/sets/{pk}/rollback": _post("Roll a set's certification back", REASON, _object(deed=_DEED), PK),
    "/products/{pk}": _one(
        "One product with its numbers and tests",
        _object(**_OF_PRODUCT["properties"], statistics=_FREE, tests=_list(_TEST), certifications=_list(_SPELL)),
        PK,
    ),
    "/products/{pk}/provenance": _one(
        "Where a product comes from (DMS-REQ-0132)", _object(**_OF_PRODUCT["properties"], provenance=_FREE), PK
    ),
    "/products/{pk}/flag": _post(
        "Flag a product bad: it is never used again",
        REASON,
        _object(**_OF_PRODUCT["properties"], deeds=_list(_DEED)),
        PK,
    ),
    "/products/tonight": _one(
        "What a night uses, slot by slot",
        _TONIGHT,
        _DAY,
        _asked("at", f"instant of observation, {_INSTANT}; the evening twilight unless told"),
        _asked("known", f"as the database said then, {_INSTANT}; now unless told"),
    ),
}

DOCUMENT: Schema = {
    "openapi": "3.1.0",
    "info": {"title": "DayOps calibration", "version": VERSION, "description": "Verdicts, limits, products."},
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
        **PRODUCTS,
    },
    "components": {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "made at /tokens/"}}
    },
}


@endpoint("GET")
def calib_openapi(request: HttpRequest) -> HttpResponseBase:
    """The description itself."""
    return JsonResponse(DOCUMENT)
