"""Sets of products, products and tonight, for programs; and what people may do about a set."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404

from calib.certification import NotCertifiable, flag_bad, roll_back
from calib.certification.instants import tai_ns, utc_of
from calib.models import CertificationAction, Product, ProductSet, Verification
from calib.products.gate import NotDecidable, override
from calib.products.made import storable
from calib.products.progress import stages_of
from calib.products.tonight import Cell, tonight
from calib.views.products.day import sets_of
from calib.views.products.sets import deeds_of, standing_deed
from calib.views.products.tonight import instant_of
from calib.views.review import MAY_JUDGE
from dayops.observing_day import ObservingDay
from dayops.web.access import require
from dayops.web.api.endpoints import BadRequest, body_of, endpoint, one_page
from dayops.web.refusals import Refused, refusal
from dayops.web.work_pages.operations import MAY_OPERATE, REASON_LIMIT, actor_of


def set_as_json(made: ProductSet) -> dict[str, Any]:
    """One set; instants in UTC."""
    return {
        "id": made.pk,
        "camera": made.camera,
        "day_obs": made.day_obs,
        "state": made.state,
        "reasons": made.reasons,
        "configuration": made.configuration,
        "parameters": made.parameters,
        "run": made.run_id,
        "requested_by": made.run.requested_by,
        "phase": made.run.phase,
        "created_at": made.created_at,
        "decided_at": made.decided_at,
        "decided_by": made.decided_by,
        "url": f"/calib/products/sets/{made.pk}/",
    }


def product_as_json(product: Product) -> dict[str, Any]:
    """One product without its numbers."""
    return {
        "id": product.pk,
        "set": product.product_set_id,
        "type": product.type,
        "camera": product.camera,
        "detector": product.detector_name,
        "filter": product.filter,
        "day_obs": product.day_obs,
        "sha256": product.sha256,
        "size": product.size,
        "created_at": product.created_at,
        "flagged_bad_at": product.flagged_bad_at,
        "flagged_bad_by": product.flagged_bad_by,
        "flag_reason": product.flag_reason,
        "url": f"/calib/products/{product.pk}/",
        "file": f"/calib/products/{product.pk}/file/",
    }


def test_as_json(row: Verification) -> dict[str, Any]:
    """One test; a value that is not a number is null."""
    plain = {name: getattr(row, name) for name in ("product_id", "test", "passed", "sentence")}
    product = plain.pop("product_id")
    limits = {name: getattr(row, name) for name in ("values", "lower", "upper", "incumbent")}
    return {"product": product, **plain, **storable(limits), "frame": row.frame_id}


test_as_json.__test__ = False  # type: ignore[attr-defined]


def deed_as_json(deed: CertificationAction) -> dict[str, Any]:
    names = ("kind", "collection", "camera", "day_obs", "actor", "reason", "override", "at")
    found = {name: getattr(deed, name) for name in names}
    return {"id": deed.pk, "set": deed.product_set_id, "undoes": deed.undoes_id, **found}


def cell_as_json(cell: Cell) -> dict[str, Any]:
    """One slot of the night; `product` is what is used, `candidate` what the newest set made and is not."""
    found = cell.outlook.found
    return {
        "type": cell.outlook.type,
        "detector": cell.detector.name,
        "filter": cell.outlook.filter,
        "state": cell.state,
        "product": found.product if found else None,
        "sha256": found.sha256 if found else "",
        "day_obs": found.day_obs if found else None,
        "age_days": cell.outlook.age_days,
        "collection": found.collection if found else "",
        "certification": found.action if found else None,
        "tests_passed": cell.passed,
        "tests_failed": cell.failed,
        "candidate": cell.candidate,
        "why": cell.why,
    }


@endpoint("GET")
def sets_view(request: HttpRequest) -> HttpResponseBase:
    """Sets of ``?day=`` (the current dayObs unless told), newest first."""
    return JsonResponse(one_page(request, sets_of(_day(request)), "sets", set_as_json))


@endpoint("GET")
def set_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One set with its stages, products, failed tests and deeds."""
    made = get_object_or_404(ProductSet.objects.select_related("run"), pk=pk)
    products = Product.objects.filter(product_set=made).defer("statistics", "provenance", "inputs").order_by("pk")
    failed = Verification.objects.filter(product__product_set=made, passed=False).order_by("pk")
    stages = [
        {
            "name": one.name,
            "state": one.word,
            "done": one.completed,
            "expected": one.total,
            "took_s": _seconds(one.took),
        }
        for one in stages_of(made.run)
    ]
    return JsonResponse(
        {
            **set_as_json(made),
            "stages": stages,
            "products": [product_as_json(each) for each in products],
            "failed": [test_as_json(each) for each in failed],
            "deeds": [deed_as_json(each) for each in deeds_of(made)],
        }
    )


