"""Tonight: which known objects fall into which field and when, how surely, and how bright."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from mops.science import known, observers, time_scales
from mops.science.apparent import ARCSEC_PER_DEG, direction, offsets_arcsec, place_of
from mops.science.known import NightStates
from mops.science.phase_curve import V_MINUS_BAND, predicted_magnitude

RATE_STEP_DAYS = 1 / 1_440
SIGMAS_OUTSIDE = 3.0  # an object so many sigmas outside a field is still listed, with its small chance
FARTHEST_OUTSIDE_DEG = 5.0
SMALLEST_SIGMA = 1e-3  # arcsec, of an exact orbit, so that it is in a field or not

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fields:
    """`n` planned visits of one night.

    mjd_tai : (n,), middle of the exposure.  ra, dec : (n,), degrees, of the field's centre.  radius_deg : (n,).
    band : int8 (n,), index in `BANDS`, −1 for V.  m5 : (n,), magnitude of 5 sigma, NaN where unknown.
    """

    mjd_tai: Floats
    ra: Floats
    dec: Floats
    radius_deg: Floats
    band: npt.NDArray[np.int8]
    m5: Floats

    def __len__(self) -> int:
        return len(self.mjd_tai)


@dataclass(frozen=True, slots=True)
class Predictions:
    """`m` meetings of an object with a field, ordered by field.

    field, object : int64 (m,), indices.  mjd_tai : (m,).  ra, dec : (m,), degrees.  rate_ra, rate_dec : (m,), degrees a
    day on the sky.  sigma_major, sigma_minor : (m,), arcsec, one sigma.  position_angle : (m,), degrees [0, 180), of
    the long axis, from north by east.  magnitude : (m,), in the field's band, NaN where H is unknown.  inside : (m,),
    probability that the object is in the field, from its error towards the edge.
    """

    field: Indices
    object: Indices
    mjd_tai: Floats
    ra: Floats
    dec: Floats
    rate_ra: Floats
    rate_dec: Floats
    sigma_major: Floats
    sigma_minor: Floats
    position_angle: Floats
    magnitude: Floats
    inside: Floats

    def __len__(self) -> int:
        return len(self.field)


def predict(
    fields: Fields,
    states: Floats,
    epochs: Floats,
    covariances: Floats | None = None,
    absolute_magnitude: Floats | None = None,
    slope: Floats | None = None,
    observatory: str = "X05",
) -> Predictions:
    """Which objects fall into which fields, and when, with their error ellipses.

    Parameters
    ----------
    states : (k, 6), heliocentric, ICRF, au, au/day.  epochs : (k,), MJD TDB.  covariances : (k, 6, 6) or None (exact).
    absolute_magnitude, slope : (k,), H in V and G, NaN or None where unknown (G is then 0.15).

    Raises
    ------
    ValueError : the fields are not of one night, or the observatory is unknown.
    """
    unknown = np.full(len(states), np.nan)
    h, g = (unknown if each is None else each for each in (absolute_magnitude, slope))
    if len(fields) == 0 or len(states) == 0:
        return joined([])
    night = known.in_the_night(states, epochs, covariances, fields.mjd_tai)
    sky, margin, tdb = known.index(night), _widest(night), time_scales.tdb_from_tai(fields.mjd_tai)
    observer, velocity = observers.heliocentric(observatory, fields.mjd_tai)
    parts = []
    for field in range(len(fields)):
        visit = _Visit(fields, field, tdb[field], observer[field], velocity[field])
        near = sky.near(visit.centre, np.radians(fields.radius_deg[field] + margin))
        parts.append(_meet(visit, night, near, h, g))
    return joined(parts)


def joined(parts: list[Predictions]) -> Predictions:
    """One after another."""
    columns = {name: [getattr(part, name) for part in parts] for name in Predictions.__slots__}
    kinds = {name: np.int64 if name in {"field", "object"} else np.float64 for name in columns}
    return Predictions(**{name: np.concatenate([np.empty(0, kinds[name]), *each]) for name, each in columns.items()})


@dataclass(frozen=True, slots=True)
class _Visit:
    """One of `fields`, and whence it is seen."""

    fields: Fields
    index: int
    mjd_tdb: float
    observer: Floats
    velocity: Floats

    @property
    def centre(self) -> Floats:
        return direction(self.fields.ra[self.index], self.fields.dec[self.index])

    def lines(self, night: NightStates, which: Indices, after: float = 0.0) -> Floats:
        """To the objects `which`, `after` days after the middle of the exposure."""
        here = np.broadcast_to(self.observer + after * self.velocity, (len(which), 3))
        return known.lines_of_sight(night, which, np.full(len(which), self.mjd_tdb + after), here)


def _meet(visit: _Visit, night: NightStates, near: Indices, h: Floats, g: Floats) -> Predictions:
    """Of the objects `near`, those that may be in the field."""
    limit = ARCSEC_PER_DEG * visit.fields.radius_deg[visit.index]
    line = visit.lines(night, near)
    errors = known.sky_covariance(night, near, np.full(len(near), visit.mjd_tdb), line)
    away = _towards_the_centre(line, visit.centre)
    distance = np.hypot(*away)
    reach = np.minimum(SIGMAS_OUTSIDE * _ellipse(errors)[0], FARTHEST_OUTSIDE_DEG * ARCSEC_PER_DEG)
    kept = np.flatnonzero(distance <= limit + reach)
    line, errors, body = line[kept], errors[kept], near[kept]
    ra, dec = place_of(line)
    later = place_of(visit.lines(night, body, RATE_STEP_DAYS))
    rate_ra, rate_dec = (each / ARCSEC_PER_DEG / RATE_STEP_DAYS for each in offsets_arcsec(*later, line))
    major, minor, angle = _ellipse(errors)
    return Predictions(
        field=np.full(len(kept), visit.index),
        object=body,
        mjd_tai=np.full(len(kept), visit.fields.mjd_tai[visit.index]),
        ra=ra,
        dec=dec,
        rate_ra=rate_ra,
        rate_dec=rate_dec,
        sigma_major=major,
        sigma_minor=minor,
        position_angle=angle,
        magnitude=_magnitude(line, visit, h[body], g[body]),
        inside=_inside(away[:, kept], errors, limit),
    )


def _towards_the_centre(line: Floats, centre: Floats) -> Floats:
    """From objects to the field's centre, east and north of each object, (2, n) arcsec."""
    ra, dec = place_of(np.broadcast_to(centre, (len(line), 3)))
    return np.stack(offsets_arcsec(ra, dec, line))


