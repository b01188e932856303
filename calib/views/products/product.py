"""One product: its picture or curves beside the certified one, its numbers, tests, origin and history."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from calib.certification import NotCertifiable, flag_bad, history_of
from calib.certification.instants import utc_of
from calib.metric_words import tidy
from calib.models import Certification, Product, ProductType, Verification
from calib.products.beside import incumbent_of
from calib.products.made import numbers
from calib.products.numbers import NUMBERS, test_title, test_unit, worst_of
from calib.products.plots.defects import Defect
from calib.views.products.day import see, set_url
from calib.views.products.figures import FIGURES, defects_beside
from calib.views.products.image import planes_of
from calib.views.products.tonight import product_url
from calib.views.review import MAY_JUDGE
from dayops.camera import Detector, load
from dayops.models import Exposure
from dayops.observing_day import ObservingDay
from dayops.web.access import require, why_not
from dayops.web.refusals import Refused, in_words
from dayops.web.tables import Column, Table
from dayops.web.work_pages.facts import facts
from dayops.web.work_pages.operations import REASON_LIMIT, actor_of

HISTORY_SHOWN = 30
DEFECTS = Table(
    "defects",
    (
        Column("fate", "Fate", lambda row: row.fate, order="fate"),
        Column("kind", "Kind", lambda row: row.kind, order="kind"),
        Column("amplifier", "Amplifier", lambda row: row.amplifier or None, order="amplifier"),
        Column("x0", "x", lambda row: row.x0, "number", order="x0", unit="pixel"),
        Column("y0", "y", lambda row: row.y0, "number", order="y0", unit="pixel"),
        Column("width", "Width", lambda row: row.width, "number", order="width", unit="pixels"),
        Column("height", "Height", lambda row: row.height, "number", order="height", unit="pixels"),
        Column("value", "Value", lambda row: row.value if math.isfinite(row.value) else None, "number", order="value"),
        Column("unit", "Unit", lambda row: row.unit or None),
    ),
    search=("kind", "amplifier", "fate"),
    page_size=50,
)
CROSSTALK = Table(
    "crosstalk",
    (
        Column("victim", "Victim", lambda row: row[0], order="victim"),
        Column("aggressor", "Aggressor", lambda row: row[1], order="aggressor"),
        Column("coefficient", "Coefficient", lambda row: row[2], "number", order="coefficient", unit="ADU/ADU"),
        Column("error", "Error", lambda row: row[3], "number", order="error", unit="ADU/ADU"),
        Column("applied", "Applied", lambda row: row[4], "number", order="applied", unit="ADU/ADU"),
        Column("certified", "Certified one applies", lambda row: row[5], "number", order="certified", unit="ADU/ADU"),
    ),
    search=("victim", "aggressor"),
    page_size=50,
)


@dataclass(frozen=True, slots=True)
class TestRow:
    """One test as the page shows it."""

    __test__ = False

    row: Verification
    title: str
    unit: str
    worst: float | None
    where: str


@dataclass(frozen=True, slots=True)
class Spell:
    """One certification in the history of the slot."""

    row: Certification
    url: str
    is_this: bool
    valid_from: Any
    valid_to: Any


@require_safe
@in_words
def product_page(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The page; its table (amplifiers, defects or pairs) is exported as CSV, JSON or FITS."""
    product = get_object_or_404(Product.objects.select_related("product_set__run"), pk=pk)
    incumbent = incumbent_of(product)
    detector = load(product.camera).by_id[product.detector]
    table, rows = _table(product, incumbent, detector)
    context = {
        "product": product,
        "kind": ProductType(product.type).label,
        "day": ObservingDay(product.day_obs),
        "made": product.product_set,
        "made_url": set_url(product.product_set),
        "incumbent": incumbent,
        "incumbent_url": product_url(incumbent.pk) if incumbent else "",
        "planes": list(_planes(product, incumbent)),
        "histogram_url": _image_url(product, "new", 0, "histogram/") if planes_of(product, None) else "",
        "figures": [
            (reverse("calib-camera:product-figure", args=[pk, name]), title, caption)
            for name, (title, caption) in FIGURES.get(ProductType(product.type), {}).items()
        ],
        "whole": list(_whole(product, incumbent)),
        "notes_of_fit": product.statistics.get("notes", []),
        "tests": (tests := _tests(product, detector)),
        "is_compared": any(test.row.incumbent is not None for test in tests),
        "history": _history(product),
        "others": _others(product),
        "may_not_flag": why_not_flag(request, product),
        "reason_limit": REASON_LIMIT,
        "subject": f"product:{pk}",
        **_origin(product),
    }
    return table.respond(request, rows, "calib/products/product.html", context)