@endpoint("GET")
def product_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One product with its numbers and tests; NaN is null."""
    product = get_object_or_404(Product, pk=pk)
    tests = Verification.objects.filter(product=product).order_by("pk")
    return JsonResponse(
        {
            **product_as_json(product),
            "statistics": product.statistics,
            "tests": [test_as_json(each) for each in tests],
            "certifications": [
                {
                    "valid_from": _instant(each.valid.lower),
                    "valid_to": _instant(each.valid.upper),
                    "known_from": each.known.lower,
                    "known_to": each.known.upper,
                    "action": each.action_id,
                }
                for each in product.certifications.order_by("pk")
            ],
        }
    )


@endpoint("GET")
def provenance_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Where a product comes from (DMS-REQ-0132), as it was kept when it was made."""
    product = get_object_or_404(Product, pk=pk)
    return JsonResponse({**product_as_json(product), "provenance": product.provenance})


@endpoint("GET")
def tonight_view(request: HttpRequest) -> HttpResponseBase:
    """What the night of ``?day=`` uses, at ``?at=`` (its evening twilight unless told), as known at ``?known=``."""
    at, known = _asked(request, "at"), _asked(request, "known")
    day = ObservingDay.at(at) if at and "day" not in request.GET else _day(request)
    found = tonight(day, tai_ns(at) if at else None, known)
    return JsonResponse(
        {
            "day_obs": day.day_obs,
            "at": utc_of(found.at),
            "at_tai_ns": found.at,
            "known": known,
            "is_complete": found.is_complete,
            "sentence": found.sentence,
            "newest_set": found.newest.pk if found.newest else None,
            "slots": [cell_as_json(cell) for cell in found.cells],
            "gaps": [
                {
                    "type": gap.type,
                    "detector": gap.detector,
                    "filter": gap.filter,
                    "begins": utc_of(gap.begins),
                    "ends": utc_of(gap.ends),
                }
                for gap in found.gaps
            ],
        }
    )


@endpoint("POST")
@require(MAY_JUDGE)
def override_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Certify what the gate refused, for a `reason`."""
    made = get_object_or_404(ProductSet, pk=pk)
    try:
        deed = override(made, actor_of(request), _reason(request))
    except (NotDecidable, NotCertifiable) as error:
        return refusal(request, HTTPStatus.CONFLICT, str(error))
    return JsonResponse({"deed": deed_as_json(deed)})


@endpoint("POST")
@require(MAY_OPERATE)
def roll_back_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Roll the set's certification back, for a `reason`."""
    made = get_object_or_404(ProductSet, pk=pk)
    standing = standing_deed(deeds_of(made))
    if standing is None:
        sentence = "Nothing of this set is certified: there is nothing to roll back."
        return refusal(request, HTTPStatus.CONFLICT, sentence)
    try:
        deed = roll_back(standing, actor_of(request), _reason(request))
    except NotCertifiable as error:
        return refusal(request, HTTPStatus.CONFLICT, str(error))
    return JsonResponse({"deed": deed_as_json(deed)})


@endpoint("POST")
@require(MAY_JUDGE)
def flag_view(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Flag a product bad, for a `reason`: it is never used again."""
    product = get_object_or_404(Product, pk=pk)
    try:
        deeds = flag_bad(product, actor_of(request), _reason(request))
    except NotCertifiable as error:
        return refusal(request, HTTPStatus.CONFLICT, str(error))
    return JsonResponse({**product_as_json(product), "deeds": [deed_as_json(deed) for deed in deeds]})


def _reason(request: HttpRequest) -> str:
    reason = body_of(request).get("reason", "")
    if not isinstance(reason, str):
        raise BadRequest("reason is not a text.")
    return reason.replace("\0", "")[:REASON_LIMIT]


def _asked(request: HttpRequest, name: str) -> datetime | None:
    text = request.GET.get(name, "").strip()
    try:
        return instant_of(text, name) if text else None
    except Refused as refused:
        raise BadRequest(f"{refused.sentence} {refused.remedy}") from refused


def _day(request: HttpRequest) -> ObservingDay:
    text = request.GET.get("day", "")
    try:
        return ObservingDay.parse(text) if text else ObservingDay.current()
    except ValueError as error:
        raise BadRequest(f"day={text[:40]!r} is not a dayObs like 2026-11-22.") from error


def _instant(instant: int | None) -> datetime | None:
    return None if instant is None else utc_of(instant)


def _seconds(span: Any) -> float | None:
    return None if span is None else span.total_seconds()
