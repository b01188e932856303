"""One report to the Minor Planet Center: its text and files, its faults, and what people do about it."""

from collections.abc import Callable

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import conditional_page, require_POST, require_safe

from dayops.archive import store
from dayops.archive.errors import NotInArchive
from dayops.models import Event
from dayops.observing_day import ObservingDay
from dayops.web.access import require, why_not
from dayops.web.refusals import in_words, not_here
from dayops.web.work_pages.operations import REASON_LIMIT, actor_of
from mops.models import Submission
from mops.submissions import NotPossible, approve, confirm, hold
from mops.views.lookup import see
from mops.views.queue import MAY_JUDGE
from mops.views.submissions import object_url, object_words, submission_url
from mops.views.words import plural

FILES = {"psv": "text/plain; charset=utf-8", "xml": "application/xml"}
BUTTONS = {"approve": ("Approve", "primary"), "hold": ("Hold", "danger"), "confirm": ("Confirm", "")}
PREVIEW = 20_000
EVENTS_SHOWN = 20
MOST_CHOSEN = 500
REFUSALS_SHOWN = 5


@require_safe
@conditional_page
@in_words
def submission_page(request: HttpRequest, day: ObservingDay, pk: int) -> HttpResponseBase:
    """One report: its faults, its text, what was decided, and the forms."""
    row = _submission(day, pk)
    context = {
        "submission": row,
        "observations": len(row.sources),
        "of": object_words(row),
        "of_url": object_url(row),
        "files": [(kind, _file_url(row, kind)) for kind in FILES if _digest(row, kind)],
        "text": _text(row),
        "events": Event.objects.filter(subject=f"submission:{pk}").order_by("-id")[:EVENTS_SHOWN],
        "may_not": why_not(request, MAY_JUDGE),
        "deeds": [(name, label, look, _blocked(row, name)) for name, (label, look) in BUTTONS.items()],
        "reason_limit": REASON_LIMIT,
        "night": row.night,
        "subject": f"submission:{pk}",
    }
    return render(request, "mops/submission.html", context)


@require_safe
@in_words
def submission_file(request: HttpRequest, day: ObservingDay, pk: int, kind: str) -> HttpResponseBase:
    """The ADES file as it was or would be sent: ``psv`` or ``xml``."""
    row = _submission(day, pk)
    digest = _digest(row, kind)
    if kind not in FILES or not digest:
        raise not_here(f"Report {pk} has no file “{kind[:10]}”.", "Files are written with the end of a night's run.")
    try:
        file = store().open(digest)
    except NotInArchive as error:
        raise not_here(f"The file of report {pk} is not in the archive.", "Search the night again.") from error
    name = f"{row.tracklet_name}-{row.night.day_obs}.{kind}"
    return FileResponse(file, as_attachment=True, filename=name, content_type=FILES[kind])


@require_POST
@require(MAY_JUDGE)
def decide_submissions(request: HttpRequest, day: ObservingDay) -> HttpResponse:
    """Approve or hold all that were ticked; each by itself, so that one with faults keeps no other back."""
    chosen = [int(each) for each in request.POST.getlist("submission")[:MOST_CHOSEN] if _is_number(each)]
    deed = {"approve": approve, "hold": hold}.get(request.POST.get("deed", ""))
    if deed is None or not chosen:
        messages.error(request, "Tick at least one report, and choose approve or hold.")
        return see(_back(request, day))
    refused: list[str] = []
    rows = Submission.objects.filter(pk__in=chosen).order_by("pk").values_list("pk", flat=True)
    for pk in rows:
        try:
            deed(pk, actor=actor_of(request), reason=_words(request, "reason"))
        except NotPossible as error:
            refused.append(str(error))
    if done := len(rows) - len(refused):
        what = "approved" if deed is approve else "held"
        messages.success(request, f"{plural(done, 'report')} {what}.")
    for sentence in list(dict.fromkeys(refused))[:REFUSALS_SHOWN]:
        messages.error(request, sentence)
    return see(_back(request, day))


@require_POST
@require(MAY_JUDGE)
@in_words
def decide_submission(request: HttpRequest, day: ObservingDay, pk: int) -> HttpResponse:
    """Approve, hold or confirm, for a reason."""
    row = _submission(day, pk)
    actor, reason = actor_of(request), _words(request, "reason")
    confirmation = _words(request, "confirmation")
    deeds: dict[str, Callable[[], Submission]] = {
        "approve": lambda: approve(pk, actor=actor, reason=reason),
        "hold": lambda: hold(pk, actor=actor, reason=reason),
        "confirm": lambda: confirm(pk, confirmation, actor=actor, reason=reason),
    }
    deed = deeds.get(request.POST.get("deed", ""))
    try:
        if deed is None:
            raise NotPossible("Choose one of approve, hold and confirm.")
        done = deed()
    except NotPossible as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Report {done.tracklet_name}: {done.get_state_display().lower()}.")
    return see(submission_url(row))


def _words(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, "").replace("\0", "").strip()[:REASON_LIMIT]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18


def _back(request: HttpRequest, day: ObservingDay) -> str:
    scope = "?scope=all" if request.POST.get("scope") == "all" else ""
    return reverse("mops:submissions", args=[day]) + scope


def _blocked(row: Submission, deed: str) -> str:
    """Why this is of no use in the report's state; empty where it is. The deed itself decides."""
    state = row.State(row.state)
    if deed == "approve":
        if state != row.State.HELD:
            return "Only what is held can be approved."
        return "It has faults: mend them first." if row.problems else ""
    if deed == "hold":
        return "It is held, or confirmed already." if state in {row.State.HELD, row.State.CONFIRMED} else ""
    return "" if state in {row.State.WRITTEN, row.State.SENT} else "Only what was let go can be confirmed."


def _submission(day: ObservingDay, pk: int) -> Submission:
    row = get_object_or_404(Submission.objects.select_related("night"), pk=pk)
    if row.night.day_obs != day.day_obs:
        other = ObservingDay(row.night.day_obs)
        raise not_here(f"Report {pk} is not of the night {day}.", f"It belongs to the night {other}: look there.")
    return row


def _digest(row: Submission, kind: str) -> str:
    return {"psv": row.psv_sha256, "xml": row.xml_sha256}.get(kind, "")


def _file_url(row: Submission, kind: str) -> str:
    return reverse("mops:submission-file", args=[row.night.day_obs, row.pk, kind])


def _text(row: Submission) -> str:
    """The beginning of the PSV file; empty where there is none."""
    if not row.psv_sha256:
        return ""
    try:
        with store().open(row.psv_sha256) as file:
            return file.read(PREVIEW).decode(errors="replace")
    except NotInArchive:
        return ""
