"""Where the night's objects will be in the night after it, and which of them one more visit would confirm.

The survey's plan is not known here: the fields are those of the night that was searched, a day later.
"""

from typing import Any

import numpy as np

from dayops.level1.models import Visit
from mops.models import Linkage, Night
from mops.pipeline.objects import name_of
from mops.pipeline.reading import band_numbers
from mops.science.confirmation import ConfirmationRule, Outlook, confirmations
from mops.science.tonight import Fields, Predictions, predict

FIELD_RADIUS_DEG = 1.75  # of Rubin's camera, as a circle
CONFIRMED_NIGHTS = ConfirmationRule().nights_needed
MOST = 500  # objects that are told of, those that a visit tells most of first
_NO_COVARIANCE = [float("nan")] * 36


def predictions_of(night: Night) -> list[dict[str, Any]]:
    """One row an object that falls into a field: its best meeting, as the page of tonight shows it."""
    fields = _fields(night)
    linkages = list(night.linkages.filter(verdict=Linkage.Verdict.ACCEPTED).order_by("pk"))
    if not len(fields) or not linkages:
        return []
    predictions = predict(
        fields,
        np.array([row.state for row in linkages]),
        np.array([row.epoch_mjd_tdb for row in linkages]),
        np.array([row.covariance or _NO_COVARIANCE for row in linkages]).reshape(-1, 6, 6),
        np.array([float("nan") if row.h_mag is None else row.h_mag for row in linkages]),
    )
    nights = np.array([len(row.nights) for row in linkages], np.int64)
    ranked = confirmations(predictions, fields, nights)
    chosen = [k for k in range(len(ranked)) if ranked.prediction[k] >= 0][:MOST]
    return [
        _row(predictions, int(ranked.prediction[k]), linkages[int(ranked.object[k])], Outlook(int(ranked.outlook[k])))
        for k in chosen
    ]


def _fields(night: Night) -> Fields:
    visits = list(Visit.objects.filter(night=night.day_obs).order_by("expMidptMJD", "visit"))
    return Fields(
        mjd_tai=np.array([visit.expMidptMJD + 1.0 for visit in visits], float),
        ra=np.array([visit.ra for visit in visits], float),
        dec=np.array([visit.dec for visit in visits], float),
        radius_deg=np.full(len(visits), FIELD_RADIUS_DEG),
        band=band_numbers(np.array([visit.band or "" for visit in visits], dtype=str)),
        m5=np.array([float("nan") if visit.m5 is None else visit.m5 for visit in visits], float),
    )


def _row(predictions: Predictions, at: int, linkage: Linkage, outlook: Outlook) -> dict[str, Any]:
    is_confirmed = len(linkage.nights) >= CONFIRMED_NIGHTS
    values = {
        "mjd_tai": predictions.mjd_tai[at],
        "ra": predictions.ra[at],
        "dec": predictions.dec[at],
        "major_arcsec": predictions.sigma_major[at],
        "minor_arcsec": predictions.sigma_minor[at],
        "pa_deg": predictions.position_angle[at],
        "mag": predictions.magnitude[at],
    }
    return {
        "linkage": linkage.pk,
        "designation": name_of(linkage.ss_object_id) if linkage.ss_object_id else "",
        "field": int(predictions.field[at]) + 1,
        "confirms": outlook == Outlook.CONFIRMS and not is_confirmed,
        "outlook": f"Seen in {len(linkage.nights)} nights: it is confirmed." if is_confirmed else outlook.sentence,
        **{name: float(value) for name, value in values.items() if np.isfinite(value)},
    }
