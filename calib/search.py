"""What calibration adds to the search: metrics and checks with their trends or limits, and products."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat
from django.urls import reverse

from calib.metric_words import title
from calib.models import Product, ProductSet
from calib.science.checks import CHECKS
from calib.science.metrics import METRICS
from dayops.web.search import SHOWN, Hit, Source, containing

_DIGITS = 18


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


def _products(words: Sequence[str]) -> Iterator[Hit]:
    """Products by detector, type, filter and dayObs; sets by their number (``set 12``)."""
    of_day = [word.replace("-", "") for word in words]
    found = Product.objects.select_related("product_set").defer("statistics", "provenance", "inputs")
    text = Concat(*_spaced("detector_name", "type", "filter", Cast("day_obs", CharField())), output_field=CharField())
    for row in found.annotate(text=text).filter(containing(of_day, "text")).order_by("-pk")[: SHOWN + 1]:
        about = f"set {row.product_set_id}, {row.product_set.get_state_display().lower()}"
        yield Hit(str(row), reverse("calib-camera:product", args=[row.pk]), about)


def _spaced(*parts: str | Cast) -> Iterator[str | Value | Cast]:
    for part in parts:
        yield part
        yield Value(" ")


def _set_called(text: str) -> str:
    word, _, number = text.lower().partition(" ")
    if word != "set" or not (number.isascii() and number.isdigit() and len(number) < _DIGITS):
        return ""
    found = ProductSet.objects.filter(pk=int(number)).exists()
    return reverse("calib-camera:productset", args=[int(number)]) if found else ""


PRODUCTS = Source("Products", _products, _set_called)
METRICS_AND_CHECKS = Source("Metrics and checks", _metrics, _metric_called)
