"""Skies to link: objects on given orbits, seen at given times, with as much noise as a test wants."""

from dataclasses import replace

import numpy as np

from mops.science.constants import C_AU_PER_DAY, GM_SUN
from mops.science.detections import Detections, joined
from mops.science.ephemeris import earth
from mops.science.kepler import propagate
from mops.science.time_scales import tdb_from_tai

EPOCH = 60430.0
NIGHTS = (-5.0, -1.0, 0.0, 4.0)
PAIR = (0.0, 0.02)


def belt(n: int, seed: int, r: tuple[float, float] = (2.0, 3.3)) -> np.ndarray:
    """States (n, 6) at `EPOCH`: nearly circular orbits near opposition, r in au."""
    rng = np.random.default_rng(seed)
    place, _ = earth(np.array([EPOCH]))
    away = np.arctan2(place[0, 1], place[0, 0]) + rng.uniform(-0.3, 0.3, n)
    tilt = rng.uniform(-0.15, 0.15, n)
    distance = rng.uniform(*r, n)
    out = np.stack([np.cos(away) * np.cos(tilt), np.sin(away) * np.cos(tilt), 0.43 * np.sin(away) + np.sin(tilt)], 1)
    out /= np.linalg.norm(out, axis=1)[:, None]
    along = np.cross([0.0, -0.4, 0.92], out)
    along /= np.linalg.norm(along, axis=1)[:, None]
    speed = np.sqrt(GM_SUN / distance) * rng.uniform(0.9, 1.08, n)
    radial = np.sqrt(GM_SUN / distance) * rng.uniform(-0.1, 0.1, n)
    return np.concatenate([distance[:, None] * out, speed[:, None] * along + radial[:, None] * out], axis=1)


def times(nights=NIGHTS, within=PAIR) -> np.ndarray:
    """MJD TAI of visits: each of `within` on each of `nights`, days from `EPOCH`."""
    return np.asarray(EPOCH + (np.asarray(nights)[:, None] + np.asarray(within)[None]).ravel())


def seen(states: np.ndarray, mjd: np.ndarray, *, sigma: float = 0.05, seed: int = 1) -> tuple[Detections, np.ndarray]:
    """Detections of all objects at all times from the Earth's centre, with light time and noise; and whose they are."""
    rng = np.random.default_rng(seed)
    visit, truth = (each.ravel() for each in np.meshgrid(np.arange(len(mjd)), np.arange(len(states)), indexing="ij"))
    tdb = np.asarray(tdb_from_tai(mjd))[visit]
    observer = earth(tdb)[0]
    light = np.zeros(len(visit))
    for _ in range(3):
        line = propagate(states[truth], tdb - light - EPOCH)[:, :3] - observer
        light = np.linalg.norm(line, axis=1) / C_AU_PER_DAY
    dec = np.degrees(np.arcsin(line[:, 2] / np.linalg.norm(line, axis=1))) + rng.normal(0, sigma / 3600, len(visit))
    ra = np.degrees(np.arctan2(line[:, 1], line[:, 0]))
    ra = (ra + rng.normal(0, sigma / 3600, len(visit)) / np.cos(np.radians(dec))) % 360
    return detections(mjd[visit], ra, dec, visit=visit, sigma=sigma, observer=observer), truth


def detections(mjd, ra, dec, *, visit=None, sigma: float = 0.05, observer=None) -> Detections:
    """Detections at given times and places; one visit a time where none is given."""
    mjd = np.asarray(mjd, float)
    n = len(mjd)
    return Detections(
        id=np.arange(n),
        mjd_tai=mjd,
        ra=np.asarray(ra, float) % 360,
        dec=np.asarray(dec, float),
        sigma_ra=np.full(n, sigma),
        sigma_dec=np.full(n, sigma),
        mag=np.full(n, 20.0),
        band=np.zeros(n, np.int8),
        night=np.floor(mjd - 0.5).astype(np.int32),
        visit=np.unique(mjd, return_inverse=True)[1].astype(np.int64) if visit is None else np.asarray(visit, np.int64),
        observer=earth(np.asarray(tdb_from_tai(mjd)))[0] if observer is None else observer,
    )


def together(*parts: Detections) -> Detections:
    """Several skies as one, with ids of their own."""
    both = joined(list(parts))
    return replace(both, id=np.arange(len(both)))


def owners(first: np.ndarray, members: np.ndarray, truth: np.ndarray) -> list[set[int]]:
    """The objects in each list of detections."""
    return [{int(x) for x in truth[part]} for part in np.split(members, first[1:-1])] if len(first) > 1 else []
