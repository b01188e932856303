"""Detections as the kernels take them: parallel arrays, one element a DiaSource."""

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

BANDS = "ugrizy"


@dataclass(frozen=True, slots=True)
class Detections:
    """`n` detections.

    id : int64 (n,), diaSourceId.  mjd_tai : float64 (n,), midpointMjdTai.  ra, dec : float64 (n,), degrees, ICRF.
    sigma_ra, sigma_dec : float64 (n,), arcsec on the sky (with cos dec).  mag : float64 (n,), AB, NaN where unknown.
    band : int8 (n,), index in `BANDS`, −1 where unknown.  night : int32 (n,), dayObs.  visit : int64 (n,).
    observer : float64 (n, 3), heliocentric place of the observer, au, ICRF (see `mops.science.observers`).
    """

    id: npt.NDArray[np.int64]
    mjd_tai: npt.NDArray[np.float64]
    ra: npt.NDArray[np.float64]
    dec: npt.NDArray[np.float64]
    sigma_ra: npt.NDArray[np.float64]
    sigma_dec: npt.NDArray[np.float64]
    mag: npt.NDArray[np.float64]
    band: npt.NDArray[np.int8]
    night: npt.NDArray[np.int32]
    visit: npt.NDArray[np.int64]
    observer: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.id)

    def take(self, which: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> "Detections":
        """Those that `which` (a mask or indices) names, in its order."""
        return Detections(**{field.name: getattr(self, field.name)[which] for field in fields(self)})


def joined(parts: list[Detections]) -> Detections:
    """One after another."""
    return Detections(
        **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Detections)}
    )
