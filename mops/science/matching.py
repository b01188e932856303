"""Pairs of detections and predicted places, visit by visit: what is near enough to what, and how likely."""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from mops.science import ephemeris, time_scales
from mops.science.apparent import direction
from mops.science.constants import GM_PLANETS
from mops.science.detections import Detections
from mops.science.known import NightStates, SkyIndex, line_of_sight, project

ARCSEC = np.pi / 648_000
COLUMNS = 8  # of a pair's numbers, those of `Pairs` from offset_ra to merit
SIGMA_ARCSEC = 0.1  # of a detection that came without one
GM_EARTH = GM_PLANETS["earth"] + GM_PLANETS["moon"]
TURN_A_DAY = 2 * np.pi * 1.00273781  # of the Earth, radians

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class AttributionConfig:
    """What counts as a match.

    radius_arcsec : within it a pair matches whatever its errors.  sigmas : so does a pair within so many; the share of
    true pairs beyond r sigmas of two coordinates is exp(−r²/2): 1 in 90 beyond 3.  farthest_arcsec : never beyond it;
    objects less certain than that by `sigmas` are named `uncertain`.  model_arcsec : error of the prediction that no
    covariance knows (other planets' pull, centre of light), added to it.
    """

    radius_arcsec: float = 1.0
    sigmas: float = 3.0
    farthest_arcsec: float = 60.0
    model_arcsec: float = 0.02

    def __post_init__(self) -> None:
        ordered = 0 <= self.radius_arcsec <= self.farthest_arcsec < 3600
        if not (ordered and self.sigmas >= 0 and self.model_arcsec >= 0):
            raise ValueError(f"0 ≤ radius_arcsec ≤ farthest_arcsec < 3600 and no negative error are expected: {self}.")


@dataclass(frozen=True, slots=True)
class Pairs:
    """`m` pairs of a detection and an object.

    detection, object : int64 (m,), indices into what was asked about.  offset_ra, offset_dec, along, across : (m,),
    observed − computed, arcsec on the sky; along and across the object's motion, signs as in SSSource.  separation :
    (m,), arcsec.  mahalanobis : (m,), in sigmas.  sigma_major : (m,), arcsec, greatest error of the predicted place.
    merit : (m,), −2 ln of the likelihood; the least wins.  rank : int16 (m,), 1 where no detection of the visit is
    nearer to the object's place.
    """

    detection: Indices
    object: Indices
    offset_ra: Floats
    offset_dec: Floats
    along: Floats
    across: Floats
    separation: Floats
    mahalanobis: Floats
    sigma_major: Floats
    merit: Floats
    rank: npt.NDArray[np.int16]

    def __len__(self) -> int:
        return len(self.detection)

    def take(self, which: npt.NDArray[np.bool_] | Indices) -> "Pairs":
        """Those that `which` names."""
        return Pairs(**{name: getattr(self, name)[which] for name in self.__slots__})


def no_pairs() -> Pairs:
    """None."""
    none = np.empty(0, np.int64)
    return _pairs(none, none, np.empty((0, COLUMNS)), np.empty(0, np.int16))


def _pairs(detection: Indices, body: Indices, numbers: Floats, rank: npt.NDArray[np.int16]) -> Pairs:
    offset_ra, offset_dec, along, across, separation, mahalanobis, sigma, merit = np.ascontiguousarray(numbers.T)
    return Pairs(detection, body, offset_ra, offset_dec, along, across, separation, mahalanobis, sigma, merit, rank)


def joined(parts: list[Pairs]) -> Pairs:
    """One after another."""
    return Pairs(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in Pairs.__slots__})


