"""The rows of the Level 1 database that a night's accepted linkages become."""

from typing import Any

import numpy as np
import numpy.typing as npt

from dayops.level1.columns import Columns
from mops.pipeline.found import Found
from mops.pipeline.properties import Properties
from mops.science.detections import BANDS
from mops.science.uncertainty import period_days

Ints = npt.NDArray[np.int64]
_APDB_CURVE = {
    "nObs": "nObs",
    "H": "H",
    "HErr": "HErr",
    "G": "G12",
    "GErr": "G12Err",
    "nObsUsed": "nObsUsed",
    "Chi2": "Chi2",
    "phaseAngleMin": "phaseAngleMin",
    "phaseAngleMax": "phaseAngleMax",
    "slope_fit_failed": "slope_fit_failed",
}


def ss_objects(found: Found, properties: Properties, which: Ints, ids: Ints, names: npt.NDArray[np.str_]) -> Columns:
    """SSObject rows of the linkages `which`, called `ids` and `names`."""
    spans = [found.detections.mjd_tai[found.members[found.of(int(k))]] for k in which]
    moid = properties.moids
    columns: Columns = {
        "ssObjectId": ids,
        "designation": names,
        "nObs": np.array([len(times) for times in spans], np.int32),
        "arc": np.array([np.ptp(times) for times in spans], np.float32),
        "firstObservationMjdTai": np.array([times.min() for times in spans]),
        "MOIDEarth": moid.moid[which],
        "MOIDEarthDeltaV": moid.delta_v[which],
        "MOIDEarthEclipticLongitude": moid.ecliptic_longitude[which],
        "MOIDEarthTrueAnomaly": moid.true_anomaly[which],
        "MOIDEarthTrueAnomalyObject": moid.true_anomaly_object[which],
        "tisserand_J": properties.tisserand[which],
    }
    for band in BANDS:
        curve = properties.curves[band]
        columns |= {f"{band}_{apdb}": getattr(curve, ours)[which] for ours, apdb in _APDB_CURVE.items()}
        columns[f"{band}_H_{band}_G12_Cov"] = curve.H_G_Cov[which]
    return columns


def ss_sources(found: Found, properties: Properties, which: Ints, ids: Ints, names: npt.NDArray[np.str_]) -> Columns:
    """SSSource rows of the detections that the orbits of the linkages `which` use."""
    at = {int(linkage): number for number, linkage in enumerate(which)}
    rows = np.flatnonzero(found.orbits.used & np.isin(found.owner, which))
    number = np.array([at[int(owner)] for owner in found.owner[rows]], np.int64)
    columns: Columns = {name: values[rows] for name, values in properties.sightings.items()}
    return columns | {"ssObjectId": ids[number], "designation": names[number]}


def mpc_orbits(found: Found, properties: Properties, which: Ints, names: npt.NDArray[np.str_]) -> Columns:
    """mpc_orbits rows of the linkages `which`, under our own designations as long as the Center has given none."""
    elements, errors, orbits = properties.elements, properties.errors, found.orbits
    period = period_days(elements.a)[which]
    spans = [np.ptp(found.detections.mjd_tai[found.members[found.of(int(k))]]) for k in which]
    used = [int(orbits.used[found.of(int(k))].sum()) for k in which]
    columns: Columns = {
        "designation": names,
        "packed_primary_provisional_designation": names,
        "unpacked_primary_provisional_designation": names,
        "u_param": _known(properties.u[which]),
        "nopp": np.ones(len(which), np.int32),
        "arc_length_total": np.array(spans, float),
        "nobs_total": np.diff(found.first)[which].astype(np.int32),
        "nobs_total_sel": np.array(used, np.int32),
        "period": period,
        "period_unc": errors.period[which],
        "mean_motion": 360 / period,
        "mean_motion_unc": 360 / period**2 * errors.period[which],
        "epoch_mjd": orbits.epoch_mjd_tdb[which],
        "h": properties.h[which],
        "g": np.full(len(which), 0.15),
        "not_normalized_rms": orbits.rms_arcsec[which],
        "normalized_rms": np.sqrt(orbits.chi2[which] / np.maximum(orbits.degrees_of_freedom[which], 1)),
        "earth_moid": properties.moids.moid[which],
    }
    for name in ("a", "q", "e", "i", "node", "argperi", "peri_time", "mean_anomaly"):
        columns |= {name: getattr(elements, name)[which], f"{name}_unc": getattr(errors, name)[which]}
    return columns


def _known(u: npt.NDArray[np.int8]) -> Any:
    return np.ma.masked_array(u.astype(np.int32), mask=u < 0)