@require_safe
def product_of_event(request: HttpRequest, day: ObservingDay, pk: int) -> HttpResponse:
    """Where ``product:12`` leads."""
    return redirect("calib-camera:product", pk)


@require_POST
@require(MAY_JUDGE)
def flag_product(request: HttpRequest, pk: int) -> HttpResponse:
    """Flag the product bad, for the reason given: it is never used again, and what it replaced is."""
    product = get_object_or_404(Product, pk=pk)
    try:
        deeds = flag_bad(product, actor_of(request), request.POST.get("reason", "")[:REASON_LIMIT])
    except NotCertifiable as error:
        messages.error(request, str(error))
    else:
        where = f" and taken out of {', '.join(deed.collection for deed in deeds)}" if deeds else ""
        messages.success(request, f"{product} is flagged bad{where}.")
    return see(product_url(pk))


def why_not_flag(request: HttpRequest, product: Product) -> str:
    if product.flagged_bad_at is not None:
        return "It is flagged bad already."
    return why_not(request, MAY_JUDGE)


def _image_url(product: Product, plane: str, beside: int, rest: str = "") -> str:
    return reverse("calib-camera:product-image", args=[product.pk, plane, beside]) + rest


def _planes(product: Product, incumbent: Product | None) -> Iterator[dict[str, str]]:
    """The planes of the viewer: name, and the addresses of its information, tiles and pixels."""
    beside = incumbent.pk if incumbent else 0
    for name in planes_of(product, incumbent):
        yield {
            "name": name,
            "info": _image_url(product, name, beside),
            "tiles": _image_url(product, name, beside, "{z}/{x}/{y}"),
            "pixel": _image_url(product, name, beside, "pixel/"),
        }


def _table(product: Product, incumbent: Product | None, detector: Detector) -> tuple[Table, Sequence[Any]]:
    name = "_".join(filter(None, [product.detector_name, product.type, product.filter, str(product.day_obs)]))
    if product.type == ProductType.DEFECTS:
        return replace(DEFECTS, name=name), _defects(product, incumbent)
    if product.type == ProductType.CROSSTALK:
        return replace(CROSSTALK, name=name), list(_pairs(product, incumbent, detector))
    return replace(_amplifier_table(product, incumbent), name=name), _amplifier_rows(product, incumbent, detector)


def _defects(product: Product, incumbent: Product | None) -> Sequence[Defect]:
    """None where a file is lost: the figure says so, and the rest of the page stands."""
    try:
        return defects_beside(product, incumbent)
    except Refused:
        return []


def _amplifier_table(product: Product, incumbent: Product | None) -> Table:
    """A column for each number, and beside it the certified product's where there is one."""
    columns = [Column("amplifier", "Amplifier", lambda row: row["amplifier"], order="amplifier")]
    for each in NUMBERS[ProductType(product.type)]:
        if each.per_amplifier:
            columns.append(_column(each.name, each.title, each.unit))
            if incumbent:
                columns.append(_column(f"{each.name}_certified", "certified", each.unit))
    return Table("amplifiers", columns, page_size=50)


def _column(name: str, title: str, unit: str) -> Column:
    return Column(name, title, lambda row: row[name], "number", order=name, unit=unit)


def _amplifier_rows(product: Product, incumbent: Product | None, detector: Detector) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{"amplifier": amplifier.name} for amplifier in detector.amplifiers]
    old: Mapping[str, Any] = incumbent.statistics if incumbent else {}
    for each in NUMBERS[ProductType(product.type)]:
        if not each.per_amplifier:
            continue
        for name, statistics in ((each.name, product.statistics), (f"{each.name}_certified", old)):
            for row, value in zip(rows, each.of(statistics, len(rows)), strict=True):
                row[name] = value if math.isfinite(value) else None
    return rows


