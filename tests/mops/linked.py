"""Builders of what a search finds: linkages of made-up objects, with detections and orbits that were really fitted."""

from dataclasses import replace
from typing import Any

import numpy as np

from mops.pipeline.found import Found
from mops.science import observers, time_scales
from mops.science.constants import GM_SUN
from mops.science.detections import Detections
from mops.science.ephemeris import earth
from mops.science.orbit_fit import Arcs, FitConfig, fit
from mops.science.orbit_status import Status
from mops.science.propagation import places

MJD = 61_364.1  # TAI, in the night of FIRST
FIRST = 20261119
MINUTES = 30.0


def opposite_the_sun(count: int) -> Any:
    """(count, 6) states at `MJD` TDB of main-belt objects that are seen all night: near circles, their places apart."""
    x, y, _ = earth(np.array([MJD]))[0][0]
    turn = np.radians(np.linspace(-20, 20, count) if count > 1 else [5.0]) + np.arctan2(y, x)
    r, tilt = 2.3 + 0.1 * np.arange(count), np.radians(23.4 + np.arange(count))
    radial = np.stack([np.cos(turn), np.sin(turn) * np.cos(tilt), np.sin(turn) * np.sin(tilt)], axis=1)
    along = np.stack([-np.sin(turn), np.cos(turn) * np.cos(tilt), np.cos(turn) * np.sin(tilt)], axis=1)
    return np.hstack([r[:, None] * radial, 0.95 * np.sqrt(GM_SUN / r)[:, None] * along])


def detected(states: Any, *, nights: int = 4, sigma: float = 0.02, seed: int = 1, first_id: int = 1_000) -> Detections:
    """Two detections a night of each body whose state at `MJD` TDB is given; ids rise with object, then time."""
    times = MJD + np.repeat(np.arange(nights), 2) + np.tile([0.0, MINUTES / 1_440], nights)
    observer, velocity = observers.heliocentric("X05", times)
    seen = places(np.asarray(states), time_scales.tdb_from_tai(MJD), times, observer, observer_velocity=velocity)
    ra, dec = np.asarray(seen.ra), np.asarray(seen.dec)
    count, size = ra.shape
    east, north = np.random.default_rng(seed).normal(0, sigma / 3_600, (2, count, size))
    nothing = np.zeros(count * size)
    return Detections(
        id=(first_id * (1 + np.arange(count))[:, None] + np.arange(size)).ravel(),
        mjd_tai=np.tile(times, count),
        ra=((ra + east / np.cos(np.radians(dec))) % 360).ravel(),
        dec=(dec + north).ravel(),
        sigma_ra=nothing + sigma,
        sigma_dec=nothing + sigma,
        mag=nothing + 20.5,
        band=np.tile(np.arange(size) % 2 + 1, count).astype(np.int8),
        night=np.tile(FIRST + np.repeat(np.arange(nights), 2), count).astype(np.int32),
        visit=np.tile(np.arange(size) + 1, count).astype(np.int64),
        observer=np.tile(observer, (count, 1)),
    )


def linked(count: int = 3, *, states: Any = None, nights: int = 4, **options: Any) -> Found:
    """Linkages of `count` main-belt objects, or of bodies with these `states`, fitted from their true orbits."""
    states = opposite_the_sun(count) if states is None else np.atleast_2d(states)
    detections = detected(states, nights=nights, **options)
    count = len(states)
    first = np.arange(count + 1, dtype=np.int64) * 2 * nights
    members = np.arange(first[-1], dtype=np.int64)
    epochs = np.full(count, float(time_scales.tdb_from_tai(MJD)))
    fitted = fit(Arcs.of(detections, first, members), states, epochs, FitConfig(tolerance=0.1))
    return Found(
        first=first,
        members=members,
        detections=detections,
        orbits=fitted,
        zone=np.full(count, "main_belt", dtype="<U16"),
        r_au=np.full(count, 2.5),
        rdot_au_d=np.zeros(count),
        spread_arcsec=np.full(count, np.nan),
        tracklets=np.full(count, nights, np.int64),
        object_id=np.zeros(count, np.int64),
        reason=np.array(["" if each == Status.OK else Status(each).sentence for each in fitted.status], dtype="<U300"),
    )


def refused(found: Found, number: int, reason: str) -> Found:
    """The same, the linkage `number` refused."""
    reasons = found.reason.copy()
    reasons[number] = reason
    return replace(found, reason=reasons)


def known(found: Found, *ids: int) -> Found:
    """The same, linkages of objects known before (0: new)."""
    return replace(found, object_id=np.array(ids, np.int64))


def sources_of(found: Found, number: int) -> list[int]:
    """diaSourceIds of a linkage."""
    return [int(each) for each in found.detections.id[found.members[found.of(number)]]]
