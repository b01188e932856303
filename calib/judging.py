"""Levels of measured numbers by the limits in force, and the findings that say which limit and which row."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from calib.models import Finding
from calib.science.judgement import OK, broken_limit, judge
from calib.science.metrics import BY_NAME, METRICS
from calib.thresholds import NONE, InForce

Values = Mapping[str, npt.NDArray[np.float64]]
# what compares with other frames, or stands in the header, says nothing of an amplifier for which these lack
_MAY_LACK = {metric.name for metric in METRICS if metric.source != "pixels"}
Levels = dict[str, npt.NDArray[np.int16]]


def judged(values: Values, limits: Mapping[str, InForce], amplifiers: Sequence[str]) -> Levels:
    """Level of each value of each metric. A metric has a value for each of the `amplifiers`, or one for all of them."""
    levels = {name: _levels(name, found, limits.get(name, NONE), amplifiers) for name, found in values.items()}
    for name in levels.keys() & _MAY_LACK:
        levels[name][~np.isfinite(values[name])] = OK
    return levels


def findings(values: Values, levels: Levels, limits: Mapping[str, InForce], amplifiers: Sequence[str]) -> list[Finding]:
    """One unsaved finding, without its assessment, for each value that is not OK."""
    found = []
    for name, level in levels.items():
        for index in np.flatnonzero(level):
            amplifier = amplifiers[int(index)] if _is_of_amplifiers(name, level, len(amplifiers)) else ""
            force, value = limits.get(name, NONE).of(amplifier), float(values[name][index])
            found.append(
                Finding(
                    metric=name,
                    amplifier=amplifier,
                    level=int(level[index]),
                    value=value,
                    limit=broken_limit(value, int(level[index]), force.limits),
                    threshold_id=force.threshold_id,
                )
            )
    return found


def worst_of_amplifiers(levels: Levels, count: int) -> npt.NDArray[np.int16]:
    """The worst level of each amplifier over its own metrics, shape (count,)."""
    own = [level for name, level in levels.items() if _is_of_amplifiers(name, level, count)]
    return np.max(np.stack(own), axis=0) if own else np.full(count, OK, dtype=np.int16)


def _levels(
    metric: str, values: npt.NDArray[np.float64], force: InForce, amplifiers: Sequence[str]
) -> npt.NDArray[np.int16]:
    levels = judge(values, force.limits)
    if not _is_of_amplifiers(metric, values, len(amplifiers)):
        return levels
    for name, own in force.exceptions.items():
        if name in amplifiers and np.isfinite(values[index := amplifiers.index(name)]):
            levels[index] = judge(values[index : index + 1], own.limits)[0]
    return levels


def _is_of_amplifiers(metric: str, values: npt.NDArray[Any], count: int) -> bool:
    """Whether `values` are one for each of `count` amplifiers; of a single one the metric's definition tells."""
    return len(values) == count and not (metric in BY_NAME and BY_NAME[metric].per == "detector")
