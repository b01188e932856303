"""A small survey of our own, and the door to OpSim's."""

import datetime as dt

import numpy as np
import numpy.typing as npt

from mops.science.detections import BANDS
from mops.science.time_scales import tai_from_utc, tdb_from_tai
from mops.synthetic.opposition import equatorial_from_ecliptic, opposition_longitude
from mops.synthetic.opsim import pointings_from_opsim as pointings_from_opsim
from mops.synthetic.pointings import Pointings as Pointings
from mops.synthetic.pointings import day_obs

Array = npt.NDArray[np.float64]

MIDNIGHT_UTC = 0.1965  # of a day: local midnight at 70.749° W
TYPICAL_DEPTH = {"u": 23.7, "g": 24.7, "r": 24.2, "i": 23.7, "z": 23.1, "y": 22.2}  # Ivezić et al. 2019, single visits
TYPICAL_SEEING = 0.9  # arcsec
VISIT_MINUTES = 0.7
SPACING_DEG = 3.0


def small_survey(
    first_day_obs: int,
    nights: int = 5,
    *,
    every: int = 3,
    fields_across: int = 3,
    gap_minutes: float = 30.0,
    bands: str = "ri",
) -> Pointings:
    """A survey of our own: a square of fields about opposition, each visited twice a night.

    Parameters
    ----------
    first_day_obs
        The first night, yyyymmdd.
    nights, every
        How many nights, and how many days from one to the next.
    fields_across
        Fields along the ecliptic and across it, 3° apart, about the anti-Sun of the middle night; they stay, so that
        objects drift through them.
    gap_minutes
        From the first to the second visit of a field.
    bands
        Of the first and the second round, then of the next night's, going round.

    Returns
    -------
    Pointings
        nights × fields_across² × 2 visits numbered as Rubin's (dayObs·100000 + n), of typical depth and seeing 0.9″.

    Raises
    ------
    ValueError
        For a date that is none, and where a round of fields takes longer than the gap.
    """
    count = fields_across**2
    if count * VISIT_MINUTES > gap_minutes:
        raise ValueError(
            f"{count} fields take {count * VISIT_MINUTES:.0f} minutes, longer than the gap of {gap_minutes:g}: "
            "choose fewer fields or a longer gap."
        )
    midnights = _midnights(first_day_obs, nights, every)
    ra, dec = _fields_about_opposition(float(midnights.mean()), fields_across)
    in_night = np.concatenate([np.arange(count) * VISIT_MINUTES, gap_minutes + np.arange(count) * VISIT_MINUTES]) / 1440
    mjd_tai = (midnights[:, None] + in_night - in_night.mean()).ravel()
    night = np.repeat(day_obs(midnights), 2 * count)
    rounds = np.repeat(np.arange(2 * nights), count)
    words = np.array(list(bands))[rounds % len(bands)]
    return Pointings(
        visit=night.astype(np.int64) * 100_000 + np.tile(np.arange(1, 2 * count + 1), nights),
        mjd_tai=mjd_tai,
        ra=np.tile(ra, 2 * nights),
        dec=np.tile(dec, 2 * nights),
        band=np.array([BANDS.index(word) for word in words], dtype=np.int8),
        night=night,
        m5=np.array([TYPICAL_DEPTH[word] for word in words]),
        seeing=np.full(len(night), TYPICAL_SEEING),
    )


def _midnights(first_day_obs: int, nights: int, every: int) -> Array:
    """MJD TAI of local midnight of each night: after the date's noon, hence on the next UTC date."""
    try:
        first = dt.date.fromisoformat(str(first_day_obs))
    except ValueError as error:
        raise ValueError(f"{first_day_obs} is no date: give the first night as yyyymmdd.") from error
    days = (first - dt.date(1858, 11, 17)).days + 1 + every * np.arange(nights, dtype=np.float64)
    return tai_from_utc(np.asarray(days + MIDNIGHT_UTC, dtype=np.float64))


def _fields_about_opposition(mjd_tai: float, across: int) -> tuple[Array, Array]:
    """RA and Dec, degrees, of across² fields in a square along the ecliptic, row by row."""
    middle = np.radians(opposition_longitude(float(tdb_from_tai(np.array([mjd_tai]))[0])))
    offsets = SPACING_DEG * (np.arange(across) - (across - 1) / 2)
    longitude = middle + np.radians(np.tile(offsets, across))
    latitude = np.radians(np.repeat(offsets, across))
    unit = np.stack([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)])
    x, y, z = equatorial_from_ecliptic() @ unit
    return np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arcsin(z))
