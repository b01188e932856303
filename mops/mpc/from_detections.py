"""Our own detections as observations to report."""

from typing import Any

import numpy as np
import numpy.typing as npt

from mops.mpc.designations import Designation
from mops.mpc.observation import Observation
from mops.mpc.stations import RUBIN
from mops.mpc.times import iso_from_mjd
from mops.science import time_scales
from mops.science.detections import BANDS, Detections

ASTROMETRIC_CATALOGUE = "Gaia3"


def from_detections(
    detections: Detections,
    name: Designation,
    *,
    rms_mag: npt.NDArray[np.float64] | None = None,
    rms_corr: npt.NDArray[np.float64] | None = None,
    photometric_catalogue: str = "",
    station: str = RUBIN,
) -> tuple[Observation, ...]:
    """Observations of one object, in the order of `detections`.

    `rms_mag`, `rms_corr` : float64 (n,), NaN where unknown. Times become UTC, LSST's bands ADES's (``Lu`` … ``Ly``);
    a magnitude without a band is left out, because ADES has none without.
    """
    utc = time_scales.utc_from_tai(detections.mjd_tai)
    mag_errors, correlations = _or_unknown(rms_mag, len(detections)), _or_unknown(rms_corr, len(detections))
    return tuple(
        Observation(
            line=0,
            name=name,
            station=station,
            utc=iso_from_mjd(float(utc[row])),
            mjd_utc=float(utc[row]),
            ra=float(detections.ra[row]),
            dec=float(detections.dec[row]),
            rms_ra=float(detections.sigma_ra[row]),
            rms_dec=float(detections.sigma_dec[row]),
            rms_corr=float(correlations[row]),
            mode="CCD",
            astrometric_catalogue=ASTROMETRIC_CATALOGUE,
            **_photometry(detections, row, float(mag_errors[row]), photometric_catalogue),
        )
        for row in range(len(detections))
    )


def _photometry(detections: Detections, row: int, rms_mag: float, catalogue: str) -> dict[str, Any]:
    band, mag = int(detections.band[row]), float(detections.mag[row])
    if band < 0 or not np.isfinite(mag):
        return {}
    return {"mag": mag, "rms_mag": rms_mag, "band": f"L{BANDS[band]}", "photometric_catalogue": catalogue}


def _or_unknown(values: npt.NDArray[np.float64] | None, count: int) -> npt.NDArray[np.float64]:
    return np.full(count, np.nan) if values is None else values
