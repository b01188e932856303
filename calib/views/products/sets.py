"""One set of products: what was verified, why it was refused, and what a person may do about it."""

from collections.abc import Sequence
from dataclasses import replace

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import conditional_page, require_POST, require_safe

from calib.certification import NotCertifiable, roll_back
from calib.models import CertificationAction, Product, ProductSet, ProductType, Verification
from calib.products.gate import NotDecidable, override
from calib.products.numbers import test_title, test_unit, worst_of
from calib.products.progress import stages_of
from calib.views.lookup import exposure_url
from calib.views.products.day import command_execute, input_exposures, see, set_url, start_button
from calib.views.products.tonight import product_url
from calib.views.review import MAY_JUDGE
from dayops import camera as cameras
from dayops.models import Exposure
from dayops.observing_day import ObservingDay
from dayops.web.access import require, why_not
from dayops.web.api.ocs import MAY_COMMAND
from dayops.web.refusals import is_fragment
from dayops.web.tables import Column, Filter, Table
from dayops.web.work_pages.facts import facts
from dayops.web.work_pages.operations import MAY_OPERATE, REASON_LIMIT, actor_of

MOST_EXPOSURES = 500


def _detector(row: Verification) -> str:
    return row.product.detector_name


def _worst(row: Verification) -> float | None:
    return worst_of(row, cameras.load(row.product.camera).by_id[row.product.detector]).value


def _where(row: Verification) -> str | None:
    return worst_of(row, cameras.load(row.product.camera).by_id[row.product.detector]).where or None


def _kind(row: Verification) -> str:
    return " ".join(filter(None, [ProductType(row.product.type).label, row.product.filter]))


TESTS = Table(
    "verification",
    (
        Column("passed", "Result", lambda row: "PASSED" if row.passed else "FAILED", "status", order="passed"),
        Column("detector", "Detector", _detector, order="product__detector"),
        Column("product", "Product", _kind, order="product__type", link=lambda row: product_url(row.product_id)),
        Column("test", "Test", lambda row: row.test, order="test", shown=lambda row: test_title(row.test)),
        Column("worst", "Worst value", _worst, "number", digits=3),
        Column("amplifier", "in", _where),
        Column("lower", "At least", lambda row: row.lower, "number", order="lower", digits=3),
        Column("upper", "At most", lambda row: row.upper, "number", order="upper", digits=3),
        Column("unit", "Unit", lambda row: test_unit(row.test) or None),
        Column("incumbent", "Certified one", lambda row: row.incumbent, "number", order="incumbent", digits=3),
        Column("frame", "On", lambda row: row.frame.exposure.name if row.frame else None),
        Column("sentence", "What is wrong", lambda row: row.sentence or None),
    ),
    search=("test", "product__detector_name", "sentence"),
    page_size=60,
)
RESULT = Filter("passed", "Result", [("False", "failed"), ("True", "passed")], "passed")


def tests_of(products: QuerySet[Product]) -> QuerySet[Verification]:
    """The tests of `products`, failed ones first."""
    rows = Verification.objects.filter(product__in=products).select_related("product", "frame__exposure")
    heavy = ("product__statistics", "product__provenance", "product__inputs", "product__calibrations")
    of_frame = ("frame__header", "frame__amplifier_headers", "frame__remarks")
    return rows.defer(*heavy, *of_frame).order_by("passed", "product__detector", "product__type", "pk")


