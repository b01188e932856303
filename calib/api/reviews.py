"""People's verdicts: read them, and give them."""

from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from calib import reviews
from calib.models import Review
from calib.reviews import Decision, NotReviewable
from calib.views.review import MAY_JUDGE
from dayops.models import Exposure, FrameState, RawFrame
from dayops.observing_day import ObservingDay
from dayops.web.access import require
from dayops.web.api.endpoints import BadRequest, body_of, endpoint, one_page
from dayops.web.refusals import refusal
from dayops.web.work_pages.operations import actor_of

DECISIONS = {"accept": Decision.ACCEPT, "reject": Decision.REJECT, "withdraw": Decision.WITHDRAW}
MOST_EXPOSURES = 500


def review_as_json(review: Review) -> dict[str, Any]:
    """One verdict; `detector` is empty where it is on the whole exposure."""
    return {
        "id": review.pk,
        "camera": review.exposure.camera,
        "exposure": review.exposure.name,
        "day_obs": review.exposure.day_obs,
        "detector": review.frame.detector_name if review.frame else "",
        "decision": review.decision,
        "reason": review.reason,
        "author": review.author,
        "at": review.at,
    }


@endpoint("GET")
def reviews_view(request: HttpRequest) -> HttpResponseBase:
    """All verdicts, newest first; ``?day=``, ``?exposure=``, ``?detector=`` and ``?author=`` choose among them."""
    rows = Review.objects.select_related("exposure", "frame").order_by("-pk")
    names = {"exposure": "exposure__name", "detector": "frame__detector_name", "author": "author"}
    for name, field in names.items():
        if value := request.GET.get(name):
            rows = rows.filter(**{field: value.replace("\0", "")})
    if day := request.GET.get("day"):
        rows = rows.filter(exposure__day_obs=_day(day))
    return JsonResponse(one_page(request, rows, "reviews", review_as_json))


@endpoint("POST")
@require(MAY_JUDGE)
def review_view(request: HttpRequest, deed: str) -> HttpResponseBase:
    """One verdict on all `exposures`, or on the frame of one `detector` of a single one: all are kept or none."""
    body = body_of(request)
    exposures = _exposures(body)
    try:
        frame = _frame(exposures, _text(body, "detector"))
        given = reviews.review(exposures, frame, DECISIONS[deed], actor_of(request), _text(body, "reason"))
    except NotReviewable as error:
        return refusal(request, HTTPStatus.CONFLICT, str(error))
    return JsonResponse({"reviews": [review_as_json(review) for review in given]})


def _exposures(body: dict[str, Any]) -> list[Exposure]:
    names = body.get("exposures")
    if not isinstance(names, list) or not 0 < len(names) <= MOST_EXPOSURES:
        raise BadRequest(f'Name 1 to {MOST_EXPOSURES} exposures: {{"exposures": ["MC_S_20261122_000001"], …}}.')
    wanted = {str(name).replace("\0", "") for name in names}
    found = Exposure.objects.filter(name__in=wanted).order_by("began_at", "pk")
    if camera := _text(body, "camera"):
        found = found.filter(camera=camera)
    known = [exposure.name for exposure in found]
    if lacking := sorted(wanted - set(known)):
        raise BadRequest(f"No exposure {', '.join(lacking)[:200]} is known.")
    if len(known) > len(wanted):
        raise BadRequest("More than one camera has an exposure of that name: name the camera, too.")
    return list(found)


def _frame(exposures: list[Exposure], detector: str) -> RawFrame | None:
    if not detector:
        return None
    if len(exposures) > 1:
        raise BadRequest("A detector is of one exposure: name only that one.")
    frames = RawFrame.objects.filter(exposure=exposures[0], detector_name=detector, state=FrameState.ARCHIVED)
    if (frame := frames.first()) is None:
        raise BadRequest(f"No frame of {detector[:40]} is archived in {exposures[0].name}.")
    return frame


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name, "")
    if not isinstance(value, str):
        raise BadRequest(f"{name} is not a text.")
    return value.replace("\0", "")


def _day(text: str) -> int:
    try:
        return ObservingDay.parse(text).day_obs
    except ValueError as error:
        raise BadRequest(f"day={text[:40]!r} is not a dayObs like 2026-11-22.") from error
