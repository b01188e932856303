"""Metrics, values and limits in words, as captions, hovers and tables say them."""

import numpy as np

from calib.metric_map import MetricMap
from calib.models import Finding, Level
from calib.science import checks
from calib.science.judgement import Limits
from calib.science.metrics import BY_NAME, MetricDefinition
from dayops.web.markup import NOTHING, format_number


def title(metric: MetricDefinition) -> str:
    """The metric's name for people: “read noise”, whatever its unit."""
    return metric.name.removesuffix("_e").removesuffix("_adu").replace("_", " ")


def unit(metric: MetricDefinition) -> str:
    """The metric's unit, empty where its name says it already: “hot pixels” are pixels."""
    return "" if title(metric).endswith(metric.unit) else metric.unit


def tidy(value: float) -> float | int:
    """A value to be shown: whole numbers without decimals."""
    return int(value) if float(value).is_integer() and abs(value) < 1e15 else float(value)


def axis_title(metric: MetricDefinition) -> str:
    """The metric's name and unit, for an axis or a choice: “read noise / e⁻”."""
    return _with_unit(title(metric), unit(metric))


def stored_title(name: str) -> str:
    """The title of a metric or check that rows name; one this version does not know stands as it is."""
    if name in checks.BY_NAME:
        return checks.BY_NAME[name].title
    return title(BY_NAME[name]) if name in BY_NAME else name


def stored_unit(name: str) -> str:
    if name in checks.BY_NAME:
        return checks.BY_NAME[name].unit
    return unit(BY_NAME[name]) if name in BY_NAME else ""


def stored_axis_title(name: str) -> str:
    """The title and unit of a metric or check that rows name."""
    return _with_unit(stored_title(name), stored_unit(name))


def _with_unit(name: str, of: str) -> str:
    """A rate “/cm²/min” reads “per cm²/min”."""
    return f"{name} per {of[1:]}" if of.startswith("/") else f"{name} / {of}" if of else name


def caption(measured: MetricMap) -> str:
    """The numbers that matter, and where the extremes are."""
    name, total = title(measured.metric).capitalize(), len(measured.counted)
    if not measured.finite.size:
        return f"{name}: no {measured.noun} has a value"
    p5, middle, p95 = (said(measured, value) for value in measured.percentiles(5, 50, 95))
    least, most = int(np.nanargmin(measured.values)), int(np.nanargmax(measured.values))
    return (
        f"{name} of {measured.finite.size} of {total} {measured.noun}s: median {middle}, 5–95 % {p5} to {p95}, "
        f"least {said(measured, measured.values[least])} ({measured.name_of(least)}), "
        f"most {said(measured, measured.values[most])} ({measured.name_of(most)}); "
        f"{measured.count(Level.WARN)} in WARN, {measured.count(Level.ERROR)} in ERROR"
    )


def said(measured: MetricMap, value: float) -> str:
    """A value of the metric with its unit."""
    return f"{format_number(tidy(value))} {unit(measured.metric)}".strip()


def limits_in_words(limits: Limits, of: str = "") -> str:
    """``WARN outside 3 … 13 e⁻, ERROR outside 2 … 18 e⁻``, with `of` as the unit; a missing end is not bound."""
    pairs = (("WARN", limits.warn_low, limits.warn_high), ("ERROR", limits.error_low, limits.error_high))
    said = [f"{word} {_outside(low, high)} {of}" for word, low, high in pairs if low is not None or high is not None]
    return ", ".join(words.strip() for words in said) or "no limits in force"


def _outside(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return f"above {number(high)}" if high is not None else f"below {number(low or 0.0)}"
    return f"outside {number(low)} … {number(high)}"


def limit_said(finding: Finding) -> str:
    """The limit a finding is beyond, without its unit."""
    return NOTHING if finding.limit is None else number(finding.limit)


def number(value: float) -> str:
    """The digits of a value, as few as say it: 0.01, not 0.01000."""
    text = format_number(tidy(value))
    return text.rstrip("0").rstrip(".") if "." in text and "×" not in text else text
