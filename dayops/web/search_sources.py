"""What the ground floor knows to search: days, exposures, detectors, files, runs, alarms, notes, events and pages."""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from itertools import islice

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse

from dayops import camera
from dayops.models import Alarm, Event, Exposure, Note, RawFrame, Run
from dayops.observing_day import ObservingDay
from dayops.web import navigation
from dayops.web.search import SHOWN, Hit, Source, add, containing
from dayops.web.work_pages.subjects import subject_url

RECENT = timedelta(days=60)
_WITHIN = f"of the last {RECENT.days} days"
_NUMBERED = re.compile(r"(run|alarm)?[ :#]*([0-9]{1,18})", re.IGNORECASE)
_DATE = re.compile(r"(?<![0-9])((?:19|20)[0-9]{6}|(?:19|20)[0-9]{2}-[0-9]{2}-[0-9]{2})(?![0-9])")
_SHA256 = re.compile(r"[0-9a-f]{8,64}")


def _recently() -> int:
    """The first dayObs of what is searched where there may be too much."""
    day = ObservingDay.current().date - RECENT
    return day.year * 10_000 + day.month * 100 + day.day


def _day_in(text: str) -> ObservingDay | None:
    """The first dayObs that a text names, also within an exposure's name."""
    for match in _DATE.finditer(text.replace("_", " ")):
        try:
            return ObservingDay.parse(match[1])
        except ValueError:
            continue
    return None


def _day_called(text: str) -> str:
    found = _day_in(text)
    return reverse("board", args=[found]) if found and _DATE.fullmatch(text) else ""


def _days(words: Sequence[str]) -> Iterator[Hit]:
    for found in filter(None, map(_day_in, words)):
        yield Hit(f"Day board of {found}", reverse("board", args=[found]))


def _exposure_url(exposure: Exposure) -> str:
    return subject_url(f"exposure:{exposure.camera}/{exposure.name}", exposure.day_obs)


def _exposures_of_the_day_in(text: str) -> QuerySet[Exposure]:
    """Of the day that is named, or else recent ones: never all there are."""
    day = _day_in(text)
    return Exposure.objects.filter(day_obs=day.day_obs) if day else Exposure.objects.filter(day_obs__gte=_recently())


def _exposure_called(text: str) -> str:
    found = _exposures_of_the_day_in(text).filter(name=text).first()
    return _exposure_url(found) if found else ""


def _exposures(words: Sequence[str]) -> Iterator[Hit]:
    rest = [word for word in words if not _DATE.fullmatch(word)]
    rows = _exposures_of_the_day_in(" ".join(words)).filter(containing(rest, "name", "image_type", "filter", "step"))
    for row in rows.order_by("-day_obs", "-began_at")[: SHOWN + 1]:
        about = " ".join(filter(None, (row.image_type, row.filter, f"{row.exposure_s:g} s", row.step)))
        yield Hit(row.name, _exposure_url(row), about)


def _detectors(words: Sequence[str]) -> Iterator[Hit]:
    """Detectors of this site's camera; where they have no page, what is written about them."""
    today = ObservingDay.current().day_obs
    for name in camera.load(settings.CAMERA).by_name:
        if all(word.lower() in name.lower() for word in words):
            subject = f"detector:{settings.CAMERA}/{name}"
            yield Hit(name, subject_url(subject, today) or f"{reverse('notes')}?q={subject}", settings.CAMERA)


def _files_like(prefix: str) -> QuerySet[RawFrame]:
    """Raw frames whose SHA-256 begins like this, by the range of its index."""
    rows = RawFrame.objects.filter(sha256__gte=prefix, sha256__lte=prefix.ljust(64, "f"))
    return rows.select_related("exposure").order_by("sha256")


def _file_called(text: str) -> str:
    found = list(_files_like(text.lower())[:2]) if _SHA256.fullmatch(text.lower()) else []
    return _exposure_url(found[0].exposure) if len(found) == 1 else ""


def _files(words: Sequence[str]) -> Iterator[Hit]:
    if len(words) == 1 and _SHA256.fullmatch(words[0].lower()):
        for frame in _files_like(words[0].lower())[: SHOWN + 1]:
            yield Hit(frame.sha256[:16], _exposure_url(frame.exposure), f"{frame.exposure.name} {frame.detector_name}")


def _number(text: str, kind: str, *, bare: bool = False) -> int:
    """12 of ``run 12``, ``run:12``, and of ``12`` where `bare`; 0 for anything else."""
    match = _NUMBERED.fullmatch(text)
    named = match is not None and (match[1] or (kind if bare else "")).lower() == kind
    return int(match[2]) if match and named else 0


def _run_called(text: str) -> str:
    found = Run.objects.filter(pk=_number(text, "run", bare=True)).first()
    return subject_url(f"run:{found.pk}", found.day_obs) if found else ""


def _runs(words: Sequence[str]) -> Iterator[Hit]:
    rows = Run.objects.filter(containing(words, "title", "key", "error"), day_obs__gte=_recently())
    for row in rows.order_by("-id")[: SHOWN + 1]:
        yield Hit(row.title, subject_url(f"run:{row.pk}", row.day_obs), f"run {row.pk} {row.phase}")


def _alarm_called(text: str) -> str:
    found = Alarm.objects.filter(pk=_number(text, "alarm")).first()
    return subject_url(f"alarm:{found.pk}", found.day_obs) if found else ""


def _alarms(words: Sequence[str]) -> Iterator[Hit]:
    rows = Alarm.objects.filter(containing(words, "sentence", "remedy", "key", "subject"))
    for row in rows.order_by("-id")[: SHOWN + 1]:
        state = "over" if row.cleared_at else "open"
        yield Hit(row.sentence, subject_url(f"alarm:{row.pk}", row.day_obs), f"{row.severity}, {state}")


def _notes(words: Sequence[str]) -> Iterator[Hit]:
    for row in Note.objects.filter(containing(words, "text", "subject", "author")).order_by("-id")[: SHOWN + 1]:
        page = subject_url(row.subject, row.day_obs)
        url = f"{page}#notes" if page else f"{reverse('notes')}?q={row.subject}"
        yield Hit(row.text, url, f"{row.author} about {row.subject}")


def _events(words: Sequence[str]) -> Iterator[Hit]:
    rows = Event.objects.filter(containing(words, "text", "reason", "subject", "actor"), day_obs__gte=_recently())
    for row in rows.order_by("-id")[: SHOWN + 1]:
        url = subject_url(row.subject, row.day_obs) or f"{reverse('events', args=[row.day_obs])}?kind={row.kind}"
        yield Hit(row.text, url, f"{row.at:%Y-%m-%d %H:%M} {row.actor}")


def _pages(words: Sequence[str]) -> Iterable[Hit]:
    links = navigation.links(ObservingDay.current())
    found = (Hit(link.title, link.url) for link in links if all(w.lower() in link.title.lower() for w in words))
    return islice(found, SHOWN + 1)


def register() -> None:
    add(Source("Days", _days, _day_called))
    add(Source("Exposures", _exposures, _exposure_called, within=f"{_WITHIN}, or of the day that is named"))
    add(Source("Runs", _runs, _run_called, within=_WITHIN))
    add(Source("Files", _files, _file_called))
    add(Source("Detectors", _detectors))
    add(Source("Alarms", _alarms, _alarm_called))
    add(Source("Notes", _notes))
    add(Source("Events", _events, within=_WITHIN))
    add(Source("Pages", _pages))
