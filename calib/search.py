"""What calibration adds to the search: its metrics and checks, each with its trend or its limits."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from django.urls import reverse

from calib.metric_words import title
from calib.science.checks import CHECKS
from calib.science.metrics import METRICS
from dayops.web.search import Hit, Source


def _metrics(words: Sequence[str]) -> Iterator[Hit]:
    for metric in METRICS:
        if _are_in(words, f"{metric.name} {title(metric)} {metric.description}"):
            yield Hit(title(metric), _trend(metric.name), metric.description)
    for check in CHECKS:
        if _are_in(words, f"{check.name} {check.title} {check.description}"):
            url = f"{reverse('calib-camera:thresholds')}?{urlencode({'metric': check.name})}"
            yield Hit(check.title, url, check.description)


def _metric_called(text: str) -> str:
    return next((_trend(metric.name) for metric in METRICS if text == metric.name), "")


def _trend(metric: str) -> str:
    return f"{reverse('calib-camera:trends')}?{urlencode({'metric': metric})}"


def _are_in(words: Sequence[str], text: str) -> bool:
    return all(word.lower() in text.lower() for word in words)


METRICS_AND_CHECKS = Source("Metrics and checks", _metrics, _metric_called)
