"""The day's sets of masters: how far the newest has come, whether it is ready for the night, and all of the day."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.contrib import messages
from django.db.models import BigIntegerField, Count, F, Func, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import conditional_page, require_POST, require_safe

from calib.models import Product, ProductSet, Verification
from calib.products.generator import LIMIT_S, NAME, PIPELINE
from calib.products.progress import stages_of, usual_duration
from calib.products.selection import IMAGE_TYPES
from calib.products.standing import in_use
from dayops.devices import commands, registry
from dayops.devices.reading import Reading, read
from dayops.models import Exposure, RawFrame, Run
from dayops.observing_day import ObservingDay
from dayops.runs import NotPossible
from dayops.web.access import require, why_not
from dayops.web.api.ocs import MAY_COMMAND
from dayops.web.refusals import is_fragment
from dayops.web.tables import Column, Table
from dayops.web.work_pages.operations import REASON_LIMIT, actor_of

GROUP = 25  # exposures of the group that DMS-REQ-0131 gives 1200 s
LEFT_OUT_SHOWN = 40


def set_url(made: ProductSet) -> str:
    return reverse("calib-camera:productset", args=[made.pk])


def _took(made: ProductSet) -> timedelta | None:
    run = made.run
    return run.ended_at - run.created_at if run.ended_at else None


SETS = Table(
    "sets",
    (
        Column("set", "Set", lambda row: row.pk, order="pk", link=set_url),
        Column("state", "State", lambda row: row.state, "status", order="state"),
        Column("products", "Products", lambda row: row.made, "number", order="made"),
        Column("failed", "Tests failed", lambda row: row.failed, "number", order="failed"),
        Column("reason", "Why refused", lambda row: row.reasons[0] if row.reasons else None),
        Column("configuration", "Configuration", lambda row: row.configuration, order="configuration"),
        Column("requested_by", "Asked by", lambda row: row.run.requested_by, order="run__requested_by"),
        Column("started", "Started", lambda row: row.run.created_at, "instant", order="run__created_at", unit="UTC"),
        Column("took", "Took", _took, "duration"),
        Column("decided_by", "Decided by", lambda row: row.decided_by or None, order="decided_by"),
        Column("decided", "Decided", lambda row: row.decided_at, "instant", order="decided_at", unit="UTC"),
    ),
    search=("reasons", "run__requested_by", "decided_by"),
    page_size=25,
)


@dataclass(frozen=True, slots=True)
class Clock:
    """The 1200 s that a group of up to 25 exposures may take (DMS-REQ-0131), from the command to the certification."""

    began: datetime
    ends: datetime
    elapsed_s: float
    is_over: bool

    @property
    def limit_s(self) -> int:
        return LIMIT_S

    @property
    def is_late(self) -> bool:
        return self.elapsed_s > LIMIT_S


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether masters of the day were certified one hour before observing."""

    word: str
    sentence: str
    deadline: datetime


def sets_of(day: ObservingDay) -> QuerySet[ProductSet]:
    """The day's sets, newest first, with `made` products and `failed` tests."""
    products = Product.objects.filter(product_set=OuterRef("pk")).order_by().values("product_set")
    failed = Verification.objects.filter(product__product_set=OuterRef("pk"), passed=False).order_by()
    counted = failed.values("product__product_set").annotate(number=Count("pk")).values("number")
    rows = ProductSet.objects.filter(day_obs=day.day_obs, camera=settings.CAMERA).select_related("run")
    return rows.annotate(
        made=Coalesce(Subquery(products.annotate(number=Count("pk")).values("number")), 0),
        failed=Coalesce(Subquery(counted), 0),
    ).order_by("-pk")


@require_safe
@conditional_page
def products_day(request: HttpRequest, day: ObservingDay) -> HttpResponseBase:
    """The newest set as a row of stages with its clock, and all sets of the day; live."""
    sets, now = sets_of(day), datetime.now(UTC)
    newest = sets.first()
    run = newest.run if newest else None
    stages = stages_of(run)
    context = {
        "newest": newest,
        "newest_url": set_url(newest) if newest else "",
        "run": run,
        "stages": stages,
        "done": sum(stage.completed for stage in stages),
        "total": sum(stage.total for stage in stages),
        "clock": clock_of(run, now),
        "last_exposure": _last_exposure_end(day),
        "exposures": _exposures(newest),
        "group": GROUP,
        "ready": readiness(day, now),
        "latest_start": day.evening_twilight - timedelta(hours=1) - usual_duration(day),
        "left_out": (left_out := list(run.parameters.get("left_out", [])) if run else [])[:LEFT_OUT_SHOWN],
        "left_out_total": len(left_out),
        "is_live": run is not None and not run.is_over,
        **start_button(request),
        "subject": f"productset:{newest.pk}" if newest else f"day:{day.day_obs}",
    }
    template = "calib/products/day_live.html" if is_fragment(request) else "calib/products/day.html"
    return replace(SETS, name=f"sets-{day}").respond(request, sets, template, context)


