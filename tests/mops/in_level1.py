"""Builders of what Level 1 holds for the pages: the detections of a linkage, and known objects."""

from typing import Any

import numpy as np
from django.db import transaction

from dayops.level1.instants import instant
from dayops.level1.loading import load_columns
from dayops.level1.models import MpcOrbit, SSObject, SSSource
from dayops.level1.writing import replace
from mops.models import Linkage
from mops.plots.path import path
from tests.dayops.level1.tables import sources

OBJECT = 4242
NAME = "2026 XY1"


def detected(one: Linkage, *, without: int = 0) -> None:
    """Load the linkage's detections where its orbit says, its residuals added; the last `without` are left out."""
    count = len(one.sources) - without
    times = times_of(one)[:count]
    ra, dec = path(one.state, one.epoch_mjd_tdb, times)
    ra = ra + np.array(one.residual_ra)[:count] / 3600 / np.cos(np.radians(dec))
    dec = dec + np.array(one.residual_dec)[:count] / 3600
    given = {
        "diaSourceId": np.array(one.sources[:count]),
        "midpointMjdTai": times,
        "ra": ra % 360,
        "dec": dec,
        "decErr": np.full(count, 1e-5, np.float32),
        "psfFluxErr": np.full(count, 10, np.float32),
    }
    loaded = load_columns(sources(count, **given))
    assert not loaded.refused, loaded.refused


def times_of(one: Linkage) -> Any:
    """(n,) MJD TAI: two detections 25 minutes apart in each of its nights."""
    pairs = np.arange(len(one.sources))
    return one.epoch_mjd_tdb - 3 + pairs // 2 + 0.05 + 0.0175 * (pairs % 2)


def known_object(number: int = OBJECT, name: str = NAME, *, of: Linkage | None = None) -> int:
    """An object with an orbit; with `of`, that linkage's detections are its sources."""
    with transaction.atomic():
        at = instant()
        replace(SSObject, _columns(ssObjectId=number, designation=name, nObs=8, arc=3.02, r_H=18.2, r_nObs=4), at)
        replace(MpcOrbit, _columns(**_orbit(name)), at)
        if of is not None:
            attributed = [
                _columns(diaSourceId=source, ssObjectId=number, eclLambda=80.0, eclBeta=3.0, galLon=10.0, galLat=20.0,
                         ephOffsetRa=0.02, ephOffsetDec=-0.01)
                for source in of.sources
            ]  # fmt: skip
            replace(SSSource, {name: np.concatenate([row[name] for row in attributed]) for name in attributed[0]}, at)
    return number


def _orbit(name: str) -> dict[str, Any]:
    return {
        "designation": name, "packed_primary_provisional_designation": "K26X01Y",
        "unpacked_primary_provisional_designation": name, "a": 2.61, "q": 2.32, "e": 0.111, "i": 9.4, "node": 80.1,
        "argperi": 73.5, "mean_anomaly": 12.0, "peri_time": 61_316.0, "epoch_mjd": 61_366.0, "h": 18.4, "u_param": 4,
    }  # fmt: skip


def _columns(**values: Any) -> dict[str, Any]:
    return {name: np.array([value]) for name, value in values.items()}
