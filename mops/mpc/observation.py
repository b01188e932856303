"""One astrometric observation as the Minor Planet Center's formats carry it, and what reading a file gives."""

from dataclasses import dataclass, field, replace
from math import isnan, nan

from mops.mpc.designations import Designation
from mops.mpc.stations import station
from mops.mpc.times import night_of


@dataclass(frozen=True, slots=True)
class Observation:
    """An optical observation.

    line : in its file, from 1.  name : who.  station : observatory code.  utc : the time as the file has it;
    mjd_utc : days of 86,400 s.  ra, dec : degrees, ICRF.  rms_ra (with cos dec), rms_dec :
    arcsec.  rms_corr : correlation.  mag, rms_mag.  What a file does not give is NaN or ''.
    place_km : the observer's geocentric place, ICRF, km, where the file gives one.
    """

    line: int
    name: Designation
    station: str
    utc: str
    mjd_utc: float
    ra: float
    dec: float
    rms_ra: float = nan
    rms_dec: float = nan
    rms_corr: float = nan
    mag: float = nan
    rms_mag: float = nan
    band: str = ""
    mode: str = ""
    astrometric_catalogue: str = ""
    photometric_catalogue: str = ""
    discovery: str = ""
    notes: str = ""
    program: str = ""
    remarks: str = ""
    place_km: tuple[float, float, float] | None = None

    @property
    def night(self) -> int:
        """YYYYMMDD of the evening on which the observer's night began; of the UTC noon where the observer moves."""
        longitude = station(self.station).east_longitude_deg
        return night_of(self.mjd_utc, 0.0 if isnan(longitude) else longitude)

    def named(self, name: Designation) -> "Observation":
        """The same under another designation."""
        return replace(self, name=name)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A line that was not taken, and why, in a sentence. Line 0 is the file as a whole."""

    line: int
    reason: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.reason}" if self.line else self.reason


@dataclass(frozen=True, slots=True)
class Reading:
    """What a file held: the observations taken, in its order, and the lines refused."""

    observations: tuple[Observation, ...] = ()
    refused: tuple[Refusal, ...] = ()
    objects: dict[str, tuple[Observation, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        grouped: dict[str, list[Observation]] = {}
        for observation in self.observations:
            grouped.setdefault(observation.name.name, []).append(observation)
        by_time = {name: tuple(sorted(rows, key=lambda row: row.mjd_utc)) for name, rows in grouped.items()}
        object.__setattr__(self, "objects", by_time)
