"""The path of an orbit over the sky, for drawing.

Two-body motion from the fitted state; over the weeks of a linkage that is within a second of arc of the fit, which no
figure shows. Numbers come from the fit's own residuals.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mops.science.apparent import place_of, see
from mops.science.kepler import propagate
from mops.science.observers import heliocentric
from mops.science.time_scales import tdb_from_tai

Array = npt.NDArray[np.float64]
SITE = "X05"  # Rubin's code of the Minor Planet Center


def path(state: Sequence[float], epoch_mjd_tdb: float, mjd_tai: Array, site: str = SITE) -> tuple[Array, Array]:
    """Right ascension and declination, degrees ICRS (astrometric), at the times (n,) MJD TAI."""
    since = np.asarray(tdb_from_tai(mjd_tai), float) - epoch_mjd_tdb
    states = propagate(np.repeat(np.array(state, float)[None], len(since), axis=0), since)
    ra, dec = place_of(see(states, mjd_tai, *heliocentric(site, mjd_tai)).line)
    return ra, dec