def match(seen: Detections, night: NightStates, sky: SkyIndex, config: AttributionConfig) -> tuple[Pairs, Indices]:
    """All pairs within the limits, and the objects (indices) that are too uncertain to be searched for all over.

    `seen` : detections whose numbers are finite, at least one.  `sky` : the objects of `night` to look for.
    """
    order = np.lexsort((seen.dec, seen.visit))
    _, starts = np.unique(seen.visit[order], return_index=True)
    first = np.append(starts, len(order))
    towards, observer = direction(seen.ra, seen.dec)[order], np.ascontiguousarray(seen.observer[order])
    since = time_scales.tdb_from_tai(seen.mjd_tai[order]) - night.middle_mjd_tdb
    dec, sigma_ra, sigma_dec = np.radians(seen.dec[order]), _sigma(seen.sigma_ra[order]), _sigma(seen.sigma_dec[order])
    motion = _observer_motion(night.middle_mjd_tdb + since[starts], observer[starts])
    limits = np.array([config.radius_arcsec, config.sigmas, config.farthest_arcsec, config.model_arcsec])
    unsure = np.zeros(len(night), np.bool_)
    found, rows = [], []
    for visit in range(len(starts)):
        inside = slice(first[visit], first[visit + 1])
        centre, radius = _cap(towards[inside])
        candidates = sky.near(centre, radius + config.farthest_arcsec * ARCSEC)
        pairs, measured = _match_visit(
            dec[inside], towards[inside], since[inside], observer[inside], sigma_ra[inside], sigma_dec[inside],
            centre, radius, motion[visit], candidates, night.states, night.covariance, night.sun_motion,
            night.direction, night.reach, limits, unsure,
        )  # fmt: skip
        found.append(np.column_stack([pairs[:, 0] + first[visit], pairs[:, 1], np.full(len(pairs), visit)]))
        rows.append(measured)
    table, numbers = np.concatenate(found), np.concatenate(rows)
    ranks = _ranks(table[:, 2], table[:, 1], numbers[:, 4])
    return _pairs(order[table[:, 0]], table[:, 1].copy(), numbers, ranks), np.flatnonzero(unsure)


def _sigma(sigma: Floats) -> Floats:
    return np.where(sigma > 0, sigma, SIGMA_ARCSEC)


def _observer_motion(mjd_tdb: Floats, observer: Floats) -> Floats:
    """Heliocentric velocity (n, 3), au/day, of observers on the Earth: its motion, and its turning about the pole."""
    place, motion = ephemeris.earth(mjd_tdb)
    x, y, _ = (observer - place).T
    return motion + TURN_A_DAY * np.column_stack([-y, x, np.zeros_like(x)])


def _cap(towards: Floats) -> tuple[Floats, float]:
    """The cap of the sky (centre, radius in radians) that holds all directions."""
    total = towards.sum(axis=0)
    length = np.linalg.norm(total)
    if length < 1e-6 * len(towards):
        return np.array([0.0, 0.0, 1.0]), np.pi
    centre: Floats = total / length
    nearest = np.linalg.norm(towards - centre, axis=1).max()
    return centre, float(2 * np.arcsin(min(nearest / 2, 1.0))) + 1e-9


def _ranks(visit: Indices, body: Indices, separation: Floats) -> npt.NDArray[np.int16]:
    """1 for the nearest detection of each object in each visit, 2 for the next."""
    order = np.lexsort((separation, body, visit))
    same = np.zeros(len(order), np.bool_)
    same[1:] = (visit[order][1:] == visit[order][:-1]) & (body[order][1:] == body[order][:-1])
    start = np.maximum.accumulate(np.where(same, 0, np.arange(len(order))))
    ranks = np.empty(len(order), np.int16)
    ranks[order] = np.minimum(np.arange(len(order)) - start + 1, 32_767)
    return ranks


