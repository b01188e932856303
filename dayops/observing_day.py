"""dayObs, the Sun at the site, and the clocks.

dayObs is the calendar date of TAI − 12 h, so it rolls over at 12:00:00 TAI (11:59:23 UTC since 2017), when no
observatory in Chile observes (Rubin: `lsst.summit.utils.dateTime`, research/reliability.md §6.6).
The daytime that DayOps serves, from sunrise to evening twilight, belongs to the dayObs of the *following* night
except for the first hour or so after sunrise; anchors are therefore given per dayObs: the sunset that opens its night.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from astropy.coordinates import AltAz, EarthLocation, get_sun
from astropy.time import Time
from astropy.utils import iers

iers.conf.auto_download = False  # a control room has no business fetching tables while it draws a page

CERRO_PACHON = EarthLocation.from_geodetic(lon=-70.749417, lat=-30.244639, height=2663.0)  # Rubin, SITCOMTN-039
CHILE = ZoneInfo("America/Santiago")
SUNSET_ALTITUDE_DEG = -0.833  # upper limb, standard refraction (Meeus 1998, ch. 15)


def tai_offset(at: datetime) -> timedelta:
    """TAI − UTC at the UTC instant `at`, from the leap-second table that comes with astropy."""
    moment = Time(at, scale="utc")
    return timedelta(days=float(moment.tai.jd1 - moment.jd1) + float(moment.tai.jd2 - moment.jd2))


def mjd_tai(at: datetime) -> float:
    """Modified Julian Date in TAI of a UTC instant."""
    return float(Time(at, scale="utc").tai.mjd)


def day_obs_at(at: datetime) -> int:
    """dayObs (YYYYMMDD) of the UTC instant `at`."""
    tai = at.astimezone(UTC) + _rounded(tai_offset(at))
    return _as_int((tai - timedelta(hours=12)).date())


def _rounded(offset: timedelta) -> timedelta:
    return timedelta(seconds=round(offset.total_seconds()))


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
        return noon - _rounded(tai_offset(noon))

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
    times = Time(begin, scale="utc") + minutes / 1440.0
    altitude = get_sun(times).transform_to(AltAz(obstime=times, location=CERRO_PACHON)).alt.deg

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