def _ellipse(errors: Floats) -> tuple[Floats, Floats, Floats]:
    """Half axes, arcsec, and position angle of the long one, degrees [0, 180), of (n, 3) variances and covariance."""
    east, both, north = errors.T
    middle, half = 0.5 * (east + north), np.hypot(0.5 * (north - east), both)
    angle = np.degrees(0.5 * np.arctan2(both, 0.5 * (north - east))) % 180
    return np.sqrt(middle + half), np.sqrt(np.maximum(middle - half, 0.0)), angle


def _inside(away: Floats, errors: Floats, limit: float) -> Floats:
    """Probability of being within `limit` of the centre, from the error along the line to it: the edge counts as
    straight, good while the error is small beside the field."""
    distance = np.hypot(*away)
    east, north = np.divide(away, distance, out=np.zeros_like(away), where=distance > 0)
    variance = east**2 * errors[:, 0] + 2 * east * north * errors[:, 1] + north**2 * errors[:, 2]
    sigma = np.sqrt(np.maximum(variance, SMALLEST_SIGMA**2))
    probability: Floats = ndtr((limit - distance) / sigma) - ndtr((-limit - distance) / sigma)
    return probability


def _magnitude(line: Floats, visit: _Visit, h: Floats, g: Floats) -> Floats:
    """Predicted, in the field's band."""
    place = line + visit.observer
    r, delta = np.linalg.norm(place, axis=1), np.linalg.norm(line, axis=1)
    cosine = np.sum(place * line, axis=1) / (r * delta)
    phase = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    band = visit.fields.band[visit.index]
    return predicted_magnitude(h, g, r, delta, phase) - (V_MINUS_BAND[band] if band >= 0 else 0.0)


def _widest(night: NightStates) -> float:
    """Degrees by which an object's errors can bring it into a field that its place is outside of."""
    size = np.sqrt(np.trace(night.covariance[:, :3, :3], axis1=1, axis2=2))
    with np.errstate(invalid="ignore"):
        angle = np.degrees(size / np.maximum(np.linalg.norm(night.states[:, :3], axis=1) - 1.1, 0.1)) * SIGMAS_OUTSIDE
    return float(min(np.nanmax(angle, initial=0.0), FARTHEST_OUTSIDE_DEG))
