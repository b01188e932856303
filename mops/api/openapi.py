"""The description of DayMOPS' API: OpenAPI 3.1 at ``/api/v1/mops/openapi.json``.

Written by hand, and held to what the endpoints answer by `tests/mops/test_api.py`.
"""

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from dayops.version import VERSION
from dayops.web.api.endpoints import endpoint
from dayops.web.api.openapi import ERROR, INSTANT, MAYBE_INSTANT, PAGES, REASON, TEXT, WHOLE, Schema
from mops.api.linkages import ARRAYS, DEEDS, NUMBERS, TEXTS, WHOLES
from mops.models import Linkage, Night, Submission

_MAYBE_WHOLE: Schema = {"type": ["integer", "null"]}
_MAYBE_NUMBER: Schema = {"type": ["number", "null"]}
_NUMBER: Schema = {"type": "number"}
_FREE: Schema = {"type": "object"}
_UNITS = {
    "arc_days": "days", "epoch_mjd_tdb": "MJD TDB", "rms_arcsec": "arcsec", "a_au": "au", "q_au": "au",
    "incl": "degrees", "node": "degrees", "argperi": "degrees", "mean_anomaly": "degrees",
    "peri_time_mjd_tdb": "MJD TDB", "h_mag": "mag", "moid_au": "au",
}  # fmt: skip
_OF_ARRAYS = {
    "state": "heliocentric, ICRF axes: x, y, z in au, then au/day",
    "covariance": "of the state, 6 × 6 row by row",
    "residual_ra": "arcsec on the sky, observed minus computed, one for each source",
    "residual_dec": "arcsec, observed minus computed, one for each source",
}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties}


def _list(schema: Schema, description: str = "") -> Schema:
    return {"type": "array", "items": schema, **({"description": description} if description else {})}


def _answers(schema: Schema) -> Schema:
    return {
        "200": {"description": "done", "content": {"application/json": {"schema": schema}}},
        "default": {"description": "what was wrong", "content": {"application/json": {"schema": ERROR}}},
    }


def _asked(name: str, *words: str) -> Schema:
    schema = TEXT | ({"enum": list(words)} if words else {})
    return {"name": name, "in": "query", "schema": schema, "required": False}


def _get(summary: str, schema: Schema, *parameters: Schema) -> Schema:
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": _answers(schema)}}


_PK: Schema = {"name": "pk", "in": "path", "schema": WHOLE, "required": True, "description": "number of the row"}
_PAGE = dict.fromkeys(("page", "pages", "total"), WHOLE)
_DAY = _asked("day")
NIGHT = _object(
    **dict.fromkeys(("configuration", "phase", "requested_by", "decided_by", "url"), TEXT),
    **dict.fromkeys(("id", "day_obs", "run"), WHOLE),
    trial={"type": "boolean"},
    state={"type": "string", "enum": list(Night.State.values)},
    reasons=_list(TEXT),
    as_of_mjd_tai=_NUMBER | {"description": "MJD TAI as of which Level 1 was read"},
    reference_mjd_tdb=_NUMBER | {"description": "MJD TDB"},
    created_at=INSTANT,
    decided_at=MAYBE_INSTANT,
)
LINKAGE = _object(
    **dict.fromkeys(TEXTS, TEXT),
    **dict.fromkeys(WHOLES, _MAYBE_WHOLE),
    **{name: _MAYBE_NUMBER | ({"description": _UNITS[name]} if name in _UNITS else {}) for name in NUMBERS},
    **dict.fromkeys(("id", "night", "day_obs"), WHOLE),
    nights=_list(WHOLE, "dayObs"),
    reviewed_at=MAYBE_INSTANT,
    url=TEXT,
)
WHOLE_LINKAGE = _object(
    **LINKAGE["properties"],
    sources=_list(WHOLE, "diaSourceId, in the order of their times"),
    used=_list({"type": "boolean"}, "whether the fit used it, one for each source"),
    hypothesis=_FREE,
    h_by_band=_FREE,
    **{name: _list(_MAYBE_NUMBER, _OF_ARRAYS[name]) for name in ARRAYS},
)
SUBMISSION = _object(
    **dict.fromkeys(("kind", "tracklet_name", "digest", "confirmation", "psv_sha256", "xml_sha256"), TEXT),
    **dict.fromkeys(("decided_by", "reason", "url"), TEXT),
    **dict.fromkeys(("id", "night"), WHOLE),
    **dict.fromkeys(("linkage", "ss_object_id"), _MAYBE_WHOLE),
    state={"type": "string", "enum": list(Submission.State.values)},
    problems=_list(TEXT),
    sources=_list(WHOLE, "diaSourceId"),
    decided_at=MAYBE_INSTANT,
)
_REVIEW: Schema = {
    "parameters": [_PK],
    "requestBody": {"required": True, "content": {"application/json": {"schema": REASON}}},
    "responses": _answers(LINKAGE),
}

DOCUMENT: Schema = {
    "openapi": "3.1.0",
    "info": {"title": "DayOps DayMOPS", "version": VERSION, "description": "Nights, linkages, reports to the MPC."},
    "servers": [{"url": "/api/v1/mops"}],
    "security": [{"token": []}],
    "paths": {
        "/nights": _get(
            "Searches, newest night first",
            _object(nights=_list(NIGHT), **_PAGE),
            _DAY,
            _asked("state", *Night.State.values),
            *PAGES,
        ),
        "/nights/{pk}": _get(
            "One search with its parameters, counts and truth",
            _object(**NIGHT["properties"], parameters=_FREE, counts=_FREE, truth=_FREE),
            _PK,
        ),
        "/nights/{pk}/linkages": _get(
            "The linkages of one search",
            _object(linkages=_list(LINKAGE), **_PAGE),
            _PK,
            _asked("verdict", *Linkage.Verdict.values),
            _asked("review", *Linkage.Review.values),
            _asked("class"),
            *PAGES,
        ),
        "/linkages/{pk}": _get("One linkage, whole", WHOLE_LINKAGE, _PK),
        **{
            f"/linkages/{{pk}}/{deed}": {"post": {"summary": f"{deed.capitalize()} a linkage", **_REVIEW}}
            for deed in DEEDS
        },
        "/submissions": _get(
            "Reports to the MPC, newest first",
            _object(submissions=_list(SUBMISSION), **_PAGE),
            _DAY,
            _asked("state", *Submission.State.values),
            *PAGES,
        ),
    },
    "components": {
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "made at /tokens/"}}
    },
}


@endpoint("GET")
def mops_openapi(request: HttpRequest) -> HttpResponseBase:
    """The description itself."""
    return JsonResponse(DOCUMENT)
