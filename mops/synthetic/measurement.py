"""From what stood in the field to what the survey reports of it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mops.science.detections import Detections
from mops.synthetic import brightness
from mops.synthetic.pointings import FIELD_RADIUS_DEG, SITE, Pointings
from mops.synthetic.sightings import Sightings
from mops.synthetic.sky import angles, tangents

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

PER_VISIT = 100_000  # ids of one visit
FLOOR_ARCSEC = 0.010  # astrometry's, from the atmosphere (Ivezić et al. 2019, ApJ 873, 111, §3.1)
MAG_PER_RELATIVE_ERROR = 2.5 / np.log(10)


@dataclass(frozen=True, slots=True)
class Observing:
    """How the survey measures.

    astrometric_noise : arcsec, of both coordinates; None draws it from signal to noise, FWHM and a floor of 10 mas.
    false_per_deg2 : mean number of false detections per deg² and visit.  radius_deg : of the field.  site : MPC code.
    fill : share of the field that detects.  first_id : added to every id.  planets : move objects.
    """

    astrometric_noise: float | None = None
    false_per_deg2: float = 0.0
    radius_deg: float = FIELD_RADIUS_DEG
    site: str = SITE
    fill: float = 1.0
    first_id: int = 0
    planets: bool = False


def measured(
    seen: Sightings, pointings: Pointings, observer: Array, rng: np.random.Generator, observing: Observing
) -> Detections:
    """Sightings in order of time, with noise, as detections of increasing ids.

    Raises
    ------
    ValueError
        For visits whose ids would not fit, or with more detections than a visit has ids.
    """
    n, visit = len(seen.visit), seen.visit
    snr = brightness.signal_to_noise(seen.mag, pointings.m5[visit])
    sigma = brightness.astrometric_sigma(snr, pointings.seeing[visit], FLOOR_ARCSEC)
    if observing.astrometric_noise is not None:
        sigma = np.full(n, observing.astrometric_noise)
    ra, dec = angles(seen.unit)
    east, north = tangents(ra, dec)
    noise = np.radians(sigma / 3600) * rng.standard_normal((2, n))
    ra, dec = angles(seen.unit + noise[0][:, None] * east + noise[1][:, None] * north)
    return Detections(
        id=_ids(pointings.visit[visit], observing.first_id),
        mjd_tai=pointings.mjd_tai[visit],
        ra=ra,
        dec=dec,
        sigma_ra=sigma,
        sigma_dec=sigma.copy(),
        mag=seen.mag + MAG_PER_RELATIVE_ERROR / snr * rng.standard_normal(n),
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
