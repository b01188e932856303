"""What the survey sees of a population: detections with their truth."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mops.science.detections import Detections, joined
from mops.science.observers import heliocentric
from mops.science.time_scales import tdb_from_tai
from mops.synthetic import brightness, passages
from mops.synthetic.population import Population
from mops.synthetic.survey import FIELD_RADIUS_DEG, SITE, Pointings

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

FALSE = -1  # truth of a detection of nothing
PER_VISIT = 100_000  # ids of one visit
INJECTED = 4_000_000_000_000_000_000  # ids from here on are synthetic detections among real ones
FLOOR_ARCSEC = 0.010
MAGNITUDE_SLACK = 0.5  # an object brightens by less within half a night, those at `passages.NEAR_AU` apart
FALSE_SPREAD = 0.3  # mag: false detections crowd at the limit, exponentially


@dataclass(frozen=True, slots=True)
class Observing:
    """How the survey measures.

    astrometric_noise : arcsec, of both coordinates; None draws it from signal to noise, FWHM and a floor of 10 mas.
    false_per_deg2 : mean number of false detections per deg² and visit.  radius_deg : of the field.  site : MPC code.
    fill : share of the field that detects.  first_id : added to every id.
    """

    astrometric_noise: float | None = None
    false_per_deg2: float = 0.0
    radius_deg: float = FIELD_RADIUS_DEG
    site: str = SITE
    fill: float = 1.0
    first_id: int = 0


@dataclass(frozen=True, slots=True)
class _Sightings:
    """What one night gave before it is put in order: visit index, unit vector, magnitude in band, truth."""

    visit: Indices
    unit: Array
    mag: Array
    truth: Indices


def simulate(
    population: Population,
    pointings: Pointings,
    *,
    seed: int,
    astrometric_noise: float | None = None,
    false_per_deg2: float = 0.0,
    radius_deg: float = FIELD_RADIUS_DEG,
    site: str = SITE,
    fill: float = 1.0,
    first_id: int = 0,
) -> tuple[Detections, Indices]:
    """Observe the population: two-body motion, light time, H, G magnitudes, fading at the limit, Gaussian astrometry.

    Parameters
    ----------
    population, pointings
        What there is, and where the telescope looked.
    seed
        Together with the night it decides every draw: a night simulated alone gives the same detections.
    astrometric_noise
        Sigma of each coordinate in arcsec; None draws it from signal to noise, seeing and a floor of 10 mas.
    false_per_deg2
        Mean number of false detections per deg² and visit, uniform in the field, crowded at the magnitude limit.
    radius_deg, site, fill
        The circular field; the MPC code; the share of the field that detects (chip gaps, masks).
    first_id
        Added to every diaSourceId: `INJECTED` marks detections that go beside real ones.

    Returns
    -------
    Detections, int64 (n,)
        In order of time, with the visits' numbers in the ids (visit · 100,000 + n); and whose each one is: the object's
        index in the population, or −1.

    Raises
    ------
    ValueError
        For visits whose ids would not fit or that see more than 99,999 detections.
    """
    observing = Observing(astrometric_noise, false_per_deg2, radius_deg, site, fill, first_id)
    parts = [
        _night(population, pointings.take(pointings.night == night), np.random.default_rng([seed, night]), observing)
        for night in np.unique(pointings.night)
    ]
    if not parts:
        raise ValueError("There is no pointing to simulate: give at least one visit.")
    return joined([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _night(
    population: Population, pointings: Pointings, rng: np.random.Generator, observing: Observing
) -> tuple[Detections, Indices]:
    observer, _ = heliocentric(observing.site, pointings.mjd_tai)
    seen = _both(
        _true_sightings(population, pointings, observer, rng, observing),
        _false_sightings(pointings, rng, observing),
    )
    order = np.lexsort((seen.truth, seen.visit, pointings.mjd_tai[seen.visit]))
    seen = _Sightings(seen.visit[order], seen.unit[order], seen.mag[order], seen.truth[order])
    return _measured(seen, pointings, observer, rng, observing), seen.truth


def _true_sightings(
    population: Population, pointings: Pointings, observer: Array, rng: np.random.Generator, observing: Observing
) -> _Sightings:
    tdb = np.asarray(tdb_from_tai(pointings.mjd_tai))
    bright, state_then, middle = _bright_enough(population, pointings, tdb, observer)
    centre = unit_vectors(pointings.ra, pointings.dec)
    radius = np.radians(observing.radius_deg)
    pairs = _candidates(state_then, middle, tdb, observer, centre, radius + np.radians(passages.SLACK_DEG))
    pairs[:, 1] = bright[pairs[:, 1]]
    place = np.empty((len(pairs), 4))
    passages.places(pairs, population.state, population.epoch_mjd_tdb, tdb, observer, population.h, population.g, place)
    visit, truth = pairs[:, 0], pairs[:, 1]
    mag = place[:, 3] - brightness.V_MINUS_BAND[population.stony[truth].astype(int), pointings.band[visit]]
    inside = np.einsum("ij,ij->i", place[:, :3], centre[visit]) >= np.cos(radius)
    kept = np.flatnonzero(inside & (mag < pointings.m5[visit] + brightness.FADED))
    # The draws come last and one for each that could be seen, so that no slack of the search changes them.
    chance = observing.fill * brightness.detection_probability(mag[kept], pointings.m5[visit[kept]])
    kept = kept[rng.random(len(kept)) < chance]
    return _Sightings(visit[kept], place[kept, :3], mag[kept], truth[kept])


def _bright_enough(
    population: Population, pointings: Pointings, tdb: Array, observer: Array
) -> tuple[Indices, Array, float]:
    """Objects that the deepest visit of the night might see, their states at its middle, and when that is."""
    at = len(tdb) // 2
    then = np.empty((len(population), 7))
    since = tdb[at] - population.epoch_mjd_tdb
    passages.night_states(population.state, since, observer[at], population.h, population.g, then)
    reach = pointings.m5 + brightness.V_MINUS_BAND[:, pointings.band].max(axis=0)
    limit = reach.max() + brightness.FADED + MAGNITUDE_SLACK
    near = np.linalg.norm(then[:, :3] - observer[at], axis=1) < 2 * passages.NEAR_AU
    bright = np.flatnonzero((then[:, 6] < limit) | near)
    return bright, then[bright, :6], float(tdb[at])


def _candidates(state: Array, middle: float, tdb: Array, observer: Array, centre: Array, radius: float) -> Indices:
    found = np.empty((len(state) // 2 + 1024, 2), dtype=np.int64)
    count = passages.in_fields(state, middle, tdb, observer, centre, radius, found)
    if count > len(found):
        found = np.empty((count, 2), dtype=np.int64)
        passages.in_fields(state, middle, tdb, observer, centre, radius, found)
    found = found[:count]
    return found[np.lexsort((found[:, 1], found[:, 0]))]


def _false_sightings(pointings: Pointings, rng: np.random.Generator, observing: Observing) -> _Sightings:
    """Poisson numbers of them, uniform in each cap, exponentially rarer to the bright side of its limit."""
    height = 1 - np.cos(np.radians(observing.radius_deg))
    area_deg2 = 2 * np.pi * height * np.degrees(1) ** 2
    visit = np.repeat(np.arange(len(pointings)), rng.poisson(observing.false_per_deg2 * area_deg2, len(pointings)))
    cosine = 1 - height * rng.random(len(visit))
    sine, turn = np.sqrt(1 - cosine**2), rng.uniform(0, 2 * np.pi, len(visit))
    centre = unit_vectors(pointings.ra, pointings.dec)[visit]
    east, north = tangents(pointings.ra[visit], pointings.dec[visit])
    unit = cosine[:, None] * centre + (sine * np.cos(turn))[:, None] * north + (sine * np.sin(turn))[:, None] * east
    mag = pointings.m5[visit] - rng.exponential(FALSE_SPREAD, len(visit))
    return _Sightings(visit, unit, mag, np.full(len(visit), FALSE, dtype=np.int64))


def _both(first: _Sightings, second: _Sightings) -> _Sightings:
    return _Sightings(
        np.concatenate([first.visit, second.visit]),
        np.concatenate([first.unit, second.unit]),
        np.concatenate([first.mag, second.mag]),
        np.concatenate([first.truth, second.truth]),
    )


def _measured(
    seen: _Sightings, pointings: Pointings, observer: Array, rng: np.random.Generator, observing: Observing
) -> Detections:
    """Sightings in order of time, with noise, as detections."""
    n, visit = len(seen.visit), seen.visit
    snr = brightness.signal_to_noise(seen.mag, pointings.m5[visit])
    sigma = brightness.astrometric_sigma(snr, pointings.seeing[visit], FLOOR_ARCSEC)
    if observing.astrometric_noise is not None:
        sigma = np.full(n, observing.astrometric_noise)
    ra, dec = sky(seen.unit)
    east, north = tangents(ra, dec)
    noise = np.radians(sigma / 3600) * rng.standard_normal((2, n))
    ra, dec = sky(seen.unit + noise[0][:, None] * east + noise[1][:, None] * north)
    return Detections(
        id=_ids(pointings.visit[visit], observing.first_id),
        mjd_tai=pointings.mjd_tai[visit],
        ra=ra,
        dec=dec,
        sigma_ra=sigma,
        sigma_dec=sigma.copy(),
        mag=seen.mag + 1.0857 / snr * rng.standard_normal(n),
        band=pointings.band[visit],
        night=pointings.night[visit],
        visit=pointings.visit[visit],
        observer=observer[visit],
    )


def _ids(visit: Indices, first_id: int) -> Indices:
    """visit · 100,000 + 1, 2, … within each visit; detections of one visit stand together."""
    if not len(visit):
        return visit.copy()
    starts = np.flatnonzero(np.diff(visit, prepend=visit[0] - 1))
    number = np.arange(len(visit)) - np.repeat(starts, np.diff(starts, append=len(visit))) + 1
    largest = int(visit.max())
    if number.max() >= PER_VISIT or first_id + largest * PER_VISIT > np.iinfo(np.int64).max - PER_VISIT:
        raise ValueError(
            f"Visit {largest} with up to {number.max()} detections does not fit ids of visit · {PER_VISIT} + n from "
            f"{first_id}: lower the density of false detections or number the visits lower."
        )
    return np.asarray(first_id + visit * PER_VISIT + number, dtype=np.int64)


def unit_vectors(ra: Array, dec: Array) -> Array:
    """(n, 3) of RA and Dec in degrees."""
    a, d = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=-1)


def tangents(ra: Array, dec: Array) -> tuple[Array, Array]:
    """Unit vectors to the east and to the north, (n, 3) each; at a pole they follow the given RA."""
    a, d = np.radians(ra), np.radians(dec)
    east = np.stack([-np.sin(a), np.cos(a), np.zeros_like(a)], axis=-1)
    north = np.stack([-np.sin(d) * np.cos(a), -np.sin(d) * np.sin(a), np.cos(d)], axis=-1)
    return east, north


def sky(vector: Array) -> tuple[Array, Array]:
    """RA in [0, 360) and Dec, degrees, of vectors of any length (n, 3)."""
    ra = np.degrees(np.arctan2(vector[:, 1], vector[:, 0])) % 360
    # A tiny negative angle rounds to 360 itself, which is no right ascension.
    return np.where(ra >= 360, 0.0, ra), np.degrees(np.arctan2(vector[:, 2], np.hypot(vector[:, 0], vector[:, 1])))


def merged(real: Detections, injected: Detections, truth: Indices) -> tuple[Detections, Indices]:
    """Injected detections beside real ones, in order of time, with the truth (−1 for every real one).

    Raises
    ------
    ValueError
        Where an injected id is not marked (`INJECTED`), or an id is there twice.
    """
    both = joined([real, injected])
    if len(injected) and injected.id.min() < INJECTED:
        raise ValueError(f"Injected detections must have ids from {INJECTED}: simulate with first_id=INJECTED.")
    if len(np.unique(both.id)) < len(both):
        raise ValueError("Some ids are there twice: real detections must have ids below the injected ones.")
    order = np.argsort(both.mjd_tai, kind="stable")
    known = np.concatenate([np.full(len(real), FALSE, dtype=np.int64), truth])
    return both.take(order), known[order]
