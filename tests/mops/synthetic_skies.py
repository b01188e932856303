"""Detections and truths made to order for tests."""

import numpy as np

from mops.science.detections import Detections


def detections(mjd_tai, ra, dec, night=None, mag=None) -> Detections:
    """Detections at these times and places; one observer at 1 au, 0.1″ and 21 mag where nothing else is said."""
    mjd = np.asarray(mjd_tai, dtype=np.float64)
    n = len(mjd)
    return Detections(
        id=np.arange(1, n + 1),
        mjd_tai=mjd,
        ra=np.asarray(ra, dtype=np.float64),
        dec=np.asarray(dec, dtype=np.float64),
        sigma_ra=np.full(n, 0.1),
        sigma_dec=np.full(n, 0.1),
        mag=np.full(n, 21.0) if mag is None else np.asarray(mag, dtype=np.float64),
        band=np.full(n, 2, dtype=np.int8),
        night=np.floor(mjd).astype(np.int32) if night is None else np.asarray(night, dtype=np.int32),
        visit=np.arange(n, dtype=np.int64),
        observer=np.tile([1.0, 0.0, 0.0], (n, 1)),
    )


def pairs_on_nights(nights, *, arcsec=60.0, hours=0.5, ra=10.0, dec=0.0, drift=0.2) -> Detections:
    """A pair on each of the nights (whole MJD), `arcsec` apart in declination; RA drifts from night to night."""
    nights = np.repeat(np.asarray(nights, dtype=np.float64), 2)
    second = np.tile([0.0, 1.0], len(nights) // 2)
    return detections(nights + second * hours / 24, ra + drift * nights % 360, dec + second * arcsec / 3600)
