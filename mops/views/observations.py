"""The observations of one linkage: what Level 1 says of each detection, beside what the fit made of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from dayops.observing_day import ObservingDay


@dataclass(frozen=True, slots=True)
class Observation:
    """One detection of a linkage. What Level 1 does not have (any more) is None.

    Places and times: degrees ICRS, MJD TAI; sigmas and residuals (observed minus computed, on the sky) in arcsec.
    """

    number: int
    source: int
    residual_ra: float
    residual_dec: float
    used: bool
    mjd_tai: float | None = None
    ra: float | None = None
    dec: float | None = None
    sigma_ra: float | None = None
    sigma_dec: float | None = None
    band: str = ""
    mag: float | None = None
    mag_sigma: float | None = None
    visit: int | None = None
    day: ObservingDay | None = None

    @property
    def is_known(self) -> bool:
        return self.mjd_tai is not None and self.ra is not None and self.dec is not None


def known(observations: Sequence[Observation]) -> list[Observation]:
    """Those that Level 1 still has, in the order of their times."""
    return sorted((each for each in observations if each.is_known), key=lambda each: each.mjd_tai or 0.0)
