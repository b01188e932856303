"""The night's candidates as a queue for people: who looks at which next, and what they decide."""

from collections.abc import Sequence
from dataclasses import replace

from django.contrib import messages
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.fields.json import KT
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import conditional_page, require_POST, require_safe

from dayops.observing_day import ObservingDay
from dayops.web.access import require, why_not
from dayops.web.refusals import in_words
from dayops.web.tables import Column, Filter, Table
from dayops.web.work_pages.operations import REASON_LIMIT, actor_of
from mops.models import Linkage, Night
from mops.reviews import NotPossible, review
from mops.views.lookup import candidate_url, night_named, see

MAY_JUDGE = "dayops.judge_frame"
UNSAID = "No objection on looking at it."  # the reason of an approval for which none was typed
LIGHT = (
    "identity", "nights", "arc_days", "hypothesis", "verdict", "reason", "chi2", "degrees_of_freedom", "rms_arcsec",
    "a_au", "e", "q_au", "incl", "h_mag", "u_parameter", "moid_au", "orbit_class", "ss_object_id", "review",
    "reviewed_by", "review_reason", "tracklets", "night__day_obs",
)  # fmt: skip


def _choice(row: Linkage) -> str:
    return format_html(
        '<input type="radio" name="linkage" value="{0}" form="review" aria-label="choose candidate {0}">', row.pk
    )


def _reduced(row: Linkage) -> float | None:
    return row.chi2 / row.degrees_of_freedom if row.chi2 is not None and row.degrees_of_freedom else None


def _review(row: Linkage) -> str | None:
    """What people said; of what the machine refused nobody need say anything."""
    waits_for_nobody = row.verdict == Linkage.Verdict.REFUSED and row.review == Linkage.Review.OPEN
    return None if waits_for_nobody else row.review


CANDIDATES = Table(
    "candidates",
    (
        Column("chosen", "", lambda row: row.pk, shown=_choice),
        Column("candidate", "Candidate", lambda row: row.pk, order="pk", link=candidate_url),
        Column("verdict", "Machine", lambda row: row.verdict, "status", order="verdict"),
        Column("review", "People", _review, "status", order="review"),
        Column("class", "Class", lambda row: row.orbit_class or None, order="orbit_class"),
        Column("zone", "Zone", lambda row: row.hypothesis.get("zone"), order="zone"),
        Column("nights", "Nights", lambda row: len(row.nights), "number", order="nights__len"),
        Column("detections", "Detections", lambda row: row.detections, "number", order="detections"),
        Column("arc_days", "Arc", lambda row: row.arc_days, "number", order="arc_days", unit="d", digits=3),
        Column("rms", "rms", lambda row: row.rms_arcsec, "number", order="rms_arcsec", unit="″", digits=2),
        Column("reduced_chi2", "χ²/n", _reduced, "number", digits=3),
        Column("a", "a", lambda row: row.a_au, "number", order="a_au", unit="au"),
        Column("e", "e", lambda row: row.e, "number", order="e", digits=3),
        Column("incl", "i", lambda row: row.incl, "number", order="incl", unit="°", digits=3),
        Column("q", "q", lambda row: row.q_au, "number", order="q_au", unit="au", on_page=False),
        Column("h", "H", lambda row: row.h_mag, "number", order="h_mag", unit="mag", digits=3),
        Column("u", "U", lambda row: row.u_parameter, "number", order="u_parameter"),
        Column("moid", "MOID", lambda row: row.moid_au, "number", order="moid_au", unit="au", digits=3),
        Column("ss_object_id", "SSObject", lambda row: row.ss_object_id, on_page=False),
        Column("identity", "Identity", lambda row: row.identity, on_page=False),
        Column("reason", "Why refused", lambda row: row.reason or None),
        Column("review_reason", "Said", lambda row: row.review_reason or None),
        Column("reviewed_by", "Who", lambda row: row.reviewed_by or None, order="reviewed_by"),
    ),
    search=("orbit_class", "reason", "review_reason", "identity"),
    page_size=50,
)


