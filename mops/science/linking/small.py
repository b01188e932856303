"""A catalogue of one object, the smallest that can be linked, to compile the kernels with."""

import numpy as np

from mops.science.detections import Detections
from mops.science.ephemeris import earth
from mops.science.kepler import propagate
from mops.science.time_scales import tdb_from_tai

_STATE = np.array([[-2.0, -1.1, -0.4, 0.0050, -0.0092, -0.0030]])  # a main-belt orbit at MJD 60430
_EPOCH = 60430.0


def three_nights() -> Detections:
    """Six detections from the Earth's centre, without noise or light time."""
    mjd = _EPOCH + np.array([-3.0, -2.98, 0.0, 0.02, 3.0, 3.02])
    observer, _ = earth(np.asarray(tdb_from_tai(mjd)))
    seen = propagate(np.repeat(_STATE, len(mjd), axis=0), mjd - _EPOCH)[:, :3] - observer
    n = len(mjd)
    return Detections(
        id=np.arange(n),
        mjd_tai=mjd,
        ra=np.degrees(np.arctan2(seen[:, 1], seen[:, 0])) % 360,
        dec=np.degrees(np.arcsin(seen[:, 2] / np.linalg.norm(seen, axis=1))),
        sigma_ra=np.full(n, 0.5),
        sigma_dec=np.full(n, 0.5),
        mag=np.full(n, 21.0),
        band=np.zeros(n, np.int8),
        night=np.repeat(np.array([20240427, 20240430, 20240503], np.int32), 2),
        visit=np.arange(n),
        observer=observer,
    )
