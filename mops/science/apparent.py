"""What APDB's SSSource says of a detection of a known object: where it was expected, how far off it was, its geometry.

Columns, units and signs are those of the APDB schema 10.0.0. Places are astrometric: corrected for light time, neither
for aberration nor for the bending of light, as the stars that detections are measured against share both. The Sun, the
origin of our states, itself moves about the barycentre while the light is on its way; that is allowed for.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mops.science import ephemeris, kepler, time_scales
from mops.science.constants import AU_KM, C_AU_PER_DAY, OBLIQUITY
from mops.science.detections import Detections
from mops.science.phase_curve import predicted_magnitude

KM_S = AU_KM / 86_400  # of one au/day
ARCSEC_PER_DEG = 3_600.0

Floats = npt.NDArray[np.float64]

# ICRF to galactic: Hipparcos catalogue, ESA SP-1200 (1997), volume 1, equation 1.5.11.
_GALACTIC = np.array(
    [
        [-0.0548755604162154, -0.8734370902348850, -0.4838350155487132],
        [0.4941094278755837, -0.4448296299600112, 0.7469822444972189],
        [-0.8676661490190047, -0.1980763734312015, 0.4559837761750669],
    ]
)
_ECLIPTIC = np.array([[1, 0, 0], [0, np.cos(OBLIQUITY), np.sin(OBLIQUITY)], [0, -np.sin(OBLIQUITY), np.cos(OBLIQUITY)]])


@dataclass(frozen=True, slots=True)
class Sight:
    """`n` bodies as they are seen: vectors at the time the light left, au and au/day, ICRF, (n, 3) each.

    line, line_rate : from the observer at reception, and its change a day of reception.  place, motion : heliocentric.
    """

    line: Floats
    line_rate: Floats
    place: Floats
    motion: Floats


def see(states: Floats, mjd_tai: Floats, observer: Floats, observer_velocity: Floats) -> Sight:
    """Bodies at `states` (n, 6), heliocentric at the time of reception, from observers (n, 3), heliocentric.

    Light time is found by four repetitions, two-body motion carrying the body back along its path.
    """
    _, sun_motion = ephemeris.barycentric("sun", time_scales.tdb_from_tai(mjd_tai))
    then, delay = states, np.zeros(len(states))
    for _ in range(4):
        line = then[:, :3] - observer - delay[:, None] * sun_motion
        delay = np.linalg.norm(line, axis=1) / C_AU_PER_DAY
        then = kepler.propagate(states, -delay)
    place, motion = then[:, :3], then[:, 3:]
    line, relative = place - observer - delay[:, None] * sun_motion, motion - observer_velocity
    receding = _dot(line, relative) / np.linalg.norm(line, axis=1) / C_AU_PER_DAY  # d(light time)/dt, first order
    return Sight(line, motion * (1 - receding)[:, None] - observer_velocity, place, motion)


def ss_source(
    detections: Detections,
    states: Floats,
    observer_velocity: Floats,
    absolute_magnitude: Floats,
    slope: Floats,
    distance_rank: npt.NDArray[np.int16] | None = None,
) -> dict[str, npt.NDArray[Any]]:
    """SSSource's columns, but for the object's own id and designation, of detections attributed to objects.

    Parameters
    ----------
    detections : n of them.  states : (n, 6), the object's at the detection's time, heliocentric, au, au/day.
    observer_velocity : (n, 3), heliocentric, au/day.  absolute_magnitude, slope : (n,), H (V) and G; NaN where unknown.
    distance_rank : (n,), 1 where no detection is nearer to the predicted place (the default).
    """
    sight = see(states, detections.mjd_tai, detections.observer, observer_velocity)
    r, delta = np.linalg.norm(sight.place, axis=1), np.linalg.norm(sight.line, axis=1)
    topo_motion = sight.motion - observer_velocity
    phase = _angle(sight.place, sight.line)
    rank = np.ones(len(detections), np.int16) if distance_rank is None else distance_rank
    return {
        "diaSourceId": detections.id,
        **_coordinates(detections.ra, detections.dec),
        "elongation": _angle(sight.line, -detections.observer),
        "phaseAngle": phase,
        "topoRange": delta,
        "topoRangeRate": _dot(sight.line, topo_motion) / delta * KM_S,
        "helioRange": r,
        "helioRangeRate": _dot(sight.place, sight.motion) / r * KM_S,
        "ephVmag": predicted_magnitude(absolute_magnitude, slope, r, delta, phase),
        **_expected(detections, sight),
        **_vectors("helio", sight.place, sight.motion),
        **_vectors("topo", sight.line, topo_motion),
        "diaDistanceRank": rank,
    }


def place_of(line: Floats) -> tuple[Floats, Floats]:
    """RA [0, 360) and Dec of directions (n, 3), degrees."""
    ra = np.degrees(np.arctan2(line[:, 1], line[:, 0])) % 360
    return np.where(ra == 360, 0.0, ra), np.degrees(np.arctan2(line[:, 2], np.hypot(line[:, 0], line[:, 1])))


def direction(ra: Floats, dec: Floats) -> Floats:
    """Unit vectors (n, 3) of places in degrees."""
    a, d = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(d) * np.cos(a), np.cos(d) * np.sin(a), np.sin(d)], axis=-1)


def axes_at(line: Floats) -> tuple[Floats, Floats, Floats]:
    """Unit vectors (n, 3) towards directions, and east and north there; at a pole east is that of RA 0."""
    ahead = line / np.linalg.norm(line, axis=-1, keepdims=True)
    flat = np.hypot(ahead[..., 0], ahead[..., 1])
    safe = np.where(flat > 0, flat, 1.0)
    cos, sin = np.where(flat > 0, ahead[..., 0] / safe, 1.0), np.where(flat > 0, ahead[..., 1] / safe, 0.0)
    east = np.stack([-sin, cos, np.zeros_like(cos)], axis=-1)
    return ahead, east, np.cross(ahead, east)


def offsets_arcsec(ra: Floats, dec: Floats, line: Floats) -> tuple[Floats, Floats]:
    """From the predicted directions `line` (n, 3) to places in degrees: east and north, arcsec, along the great circle.

    Good at the poles and across RA 0. The tangent plane is stretched so that the length is the angle.
    """
    ahead, east, north = axes_at(line)
    seen = direction(ra, dec)
    x, y, z = _dot(seen, east), _dot(seen, north), _dot(seen, ahead)
    length = np.hypot(x, y)
    scale = np.degrees(np.arctan2(length, z)) * ARCSEC_PER_DEG / np.where(length > 0, length, 1.0)
    return x * scale, y * scale


def _expected(detections: Detections, sight: Sight) -> dict[str, Floats]:
    """The predicted place and motion, and observed − computed, also along and across the motion.

    Across is positive a quarter turn from the motion, by way of north to west: to the west of what goes north, as in
    Rubin's own association (ap_association).
    """
    ephemeris_ra, ephemeris_dec = place_of(sight.line)
    _, east, north = axes_at(sight.line)
    delta = np.linalg.norm(sight.line, axis=1)
    rate_ra, rate_dec = (np.degrees(_dot(sight.line_rate, axis) / delta) for axis in (east, north))
    rate = np.hypot(rate_ra, rate_dec)
    offset_ra, offset_dec = offsets_arcsec(detections.ra, detections.dec, sight.line)
    with np.errstate(invalid="ignore", divide="ignore"):
        along_ra, along_dec = rate_ra / rate, rate_dec / rate
    return {
        "ephRa": ephemeris_ra,
        "ephDec": ephemeris_dec,
        "ephRate": rate,
        "ephRateRa": rate_ra,
        "ephRateDec": rate_dec,
        "ephOffset": np.hypot(offset_ra, offset_dec),
        "ephOffsetRa": offset_ra,
        "ephOffsetDec": offset_dec,
        "ephOffsetAlongTrack": offset_ra * along_ra + offset_dec * along_dec,
        "ephOffsetCrossTrack": offset_dec * along_ra - offset_ra * along_dec,
    }


def _coordinates(ra: Floats, dec: Floats) -> dict[str, Floats]:
    seen = direction(ra, dec)
    longitude, latitude = place_of(seen @ _ECLIPTIC.T)
    galactic_longitude, galactic_latitude = place_of(seen @ _GALACTIC.T)
    return {
        "eclLambda": longitude,
        "eclBeta": latitude,
        "galLon": galactic_longitude,
        "galLat": galactic_latitude,
    }


def _vectors(name: str, place: Floats, motion: Floats) -> dict[str, Floats]:
    speed = motion * KM_S
    columns = {f"{name}_{axis}": place[:, index] for index, axis in enumerate("xyz")}
    columns |= {f"{name}_v{axis}": speed[:, index] for index, axis in enumerate("xyz")}
    return columns | {f"{name}_vtot": np.linalg.norm(speed, axis=1)}


def _dot(one: Floats, other: Floats) -> Floats:
    product: Floats = np.sum(one * other, axis=-1)
    return product


def _angle(one: Floats, other: Floats) -> Floats:
    """Between vectors (n, 3), degrees; exact near 0° and 180° too."""
    across = np.linalg.norm(np.cross(one, other), axis=1)
    angle: Floats = np.degrees(np.arctan2(across, _dot(one, other)))
    return angle
