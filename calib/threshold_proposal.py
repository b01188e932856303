"""Limits proposed from what was measured: median ± k robust sigma."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from calib.science.judgement import Limits
from calib.threshold_preview import Measured, measurements
from calib.threshold_request import BadChange, Row
from calib.threshold_scope import Scope

Sides = Literal["both", "low", "high"]
Per = Literal["", "detector", "amplifier"]
FEWEST_VALUES = 10
MOST_DAYS = 90
_FINER = 100  # limits are rounded to the power of ten below sigma over this
_SIGMA_OF_MAD = 1.4826


@dataclass(frozen=True, slots=True)
class Recipe:
    """How limits are to be proposed: WARN beyond `k_warn` robust sigma from the median, ERROR beyond `k_error`."""

    days: int = 30
    k_warn: float = 5.0
    k_error: float = 8.0
    sides: Sides = "both"
    per: Per = ""


@dataclass(frozen=True, slots=True)
class Proposed:
    """A row, and the values it comes from: how many, their median and robust sigma, in the metric's unit."""

    row: Row
    count: int
    median: float
    sigma: float


@dataclass(frozen=True, slots=True)
class Proposal:
    """Rows for one scope or for each of its detectors or amplifiers; `skipped` have too few values, or no scatter."""

    rows: tuple[Proposed, ...]
    skipped: tuple[str, ...]


def propose(scope: Scope, recipe: Recipe, at: datetime) -> Proposal:
    """Limits for `scope` from the values of its last `recipe.days` days. Frames that people rejected do not count.

    Raises
    ------
    BadChange
        The recipe makes no sense, or nothing can be proposed from what was measured.
    """
    if problems := problems_of(recipe, scope):
        raise BadChange(problems)
    rows, skipped = [], []
    for part, values in _values(scope, recipe, at):
        proposed = _from_values(part, values, recipe)
        if isinstance(proposed, str):
            skipped.append(f"{part.in_words}: {proposed}")
        else:
            rows.append(proposed)
    if not rows:
        why = skipped[0] if skipped else "nothing was measured there."
        raise BadChange({"days": f"No limits can be proposed from the last {recipe.days} days. {why}"})
    return Proposal(tuple(rows), tuple(skipped))


def problems_of(recipe: Recipe, scope: Scope) -> dict[str, str]:
    """What is wrong with `recipe`, as a sentence for each field that is."""
    problems = problems_of_days(recipe.days)
    if not 0 < recipe.k_warn < recipe.k_error < 1000:
        problems["k_error"] = (
            f"WARN at {recipe.k_warn:g} σ and ERROR at {recipe.k_error:g} σ make no sense: WARN must be above 0 and "
            "below ERROR."
        )
    if recipe.per and not scope.camera:
        problems["camera"] = f"Name the camera whose {recipe.per}s shall have limits of their own."
    if recipe.per and scope.amplifier:
        problems["amplifier"] = f"Leave the amplifier empty to propose limits for each {recipe.per}."
    return problems


def problems_of_days(days: int) -> dict[str, str]:
    return {} if 1 <= days <= MOST_DAYS else {"days": f"{days} days are not possible: choose 1 to {MOST_DAYS}."}


def _values(scope: Scope, recipe: Recipe, at: datetime) -> Iterator[tuple[Scope, NDArray[np.float64]]]:
    """Each part of `scope` that is to have limits, and all its values, shape (n,)."""
    found: dict[Scope, list[NDArray[np.float64]]] = {}
    for measured in measurements(scope, recipe.days, at):
        inside = measured.inside(scope)
        for part, values in _parts(scope, recipe.per, measured, inside):
            found.setdefault(part, []).append(values)
    for part in sorted(found, key=lambda part: (part.detector, part.amplifier)):
        values = np.concatenate(found[part])
        yield part, values[np.isfinite(values)]


def _parts(
    scope: Scope, per: Per, measured: Measured, inside: NDArray[np.bool_]
) -> Iterator[tuple[Scope, NDArray[np.float64]]]:
    if not inside.any():
        return
    of_detector = replace(scope, detector=measured.detector.name, detector_type="") if per else scope
    if per == "amplifier":
        for i in np.flatnonzero(inside):
            yield replace(of_detector, amplifier=measured.amplifiers[i]), measured.values[i : i + 1]
    else:
        yield of_detector, measured.values[inside]


def _from_values(scope: Scope, values: NDArray[np.float64], recipe: Recipe) -> Proposed | str:
    """The proposal, or a sentence saying why there is none."""
    if len(values) < FEWEST_VALUES:
        return f"only {len(values)} values were measured, {FEWEST_VALUES} are needed."
    median = float(np.median(values))
    sigma = float(_SIGMA_OF_MAD * np.median(np.abs(values - median)))
    if sigma == 0.0:
        return f"half of the {len(values)} values or more are {median:g}: they have no scatter, write limits by hand."
    low, high = recipe.sides in ("both", "low"), recipe.sides in ("both", "high")
    limits = Limits(
        error_low=_rounded(median - recipe.k_error * sigma, sigma) if low else None,
        warn_low=_rounded(median - recipe.k_warn * sigma, sigma) if low else None,
        warn_high=_rounded(median + recipe.k_warn * sigma, sigma) if high else None,
        error_high=_rounded(median + recipe.k_error * sigma, sigma) if high else None,
    )
    return Proposed(Row(scope, limits), len(values), median, sigma)


def _rounded(value: float, sigma: float) -> float:
    """By the scatter, not by the value: a level of 25,123.4 ADU that moves by 0.2 needs all its digits."""
    return round(value, -math.floor(math.log10(sigma / _FINER)))
