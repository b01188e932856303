"""The description of the OCS's API: OpenAPI 3.1 at ``/api/ocs/v1/openapi.json``.

Written by hand, and held to what the endpoints answer by `tests/dayops/test_ocs_api.py`.
"""

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from dayops.devices.acknowledgements import Ack
from dayops.devices.commands import LONGEST_KEY, LONGEST_REASON
from dayops.devices.states import RULES, State
from dayops.version import VERSION
from dayops.web.api.endpoints import LARGEST_PAGE, endpoint
from dayops.web.api.ocs_events import EVENT_STREAM, LONGEST_S
from dayops.web.api.openapi import ERROR, INSTANT, MAYBE_INSTANT, OBJECT, PHASE, TEXT, WHOLE, Schema

STATE: Schema = {"type": "string", "enum": [state.value for state in State]}
CODE: Schema = {"type": "integer", "description": ", ".join(f"{state.code} {state}" for state in State)}
ACK: Schema = {"type": "integer", "description": ", ".join(f"{ack.value} {ack.label}" for ack in Ack)}
NAME: Schema = {"type": "string", "enum": list(RULES)}
KEY: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "description": "new for each new command"}
FLAG: Schema = {"type": "boolean"}
SECONDS: Schema = {"type": "number", "description": "seconds"}
JOB_ID: Schema = {"type": ["string", "null"], "description": "of the job that it started"}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


COMMAND = _object(
    **dict.fromkeys(("device", "key", "label", "text", "requested_by"), TEXT),
    **dict.fromkeys(("parameters", "result"), OBJECT),
    **dict.fromkeys(("started_at", "ended_at"), MAYBE_INSTANT),
    id=WHOLE,
    name=NAME,
    phase=PHASE,
    ack=ACK,
    job_id=JOB_ID,
    created_at=INSTANT,
)
DEVICE = _object(
    **dict.fromkeys(("device", "title", "purpose", "reason", "locked_out", "queue", "software_version"), TEXT),
    **dict.fromkeys(("since", "heartbeat_at"), INSTANT),
    state=STATE,
    code=CODE,
    error_code=WHOLE,
    configuration=_object(name=TEXT, values=OBJECT),
    configurations=_list(TEXT),
    commands=_list(_object(name=NAME, summary=TEXT, allowed=FLAG, why_not=TEXT)),
    jobs=_list(_ref("Command")),
    heartbeat_age_s=SECONDS,
)
EVENT = _object(
    **dict.fromkeys(("kind", "device", "severity", "text", "actor", "reason"), TEXT), id=WHOLE, at=INSTANT, data=OBJECT
)
BEAT = _object(device=TEXT, state=STATE, code=CODE, heartbeat_at=INSTANT, heartbeat_age_s=SECONDS)
GIVEN = _object(name=NAME, parameters=OBJECT, key=KEY, reason={"type": "string", "maxLength": LONGEST_REASON}) | {
    "required": ["name"]
}


def _parameter(name: str, where: str, schema: Schema, description: str, *, required: bool = False) -> Schema:
    needed = required or where == "path"
    return {"name": name, "in": where, "schema": schema, "description": description, "required": needed}


def _json(schema: Schema) -> Schema:
    return {"content": {"application/json": {"schema": schema}}}


def _answers(schema: Schema, status: str = "200", **others: str) -> Schema:
    refusals = {number.removeprefix("_"): {"description": text, **_json(ERROR)} for number, text in others.items()}
    return {
        status: {"description": "done" if status == "200" else "accepted", **_json(schema)},
        **refusals,
        "default": {"description": "what was wrong", **_json(ERROR)},
    }


DEVICE_NAME = _parameter("device", "path", TEXT, "name of the device, e.g. CalibrationGenerator")
PK = _parameter("pk", "path", WHOLE, "number of the command")
_POST_COMMAND: Schema = {
    "summary": "Give a command; the same key again is the same command",
    "parameters": [DEVICE_NAME, _parameter("Idempotency-Key", "header", KEY, "or key in the body")],
    "requestBody": {"required": True, **_json(GIVEN)},
    "responses": _answers(
        _ref("Command"),
        "202",
        _403="no right to command devices",
        _404="no such device",
        _409="the state does not allow it, or the key belongs to another command",
        _422="no such command, no key, or wrong parameters",
    ),
}
_EVENTS: Schema = {
    "summary": f"What devices said, oldest first; as a stream of at most {LONGEST_S} s for Accept: {EVENT_STREAM}",
    "parameters": [
        _parameter("after", "query", WHOLE, "only events with numbers above this one"),
        _parameter("Last-Event-ID", "header", WHOLE, "the same, for streams; without either they begin now"),
        _parameter("device", "query", TEXT, "only of this device"),
        _parameter("limit", "query", {"type": "integer", "maximum": LARGEST_PAGE}, "of JSON"),
        _parameter("seconds", "query", {"type": "integer", "maximum": LONGEST_S}, "of a stream"),
    ],
    "responses": _answers(_object(events=_list(_ref("Event")), last=WHOLE), _503="too many streams are open"),
}
_EVENTS["responses"]["200"]["content"][EVENT_STREAM] = {
    "schema": {"type": "string", "description": "events with id, and once a second heartbeat (a list of Beat) without"}
}

DOCUMENT: Schema = {
    "openapi": "3.1.0",
    "info": {"title": "DayOps devices", "version": VERSION, "description": "What the OCS commands: docs/devices.md."},
    "servers": [{"url": "/api/ocs/v1"}],
    "security": [{"token": []}],
    "paths": {
        "/devices": {
            "get": {
                "summary": "All devices",
                "parameters": [],
                "responses": _answers(_object(devices=_list(_ref("Device")))),
            }
        },
        "/devices/{device}": {
            "get": {
                "summary": "One device",
                "parameters": [DEVICE_NAME],
                "responses": _answers(_ref("Device"), _404="no such device"),
            }
        },
        "/devices/{device}/commands": {"post": _POST_COMMAND},
        "/commands/{pk}": {
            "get": {
                "summary": "One command",
                "parameters": [PK],
                "responses": _answers(_ref("Command"), _404="no such command"),
            },
            "delete": {
                "summary": "Abort what it started; again is no error",
                "parameters": [PK, _parameter("X-Reason", "header", TEXT, "why, for the record")],
                "responses": _answers(_ref("Command"), _409="it was over before"),
            },
        },
        "/events": {"get": _EVENTS},
    },
    "components": {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "description": "of scope ocs, made at /tokens/"}
        },
        "schemas": {"Command": COMMAND, "Device": DEVICE, "Event": EVENT, "Beat": BEAT, "Error": ERROR},
    },
}


@endpoint("GET")
def ocs_openapi(request: HttpRequest) -> HttpResponseBase:
    """The description itself."""
    return JsonResponse(DOCUMENT)
