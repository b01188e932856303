"""What people changed, as vertical lines in trends. Whatever may explain a step adds its own source to `SOURCES`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from calib.models import CertificationAction, Threshold
from calib.trends import Scope, taken_between
from dayops.models import Note


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened `at` (UTC): what kind of thing, and what, in words."""

    at: datetime
    kind: str
    text: str


Source = Callable[[Scope], list[Mark]]


def interventions(scope: Scope) -> list[Mark]:
    """What was done to the camera, or to a detector in question (one query)."""
    whole, part = f"camera:{scope.camera}", f"detector:{scope.camera}/"
    if scope.detector:
        about = Q(subject__in=[whole, f"{part}{scope.detector.name}"])
    elif scope.raft:
        about = Q(subject__in=[whole, *(f"{part}{detector.name}" for detector in scope.rafts[scope.raft])])
    else:
        about = Q(subject=whole) | Q(subject__startswith=part)
    notes = Note.objects.filter(
        about, kind=Note.Kind.INTERVENTION, retracted_at__isnull=True, happened_at__range=taken_between(scope)
    )
    return [Mark(note.happened_at, "intervention", f"{_thing(note.subject)}: {note.text}") for note in notes]


def threshold_changes(scope: Scope) -> list[Mark]:
    """New limits of the metric; those that one person set at once are one mark (one query)."""
    rows = Threshold.objects.filter(
        metric=scope.metric.name, camera__in=["", scope.camera], valid_from__range=taken_between(scope)
    )
    if scope.detector:
        rows = rows.filter(detector__in=["", scope.detector.name], detector_type__in=["", scope.detector.vendor])
    if scope.image_type:
        rows = rows.filter(image_type__in=["", scope.image_type])
    if scope.filter:
        rows = rows.filter(filter__in=["", scope.filter])
    changes = rows.order_by("valid_from").values("valid_from", "author", "reason").annotate(count=Count("id"))
    return [
        Mark(
            each["valid_from"],
            "limits",
            f"{each['count']} new limit{'' if each['count'] == 1 else 's'} by {each['author']}: {each['reason']}",
        )
        for each in changes
    ]


def people_certified(camera: str, begins: datetime, ends: datetime) -> list[Mark]:
    """What people did to certifications by hand: overridden, decertified, rolled back (one query).

    The gate's own deeds come every day and explain nothing.
    """
    deeds = CertificationAction.objects.filter(camera=camera, at__range=(begins, ends)).order_by("at")
    by_hand = deeds.filter(Q(override=True) | ~Q(kind=CertificationAction.Kind.CERTIFY))
    return [Mark(deed.at, "certification", _deed(deed)) for deed in by_hand]


def _deed(deed: CertificationAction) -> str:
    how = " against the checks" if deed.override else ""
    return f"{deed.get_kind_display()}{how} by {deed.actor}: {deed.reason}"


def certifications(scope: Scope) -> list[Mark]:
    """The same, within a trend's days."""
    return people_certified(scope.camera, *taken_between(scope))


SOURCES: list[Source] = [interventions, threshold_changes, certifications]


def marks_of(scope: Scope) -> list[Mark]:
    """The marks of every source, in the order of time."""
    return sorted((mark for source in SOURCES for mark in source(scope)), key=lambda mark: mark.at)


def _thing(subject: str) -> str:
    """``detector:minicam/R22_S11`` as R22_S11, ``camera:minicam`` as minicam."""
    return subject.partition(":")[2].rpartition("/")[2]