@require_safe
@conditional_page
def set_page(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Its tests, failed ones first; deeds upon it, and the forms to override, to roll back and to build again."""
    made = get_object_or_404(ProductSet.objects.select_related("run"), pk=pk)
    products = Product.objects.filter(product_set=made)
    tests = tests_of(products)
    deeds = deeds_of(made)
    excluded = set(_excluded(made))
    exposures = list(input_exposures(made)[:MOST_EXPOSURES])
    context = {
        "made": made,
        "day": ObservingDay(made.day_obs),
        "run": made.run,
        "stages": stages_of(made.run),
        "products": products.count(),
        "tests": tests.count(),
        "failed": tests.filter(passed=False).count(),
        "deeds": deeds,
        "standing": standing_deed(deeds),
        "may_not_override": why_not_override(request, made),
        "may_not_roll_back": why_not_roll_back(request, deeds),
        "may_not_rebuild": why_not(request, MAY_COMMAND) or start_button(request)["may_not"],
        "reason_limit": REASON_LIMIT,
        "parameters": facts({key: value for key, value in made.parameters.items() if key != "exclude"}),
        "excluded": sorted(excluded),
        "exposures": [(each, exposure_url(each)) for each in exposures],
        "kinds": list(_kinds(products)),
        "subject": f"productset:{made.pk}",
        "is_live": not made.run.is_over,
    }
    kinds = Filter("type", "Type", list(ProductType.choices), "product__type")
    table = replace(TESTS, name=f"verification-of-set-{pk}", filters=(RESULT, kinds))
    template = "calib/products/set_live.html" if is_fragment(request) else "calib/products/set.html"
    return table.respond(request, tests, template, context)


def deeds_of(made: ProductSet) -> list[CertificationAction]:
    """What was done to the calibration database with the set, oldest first, the roll backs with it."""
    certified = CertificationAction.objects.filter(product_set=made)
    undone = CertificationAction.objects.filter(undoes__product_set=made)
    return list((certified | undone).select_related("undone_by").distinct().order_by("pk"))


def standing_deed(deeds: Sequence[CertificationAction]) -> CertificationAction | None:
    """The certification that has not been rolled back."""
    certify = [deed for deed in deeds if deed.kind == CertificationAction.Kind.CERTIFY]
    return next((deed for deed in reversed(certify) if not hasattr(deed, "undone_by")), None)


def why_not_override(request: HttpRequest, made: ProductSet) -> str:
    if made.state != ProductSet.State.REFUSED:
        return f"The set is {made.get_state_display().lower()}: only a refused one can be certified by hand."
    return why_not(request, MAY_JUDGE)


def why_not_roll_back(request: HttpRequest, deeds: Sequence[CertificationAction]) -> str:
    if standing_deed(deeds) is None:
        return "Nothing of this set is certified: there is nothing to roll back."
    return why_not(request, MAY_OPERATE)


def _kinds(products: QuerySet[Product]) -> list[tuple[str, str, list[tuple[str, str, bool]]]]:
    """Type, filter and the products: (detector, address, whether it is flagged bad)."""
    rows = products.order_by("pk").values_list("type", "filter", "detector_name", "pk", "flagged_bad_at")
    found: dict[tuple[str, str], list[tuple[str, str, bool]]] = {}
    order = [str(kind) for kind in ProductType]
    for kind, band, name, pk, flagged in sorted(rows, key=lambda row: (order.index(row[0]), row[1], row[2])):
        found.setdefault((ProductType(kind).label, band), []).append((name, product_url(pk), flagged is not None))
    return [(kind, band, each) for (kind, band), each in found.items()]


def _excluded(made: ProductSet) -> list[str]:
    keys = made.parameters.get("exclude", [])
    return list(Exposure.objects.filter(frames__in=keys).values_list("name", flat=True).distinct()) if keys else []


@require_POST
@require(MAY_JUDGE)
def override_set(request: HttpRequest, pk: int) -> HttpResponse:
    """Certify what the gate refused, for the reason given."""
    made = get_object_or_404(ProductSet, pk=pk)
    try:
        override(made, actor_of(request), request.POST.get("reason", "")[:REASON_LIMIT])
    except (NotDecidable, NotCertifiable) as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Set {pk} is certified by your word.")
    return see(set_url(made))


@require_POST
@require(MAY_OPERATE)
def roll_back_set(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the set's certification back: what was used before is used again."""
    made = get_object_or_404(ProductSet, pk=pk)
    deed = standing_deed(deeds_of(made))
    try:
        if deed is None:
            raise NotCertifiable("Nothing of this set is certified: there is nothing to roll back.")
        roll_back(deed, actor_of(request), request.POST.get("reason", "")[:REASON_LIMIT])
    except NotCertifiable as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"Set {pk} is rolled back; what was used before it is used again.")
    return see(set_url(made))


@require_POST
@require(MAY_COMMAND)
def rebuild_set(request: HttpRequest, pk: int) -> HttpResponse:
    """Command a new set of the same day without the exposures that were ticked."""
    made = get_object_or_404(ProductSet, pk=pk)
    names = list(dict.fromkeys(request.POST.getlist("exclude")))
    if not names:
        messages.error(request, "Tick at least one exposure to leave out.")
        return see(set_url(made))
    command_execute(request, made.day_obs, names)
    return see(reverse("calib:products", args=[ObservingDay(made.day_obs)]))


@require_safe
def set_of_event(request: HttpRequest, day: ObservingDay, pk: int) -> HttpResponse:
    """Where ``productset:12`` leads."""
    return redirect("calib-camera:productset", pk)


@require_safe
def certification_of_event(request: HttpRequest, day: ObservingDay, pk: int) -> HttpResponse:
    """Where ``certification:12`` leads: to the set that was certified, or what the night of the deed uses."""
    deed = get_object_or_404(CertificationAction, pk=pk)
    made = deed.product_set_id or (deed.undoes.product_set_id if deed.undoes else None)
    return redirect("calib-camera:productset", made) if made else redirect("calib:tonight", ObservingDay(deed.day_obs))
