"""The path of an orbit over the sky, for drawing.

Two-body motion from the fitted state, seen from the site and corrected for light time; over the weeks of a linkage that
is within a second of arc of the fit, which no figure shows. Numbers come from the fit's own residuals.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mops.science.constants import C_AU_PER_DAY
from mops.science.kepler import propagate
from mops.science.observers import heliocentric
from mops.science.time_scales import tdb_from_tai

Array = npt.NDArray[np.float64]
SITE = "X05"  # Rubin's code of the Minor Planet Center


def path(state: Sequence[float], epoch_mjd_tdb: float, mjd_tai: Array, site: str = SITE) -> tuple[Array, Array]:
    """Right ascension and declination, degrees ICRS, at the times (n,) MJD TAI."""
    times = np.asarray(tdb_from_tai(mjd_tai), float)
    observer, _ = heliocentric(site, mjd_tai)
    states = np.repeat(np.array(state, float)[None], len(times), axis=0)
    delay = np.zeros(len(times))
    for _ in range(2):  # light time: the second turn changes less than 1e-6 day
        seen = propagate(states, times - delay - epoch_mjd_tdb)[:, :3] - observer
        distance = np.linalg.norm(seen, axis=1)
        delay = distance / C_AU_PER_DAY
    ra = np.degrees(np.arctan2(seen[:, 1], seen[:, 0])) % 360.0
    return ra, np.degrees(np.arcsin(seen[:, 2] / distance))
