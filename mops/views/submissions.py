"""Reports to the Minor Planet Center: the queue."""

from dataclasses import replace

from django.db.models import F
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.html import format_html
from django.views.decorators.http import conditional_page, require_safe

from dayops.observing_day import ObservingDay
from dayops.web.access import why_not
from dayops.web.tables import Column, Filter, Table
from dayops.web.work_pages.operations import REASON_LIMIT
from mops.models import Submission
from mops.views.queue import MAY_JUDGE


def submission_url(row: Submission) -> str:
    return reverse("mops:submission", args=[row.night.day_obs, row.pk])


def object_url(row: Submission) -> str:
    """The page of what it reports; empty where that has none."""
    if row.linkage_id is not None:
        return reverse("mops:linkage", args=[row.night.day_obs, row.linkage_id])
    return reverse("mops:ssobject", args=[row.night.day_obs, row.ss_object_id]) if row.ss_object_id else ""


def object_words(row: Submission) -> str | None:
    if row.linkage_id is not None:
        return f"candidate {row.linkage_id}"
    return f"SSObject {row.ss_object_id}" if row.ss_object_id else None


def _choice(row: Submission) -> str:
    return format_html(
        '<input type="checkbox" name="submission" value="{}" form="decide" aria-label="choose report {}">',
        row.pk,
        row.tracklet_name,
    )


QUEUE = Table(
    "submissions",
    (
        Column("chosen", "", lambda row: row.pk, shown=_choice),
        Column("submission", "Report", lambda row: row.pk, order="pk", link=submission_url),
        Column("name", "trkSub", lambda row: row.tracklet_name, order="tracklet_name"),
        Column("state", "State", lambda row: row.state, "status", order="state"),
        Column("kind", "Kind", lambda row: row.get_kind_display(), order="kind"),
        Column("object", "Of", object_words, link=object_url),
        Column("observations", "Observations", lambda row: row.observations, "number", order="observations"),
        Column("problems", "Faults", lambda row: len(row.problems), "number"),
        Column("first", "The first", lambda row: row.problems[0] if row.problems else None),
        Column("confirmation", "MPC's identifier", lambda row: row.confirmation or None, order="confirmation"),
        Column("decided_by", "Decided by", lambda row: row.decided_by or None, order="decided_by"),
        Column("decided", "Decided", lambda row: row.decided_at, "instant", order="decided_at", unit="UTC"),
        Column("reason", "Said", lambda row: row.reason or None),
        Column("digest", "Digest", lambda row: row.digest, on_page=False),
    ),
    search=("tracklet_name", "confirmation", "reason"),
    filters=(
        Filter("state", "State", Submission.State.choices, "state"),
        Filter("kind", "Kind", Submission.Kind.choices, "kind"),
    ),
    page_size=50,
)


@require_safe
@conditional_page
def submissions_page(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """The reports of the night; with ``?scope=all`` those of all nights."""
    every = request.GET.get("scope") == "all"
    rows = Submission.objects.select_related("night").annotate(observations=F("sources__len"))
    rows = rows if every else rows.filter(night__day_obs=day.day_obs)
    context = {
        "every": every,
        "held": Submission.objects.filter(state=Submission.State.HELD).count(),
        "night": None,
        "may_not": why_not(request, MAY_JUDGE),
        "reason_limit": REASON_LIMIT,
        "subject": f"day:{day.day_obs}",
    }
    table = replace(QUEUE, name="submissions" if every else f"submissions-{day}")
    return table.respond(request, rows.defer("sources").order_by("-pk"), "mops/submissions.html", context)
