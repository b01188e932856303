"""One number of the products of a type, over days."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite

import numpy as np
from django.db.models import F
from django.db.models.functions import Coalesce

from calib.models import Product, ProductType
from calib.products.numbers import Number
from dayops.camera import Camera, Detector
from dayops.observing_day import ObservingDay


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked for: the number, of one detector or the whole focal plane, over `days` dayObs up to `last`."""

    camera: Camera
    type: ProductType
    filter: str
    number: Number
    detector: Detector | None
    last: ObservingDay
    days: int

    @property
    def first(self) -> ObservingDay:
        return ObservingDay.at(self.last.begins - timedelta(days=self.days - 1))

    @property
    def title(self) -> str:
        return self.detector.name if self.detector else self.camera.title


@dataclass(frozen=True, slots=True)
class Point:
    """One set. `each` are the amplifiers of a chosen detector; of the focal plane only how they spread."""

    made: int
    product: int | None
    day_obs: int
    at: datetime
    state: str
    is_flagged: bool
    count: int
    median: float
    p5: float
    p95: float
    minimum: float
    maximum: float
    each: tuple[float, ...]

    @property
    def word(self) -> str:
        return "REJECTED" if self.is_flagged else self.state


def points_of(scope: Scope) -> list[Point]:
    """A point for each set with a value, oldest first (one query)."""
    rows = Product.objects.filter(
        camera=scope.camera.name,
        type=scope.type,
        filter=scope.filter,
        day_obs__range=(scope.first.day_obs, scope.last.day_obs),
    )
    if scope.detector:
        rows = rows.filter(detector=scope.detector.id)
    key = scope.number.key or scope.number.name
    at = Coalesce("product_set__decided_at", "product_set__created_at")
    told = rows.annotate(value=F(f"statistics__{key}"), at=at, state=F("product_set__state")).values_list(
        "product_set", "pk", "day_obs", "at", "state", "flagged_bad_at", "detector", "value"
    )
    amplifiers = {each.id: len(each.amplifiers) for each in scope.camera.detectors}
    sets: dict[int, list[tuple[int, int, datetime, str, bool, list[float]]]] = {}
    for made, pk, day_obs, when, state, flagged, detector, value in told.order_by("product_set", "detector"):
        values = scope.number.of({key: value}, amplifiers.get(detector, 0))
        sets.setdefault(made, []).append((pk, day_obs, when, state, flagged is not None, values))
    points = [_point(scope, made, members) for made, members in sets.items()]
    return [point for point in points if isfinite(point.median)]


def _point(scope: Scope, made: int, members: list[tuple[int, int, datetime, str, bool, list[float]]]) -> Point:
    every = np.array([value for *_, values in members for value in values])
    known = every[np.isfinite(every)]
    median, p5, p95, low, high = np.percentile(known, (50, 5, 95, 0, 100)) if known.size else np.full(5, np.nan)
    pk, day_obs, at, state, _, values = members[0]
    return Point(
        made=made,
        product=pk if scope.detector else None,
        day_obs=day_obs,
        at=at,
        state=state,
        is_flagged=scope.detector is not None and members[0][4],
        count=int(known.size),
        median=float(median),
        p5=float(p5),
        p95=float(p95),
        minimum=float(low),
        maximum=float(high),
        each=tuple(values) if scope.detector and len(values) > 1 else (),
    )
