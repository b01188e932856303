"""Notes for people: all of them, writing one from any page, and taking one's own back."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import conditional_page, require_http_methods, require_POST

from dayops import notes
from dayops.models import Note
from dayops.observing_day import ObservingDay
from dayops.runs import NotPossible
from dayops.web.access import SAFE_METHODS, may
from dayops.web.tables import Column, Filter, Table
from dayops.web.work_pages.operations import actor_of
from dayops.web.work_pages.subjects import about
from dayops.web.work_pages.texts import Linked

SHOWN = 30
_MAY_INTERVENE = ("dayops.maintain", "dayops.judge_frame")
_WHY_NOT_INTERVENE = "Only the groups “scientist” and “maintainer” may record an intervention; write a note instead."


def _about(note: Note) -> Linked:
    return about(note.subject, note.day_obs)


NOTES = Table(
    "notes",
    (
        Column("note", "Note", lambda note: note.pk, order="pk"),
        Column("written", "Written", lambda note: note.written_at, "instant", order="written_at", unit="UTC"),
        Column("day_obs", "dayObs", lambda note: str(ObservingDay(note.day_obs)), order="day_obs"),
        Column("kind", "Kind", lambda note: note.get_kind_display(), order="kind"),
        Column("subject", "About", _about, order="subject"),
        Column("text", "Text", lambda note: note.text),
        Column("author", "Who", lambda note: note.author, order="author"),
        Column("happened", "Happened", lambda note: note.happened_at, "instant", order="happened_at", unit="UTC"),
        Column("retracted", "Taken back", lambda note: note.retracted_at, "instant", order="retracted_at", unit="UTC"),
    ),
    search=("text", "subject", "author"),
    filters=(Filter("kind", "Kind", Note.Kind.choices, "kind"),),
)


@dataclass(frozen=True, slots=True)
class NotesOf:
    """The notes about one thing, as `partials/notes.html` shows them to one person."""

    shown: list[tuple[Note, bool]]
    total: int
    may_intervene: bool
    longest: int = notes.LONGEST


def notes_of(request: HttpRequest, subject: str) -> NotesOf:
    """The newest notes about `subject`, each with whether this person may take it back."""
    rows = list(notes.about(subject)[: SHOWN + 1])
    total = len(rows) if len(rows) <= SHOWN else notes.about(subject).count()
    actor = actor_of(request) if request.user.is_authenticated else ""
    own = [(note, not notes.why_not_retract(note, actor)) for note in rows[:SHOWN]]
    return NotesOf(own, total, may_intervene(request))


def may_intervene(request: HttpRequest) -> bool:
    return any(may(request, right) for right in _MAY_INTERVENE)


@require_http_methods(["GET", "HEAD", "POST"])
@conditional_page
def note_list(request: HttpRequest) -> HttpResponseBase:
    """All notes, newest first, filtered and exported; by POST one more."""
    if request.method not in SAFE_METHODS:
        return _write(request)
    authors = Note.objects.order_by("author").values_list("author", flat=True).distinct()
    who = Filter("author", "Who", [(author, author) for author in authors], "author")
    table = replace(NOTES, filters=(*NOTES.filters, who))
    return table.respond(request, Note.objects.order_by("-pk"), "notes/list.html")


def _write(request: HttpRequest) -> HttpResponse:
    given = request.POST
    try:
        note = notes.write(
            given.get("subject", ""),
            given.get("text", ""),
            author=actor_of(request),
            kind=_kind(request),
            day_obs=_day(given.get("day", "")).day_obs,
            happened_at=_instant(given.get("happened_at", "")),
        )
    except NotPossible as error:
        messages.error(request, f"The note was not kept. {error}")
    else:
        messages.success(request, f"The {note.get_kind_display().lower()} is kept.")
    return _back(request)


def _kind(request: HttpRequest) -> str:
    kind = request.POST.get("kind") or Note.Kind.NOTE
    if kind not in Note.Kind.values:
        raise NotPossible(f"{kind[:20]!r} is no kind of note; there are {' and '.join(Note.Kind.values)}.")
    if kind == Note.Kind.INTERVENTION and not may_intervene(request):
        raise NotPossible(_WHY_NOT_INTERVENE)
    return kind


def _day(text: str) -> ObservingDay:
    try:
        return ObservingDay.parse(text) if text else ObservingDay.current()
    except ValueError as error:
        raise NotPossible(f"{error}.") from error


def _instant(text: str) -> datetime | None:
    if not text.strip():
        return None
    try:
        given = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise NotPossible(f"{text[:40]!r} is no date and time; expected UTC as 2026-11-22 14:05.") from error
    return given if given.tzinfo else given.replace(tzinfo=UTC)


@require_POST
def retract_note(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's own note back."""
    get_object_or_404(Note, pk=pk)
    try:
        notes.retract(pk, actor=actor_of(request))
        messages.success(request, "The note is taken back; it stays readable, struck out.")
    except NotPossible as error:
        messages.error(request, str(error))
    return _back(request)


def _back(request: HttpRequest) -> HttpResponse:
    """To the page the form stood on, if it is one of ours."""
    address = request.POST.get("back", "")
    ours = url_has_allowed_host_and_scheme(address, allowed_hosts=None) and address.startswith("/")
    response = HttpResponseRedirect(f"{address}#notes" if ours else reverse("notes"))
    response.status_code = HTTPStatus.SEE_OTHER
    return response
