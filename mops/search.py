"""What DayMOPS adds to the search: candidates, known objects and reports."""

import re
from collections.abc import Iterator, Sequence

from django.db.models import QuerySet
from django.urls import reverse

from dayops.level1.models import SSObject
from dayops.observing_day import ObservingDay
from dayops.web.search import SHOWN, Hit, Source, containing
from mops.models import Linkage, Submission
from mops.views.lookup import candidate_url
from mops.views.submissions import submission_url

_NUMBERED = re.compile(r"(candidate|linkage)[ :#]*([0-9]{1,18})", re.IGNORECASE)
_SOURCE = re.compile(r"[0-9]{6,18}")
_COLUMNS = ("verdict", "orbit_class", "arc_days", "night__day_obs")


def _linkages(words: Sequence[str]) -> Iterator[Hit]:
    """Candidates that contain a detection (``diaSourceId``), are of an object, or have an identity that begins so."""
    for word in words:
        if _SOURCE.fullmatch(word):
            yield from _hits(Linkage.objects.filter(sources__contains=[int(word)]))
            yield from _hits(Linkage.objects.filter(ss_object_id=int(word)))
        elif re.fullmatch(r"[0-9a-f]{12,64}", word):
            yield from _hits(Linkage.objects.filter(identity__startswith=word))


def _hits(rows: QuerySet[Linkage]) -> Iterator[Hit]:
    for row in rows.select_related("night").only(*_COLUMNS).order_by("-pk")[: SHOWN + 1]:
        about = f"{row.get_verdict_display().lower()}, {row.orbit_class or 'no class'}, {row.arc_days:.2f} d"
        yield Hit(f"Candidate {row.pk} of {ObservingDay(row.night.day_obs)}", candidate_url(row), about)


def _linkage_called(text: str) -> str:
    match = _NUMBERED.fullmatch(text)
    found = Linkage.objects.select_related("night").filter(pk=int(match[2])).first() if match else None
    return candidate_url(found) if found else ""


def _objects(words: Sequence[str]) -> Iterator[Hit]:
    rows = SSObject.objects.current().filter(containing(words, "designation")).order_by("designation")
    for row in rows.only("ssObjectId", "designation", "nObs")[: SHOWN + 1]:
        yield Hit(str(row), _object_url(row.ssObjectId), f"{row.nObs} observations")


def _object_called(text: str) -> str:
    found = SSObject.objects.current().filter(designation=text).only("ssObjectId").first()
    return _object_url(found.ssObjectId) if found else ""


def _object_url(ss_object_id: int) -> str:
    return reverse("mops:ssobject", args=[ObservingDay.current(), ss_object_id])


def _reports(words: Sequence[str]) -> Iterator[Hit]:
    rows = Submission.objects.select_related("night").filter(containing(words, "tracklet_name", "confirmation"))
    for row in rows.order_by("-pk")[: SHOWN + 1]:
        yield Hit(str(row), submission_url(row), row.confirmation or f"night {ObservingDay(row.night.day_obs)}")


LINKAGES = Source("Candidates", _linkages, _linkage_called)
OBJECTS = Source("Solar System objects", _objects, _object_called)
REPORTS = Source("Reports to the MPC", _reports)
