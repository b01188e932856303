"""The API's description for programs and people: OpenAPI 3.1 at ``/api/v1/openapi.json``.

Written by hand, and held to what the endpoints answer by `tests/dayops/test_api.py`.
"""

from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from dayops.models import Phase, Severity
from dayops.version import VERSION
from dayops.web.api.endpoints import LARGEST_PAGE, PAGE_SIZE, endpoint
from dayops.web.work_pages.alarms import STATES
from dayops.web.work_pages.operations import OPERATIONS, REASON_LIMIT

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
INSTANT: Schema = {"type": "string", "format": "date-time", "description": "UTC"}
MAYBE_INSTANT: Schema = {"type": ["string", "null"], "format": "date-time", "description": "UTC"}
OBJECT: Schema = {"type": "object"}
PHASE: Schema = {"type": "string", "enum": list(Phase.values)}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _list_of(name: str) -> Schema:
    return {"type": "array", "items": {"$ref": f"#/components/schemas/{name}"}}


def _page_of(name: str, schema: str) -> Schema:
    return _object(**{name: _list_of(schema)}, page=WHOLE, pages=WHOLE, total=WHOLE)


LANE = _object(
    **dict.fromkeys(("activity", "title", "state", "sentence", "unit", "blocked_by", "deadline_name", "url"), TEXT),
    done=WHOLE,
    expected={"type": ["integer", "null"]},
    deadline=INSTANT,
    latest_safe_start=MAYBE_INSTANT,
    latest_safe_start_from=TEXT,
    late={"type": "boolean"},
    facts=OBJECT,
)
DAY = _object(
    day_obs={"type": "integer", "description": "YYYYMMDD"},
    answer=_object(word=TEXT, sentence=TEXT),
    sunset=INSTANT,
    evening_twilight=INSTANT,
    lanes=_list_of("Lane"),
    summary=OBJECT,
    url=TEXT,
)
RUN = _object(
    **dict.fromkeys(("activity", "title", "key", "subject", "requested_by", "code_version", "error", "url"), TEXT),
    **dict.fromkeys(("id", "day_obs", "tasks_done", "tasks_total"), WHOLE),
    **dict.fromkeys(("parameters", "summary"), OBJECT),
    **dict.fromkeys(("started_at", "ended_at", "deadline"), MAYBE_INSTANT),
    created_at=INSTANT,
    phase=PHASE,
    took_s={"type": ["number", "null"], "description": "seconds"},
)
STAGE = _object(
    **dict.fromkeys(("name", "phase"), TEXT),
    **dict.fromkeys(("total", "completed", "failed", "aborted", "executing", "queued"), WHOLE),
)
WHOLE_RUN = _object(**RUN["properties"], stages=_list_of("Stage"))
EVENT = _object(
    **dict.fromkeys(("severity", "kind", "text", "reason", "actor", "subject"), TEXT), id=WHOLE, at=INSTANT, data=OBJECT
)
ALARM = _object(
    **dict.fromkeys(("key", "name", "activity", "subject", "sentence", "remedy", "reason", "url"), TEXT),
    **dict.fromkeys(("acknowledged_by", "snoozed_by"), TEXT),
    **dict.fromkeys(("id", "day_obs", "times"), WHOLE),
    **dict.fromkeys(("raised_at", "seen_at"), INSTANT),
    **dict.fromkeys(("cleared_at", "acknowledged_at", "snoozed_until"), MAYBE_INSTANT),
    state={"type": "string", "enum": list(STATES)},
    severity={"type": "string", "enum": list(Severity.values)},
)
ERROR = _object(error=TEXT, remedy=TEXT, status=WHOLE)
REASON = _object(reason={"type": "string", "minLength": 1, "maxLength": REASON_LIMIT}) | {"required": ["reason"]}
SNOOZE = _object(**REASON["properties"], until={**INSTANT, "description": "UTC, at most seven days ahead"}) | {
    "required": ["reason", "until"]
}
CHANGED = _object(alarm={"$ref": "#/components/schemas/Alarm"})
DONE = _object(done=TEXT, run={"$ref": "#/components/schemas/WholeRun"})


