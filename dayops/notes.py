"""Notes: what people write about anything, kept even when they take it back."""

from datetime import UTC, datetime

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from dayops import events
from dayops.models import Note
from dayops.runs import NotPossible

LONGEST = 4000


@transaction.atomic
def write(
    subject: str,
    text: str,
    *,
    author: str,
    kind: str = Note.Kind.NOTE,
    day_obs: int,
    happened_at: datetime | None = None,
) -> Note:
    """Write a note about `subject` (``run:12``, ``day:20261122``, …); `happened_at` is when an intervention took place.

    Raises NotPossible, in words, for text that is empty or too long, a subject that is none, and the future.
    """
    text = _clean(text).strip()
    if refusal := _why_not(subject, text, happened_at):
        raise NotPossible(refusal)
    note = Note(subject=subject, kind=kind, text=text, author=author, day_obs=day_obs)
    if happened_at is not None:
        note.happened_at = happened_at
    note.save(force_insert=True)
    note.refresh_from_db()
    _tell("written", note, f"{author} wrote about {subject}: {_short(text)}", author)
    return note


def _why_not(subject: str, text: str, happened_at: datetime | None) -> str:
    kind, _, name = subject.partition(":")
    if not kind or not name or len(subject) > 200 or not subject.isprintable():
        return f"{subject[:60]!r} is nothing a note can be about; expected kind:name, e.g. run:12 or day:20261122."
    if not text:
        return "A note needs text: say what you saw or did."
    if len(text) > LONGEST:
        return f"The note has {len(text)} characters; {LONGEST} are the most. Put the rest where files are kept."
    if happened_at is not None and happened_at > datetime.now(UTC):
        return f"{happened_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC lies ahead; say when it happened, not when it will."
    return ""


@transaction.atomic
def retract(note_id: int, *, actor: str) -> None:
    """Take back one's own note; it stays readable. Raises NotPossible for another's, and for one taken back already."""
    note = Note.objects.select_for_update(no_key=True).get(pk=note_id)
    if refusal := why_not_retract(note, actor):
        raise NotPossible(refusal)
    Note.objects.filter(pk=note.pk).update(retracted_at=Now())
    _tell("retracted", note, f"{actor} took back a note about {note.subject}: {_short(note.text)}", actor)


def why_not_retract(note: Note, actor: str) -> str:
    """Why `actor` cannot take it back; empty where they can."""
    if note.retracted_at:
        return f"It was taken back at {note.retracted_at:%Y-%m-%d %H:%M} UTC already."
    if note.author != actor:
        return f"Only {note.author}, who wrote it, may take it back; write a note of your own beside it."
    return ""


def about(subject: str) -> QuerySet[Note]:
    """The notes about `subject`, newest first, with those taken back."""
    return Note.objects.filter(subject=subject).order_by("-id")


def _clean(text: str) -> str:
    return text.replace("\0", "").replace("\r\n", "\n").encode(errors="replace").decode()


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 120 else f"{line[:119]}…"


def _tell(what: str, note: Note, text: str, actor: str) -> None:
    kind = "intervention" if note.kind == Note.Kind.INTERVENTION else "note"
    events.record(f"{kind}.{what}", text, actor=actor, day_obs=note.day_obs, subject=note.subject)
