"""From a trend's address to what it is of, and back; sentences where it names nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlencode

from django.conf import settings
from django.http import QueryDict
from django.urls import reverse

from calib.metric_map import focal_plane_of
from calib.trends import Scope
from calib.views.lookup import frames_of, metric_named
from dayops.camera import Detector, names
from dayops.models import Exposure
from dayops.observing_day import ObservingDay
from dayops.web.refusals import bad_request, not_here

MOST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class TrendQuery:
    """What the address asks for; `scope` says it in full."""

    scope: Scope
    days: int

    @classmethod
    def read(cls, query: QueryDict) -> "TrendQuery":
        """From ``?metric=&type=&filter=&camera=&raft=&detector=&amplifier=&days=&until=``. Refused in words."""
        words = {name: str(value).replace("\0", "").strip() for name, value in query.items()}
        metric, last = metric_named(words.get("metric", "")), until_of(words.get("until", ""))
        days = days_of(words.get("days", ""), usual=30, most=MOST_DAYS)
        first = days_before(last, days - 1)
        camera = words.get("camera") or settings.CAMERA
        rafts = _rafts(camera)
        scope = Scope(metric, camera, rafts, first, last, words.get("type", "").upper(), words.get("filter", ""))
        return cls(_narrowed(scope, words), days)

    def encoded(self, **words: object) -> str:
        """The same as a query string, with `words` in place of what they name; empty ones are left out."""
        scope = self.scope
        said: dict[str, object] = {
            "metric": scope.metric.name,
            "camera": "" if scope.camera == settings.CAMERA else scope.camera,
            "type": scope.image_type,
            "filter": scope.filter,
            "raft": "" if scope.detector else scope.raft,
            "detector": scope.detector.name if scope.detector else "",
            "amplifier": scope.amplifier.name if scope.amplifier else "",
            "days": self.days,
            "until": "" if scope.last == ObservingDay.current() else scope.last,
        }
        return urlencode({name: value for name, value in (said | words).items() if value not in {"", None}})

    def address(self, **words: object) -> str:
        return f"{reverse('calib-camera:trends')}?{self.encoded(**words)}"


def trend_url(exposure: Exposure, metric: str, **words: object) -> str:
    """The trend of a metric for exposures like this one, up to its day; `words` name a detector or amplifier."""
    like = {"metric": metric, "type": exposure.image_type, "filter": exposure.filter, **words}
    day = ObservingDay(exposure.day_obs)
    like |= {"until": "" if day == ObservingDay.current() else day}
    like |= {"camera": "" if exposure.camera == settings.CAMERA else exposure.camera}
    return f"{reverse('calib-camera:trends')}?{urlencode({name: word for name, word in like.items() if word})}"


def days_before(last: ObservingDay, days: int) -> ObservingDay:
    """The day so many before `last`. Refused (400) where dayObs do not reach that far."""
    try:
        return ObservingDay.parse((last.date - timedelta(days=days)).isoformat())
    except ValueError as error:
        raise bad_request(f"{days} days before {last} is too early.", "dayObs begin in 1990: ask for fewer.") from error


def days_of(text: str, *, usual: int, most: int) -> int:
    """The number of days that `text` says, `usual` where it is empty. Refused (400) where it is none, or too many."""
    text = text or str(usual)
    if not (text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= most):
        raise bad_request(f"days={text[:20]} is no number of days.", f"Write a whole number from 1 to {most}.")
    return int(text)


def until_of(text: str) -> ObservingDay:
    """The day that `text` says, today where it is empty. Refused (400) where it is none."""
    try:
        return ObservingDay.parse(text) if text else ObservingDay.current()
    except ValueError as error:
        raise bad_request(f"until={text[:20]} is no dayObs.", "Write it as 2026-11-22.") from error


def _rafts(camera: str) -> dict[str, tuple[Detector, ...]]:
    """The camera's rafts; a camera without a file has the detectors of its newest exposure. Refused where unknown."""
    newest = Exposure.objects.filter(camera=camera).order_by("-began_at").first() if camera not in names() else None
    if newest is None and camera not in names():
        known = ", ".join(names())
        raise not_here(f"There is no camera “{camera[:40]}”.", f"Choose one of {known}, or leave camera out.")
    of = newest or Exposure(camera=camera)
    rafts: dict[str, tuple[Detector, ...]] = {}
    for detector in focal_plane_of(of, frames_of(newest) if newest else []).detectors:
        rafts[detector.raft] = (*rafts.get(detector.raft, ()), detector)
    return rafts


def _narrowed(scope: Scope, words: Mapping[str, str]) -> Scope:
    """The scope of the raft, detector and amplifier that `words` name. Refused where there is none."""
    raft, detector, amplifier = (words.get(name, "") for name in ("raft", "detector", "amplifier"))
    if detector:
        sensor = next((one for members in scope.rafts.values() for one in members if one.name == detector), None)
        if sensor is None:
            raise not_here(f"{scope.camera} has no detector “{detector[:40]}”.", "Choose one on a focal plane.")
        scope = replace(scope, raft=sensor.raft, detector=sensor)
    elif raft:
        if raft not in scope.rafts:
            known = ", ".join(scope.rafts)
            raise not_here(f"{scope.camera} has no raft “{raft[:40]}”.", f"Choose one of {known}.")
        scope = replace(scope, raft=raft)
    if not amplifier:
        return scope
    if scope.detector is None:
        raise bad_request(f"Amplifier {amplifier[:40]} of which detector?", "Add detector= to the address.")
    found = next((one for one in scope.detector.amplifiers if one.name == amplifier), None)
    if found is None:
        known = ", ".join(one.name for one in scope.detector.amplifiers)
        raise not_here(f"{scope.detector.name} has no amplifier “{amplifier[:40]}”.", f"Choose one of {known}.")
    return replace(scope, amplifier=found)