def _parameter(name: str, where: str, schema: Schema, description: str) -> Schema:
    return {"name": name, "in": where, "schema": schema, "description": description, "required": where == "path"}


DAY_PARAMETER = _parameter("day", "path", {"type": "string", "format": "date"}, "dayObs, YYYY-MM-DD")
ALARM_PARAMETER = _parameter("pk", "path", WHOLE, "number of the alarm")
RUN_PARAMETER = _parameter("pk", "path", WHOLE, "number of the run")
PAGES = [
    _parameter("page", "query", {"type": "integer", "minimum": 1}, "page, from 1"),
    _parameter(
        "size", "query", {"type": "integer", "maximum": LARGEST_PAGE}, f"rows of a page, {PAGE_SIZE} unless told"
    ),
]


def _chosen_by(**descriptions: str) -> list[Schema]:
    return [_parameter(name, "query", TEXT, description) for name, description in descriptions.items()] + PAGES


def _json(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}


def _answers(schema: Schema) -> Schema:
    return {
        "200": {"description": "done", **_json(schema)},
        "default": {"description": "what was wrong", **_json(ERROR)},
    }


def _get(summary: str, schema: Schema, *parameters: Schema) -> Schema:
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": _answers(schema)}}


def _post(summary: str, parameter: Schema = RUN_PARAMETER, body: Schema = REASON, answer: Schema = DONE) -> Schema:
    content = {"required": True, **_json(body)}
    return {
        "post": {
            "summary": summary,
            "parameters": [parameter],
            "requestBody": content,
            "responses": _answers(answer),
        }
    }


DOCUMENT: Schema = {
    "openapi": "3.1.0",
    "info": {
        "title": "DayOps",
        "version": VERSION,
        "description": "Daytime operations: days, runs, alarms and events.",
    },
    "servers": [{"url": "/api/v1"}],
    "security": [{"token": []}],
    "paths": {
        "/days/{day}": _get("Can we observe, and how the six activities stand", DAY, DAY_PARAMETER),
        "/days/{day}/runs": _get(
            "The day's runs, newest first",
            _page_of("runs", "Run"),
            DAY_PARAMETER,
            *_chosen_by(activity="key of an activity", phase="phase of the run", q="text in title or error"),
        ),
        "/days/{day}/events": _get(
            "The day's events, newest first",
            _page_of("events", "Event"),
            DAY_PARAMETER,
            *_chosen_by(
                severity="INFO, WARN or ALARM", kind="", actor="", subject="", since="only after this event's id"
            ),
        ),
        "/alarms": _get(
            "All alarms, open ones first",
            _page_of("alarms", "Alarm"),
            *_chosen_by(
                state=", ".join(STATES),
                severity="INFO, WARN or ALARM",
                activity="key of an activity",
                day="dayObs, YYYY-MM-DD",
                q="text in the sentence, remedy, subject, key or reason",
            ),
        ),
        "/alarms/{pk}/acknowledge": _post("Acknowledge an open alarm", ALARM_PARAMETER, REASON, CHANGED),
        "/alarms/{pk}/snooze": _post("Silence an open alarm until an instant", ALARM_PARAMETER, SNOOZE, CHANGED),
        "/runs/{pk}": _get("One run and its stages", WHOLE_RUN, RUN_PARAMETER),
        **{f"/runs/{{pk}}/{operation.name}": _post(operation.label) for operation in OPERATIONS.values()},
    },
    "components": {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "made at /tokens/"}},
        "schemas": {
            "Lane": LANE,
            "Run": RUN,
            "WholeRun": WHOLE_RUN,
            "Stage": STAGE,
            "Event": EVENT,
            "Alarm": ALARM,
            "Error": ERROR,
        },
    },
}


@endpoint("GET")
def openapi(request: HttpRequest) -> HttpResponseBase:
    """The description itself."""
    return JsonResponse(DOCUMENT)
