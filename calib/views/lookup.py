"""From what an address says to what it names, and sentences where it names nothing."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.urls import reverse

from calib.metric_map import DEFAULT, FocalPlane
from calib.science.metrics import BY_NAME, MetricDefinition
from dayops.camera import Detector
from dayops.models import Exposure, FrameState, RawFrame
from dayops.observing_day import ObservingDay
from dayops.web.refusals import bad_request, not_here

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def exposure_named(day: ObservingDay, name: str) -> Exposure:
    """The exposure of `day` called `name`. Refused (404) where there is none; says so where it is another day's."""
    found = Exposure.objects.filter(name=name).order_by("id")
    here = found.filter(day_obs=day.day_obs).first()
    if here is not None:
        return here
    elsewhere = found.first()
    if elsewhere is not None:
        other = ObservingDay(elsewhere.day_obs)
        raise not_here(f"Exposure {name} was not taken on dayObs {day}.", f"It belongs to dayObs {other}: look there.")
    raise not_here(f"No exposure {name} is known on dayObs {day}.", "Start from the day's exposure table.")


def metric_named(name: str) -> MetricDefinition:
    """The metric called `name`, the default one where it is empty. Refused (404) for any other."""
    metric = BY_NAME.get(name or DEFAULT)
    if metric is None:
        raise not_here(f"There is no metric “{name[:60]}”.", f"Choose one of {', '.join(BY_NAME)}.")
    return metric


def detector_named(exposure: Exposure, plane: FocalPlane, name: str) -> Detector:
    detector = next((each for each in plane.detectors if each.name == name), None)
    if detector is None:
        raise not_here(
            f"Exposure {exposure.name} has no detector {name[:40]}.",
            "Choose one on the exposure's focal plane.",
        )
    return detector


def frames_of(exposure: Exposure) -> list[RawFrame]:
    """The archived frames of an exposure with their verdicts, without headers (one query)."""
    frames = RawFrame.objects.filter(exposure=exposure, state=FrameState.ARCHIVED).select_related("assessment")
    heavy = ("header", "amplifier_headers", "remarks")
    return list(frames.defer(*heavy).order_by("detector"))


@dataclass(frozen=True, slots=True)
class PlaneQuery:
    """How the focal plane is to be drawn, as the query string says it."""

    metric: MetricDefinition
    by_level: bool = False
    scale: str = "percentile"
    low: float | None = None
    high: float | None = None

    @classmethod
    def read(cls, query: QueryDict) -> "PlaneQuery":
        """From ``?metric=&color=value|level&scale=percentile|fixed&low=&high=``. Refused where that makes no sense."""
        scale, colour = query.get("scale", "percentile"), query.get("color", "value")
        if scale not in {"percentile", "fixed"} or colour not in {"value", "level"}:
            raise bad_request(
                "The focal plane cannot be drawn as this address asks.",
                "Use scale=percentile or scale=fixed, and color=value or color=level.",
            )
        low, high = _number(query, "low"), _number(query, "high")
        if low is not None and high is not None and low >= high:
            raise bad_request(f"The range from {low} to {high} is empty.", "Make low less than high.")
        return cls(metric_named(query.get("metric", "")), colour == "level", scale, low, high)

    @property
    def encoded(self) -> str:
        """The same as a query string."""
        words: dict[str, object] = {"metric": self.metric.name}
        if self.by_level:
            words["color"] = "level"
        if self.scale == "fixed":
            words |= {"scale": "fixed"} | {k: v for k, v in (("low", self.low), ("high", self.high)) if v is not None}
        return urlencode(words)


def _number(query: QueryDict, name: str) -> float | None:
    text = query.get(name, "").strip()
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise bad_request(f"{name}={text[:40]!r} is not a number.", f"Write {name} as a number.")
    return value


def bounds(query: QueryDict) -> tuple[float | None, float | None]:
    """The range of ``?from=&to=``. Refused (400) where they are no numbers."""
    return _number(query, "from"), _number(query, "to")


def exposure_url(exposure: Exposure) -> str:
    return reverse("calib:exposure", args=[exposure.day_obs, exposure.name])


def detector_url(exposure: Exposure, detector_name: str) -> str:
    return reverse("calib:detector", args=[exposure.day_obs, exposure.name, detector_name])
