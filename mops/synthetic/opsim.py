"""Visits of Rubin's simulated survey."""

import csv
from collections.abc import Collection
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mops.science.detections import BANDS
from mops.synthetic.pointings import Pointings, day_obs

_COLUMNS = (
    "observationId",
    "observationStartMJD",
    "visitTime",
    "filter",
    "seeingFwhmEff",
    "fiveSigmaDepth",
    "fieldRA",
    "fieldDec",
)


def pointings_from_opsim(path: Path | str, nights: Collection[int] | None = None) -> Pointings:
    """Visits of an OpSim table exported as CSV, in order of time.

    Parameters
    ----------
    path
        Needs the columns observationId, observationStartMJD (taken as TAI), visitTime, filter, seeingFwhmEff,
        fiveSigmaDepth, fieldRA and fieldDec.
    nights
        Only these dayObs; all where None.

    Raises
    ------
    ValueError
        For a table without those columns, with another band or without a visit on those nights.
    """
    with Path(path).open(newline="") as file:
        rows = list(csv.DictReader(file))
    missing = sorted(set(_COLUMNS) - set(rows[0] if rows else ()))
    if missing:
        raise ValueError(f"{path} has no column {', '.join(missing)}; it must be an OpSim table with a header line.")
    _check_bands(path, {row["filter"] for row in rows})
    column = {name: np.array([row[name] for row in rows]) for name in _COLUMNS}
    number = {name: column[name].astype(np.float64) for name in _COLUMNS if name != "filter"}
    mjd_tai = number["observationStartMJD"] + number["visitTime"] / 2 / 86400
    pointings = Pointings(
        visit=column["observationId"].astype(np.int64),
        mjd_tai=mjd_tai,
        ra=number["fieldRA"],
        dec=number["fieldDec"],
        band=np.array([BANDS.index(word) for word in column["filter"]], dtype=np.int8),
        night=day_obs(mjd_tai),
        m5=number["fiveSigmaDepth"],
        seeing=number["seeingFwhmEff"],
    )
    chosen = np.ones(len(mjd_tai), dtype=bool) if nights is None else np.isin(pointings.night, list(nights))
    if not chosen.any():
        raise ValueError(f"{path} has no visit on {sorted(nights or ())}: it covers {_span(pointings.night)}.")
    return pointings.take(np.flatnonzero(chosen)[np.argsort(mjd_tai[chosen], kind="stable")])


def _check_bands(path: Path | str, words: set[str]) -> None:
    if unknown := sorted(words - set(BANDS)):
        raise ValueError(f"{path} has visits in {', '.join(unknown)}; the bands are {', '.join(BANDS)}.")


def _span(night: npt.NDArray[np.int32]) -> str:
    return f"{night.min()} to {night.max()}"