def candidates_of(night: Night) -> QuerySet[Linkage]:
    """Accepted ones first, those that nobody judged before the others; without their arrays."""
    waits = Case(When(review=Linkage.Review.OPEN, then=Value(0)), default=Value(1), output_field=IntegerField())
    rows = Linkage.objects.filter(night=night).select_related("night").only(*LIGHT)
    rows = rows.annotate(waits=waits, zone=KT("hypothesis__zone"), detections=F("sources__len"))
    return rows.order_by("verdict", "waits", "pk")


@require_safe
@conditional_page
@in_words
def candidates_page(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """The queue of the night's published search, or of the one of ``?night=``."""
    night = night_named(day, request.GET.get("night", ""))
    rows = candidates_of(night) if night else Linkage.objects.none()
    context = {
        "night": night,
        "counts": _counts(night),
        "may_not": why_not(request, MAY_JUDGE),
        "reason_limit": REASON_LIMIT,
        "unsaid": UNSAID,
        "subject": f"night:{night.pk}" if night else f"day:{day.day_obs}",
    }
    table = replace(CANDIDATES, name=f"candidates-{day}", filters=filters_of(night))
    return table.respond(request, rows, "mops/candidates.html", context)


def filters_of(night: Night | None) -> tuple[Filter, ...]:
    """Verdict and review, and a choice for each class and zone that there is (one query)."""
    found: Sequence[tuple[str, str | None]] = []
    if night:
        rows = Linkage.objects.filter(night=night).order_by()
        found = list(rows.values_list("orbit_class", KT("hypothesis__zone")).distinct())
    return (
        Filter("verdict", "Machine", Linkage.Verdict.choices, "verdict"),
        Filter("review", "People", Linkage.Review.choices, "review"),
        Filter("class", "Class", [(each, each) for each in sorted({row[0] for row in found if row[0]})], "orbit_class"),
        Filter("zone", "Zone", [(each, each) for each in sorted({row[1] for row in found if row[1]})], "zone"),
    )


def _counts(night: Night | None) -> dict[str, int]:
    """How many are accepted and how many of those wait for a person (one query)."""
    accepted = Linkage.objects.filter(night=night, verdict=Linkage.Verdict.ACCEPTED) if night else None
    if accepted is None:
        return {"accepted": 0, "open": 0}
    return accepted.aggregate(accepted=Count("pk"), open=Count("pk", filter=Q(review=Linkage.Review.OPEN)))


@require_POST
@require(MAY_JUDGE)
@in_words
def review_candidate(request: HttpRequest, day: ObservingDay) -> HttpResponse:
    """Approve, reject or open again the linkage that was chosen, and return to where the form stood."""
    given = request.POST
    back = given.get("back", "")
    ours = url_has_allowed_host_and_scheme(back, allowed_hosts=None) and back.startswith("/")
    address = back if ours else reverse("mops:candidates", args=[day])
    chosen, decision = given.get("linkage", ""), given.get("decision", "")
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) <= 18):
        messages.error(request, "Choose a candidate first.")
    elif decision not in Linkage.Review.values:
        messages.error(request, "Choose one of approve, reject and open again.")
    else:
        _decide(request, get_object_or_404(Linkage, pk=int(chosen), night__day_obs=day.day_obs), decision)
    return see(address)


def _decide(request: HttpRequest, linkage: Linkage, decision: str) -> None:
    reason = request.POST.get("reason", "").replace("\0", "").strip()[:REASON_LIMIT]
    if decision == Linkage.Review.APPROVED:
        reason = reason or UNSAID
    try:
        done = review(linkage.pk, Linkage.Review(decision), actor=actor_of(request), reason=reason)
    except NotPossible as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Candidate {done.pk}: {done.get_review_display().lower()}.")
