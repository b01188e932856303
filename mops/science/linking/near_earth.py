"""Which tracklets move as the main belt does."""

import numpy as np
import numpy.typing as npt

from mops.science.constants import GM_SUN, OBLIQUITY
from mops.science.detections import Detections
from mops.science.linking.states import Sightings
from mops.science.tracklets import Tracklets

_DISTANCES = (2.0, 2.4, 2.8, 3.3)
_KINETIC = (0.55, 1.4)  # v² r / GM, as of a circle
_INCLINATION = np.radians(35.0)


def moves_like_the_main_belt(
    detections: Detections, tracklets: Tracklets, reference_mjd_tdb: float
) -> npt.NDArray[np.bool_]:
    """Tracklets (n,) that at some distance of the belt would be on a nearly circular orbit of small inclination."""
    rows = Sightings.of(detections, tracklets, reference_mjd_tdb).rows
    like = np.zeros(len(rows), bool)
    pole = np.array([0.0, -np.sin(OBLIQUITY), np.cos(OBLIQUITY)])
    for r in _DISTANCES:
        along = np.einsum("ij,ij->i", rows[:, 1:4], rows[:, 7:10])
        root = np.sqrt(r * r - np.einsum("ij,ij->i", rows[:, 7:10], rows[:, 7:10]) + along**2)
        delta = (root - along)[:, None]
        place = rows[:, 7:10] + delta * rows[:, 1:4]
        turned = rows[:, 10:13] + delta * rows[:, 4:7]
        velocity = turned - (np.einsum("ij,ij->i", place, turned) / root)[:, None] * rows[:, 1:4]
        momentum = np.cross(place, velocity)
        kinetic = np.einsum("ij,ij->i", velocity, velocity) * r / GM_SUN
        tilt = momentum @ pole / np.linalg.norm(momentum, axis=1)
        like |= (kinetic > _KINETIC[0]) & (kinetic < _KINETIC[1]) & (tilt > np.cos(_INCLINATION))
    return like
