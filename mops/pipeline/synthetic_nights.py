"""Nights of a synthetic Solar System in the Level 1 database, with their truth kept beside them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import numpy.typing as npt
from django.db import transaction

from dayops.level1 import loading, writing
from dayops.level1.models import Visit
from dayops.observing_day import ObservingDay
from mops.models import SyntheticTruth
from mops.pipeline import kept
from mops.pipeline.packing import packed
from mops.science.detections import Detections
from mops.science.time_scales import tdb_from_tai
from mops.synthetic.detections import simulate
from mops.synthetic.dia_sources import dia_source_rows, visit_rows
from mops.synthetic.opposition import gathered
from mops.synthetic.pointings import Pointings
from mops.synthetic.population import Population, make_population
from mops.synthetic.survey import small_survey


@dataclass(frozen=True, slots=True)
class Sky:
    """What there is to be seen: objects within `width_deg` of opposition, and false detections by deg² and visit.

    opposition_mjd_tai : when the objects are about opposition; the middle of the nights where it is not given. Nights
    that are loaded at different times are of one sky only where they agree in it.
    """

    objects: int = 4_000
    seed: int = 1
    false_per_deg2: float = 1.0
    width_deg: float = 12.0
    brighter_mag: float = 1.0
    opposition_mjd_tai: float | None = None


def load_nights(
    last_day_obs: int,
    nights: int,
    sky: Sky | None = None,
    *,
    leave_out: Collection[int] = (),
    tell: Callable[[str], None] = lambda text: None,
) -> int:
    """Simulate `nights` nights up to `last_day_obs` and load them but those of `leave_out`.

    They appear all at once: a search that began between two of them would have a window without the later ones. The
    same nights of the same sky again change nothing. Returns how many detections are new.
    """
    sky = sky or Sky()
    first = ObservingDay(last_day_obs).date - timedelta(days=nights - 1)
    first_day = ObservingDay.parse(f"{first:%Y%m%d}").day_obs
    pointings = small_survey(first_day, nights, every=1)
    epoch = float(tdb_from_tai(sky.opposition_mjd_tai or float(pointings.mjd_tai.mean())))
    population = gathered(
        make_population(sky.objects, sky.seed, epoch_mjd_tdb=epoch, fainter=-sky.brighter_mag),
        epoch,
        sky.width_deg,
        sky.seed,
    )
    stored = kept.put(packed(population=population))
    tell(f"{sky.objects} objects, {len(pointings)} visits in {nights} nights")
    wanted = [int(day) for day in np.unique(pointings.night) if int(day) not in leave_out]
    seen = [_seen(pointings.take(pointings.night == day), population, sky) for day in wanted]
    with transaction.atomic():
        return sum(_load(day, night, stored.sha256, sky, tell) for day, night in zip(wanted, seen, strict=True))


@dataclass(frozen=True, slots=True)
class _Night:
    pointings: Pointings
    detections: Detections
    truth: npt.NDArray[np.int64]
    truth_sha256: str


def _seen(pointings: Pointings, population: Population, sky: Sky) -> _Night:
    detections, truth = simulate(population, pointings, seed=sky.seed, false_per_deg2=sky.false_per_deg2, planets=True)
    return _Night(pointings, detections, truth, kept.put({"id": detections.id, "truth": truth}).sha256)


def _load(day: int, night: _Night, population_sha256: str, sky: Sky, tell: Callable[[str], None]) -> int:
    rows = dia_source_rows(night.detections, night.pointings, night.truth)
    writing.append(Visit, visit_rows(night.pointings))
    loaded = loading.load_columns(rows, source=f"synthetic sky {sky.seed}")
    SyntheticTruth.objects.update_or_create(
        day_obs=day,
        defaults={"sha256": night.truth_sha256, "population_sha256": population_sha256, "rows": len(night.truth)},
    )
    tell(f"{ObservingDay(day)}: {loaded.rows} detections")
    return loaded.rows
