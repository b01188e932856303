"""Linkages: read them, and give people's verdicts."""

from http import HTTPStatus
from math import isfinite
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404

from dayops.web.access import require
from dayops.web.api.endpoints import BadRequest, body_of, endpoint, one_page
from dayops.web.refusals import refusal
from dayops.web.work_pages.operations import REASON_LIMIT, actor_of
from mops.models import Linkage, Night
from mops.reviews import NotPossible, review
from mops.views.lookup import candidate_url
from mops.views.queue import MAY_JUDGE

DEEDS = {"approve": Linkage.Review.APPROVED, "reject": Linkage.Review.REJECTED, "reopen": Linkage.Review.OPEN}
TEXTS = ("identity", "verdict", "reason", "orbit_class", "review", "reviewed_by", "review_reason")
WHOLES = ("tracklets", "degrees_of_freedom", "u_parameter", "ss_object_id")
NUMBERS = (
    "arc_days", "epoch_mjd_tdb", "chi2", "rms_arcsec", "a_au", "e", "q_au", "incl", "node", "argperi", "mean_anomaly",
    "peri_time_mjd_tdb", "h_mag", "moid_au",
)  # fmt: skip
ARRAYS = ("state", "covariance", "residual_ra", "residual_dec")
FILTERS = {"verdict": Linkage.Verdict.values, "review": Linkage.Review.values}


def linkage_as_json(row: Linkage) -> dict[str, Any]:
    """One linkage without its arrays; what is not a finite number is null."""
    return {
        "id": row.pk,
        "night": row.night_id,
        "day_obs": row.night.day_obs,
        **{name: getattr(row, name) for name in (*TEXTS, *WHOLES)},
        **{name: _finite(getattr(row, name)) for name in NUMBERS},
        "nights": row.nights,
        "reviewed_at": row.reviewed_at,
        "url": candidate_url(row),
    }


def whole_linkage(row: Linkage) -> dict[str, Any]:
    """With its detections, residuals, state and covariance."""
    return {
        **linkage_as_json(row),
        "sources": row.sources,
        "used": row.used,
        "hypothesis": row.hypothesis,
        "h_by_band": row.h_by_band,
        **{name: [_finite(value) for value in getattr(row, name) or []] for name in ARRAYS},
    }


@endpoint("GET")
def linkages_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The linkages of one search; ``?verdict=``, ``?review=`` and ``?class=`` choose among them."""
    night = get_object_or_404(Night, pk=pk)
    rows = Linkage.objects.filter(night=night).select_related("night").order_by("pk")
    for name, known in FILTERS.items():
        if value := request.GET.get(name, ""):
            if value not in known:
                raise BadRequest(f"{name}={value[:40]!r} is none of {', '.join(known)}.")
            rows = rows.filter(**{name: value})
    if orbit_class := request.GET.get("class", "").replace("\0", ""):
        rows = rows.filter(orbit_class=orbit_class)
    light = rows.only("night__day_obs", "nights", "reviewed_at", *TEXTS, *WHOLES, *NUMBERS)
    return JsonResponse(one_page(request, light, "linkages", linkage_as_json))


@endpoint("GET")
def linkage_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    return JsonResponse(whole_linkage(get_object_or_404(Linkage.objects.select_related("night"), pk=pk)))


@endpoint("POST")
@require(MAY_JUDGE)
def review_view(request: HttpRequest, pk: int, deed: str) -> HttpResponseBase:
    """Approve, reject or open again, for a `reason`."""
    get_object_or_404(Linkage, pk=pk)
    reason = body_of(request).get("reason", "")
    if not isinstance(reason, str):
        raise BadRequest("reason is not a text.")
    try:
        done = review(pk, DEEDS[deed], actor=actor_of(request), reason=reason.replace("\0", "")[:REASON_LIMIT])
    except NotPossible as error:
        return refusal(request, HTTPStatus.CONFLICT, str(error))
    return JsonResponse(linkage_as_json(done))


def _finite(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None
