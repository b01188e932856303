"""Whom one more visit tonight would confirm, by a stated rule.

The worth of a visit is the chance that it finds the object and nothing else in its place, times the information that
its detection would bring: Shannon's, of two coordinates, half the logarithm of what the error ellipse shrinks by. Both
are given for each candidate, so that a person can disagree.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from mops.science.tonight import Fields, Predictions

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ConfirmationRule:
    """When one more visit confirms a candidate: it then has `nights_needed`, and the chance is `least_chance` or more.

    chance = probability of being in the field × of being bright enough × of no false detection within `gate_sigmas` of
    the place (exp of minus their mean number, at `false_per_deg2`). Bright enough: 1 / (1 + exp((m − m5) / fade_mag)).
    measured_arcsec : error of the detection to come.
    """

    nights_needed: int = 4
    least_chance: float = 0.5
    gate_sigmas: float = 3.0
    false_per_deg2: float = 100.0
    fade_mag: float = 0.1
    measured_arcsec: float = 0.05


class Outlook(IntEnum):
    """What tonight holds for a candidate."""

    CONFIRMS = 0
    MORE_NIGHTS = 1
    CONFUSED = 2
    FAINT = 3
    EDGE = 4
    NOT_IN_A_FIELD = 5

    @property
    def sentence(self) -> str:
        return _SENTENCES[self]


_SENTENCES = {
    Outlook.CONFIRMS: "One more visit confirms it.",
    Outlook.MORE_NIGHTS: "A visit would find it, but it needs more nights after tonight.",
    Outlook.CONFUSED: "Its place is so uncertain that other detections would be taken for it.",
    Outlook.FAINT: "It is too faint for tonight's visits of its place.",
    Outlook.EDGE: "It may well be outside the fields that come near it.",
    Outlook.NOT_IN_A_FIELD: "No field of tonight comes near it.",
}


@dataclass(frozen=True, slots=True)
class Confirmations:
    """Of `k` candidates, best first.

    object : int64 (k,).  prediction : int64 (k,), of its best meeting, −1 where there is none.  chance : (k,), 0 to 1.
    information : (k,), nats.  value : (k,), chance × information.  outlook : int8 (k,), an `Outlook`.
    """

    object: Indices
    prediction: Indices
    chance: Floats
    information: Floats
    value: Floats
    outlook: npt.NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.object)


def confirmations(
    predictions: Predictions, fields: Fields, nights: Indices, rule: ConfirmationRule | None = None
) -> Confirmations:
    """What one more visit would do for each candidate, best first.

    `nights` : int64 (k,), on how many nights each object of the predictions has been seen, tonight not among them.
    """
    rule = rule or ConfirmationRule()
    inside, seen, alone = _chances(predictions, fields, rule)
    chance, information = inside * seen * alone, _information(predictions, rule)
    value = chance * information
    best = np.full(len(nights), -1, np.int64)
    ascending = np.argsort(value, kind="stable")
    best[predictions.object[ascending]] = ascending  # the last written is the greatest
    met = best >= 0
    outlook = np.full(len(nights), Outlook.NOT_IN_A_FIELD, np.int8)
    parts = np.stack([alone, seen, inside])[:, best[met]]
    hindrance = np.array([Outlook.CONFUSED, Outlook.FAINT, Outlook.EDGE], np.int8)[np.argmin(parts, axis=0)]
    enough = np.where(nights[met] + 1 >= rule.nights_needed, Outlook.CONFIRMS, Outlook.MORE_NIGHTS)
    outlook[met] = np.where(chance[best[met]] >= rule.least_chance, enough, hindrance)
    chance, information, value = (_of_best(each, best) for each in (chance, information, value))
    order = np.lexsort((-nights, -value, outlook != Outlook.CONFIRMS))
    return Confirmations(order, best[order], chance[order], information[order], value[order], outlook[order])


def _of_best(column: Floats, best: Indices) -> Floats:
    """0 where there is no meeting."""
    return np.where(best >= 0, np.append(column, 0.0)[best], 0.0)


def _chances(predictions: Predictions, fields: Fields, rule: ConfirmationRule) -> tuple[Floats, Floats, Floats]:
    """In the field, bright enough, alone in its place; an unknown magnitude or depth is no hindrance."""
    fainter = (predictions.magnitude - fields.m5[predictions.field]) / rule.fade_mag
    seen = np.where(np.isfinite(fainter), 1 / (1 + np.exp(np.clip(fainter, -50, 50))), 1.0)
    major, minor = (np.hypot(each, rule.measured_arcsec) for each in (predictions.sigma_major, predictions.sigma_minor))
    area_deg2 = np.pi * rule.gate_sigmas**2 * major * minor / 3_600**2
    return predictions.inside, seen, np.exp(-rule.false_per_deg2 * area_deg2)


def _information(predictions: Predictions, rule: ConfirmationRule) -> Floats:
    """½ ln det(C + R) − ½ ln det R of the place, nats."""
    gained: Floats = 0.5 * (
        np.log1p((predictions.sigma_major / rule.measured_arcsec) ** 2)
        + np.log1p((predictions.sigma_minor / rule.measured_arcsec) ** 2)
    )
    return gained
