"""Synthetic detections as rows of the Level 1 database, and back: names, units and meaning of APDB's DiaSource."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mops.science.detections import BANDS, Detections
from mops.science.observers import heliocentric
from mops.synthetic.brightness import signal_to_noise
from mops.synthetic.focal_plane import PIXEL_ARCSEC, detector_places
from mops.synthetic.pointings import Pointings

Array = npt.NDArray[np.float64]
Columns = dict[str, npt.NDArray[Any]]

AB_OF_1_NJY = 31.4
PROCESSED_AFTER_S = 60.0  # alerts leave within a minute of readout (LSE-61, OTT1)
BBOX_PIXELS = 12
FLAGS = (
    "isNegative",
    "isDipole",
    "centroid_flag",
    "psfFlux_flag",
    "pixelFlags_edge",
    "pixelFlags_saturated",
    "pixelFlags_streak",
    "glint_trail",
)


def dia_source_rows(detections: Detections, pointings: Pointings, truth: npt.NDArray[np.int64]) -> Columns:
    """Detections as DiaSource columns, (n,) each.

    Parameters
    ----------
    detections, pointings
        What was seen, and the visits it was seen in (for depth and place on the focal plane).
    truth
        The object of each, negative where none: true sources get reliabilities near 1, false ones any.

    Returns
    -------
    dict
        raErr and decErr in degrees of the coordinates themselves (raErr without cos dec), fluxes in nJy, and the other
        columns that a DiaSource must have.

    Raises
    ------
    ValueError
        Where a detection is of a visit that is not among the pointings.
    """
    which = _visits_of(detections, pointings)
    detector, x, y = detector_places(detections.ra, detections.dec, pointings.ra[which], pointings.dec[which])
    snr = signal_to_noise(detections.mag, pointings.m5[which])
    flux = 10 ** ((AB_OF_1_NJY - detections.mag) / 2.5)
    return {
        "diaSourceId": detections.id,
        "visit": detections.visit,
        "detector": detector.astype(np.int16),
        "midpointMjdTai": detections.mjd_tai,
        "ra": detections.ra,
        "dec": detections.dec,
        "raErr": detections.sigma_ra / 3600 / np.cos(np.radians(detections.dec)),
        "decErr": detections.sigma_dec / 3600,
        "ra_dec_Cov": np.zeros(len(detections)),
        "x": x,
        "xErr": detections.sigma_ra / PIXEL_ARCSEC,
        "y": y,
        "yErr": detections.sigma_dec / PIXEL_ARCSEC,
        "snr": snr,
        "psfFlux": flux,
        "psfFluxErr": flux / snr,
        "band": np.array([*BANDS, ""])[detections.band],
        "reliability": _reliability(detections.id, truth >= 0),
        "timeProcessedMjdTai": detections.mjd_tai + PROCESSED_AFTER_S / 86400,
        "bboxSize": np.full(len(detections), BBOX_PIXELS, dtype=np.int32),
        **{name: np.zeros(len(detections), dtype=np.bool_) for name in FLAGS},
    }


def visit_rows(pointings: Pointings, exposure_s: float = 30.0) -> Columns:
    """Pointings as columns of the Level 1 database's visits."""
    return {
        "visit": pointings.visit,
        "night": pointings.night,
        "ra": pointings.ra,
        "dec": pointings.dec,
        "band": np.array([*BANDS, ""])[pointings.band],
        "expMidptMJD": pointings.mjd_tai,
        "expTime": np.full(len(pointings), exposure_s),
        "seeing": pointings.seeing,
        "m5": pointings.m5,
    }


def detections_from_rows(rows: Mapping[str, npt.NDArray[Any]], night: npt.NDArray[np.int32], site: str) -> Detections:
    """Rows as detections, the other way round; `night` is the dayObs of each row."""
    letters = list(BANDS)
    return Detections(
        id=rows["diaSourceId"],
        mjd_tai=rows["midpointMjdTai"],
        ra=rows["ra"],
        dec=rows["dec"],
        sigma_ra=rows["raErr"] * 3600 * np.cos(np.radians(rows["dec"])),
        sigma_dec=rows["decErr"] * 3600,
        mag=AB_OF_1_NJY - 2.5 * np.log10(rows["psfFlux"]),
        band=np.array([letters.index(word) if word in letters else -1 for word in rows["band"]], dtype=np.int8),
        night=night,
        visit=rows["visit"],
        observer=heliocentric(site, rows["midpointMjdTai"])[0],
    )


def _visits_of(detections: Detections, pointings: Pointings) -> npt.NDArray[np.int64]:
    """Index of each detection's visit among the pointings."""
    if not len(pointings):
        raise ValueError("There are no pointings; detections need those of their visits.")
    order = np.argsort(pointings.visit, kind="stable")
    place = np.searchsorted(pointings.visit[order], detections.visit).clip(0, len(order) - 1)
    at: npt.NDArray[np.int64] = order[place]
    strangers = np.unique(detections.visit[pointings.visit[at] != detections.visit])
    if len(strangers):
        raise ValueError(
            f"{len(strangers)} visits of detections, {strangers[0]} first, are not among the pointings: "
            "give those that the detections were simulated with."
        )
    return at


def _reliability(ids: npt.NDArray[np.int64], real: npt.NDArray[np.bool_]) -> Array:
    """Between 0 and 1, from the id alone: medians of 0.93 for true sources and 0.5 for false ones."""
    with np.errstate(over="ignore"):
        mixed = ids.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing (Knuth, vol. 3, 6.4)
    even = mixed.astype(np.float64) / 2.0**64
    return np.where(real, even**0.1, even)
