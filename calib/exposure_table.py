"""The day's exposures as rows for people: what arrived, what was measured, how it was judged."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max, Q

from calib.models import Assessment, Judgement, Level
from calib.reviews import words_by_exposure
from dayops.models import Exposure, FrameState, RawFrame, Run


@dataclass(frozen=True, slots=True)
class ExposureRow:
    """One exposure of a day. Counts are of detectors; `run` is the run that assesses it, None before there is one."""

    exposure: Exposure
    archived: int
    quarantined: int
    measured: int
    worst: int | None
    warn: int
    error: int
    run: int | None
    people: str | None = None  # their verdict in a word or two

    @property
    def verdict(self) -> str:
        """The worst level so far; QUEUED while nothing is measured, MISSING where nothing was archived."""
        if self.worst is not None:
            return Level(self.worst).label
        return "QUEUED" if self.archived else "MISSING"

    @property
    def is_complete(self) -> bool:
        return self.archived >= self.exposure.detectors_expected


def exposure_rows(day_obs: int) -> list[ExposureRow]:
    """Every exposure of `day_obs`, newest first. Six queries, however many exposures, detectors and amplifiers."""
    exposures = list(Exposure.objects.filter(day_obs=day_obs).order_by("-began_at", "-id"))
    people = words_by_exposure(exposures)
    frames, verdicts, runs = _frames(day_obs), _verdicts(day_obs), _runs(day_obs)
    judged = dict(Judgement.objects.filter(exposure__day_obs=day_obs).values_list("exposure", "level"))
    return [
        ExposureRow(
            exposure=exposure,
            archived=frames.get(exposure.pk, {}).get("archived", 0),
            quarantined=frames.get(exposure.pk, {}).get("quarantined", 0),
            measured=verdicts.get(exposure.pk, {}).get("measured", 0),
            worst=_worse(verdicts.get(exposure.pk, {}).get("worst"), judged.get(exposure.pk)),
            warn=verdicts.get(exposure.pk, {}).get("warn", 0),
            error=verdicts.get(exposure.pk, {}).get("error", 0),
            run=runs.get(subject_of(exposure)),
            people=people.get(exposure.pk),
        )
        for exposure in exposures
    ]


def _worse(of_frames: int | None, of_exposure: int | None) -> int | None:
    return max((level for level in (of_frames, of_exposure) if level is not None), default=None)


def subject_of(exposure: Exposure) -> str:
    """What runs and events about an exposure name as their subject."""
    return f"exposure:{exposure.camera}/{exposure.name}"


def _frames(day_obs: int) -> dict[int, dict[str, Any]]:
    counted = (
        RawFrame.objects.filter(exposure__day_obs=day_obs)
        .values("exposure")
        .annotate(
            archived=Count("id", filter=Q(state=FrameState.ARCHIVED)),
            quarantined=Count("id", filter=Q(state=FrameState.QUARANTINED)),
        )
    )
    return {row["exposure"]: {**row} for row in counted}


def _verdicts(day_obs: int) -> dict[int, dict[str, Any]]:
    counted = (
        Assessment.objects.filter(exposure__day_obs=day_obs)
        .values("exposure")
        .annotate(
            measured=Count("id"),
            worst=Max("level"),
            warn=Count("id", filter=Q(level=Level.WARN)),
            error=Count("id", filter=Q(level=Level.ERROR)),
        )
    )
    return {row["exposure"]: {**row} for row in counted}


def _runs(day_obs: int) -> dict[str, int]:
    runs = Run.objects.filter(day_obs=day_obs, activity="calib").exclude(subject="").order_by("id")
    return dict(runs.values_list("subject", "pk"))


def run_of(exposure: Exposure) -> Run | None:
    """The run that assesses `exposure`, if it was started."""
    return Run.objects.filter(day_obs=exposure.day_obs, activity="calib", subject=subject_of(exposure)).last()
