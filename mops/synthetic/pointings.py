"""When and where the telescope looked, one element a visit."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

FIELD_RADIUS_DEG = 1.75  # a circle of the camera's 9.6 deg² (Ivezić et al. 2019, ApJ 873, 111)
SITE = "X05"  # Rubin, Cerro Pachón


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


def day_obs(mjd: Array) -> npt.NDArray[np.int32]:
    """The dayObs of instants: the date at UTC − 12 h, as yyyymmdd. The half minute between TAI and UTC is at noon."""
    days = np.floor(np.asarray(mjd) - 0.5).astype(np.int64)
    dates = (np.datetime64("1858-11-17") + days).astype("datetime64[D]").astype(str)
    return np.char.replace(dates, "-", "").astype(np.int32)
