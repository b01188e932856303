"""A night's linkages as rows for people: all that were accepted, and the refused ones worth a look."""

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

from mops.models import Linkage, Night
from mops.pipeline.found import Found
from mops.pipeline.properties import Properties

_MOST_REFUSED = 1_000  # refused linkages that are kept, those with the most nights first


def linkage_rows(night: Night, found: Found, properties: Properties, ids: npt.NDArray[np.int64]) -> list[Linkage]:
    """Rows of the accepted linkages, with their objects `ids` (0: none), and of the refused ones."""
    nights = np.array([len(np.unique(_nights(found, k))) for k in range(len(found))], np.int64)
    refused = np.flatnonzero(~found.accepted)
    shown = refused[np.argsort(-nights[refused], kind="stable")][:_MOST_REFUSED]
    return [
        _linkage(night, found, properties, int(k), int(ids[k]))
        for k in [*np.flatnonzero(found.accepted), *sorted(shown)]
    ]


def _linkage(night: Night, found: Found, properties: Properties, k: int, object_id: int) -> Linkage:
    members, orbits, elements = found.of(k), found.orbits, properties.elements
    chosen = found.members[members]
    times = found.detections.mjd_tai[chosen]
    sources = found.detections.id[chosen].tolist()
    covariance = orbits.covariance[k]
    return Linkage(
        night=night,
        identity=identity(sources),
        sources=sources,
        nights=np.unique(found.detections.night[chosen]).tolist(),
        tracklets=int(found.tracklets[k]),
        arc_days=float(np.ptp(times)),
        hypothesis={
            "zone": str(found.zone[k]),
            **_finite(
                {"r_au": found.r_au[k], "rdot_au_per_day": found.rdot_au_d[k], "spread_arcsec": found.spread_arcsec[k]}
            ),
        },
        verdict=Linkage.Verdict.REFUSED if found.reason[k] else Linkage.Verdict.ACCEPTED,
        reason=str(found.reason[k]),
        epoch_mjd_tdb=float(orbits.epoch_mjd_tdb[k]),
        state=orbits.state[k].tolist(),
        covariance=covariance.ravel().tolist() if np.isfinite(covariance).all() else None,
        chi2=_number(orbits.chi2[k]),
        degrees_of_freedom=int(orbits.degrees_of_freedom[k]),
        rms_arcsec=_number(orbits.rms_arcsec[k]),
        used=orbits.used[members].tolist(),
        residual_ra=orbits.residual_ra[members].tolist(),
        residual_dec=orbits.residual_dec[members].tolist(),
        a_au=_number(elements.a[k]),
        e=_number(elements.e[k]),
        q_au=_number(elements.q[k]),
        incl=_number(elements.i[k]),
        node=_number(elements.node[k]),
        argperi=_number(elements.argperi[k]),
        mean_anomaly=_number(elements.mean_anomaly[k]),
        peri_time_mjd_tdb=_number(elements.peri_time[k]),
        h_mag=_number(properties.h[k]),
        h_by_band=_finite({band: curve.H[k] for band, curve in properties.curves.items()}),
        u_parameter=int(properties.u[k]) if properties.u[k] >= 0 else None,
        moid_au=_number(properties.moids.moid[k]),
        orbit_class=str(properties.words[k]),
        ss_object_id=object_id or None,
    )


def identity(sources: list[int]) -> str:
    """SHA-256 of the sorted sources."""
    return hashlib.sha256(" ".join(map(str, sorted(sources))).encode()).hexdigest()


def _nights(found: Found, k: int) -> npt.NDArray[np.int32]:
    return found.detections.night[found.members[found.of(k)]]


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _finite(values: dict[str, Any]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items() if np.isfinite(value)}
