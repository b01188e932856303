"""What follows from an orbit and its detections: elements, class, MOID, U, absolute magnitudes, SSSource rows."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mops.pipeline.found import Found
from mops.pipeline.reading import OBSERVATORY
from mops.science import observers, orbit_class, phase_curve, uncertainty
from mops.science.apparent import ss_source
from mops.science.elements import Elements, elements_from_states
from mops.science.moid import Moids, moids
from mops.science.phase_curve import PhaseCurves
from mops.science.propagation import propagate_nbody
from mops.science.time_scales import tdb_from_tai

Floats = npt.NDArray[np.float64]
_NO_MAG_ERROR = 0.1  # where a DiaSource brings none
_UNKNOWN = float("nan")


@dataclass(frozen=True, slots=True)
class Properties:
    """Of `k` linkages with `m` flat members.

    sightings : columns of SSSource, (m,).  curves : by band, of all k.  h : (k,), mean H_V over bands.
    """

    elements: Elements
    errors: uncertainty.ElementErrors
    u: npt.NDArray[np.int8]
    moids: Moids
    tisserand: Floats
    words: npt.NDArray[np.str_]
    sightings: dict[str, npt.NDArray[Any]]
    curves: dict[str, PhaseCurves]
    h: Floats


def properties_of(found: Found) -> Properties:
    """All of it, for every linkage."""
    orbits = found.orbits
    elements = elements_from_states(orbits.state, orbits.epoch_mjd_tdb)
    errors = uncertainty.element_errors(orbits.state, orbits.epoch_mjd_tdb, orbits.covariance)
    sightings = sightings_of(found, np.full(len(found), _UNKNOWN))
    curves, h = magnitudes_of(found, sightings)
    return Properties(
        elements=elements,
        errors=errors,
        u=uncertainty.u_parameter(elements, errors),
        moids=moids(orbits.state),
        tisserand=orbit_class.tisserand_jupiter(elements),
        words=orbit_class.orbit_class(elements),
        sightings=sightings_of(found, h),
        curves=curves,
        h=h,
    )


def sightings_of(found: Found, h: Floats) -> dict[str, npt.NDArray[Any]]:
    """SSSource's columns of each member, with the linkage's own orbit."""
    detections, owner = found.detections.take(found.members), found.owner
    epochs = found.orbits.epoch_mjd_tdb[owner]
    states = propagate_nbody(found.orbits.state[owner], epochs, tdb_from_tai(detections.mjd_tai))
    _, velocity = observers.heliocentric(OBSERVATORY, detections.mjd_tai)
    return ss_source(detections, states, velocity, h[owner], np.full(len(owner), _UNKNOWN))


def magnitudes_of(found: Found, sightings: dict[str, npt.NDArray[Any]]) -> tuple[dict[str, PhaseCurves], Floats]:
    """Phase curves of each linkage by band, and one H in V: the mean over the bands that were seen."""
    detections = found.detections.take(found.members)
    reduced = phase_curve.reduced_magnitude(detections.mag, sightings["helioRange"], sightings["topoRange"])
    sigma = np.full(len(reduced), _NO_MAG_ERROR)
    curves = phase_curve.fit_bands(found.first, detections.band, reduced, sigma, sightings["phaseAngle"])
    in_v = phase_curve.to_v(reduced, detections.band) - phase_curve.phase_magnitude(
        sightings["phaseAngle"], phase_curve.FIDUCIAL["HG"], "HG"
    )
    known = np.isfinite(in_v)
    count = np.bincount(found.owner[known], minlength=len(found))
    total = np.bincount(found.owner[known], weights=in_v[known], minlength=len(found))
    return curves, np.where(count > 0, total / np.maximum(count, 1), _UNKNOWN)
