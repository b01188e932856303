"""People's verdicts: the buttons on the pages of exposures and detectors, and the page of a day's verdicts."""

from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from calib import reviews
from calib.exposure_table import exposure_rows
from calib.models import Review
from calib.reviews import REASON_LIMIT, Decision, NotReviewable
from calib.views.lookup import detector_url, exposure_named, exposure_url
from calib.what_is_wrong import what_is_wrong
from dayops.models import Exposure, FrameState, RawFrame
from dayops.observing_day import ObservingDay
from dayops.web.access import require, why_not
from dayops.web.refusals import in_words, not_here
from dayops.web.tables import Column, Table
from dayops.web.work_pages.operations import actor_of

MAY_JUDGE = "dayops.judge_frame"
WORDS = {Decision.ACCEPT: "ACCEPTED", Decision.REJECT: "REJECTED", Decision.WITHDRAW: "WITHDRAWN"}
BUTTONS = ((Decision.ACCEPT, "Accept", ""), (Decision.REJECT, "Reject", "danger"), (Decision.WITHDRAW, "Withdraw", ""))


def _where(row: Review) -> str:
    return detector_url(row.exposure, row.frame.detector_name) if row.frame else exposure_url(row.exposure)


REVIEWS = Table(
    "people",
    (
        Column("at", "At", lambda row: row.at, "instant", order="at", unit="UTC"),
        Column("decision", "Verdict", lambda row: WORDS[row.decision], "status", order="decision"),
        Column("exposure", "Exposure", lambda row: row.exposure.name, order="exposure__name", link=_where),
        Column(
            "detector",
            "Detector",
            lambda row: row.frame.detector_name if row.frame else None,
            order="frame__detector_name",
            shown=lambda row: row.frame.detector_name if row.frame else "all",
        ),
        Column("reason", "Why", lambda row: row.reason),
        Column("author", "Who", lambda row: row.author, order="author"),
    ),
    search=("exposure__name", "reason", "author"),
    page_size=50,
)


def people(request: HttpRequest, exposure: Exposure, frame: RawFrame | None = None) -> dict[str, Any]:
    """What a page says of people's verdicts on one thing: the one in force, all of them, and the buttons."""
    given = list(Review.objects.filter(exposure=exposure, frame=frame).order_by("-pk"))
    last = given[0] if given and given[0].decision != Decision.WITHDRAW else None
    name = "calib:review-frame" if frame else "calib:review"
    words = [frame.detector_name] if frame else []
    return {
        "of": f"{frame.detector_name} of {exposure.name}" if frame else f"all of {exposure.name}",
        "word": WORDS[Decision(last.decision)] if last else "",
        "last": last,
        "given": [(WORDS[Decision(row.decision)], row) for row in given],
        "buttons": [each for each in BUTTONS if last or each[0] != Decision.WITHDRAW],
        "url": reverse(name, args=[exposure.day_obs, exposure.name, *words]),
        "may_not": why_not(request, MAY_JUDGE),
        "reason_limit": REASON_LIMIT,
        "whole": people(request, exposure) if frame else None,
    }


@require_POST
@require(MAY_JUDGE)
@in_words
def review_exposure(request: HttpRequest, day: ObservingDay, name: str) -> HttpResponseBase:
    """Accept, reject or withdraw a whole exposure."""
    exposure = exposure_named(day, name)
    _review(request, [exposure], None)
    return _see(exposure_url(exposure))


@require_POST
@require(MAY_JUDGE)
@in_words
def review_frame(request: HttpRequest, day: ObservingDay, name: str, detector: str) -> HttpResponseBase:
    """Accept, reject or withdraw the archived frame of one detector."""
    exposure = exposure_named(day, name)
    frame = RawFrame.objects.filter(exposure=exposure, detector_name=detector, state=FrameState.ARCHIVED).first()
    if frame is None:
        raise not_here(f"No frame of {detector[:40]} is archived in {name}.", "Open the exposure to see what came.")
    _review(request, [exposure], frame)
    return _see(detector_url(exposure, detector))


@require_http_methods(["GET", "HEAD", "POST"])
@in_words
def reviews_page(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """The day's verdicts by people, and a form for several exposures at once (``?exposure=…&reason=…`` fills it in)."""
    if request.method == "POST":
        return _review_several(request, day)
    rows, wrong = exposure_rows(day.day_obs), what_is_wrong(day.day_obs)
    chosen, known = set(request.GET.getlist("exposure")), {row.exposure.name for row in rows}
    context = {
        "exposures": [(row, wrong.get(row.exposure.pk)) for row in sorted(rows, key=lambda row: row.exposure.began_at)],
        "chosen": chosen,
        "unknown": sorted(chosen - known),
        "reason": request.GET.get("reason", "")[:REASON_LIMIT],
        "buttons": BUTTONS,
        "may_not": why_not(request, MAY_JUDGE),
        "reason_limit": REASON_LIMIT,
    }
    given = Review.objects.filter(exposure__day_obs=day.day_obs).select_related("exposure", "frame").order_by("-pk")
    return replace(REVIEWS, name=f"people-{day}").respond(request, given, "calib/reviews.html", context)


@require(MAY_JUDGE)
def _review_several(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    names = list(dict.fromkeys(request.POST.getlist("exposure")))
    _review(request, [exposure_named(day, name) for name in names], None)
    return _see(reverse("calib:reviews", args=[day]))


def _review(request: HttpRequest, exposures: Sequence[Exposure], frame: RawFrame | None) -> None:
    """Give the verdict that the form asks for, and say what was done or why not."""
    try:
        decision = Decision(request.POST.get("decision", ""))
        reviews.review(exposures, frame, decision, actor_of(request), request.POST.get("reason", ""))
    except NotReviewable as error:
        messages.error(request, str(error))
    except ValueError:
        messages.error(request, "Choose one of accept, reject and withdraw.")
    else:
        what = frame.detector_name if frame else ", ".join(exposure.name for exposure in exposures)
        messages.success(request, f"{what}: {WORDS[decision].lower()}.")


def _see(url: str) -> HttpResponse:
    response = redirect(url)
    response.status_code = HTTPStatus.SEE_OTHER
    return response
