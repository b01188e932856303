"""Places on the sky: the pixel that a row is found by, and how far two places are apart.

Pixels are nested HEALPix (Górski et al. 2005) of order 29, the finest that fits 63 bits and the order to which the
IVOA's MOC refers its ranges: a pixel of any coarser order is one range of them.
"""

import healpy
import numpy as np
import numpy.typing as npt

ORDER = 29
_FINEST = 2**ORDER
Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def pixels(ra: Floats, dec: Floats) -> Integers:
    """Nested pixel of order 29 at each place, degrees; int64 (n,)."""
    return np.asarray(healpy.ang2pix(_FINEST, ra, dec, nest=True, lonlat=True), np.int64)


def ranges(ra: float, dec: float, radius_deg: float) -> Integers:
    """Ranges of pixels of order 29 that cover a cone: int64 (k, 2), first and last, both inside.

    Pixels of about a quarter of the radius cover it, so that some tens of ranges hold little more than the cone.
    """
    order = cover_order(radius_deg)
    found = healpy.query_disc(
        2**order, healpy.ang2vec(ra, dec, lonlat=True), np.radians(radius_deg), inclusive=True, nest=True
    )
    coarse = np.sort(np.asarray(found, np.int64))
    breaks = np.flatnonzero(np.diff(coarse) != 1) + 1
    firsts = coarse[np.concatenate([[0], breaks])]
    lasts = coarse[np.concatenate([breaks - 1, [len(coarse) - 1]])]
    shift = 2 * (ORDER - order)
    return np.stack([firsts << shift, ((lasts + 1) << shift) - 1], axis=1)


def cover_order(radius_deg: float) -> int:
    """Order whose pixels are about a quarter of `radius_deg` wide (a pixel of order k is 58.6° / 2^k)."""
    return int(np.clip(np.floor(np.log2(58.6 / max(radius_deg, 1e-7) * 4)), 0, 24))


def separation_deg(ra: Floats, dec: Floats, other_ra: Floats, other_dec: Floats) -> Floats:
    """Great-circle distance, degrees, by the haversine: exact for arcseconds and at the poles (Sinnott 1984)."""
    a, d, b, e = (np.radians(each) for each in (ra, dec, other_ra, other_dec))
    half = np.sin((e - d) / 2) ** 2 + np.cos(d) * np.cos(e) * np.sin((b - a) / 2) ** 2
    return np.asarray(np.degrees(2 * np.arcsin(np.sqrt(np.clip(half, 0.0, 1.0)))))
