"""dayObs, the Sun at the site, and the clocks.

dayObs is the calendar date of TAI − 12 h, so it rolls over at 12:00:00 TAI (11:59:23 UTC since 2017), when no
observatory in Chile observes (Rubin's own rule: prompt_processing, `lsst.summit.utils.dateTime`).
The daytime that DayOps serves, from sunrise to evening twilight, belongs to the dayObs of the *following* night
except for the first hour or so after sunrise; anchors are therefore given per dayObs: the sunset that opens its night.
"""

import warnings
from bisect import bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from astropy.coordinates import AltAz, EarthLocation, get_sun
from astropy.time import Time, TimeDelta
from astropy.utils import iers
from astropy.utils.exceptions import AstropyWarning
from erfa import ErfaWarning, leap_seconds
from numpy.typing import NDArray

iers.conf.auto_download = False  # a control room has no business fetching tables while it draws a page
iers.conf.auto_max_age = None  # without a fresh table UT1 − UTC is off by < 0.9 s, which moves no sunset
iers.conf.iers_degraded_accuracy = "ignore"

CERRO_PACHON = EarthLocation.from_geodetic(lon=-70.749417, lat=-30.244639, height=2663.0)  # Rubin, SITCOMTN-039
CHILE = ZoneInfo("America/Santiago")
_MJD_EPOCH = datetime(1858, 11, 17, tzinfo=UTC)
_OFFSETS_BEGIN = [(int(row["year"]), int(row["month"])) for row in leap_seconds.get()]
_OFFSETS_S = [float(row["tai_utc"]) for row in leap_seconds.get()]
SUNSET_ALTITUDE_DEG = -0.833  # upper limb, standard refraction (Meeus 1998, ch. 15)


def tai_offset(at: datetime) -> timedelta:
    """TAI − UTC at the UTC instant `at`, from the leap-second table that comes with astropy.

    After the last entry the offset stays: leap seconds yet to be announced cannot be known.
    """
    utc = at.astimezone(UTC)
    return timedelta(seconds=_OFFSETS_S[bisect_right(_OFFSETS_BEGIN, (utc.year, utc.month)) - 1])


def mjd_tai(at: datetime) -> float:
    """Modified Julian Date in TAI of a UTC instant."""
    return (at + tai_offset(at) - _MJD_EPOCH) / timedelta(days=1)


def day_obs_at(at: datetime) -> int:
    """dayObs (YYYYMMDD) of the UTC instant `at`."""
    tai = at.astimezone(UTC) + tai_offset(at)
    return _as_int((tai - timedelta(hours=12)).date())


def _as_int(day: date) -> int:
    return day.year * 10_000 + day.month * 100 + day.day


@dataclass(frozen=True, slots=True)
class ObservingDay:
    """One dayObs. Raises ValueError, in words, for a number that is not a date."""

    day_obs: int

    def __post_init__(self) -> None:
        try:
            day = self.date
        except ValueError as error:
            raise ValueError(f"{self.day_obs} is not a dayObs: expected a date as YYYYMMDD, e.g. 20261122") from error
        if not 1990 <= day.year <= 2100:
            raise ValueError(f"dayObs {self.day_obs} is outside 1990–2100")

    @classmethod
    def at(cls, moment: datetime) -> "ObservingDay":
        return cls(day_obs_at(moment))

    @classmethod
    def current(cls) -> "ObservingDay":
        return cls.at(datetime.now(UTC))

    @classmethod
    def parse(cls, text: str) -> "ObservingDay":
        """From ``2026-11-22`` or ``20261122``."""
        digits = text.replace("-", "")
        if len(digits) != 8 or not digits.isascii() or not digits.isdigit():
            raise ValueError(f"{text!r} is not a dayObs: expected YYYY-MM-DD or YYYYMMDD")
        return cls(int(digits))

    @property
    def date(self) -> date:
        return date(self.day_obs // 10_000, self.day_obs // 100 % 100, self.day_obs % 100)

    def __str__(self) -> str:
        return self.date.isoformat()

    @property
    def previous(self) -> "ObservingDay":
        return ObservingDay(_as_int(self.date - timedelta(days=1)))

    @property
    def next(self) -> "ObservingDay":
        return ObservingDay(_as_int(self.date + timedelta(days=1)))

    @property
    def begins(self) -> datetime:
        """Roll-over, 12:00:00 TAI, in UTC."""
        noon = datetime(self.date.year, self.date.month, self.date.day, 12, tzinfo=UTC)
        return noon - tai_offset(noon)

    @property
    def ends(self) -> datetime:
        return self.next.begins

    @property
    def sunset(self) -> datetime:
        """The Sun's upper limb leaves the horizon of the site: the night of this dayObs begins."""
        return _sun(self.day_obs).sunset

    @property
    def evening_twilight(self) -> datetime:
        """The Sun's centre passes −12° in the evening: observing may begin."""
        return _sun(self.day_obs).evening_twilight

    @property
    def morning_twilight(self) -> datetime:
        return _sun(self.day_obs).morning_twilight

    @property
    def sunrise(self) -> datetime:
        """The sunrise that ends the night of this dayObs."""
        return _sun(self.day_obs).sunrise


@dataclass(frozen=True, slots=True)
class _Sun:
    sunset: datetime
    evening_twilight: datetime
    morning_twilight: datetime
    sunrise: datetime


@lru_cache(maxsize=512)
def _sun(day_obs: int) -> _Sun:
    begin = ObservingDay(day_obs).begins
    minutes = np.arange(0, 24 * 60, 4)
    altitude = _sun_altitude_deg(begin, minutes)

    def crossing(level: float, *, setting: bool) -> datetime:
        above = altitude > level
        change = above[:-1] & ~above[1:] if setting else ~above[:-1] & above[1:]
        i = int(np.flatnonzero(change)[0])
        fraction = (level - altitude[i]) / (altitude[i + 1] - altitude[i])
        return begin + timedelta(minutes=float(minutes[i] + fraction * (minutes[i + 1] - minutes[i])))

    return _Sun(
        sunset=crossing(SUNSET_ALTITUDE_DEG, setting=True),
        evening_twilight=crossing(-12.0, setting=True),
        morning_twilight=crossing(-12.0, setting=False),
        sunrise=crossing(SUNSET_ALTITUDE_DEG, setting=False),
    )


def _sun_altitude_deg(begin: datetime, minutes: NDArray[np.int_]) -> NDArray[np.floating]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AstropyWarning)  # far from the tables the pole is off by 1″: no matter
        warnings.simplefilter("ignore", ErfaWarning)
        times = Time(begin, scale="utc") + TimeDelta(60.0 * minutes, format="sec")
        horizon = AltAz(obstime=times, location=CERRO_PACHON)
        return np.asarray(get_sun(times).transform_to(horizon).alt.deg)