@numba.njit(cache=True, nogil=True)
def _match_visit(
    dec: Any, towards: Any, since: Any, observer: Any, sigma_ra: Any, sigma_dec: Any, centre: Any, radius: float,
    observer_motion: Any, candidates: Any, states: Any, covariance: Any, sun_motion: Any, directions: Any, reach: Any,
    limits: Any, unsure: Any,
) -> tuple[Any, Any]:  # fmt: skip
    """Pairs (m, 2) of a detection (within the visit) and an object, and their numbers (m, 8), of one visit.

    `dec` ascends. An object is placed once for the visit's middle; near detections are then compared with its place at
    their own time.
    """
    pairs, numbers, count = np.empty((64, 2), np.int64), np.empty((64, COLUMNS)), 0
    then, line, own, errors = np.empty(6), np.empty(3), np.empty(3), np.empty(3)
    middle, half = 0.5 * (since.min() + since.max()), 0.5 * (since.max() - since.min())
    place = np.array([observer[:, axis].mean() for axis in range(3)])
    measured = max(sigma_ra.max(), sigma_dec.max())
    for body in candidates:
        if np.dot(directions[body], centre) < np.cos(min(radius + reach[body] + limits[2] * ARCSEC, np.pi)):
            continue
        distance = line_of_sight(states[body], middle, place, sun_motion, 2, then, line)
        sigma = _prediction_errors(covariance[body], middle, line, distance, limits[3], errors)
        wanted = max(limits[0], limits[1] * np.hypot(sigma, measured))
        spread = (np.sqrt((then[3:] ** 2).sum()) + 0.02) * half / distance  # 0.02 au/day: more than the observer's own
        search = min(wanted, limits[2]) * ARCSEC + spread + 1e-9
        if not np.dot(line, centre) >= distance * np.cos(min(radius + search, np.pi)):
            continue
        unsure[body] |= wanted > limits[2]
        predicted = np.arcsin(min(max(line[2] / distance, -1.0), 1.0))
        for near in range(np.searchsorted(dec, predicted - search), len(dec)):
            if dec[near] > predicted + search:
                break
            if _chord(line, towards[near]) > search:
                continue
            if count == len(pairs):
                pairs, numbers = _longer(pairs), _longer(numbers)
            line_of_sight(states[body], since[near], observer[near], sun_motion, 3, then, own)
            _measure(towards[near], own, then[3:] - observer_motion, errors, sigma, sigma_ra[near], sigma_dec[near],
                     numbers[count])  # fmt: skip
            separation, mahalanobis = numbers[count, 4], numbers[count, 5]
            if separation <= limits[2] and (separation <= limits[0] or mahalanobis <= limits[1]):
                pairs[count, 0], pairs[count, 1] = near, body
                count += 1
    return pairs[:count], numbers[:count]


@numba.njit(cache=True, nogil=True)
def _longer(rows: Any) -> Any:
    return np.concatenate((rows, np.empty_like(rows)))


@numba.njit(cache=True, nogil=True)
def _chord(line: Any, towards: Any) -> Any:
    """Angle between directions, of which the second is a unit vector; for small angles."""
    distance = np.sqrt(np.dot(line, line))
    return np.sqrt(((line / distance - towards) ** 2).sum())


@numba.njit(cache=True, nogil=True)
def _prediction_errors(covariance: Any, since: float, line: Any, distance: float, model: float, errors: Any) -> Any:
    """Variance east, covariance, variance north of a predicted place, arcsec², into `errors`; the greatest sigma.

    What the Earth pulls a near object off its two-body path, GM t² / 2 d², counts as an error of the model.
    """
    pull = 0.5 * GM_EARTH * since * since / distance**3 / ARCSEC
    ee, en, nn = project(covariance, since, line)
    errors[0], errors[1], errors[2] = ee + model**2 + pull**2, en, nn + model**2 + pull**2
    half, tilt = 0.5 * (errors[0] + errors[2]), np.hypot(0.5 * (errors[0] - errors[2]), en)
    return np.sqrt(half + tilt)


@numba.njit(cache=True, nogil=True)
def _measure(
    towards: Any, line: Any, motion: Any, errors: Any, sigma: float, sigma_ra: float, sigma_dec: float, numbers: Any
) -> None:
    """The eight numbers of a pair; `towards` is the detection, `line` the prediction, `motion` relative, au/day."""
    flat = np.hypot(line[0], line[1])
    distance = np.hypot(flat, line[2])
    cos, sin = (line[0] / flat, line[1] / flat) if flat > 0 else (1.0, 0.0)
    up, out = flat / distance, line[2] / distance
    east, north = np.array([-sin, cos, 0.0]), np.array([-out * cos, -out * sin, up])
    x, y = np.dot(towards, east) / ARCSEC, np.dot(towards, north) / ARCSEC
    rate_x, rate_y = np.dot(motion, east), np.dot(motion, north)
    rate = np.hypot(rate_x, rate_y)
    if rate > 0:
        rate_x, rate_y = rate_x / rate, rate_y / rate
    ee, en, nn = errors[0] + sigma_ra**2, errors[1], errors[2] + sigma_dec**2
    determinant = ee * nn - en * en
    square = (nn * x * x - 2 * en * x * y + ee * y * y) / determinant
    numbers[0], numbers[1], numbers[2], numbers[3] = x, y, x * rate_x + y * rate_y, y * rate_x - x * rate_y
    numbers[4], numbers[5], numbers[6] = np.hypot(x, y), np.sqrt(square), sigma
    numbers[7] = square + np.log(determinant)
