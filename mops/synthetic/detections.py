"""What the survey sees of a population: detections with their truth."""

import numpy as np
import numpy.typing as npt

from mops.science.detections import Detections, joined
from mops.science.observers import heliocentric
from mops.science.time_scales import tdb_from_tai
from mops.synthetic import brightness, motion, passages
from mops.synthetic.measurement import Observing, measured
from mops.synthetic.pointings import FIELD_RADIUS_DEG, SITE, Pointings
from mops.synthetic.population import Population
from mops.synthetic.sightings import Sightings, both, false_sightings
from mops.synthetic.sky import unit_vectors

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

MAGNITUDE_SLACK = 0.5  # an object brightens by less within half a night, those at `passages.NEAR_AU` apart


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
    planets: bool = False,
) -> tuple[Detections, Indices]:
    """Observe the population: its motion, light time, H, G magnitudes, fading at the limit, Gaussian astrometry.

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
        Added to every diaSourceId: `injection.INJECTED` marks detections that go beside real ones.
    planets
        Objects move under the Sun, the planets, the Moon and relativity, else under the Sun alone. Which ones may be in
        a field is still asked of the Sun alone, with a slack of a quarter of a degree: keep the epoch within a year.

    Returns
    -------
    Detections, int64 (n,)
        In order of time, with the visits' numbers in the ids (visit · 100,000 + n); and whose each one is: the object's
        index in the population, or −1.

    Raises
    ------
    ValueError
        Without a visit, for a visit that is there twice, whose ids would not fit or that sees more than 99,999 sources.
    """
    observing = Observing(astrometric_noise, false_per_deg2, radius_deg, site, fill, first_id, planets)
    _check(pointings)
    parts = [
        _night(population, pointings.take(pointings.night == night), np.random.default_rng([seed, night]), observing)
        for night in np.unique(pointings.night)
    ]
    return joined([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def _check(pointings: Pointings) -> None:
    if not len(pointings):
        raise ValueError("There is no pointing to simulate: give at least one visit.")
    numbers, times = np.unique(pointings.visit, return_counts=True)
    if times.max() > 1:
        raise ValueError(f"Visit {numbers[times.argmax()]} is there {times.max()} times: number each visit once.")


def _night(
    population: Population, pointings: Pointings, rng: np.random.Generator, observing: Observing
) -> tuple[Detections, Indices]:
    observer, _ = heliocentric(observing.site, pointings.mjd_tai)
    seen = both(
        _true_sightings(population, pointings, observer, rng, observing),
        false_sightings(pointings, rng, observing.false_per_deg2, observing.radius_deg),
    )
    order = np.lexsort((seen.truth, seen.visit, pointings.mjd_tai[seen.visit]))
    seen = Sightings(seen.visit[order], seen.unit[order], seen.mag[order], seen.truth[order])
    return measured(seen, pointings, observer, rng, observing), seen.truth


def _true_sightings(
    population: Population, pointings: Pointings, observer: Array, rng: np.random.Generator, observing: Observing
) -> Sightings:
    tdb = np.asarray(tdb_from_tai(pointings.mjd_tai))
    bright, state_then, middle = _bright_enough(population, pointings, tdb, observer)
    centre = unit_vectors(pointings.ra, pointings.dec)
    radius = np.radians(observing.radius_deg)
    pairs = _candidates(state_then, middle, tdb, observer, centre, radius + np.radians(passages.SLACK_DEG))
    pairs[:, 1] = bright[pairs[:, 1]]
    place = np.empty((len(pairs), 4))
    states = motion.with_planets(population, pairs, tdb) if observing.planets else motion.two_body(population, pairs)
    passages.places(pairs, *states, tdb, observer, population.h, population.g, place)
    visit, truth = pairs[:, 0], pairs[:, 1]
    mag = place[:, 3] - brightness.V_MINUS_BAND[population.stony[truth].astype(int), pointings.band[visit]]
    inside = np.einsum("ij,ij->i", place[:, :3], centre[visit]) >= np.cos(radius)
    kept = np.flatnonzero(inside & (mag < pointings.m5[visit] + brightness.FADED))
    # The draws come last and one for each that could be seen, so that no slack of the search changes them.
    chance = observing.fill * brightness.detection_probability(mag[kept], pointings.m5[visit[kept]])
    kept = kept[rng.random(len(kept)) < chance]
    return Sightings(visit[kept], place[kept, :3], mag[kept], truth[kept])


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