def _pairs(product: Product, incumbent: Product | None, detector: Detector) -> Iterator[tuple[str | float | None, ...]]:
    """Victim, aggressor, coefficient, its error, what is applied of it, and what the certified one applies."""
    names = [amplifier.name for amplifier in detector.amplifiers]
    each = [numbers(product.statistics, name) for name in ("coefficients", "errors", "applied")]
    each += [numbers(incumbent.statistics, "applied")] if incumbent else [np.full_like(each[0], np.nan)]
    for v, victim in enumerate(names):
        for a, aggressor in enumerate(names):
            if v != a:
                yield victim, aggressor, *(_known(values[v, a]) for values in each)


def _known(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _whole(product: Product, incumbent: Product | None) -> Iterator[tuple[str, str, float, float]]:
    """Numbers of the whole detector: title, unit, value, and the certified product's."""
    for each in NUMBERS[ProductType(product.type)]:
        if not each.per_amplifier:
            (new,) = each.of(product.statistics, 0)
            (old,) = each.of(incumbent.statistics, 0) if incumbent else (math.nan,)
            yield each.title, each.unit, _tidy(new), _tidy(old)


def _tidy(value: float) -> float:
    return tidy(value) if math.isfinite(value) else value


def _tests(product: Product, detector: Detector) -> list[TestRow]:
    rows = Verification.objects.filter(product=product).select_related("frame__exposure")
    rows = rows.defer("frame__header", "frame__amplifier_headers", "frame__remarks").order_by("passed", "pk")
    found = ((row, worst_of(row, detector)) for row in rows)
    return [TestRow(row, test_title(row.test), test_unit(row.test), at.value, at.where) for row, at in found]


def _history(product: Product) -> list[Spell]:
    """Every certification of the slot, newest knowledge first."""
    collection = str(product.product_set.parameters.get("collection", "daily"))
    rows = history_of(product.camera, collection, product.type, product.detector, product.filter)
    return [
        Spell(
            row,
            product_url(row.product_id),
            row.product_id == product.pk,
            utc_of(row.valid.lower) if row.valid.lower is not None else None,
            utc_of(row.valid.upper) if row.valid.upper is not None else None,
        )
        for row in rows[:HISTORY_SHOWN]
    ]


def _others(product: Product) -> dict[str, Any]:
    """The same type and filter of the detectors before and after, in the same set (one query)."""
    same = Product.objects.filter(product_set=product.product_set_id, type=product.type, filter=product.filter)
    rows = list(same.order_by("detector").values_list("pk", "detector_name"))
    place = [pk for pk, _ in rows].index(product.pk)
    before, after = rows[place - 1 : place] if place else [], rows[place + 1 : place + 2]
    return {
        "previous": (product_url(before[0][0]), before[0][1]) if before else None,
        "next": (product_url(after[0][0]), after[0][1]) if after else None,
    }


def _origin(product: Product) -> dict[str, Any]:
    """Provenance as the page shows it (DMS-REQ-0132): frames with links, calibrations, software, instrument."""
    origin = product.provenance
    named = {row.get("exposure", "") for key in ("inputs", "held out") for row in origin.get(key, [])}
    days = dict(Exposure.objects.filter(camera=product.camera, name__in=named).values_list("name", "day_obs"))
    frames = [
        (use, row, reverse("calib:detector", args=[days[name], name, product.detector_name]) if name in days else "")
        for use, key in (("combined", "inputs"), ("held out", "held out"))
        for row in origin.get(key, [])
        for name in [row.get("exposure", "")]
    ]
    return {
        "frames": frames,
        "used": [(row, product_url(row["product"])) for row in origin.get("calibrations", []) if "product" in row],
        "dates": origin.get("dates", {}),
        "software": facts(origin.get("software", {})),
        "instrument": facts(origin.get("instrument", {})),
        "processing": facts(origin.get("parameters", {})),
    }
