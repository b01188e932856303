"""When and where the telescope looked: real OpSim pointings, or a small survey of our own."""

import csv
import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mops.science.constants import OBLIQUITY
from mops.science.detections import BANDS
from mops.science.ephemeris import earth
from mops.science.time_scales import tai_from_utc, tdb_from_tai

Array = npt.NDArray[np.float64]

FIELD_RADIUS_DEG = 1.75  # a circle of the camera's 9.6 deg² (Ivezić et al. 2019, ApJ 873, 111)
SITE = "X05"  # Rubin, Cerro Pachón
MIDNIGHT_UTC = 0.1965  # of a day: local midnight at 70.749° W
TYPICAL_DEPTH = {"u": 23.7, "g": 24.7, "r": 24.2, "i": 23.7, "z": 23.1, "y": 22.2}  # Ivezić et al. 2019, single visits
EXPOSURE_S = 30.0


@dataclass(frozen=True, slots=True)
class Pointings:
    """`n` visits.

    visit : int64 (n,).  mjd_tai : float64 (n,), middle of the exposure.  ra, dec : degrees, centre of the field.
    band : int8 (n,), index in `BANDS`.  night : int32 (n,), dayObs.  m5 : float64 (n,), AB magnitude of 5σ for a point
    source.  seeing : float64 (n,), FWHM in arcsec.
    """

    visit: npt.NDArray[np.int64]
    mjd_tai: Array
    ra: Array
    dec: Array
    band: npt.NDArray[np.int8]
    night: npt.NDArray[np.int32]
    m5: Array
    seeing: Array

    def __len__(self) -> int:
        return len(self.visit)

    def take(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Pointings":
        """Those that `which` (a mask or indices) names, in its order."""
        return Pointings(**{field.name: getattr(self, field.name)[which] for field in fields(self)})


def pointings_from_opsim(path: Path | str, nights: Collection[int] | None = None) -> Pointings:
    """Visits of an OpSim table exported as CSV, in order of time.

    Parameters
    ----------
    path
        Needs the columns observationId, observationStartMJD (taken as TAI), visitTime, filter, seeingFwhmEff,
        fiveSigmaDepth, fieldRA and fieldDec.
    nights
        Only these dayObs; all where None.

    Raises
    ------
    ValueError
        For a table without those columns or without a visit on those nights.
    """
    with Path(path).open(newline="") as file:
        rows = list(csv.DictReader(file))
    missing = sorted(set(_COLUMNS) - set(rows[0] if rows else ()))
    if missing:
        raise ValueError(f"{path} has no column {', '.join(missing)}; it must be an OpSim table with a header line.")
    column = {name: np.array([row[name] for row in rows]) for name in _COLUMNS}
    number = {name: column[name].astype(np.float64) for name in _COLUMNS if name != "filter"}
    mjd_tai = number["observationStartMJD"] + number["visitTime"] / 2 / 86400
    pointings = Pointings(
        visit=column["observationId"].astype(np.int64),
        mjd_tai=mjd_tai,
        ra=number["fieldRA"],
        dec=number["fieldDec"],
        band=np.array([BANDS.index(word) for word in column["filter"]], dtype=np.int8),
        night=day_obs(mjd_tai),
        m5=number["fiveSigmaDepth"],
        seeing=number["seeingFwhmEff"],
    )
    chosen = np.ones(len(mjd_tai), dtype=bool) if nights is None else np.isin(pointings.night, list(nights))
    if not chosen.any():
        raise ValueError(f"{path} has no visit on {sorted(nights or ())}: it covers {_span(pointings.night)}.")
    return pointings.take(np.flatnonzero(chosen)[np.argsort(mjd_tai[chosen], kind="stable")])


_COLUMNS = (
    "observationId",
    "observationStartMJD",
    "visitTime",
    "filter",
    "seeingFwhmEff",
    "fiveSigmaDepth",
    "fieldRA",
    "fieldDec",
)


def _span(night: npt.NDArray[np.int32]) -> str:
    return f"{night.min()} to {night.max()}"


def day_obs(mjd: Array) -> npt.NDArray[np.int32]:
    """The dayObs of instants: the date at UTC − 12 h, as yyyymmdd. The half minute between TAI and UTC is at noon."""
    days = np.floor(np.asarray(mjd) - 0.5).astype(np.int64)
    dates = (np.datetime64("1858-11-17") + days).astype("datetime64[D]").astype(str)
    return np.char.replace(dates, "-", "").astype(np.int32)


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
    step_minutes = 0.7
    if count * step_minutes > gap_minutes:
        raise ValueError(
            f"{count} fields take {count * step_minutes:.0f} minutes, longer than the gap of {gap_minutes:g}: "
            "choose fewer fields or a longer gap."
        )
    midnights = _midnights(first_day_obs, nights, every)
    ra, dec = _fields_about_opposition(float(midnights.mean()), fields_across)
    in_night = np.concatenate([np.arange(count) * step_minutes, gap_minutes + np.arange(count) * step_minutes]) / 1440
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
        seeing=np.full(len(night), 0.9),
    )


def _midnights(first_day_obs: int, nights: int, every: int) -> Array:
    """MJD TAI of local midnight of each night: after the date's noon, hence on the next UTC date."""
    first = dt.datetime.strptime(str(first_day_obs), "%Y%m%d").replace(tzinfo=dt.UTC).date()
    days = (first - dt.date(1858, 11, 17)).days + 1 + every * np.arange(nights, dtype=np.float64)
    return tai_from_utc(np.asarray(days + MIDNIGHT_UTC, dtype=np.float64))


def _fields_about_opposition(mjd_tai: float, across: int) -> tuple[Array, Array]:
    """RA and Dec, degrees, of across² fields in a square along the ecliptic, row by row."""
    position, _ = earth(tdb_from_tai(np.array([mjd_tai])))
    ecliptic = position[0] @ _equatorial_from_ecliptic()
    offsets = 3.0 * (np.arange(across) - (across - 1) / 2)
    longitude = np.arctan2(ecliptic[1], ecliptic[0]) + np.radians(np.tile(offsets, across))
    latitude = np.radians(np.repeat(offsets, across))
    unit = np.stack([np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)])
    x, y, z = _equatorial_from_ecliptic() @ unit
    return np.degrees(np.arctan2(y, x)) % 360, np.degrees(np.arcsin(z))


def _equatorial_from_ecliptic() -> Array:
    cos, sin = np.cos(OBLIQUITY), np.sin(OBLIQUITY)
    return np.array([[1.0, 0.0, 0.0], [0.0, cos, -sin], [0.0, sin, cos]])