def start_button(request: HttpRequest) -> dict[str, Any]:
    """What a page says of the button that has a set made: who may not and why, and how the device stands."""
    device: Reading = read(registry.device_called(NAME))
    return {
        "device": device,
        "device_url": reverse("device", args=[NAME]),
        "may_not": why_not(request, MAY_COMMAND) or device.why_not("execute"),
        "reason_limit": REASON_LIMIT,
    }


@require_POST
@require(MAY_COMMAND)
def start_products(request: HttpRequest, day: ObservingDay) -> HttpResponse:
    """Command the Calibration Generator to make the masters of `day`."""
    command_execute(request, day.day_obs, [])
    return see(reverse("calib:products", args=[day]))


def command_execute(request: HttpRequest, day_obs: int, exclude: list[str]) -> None:
    """Submit the command and tell the person what it came to."""
    query = {"day_obs": str(ObservingDay(day_obs)), "exclude": exclude}
    parameters = {"pipeline": PIPELINE, "data_query": query}
    reason = request.POST.get("reason", "").strip()
    if not reason:
        messages.error(request, "A reason is needed: say in a few words why you have them made by hand.")
        return
    try:
        done = commands.submit(NAME, "execute", parameters, str(uuid4()), actor_of(request), reason)
    except (ValueError, NotPossible) as error:
        messages.error(request, str(error))
    else:
        tell = messages.error if done.refused else messages.success
        tell(request, f"The Calibration Generator answered {done.ack} {done.label}: {done.text}")


def clock_of(run: Run | None, now: datetime) -> Clock | None:
    if run is None:
        return None
    end = run.ended_at or now
    return Clock(
        run.created_at,
        run.created_at + timedelta(seconds=LIMIT_S),
        (end - run.created_at).total_seconds(),
        run.is_over,
    )


def readiness(day: ObservingDay, now: datetime) -> Readiness:
    """Against one hour before observing, by the first set of the day that is in use (one query)."""
    deadline = day.evening_twilight - timedelta(hours=1)
    certified = ProductSet.objects.filter(day_obs=day.day_obs, camera=settings.CAMERA, state=ProductSet.State.CERTIFIED)
    first = in_use(certified).order_by("decided_at").first()
    if first and first.decided_at:
        if first.decided_at <= deadline:
            return Readiness(
                "OK", f"Masters of the day have been certified since {first.decided_at:%H:%M} UTC.", deadline
            )
        return Readiness("LATE", f"Masters were certified at {first.decided_at:%Y-%m-%d %H:%M} UTC.", deadline)
    if now > deadline:
        return Readiness("LATE", "No masters of the day are certified; the night uses earlier ones.", deadline)
    return Readiness("PENDING", "No masters of the day are certified yet.", deadline)


def _last_exposure_end(day: ObservingDay) -> datetime | None:
    """When the last exposure that masters can be made of ended."""
    kinds = [*IMAGE_TYPES.values(), "PTC"]
    exposures = Exposure.objects.filter(day_obs=day.day_obs, camera=settings.CAMERA, image_type__in=kinds)
    last = exposures.order_by("-began_at").first()
    return last.began_at + timedelta(seconds=last.exposure_s) if last else None


def _exposures(newest: ProductSet | None) -> int:
    """How many exposures the set is made of or verified with."""
    return input_exposures(newest).count() if newest else 0


def input_exposures(made: ProductSet) -> QuerySet[Exposure]:
    """The exposures whose frames the set's products were made of or verified with, oldest first."""
    every = Func(F("inputs"), F("held_out"), function="array_cat")
    frames = Func(every, function="unnest", output_field=BigIntegerField())
    used = Product.objects.filter(product_set=made).order_by().values_list(frames)
    exposures = RawFrame.objects.filter(pk__in=used).values("exposure")
    return Exposure.objects.filter(pk__in=exposures).order_by("began_at", "pk")


def see(url: str) -> HttpResponse:
    """To `url`, after a form."""
    response = redirect(url)
    response.status_code = HTTPStatus.SEE_OTHER
    return response
