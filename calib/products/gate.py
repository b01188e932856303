"""The gate: the whole set is certified at once, or the incumbents stay and the reasons are kept.

A set passes when it is complete (every type, detector and filter that the day's plan asks for) and every test of every
product passed. Whoever overrides the gate says why, and his name stays with it.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import numpy as np
from django.conf import settings
from django.contrib.postgres.fields.ranges import RangeStartsWith
from django.db import transaction
from django.db.models import Min
from django.db.models.functions import Now

from calib import certification
from calib.certification.actions import wait_for_turn
from calib.certification.instants import tai_ns
from calib.models import Certification, CertificationAction, Product, ProductSet, ProductType, Verification
from calib.products.selection import expected_filters
from calib.reviews import usable_frames
from calib.science import verification as tests
from dayops import alarms, events
from dayops import camera as cameras
from dayops.models import RawFrame, Severity
from dayops.observing_day import ObservingDay

ACTOR = "certification gate"
MOST_REASONS = 20


class NotDecidable(Exception):
    """The set cannot be decided upon so; the message says why and what to do."""


def expected_slots(camera: str, day_obs: int) -> list[tuple[str, int, str]]:
    """(type, detector, filter) of everything that a complete set has."""
    bands = expected_filters(day_obs)
    return [
        (str(kind), detector.id, band)
        for kind in ProductType
        for detector in cameras.load(camera).science_detectors
        for band in (bands if kind == ProductType.FLAT else ("",))
    ]


def objections(product_set: ProductSet, problems: Iterable[str], flat_means: dict[str, list[float]]) -> list[str]:
    """Why the set is not to be certified, the gravest first; empty where it is good. Five queries.

    `problems` are sentences of stages that made nothing, `flat_means` e⁻ of each detector in a held-out flat.
    """
    products = set(Product.objects.filter(product_set=product_set).values_list("type", "detector", "filter"))
    expected = expected_slots(product_set.camera, product_set.day_obs)
    missing = Counter(slot[0] for slot in expected if slot not in products)
    reasons = [
        f"{count} {ProductType(kind).label.lower()} product{'s are' if count > 1 else ' is'} missing."
        for kind, count in missing.items()
    ]
    reasons += sorted(set(problems))
    failed = Verification.objects.filter(product__product_set=product_set, passed=False)
    reasons += failed.order_by("product__detector", "pk").values_list("sentence", flat=True)
    untested = Product.objects.filter(product_set=product_set, verifications=None).count()
    if untested:
        reasons.append(f"{untested} product{'s were' if untested > 1 else ' was'} not verified.")
    reasons += _no_longer_usable(product_set)
    for band, means in sorted(flat_means.items()):
        scatter = tests.verify_exposure(np.array(means))
        if not scatter.passed.all():
            reasons.append(f"Filter {band}: {scatter.sentence([])}")
    return reasons


def _no_longer_usable(product_set: ProductSet) -> list[str]:
    """A sentence for each exposure of which a frame was rejected, or judged anew, while the masters were made."""
    made = Product.objects.filter(product_set=product_set)
    keys = {key for inputs, aside in made.values_list("inputs", "held_out") for key in (*inputs, *aside)}
    used = RawFrame.objects.filter(pk__in=keys)
    lost = used.exclude(pk__in=usable_frames(used).values("pk")).values_list("exposure__name", flat=True)
    return [f"{name} is not usable any more, but is in the set: build again without it." for name in sorted(set(lost))]


def certified_of_day(day_obs: int) -> int:
    """How many products of the camera's sets of `day_obs` are certified."""
    certified = ProductSet.State.CERTIFIED
    return Product.objects.filter(day_obs=day_obs, camera=settings.CAMERA, product_set__state=certified).count()


def usual_validity(day_obs: int) -> int:
    """From when on a set of `day_obs` is to be used: sunset, TAI nanoseconds; until the next is certified."""
    return tai_ns(ObservingDay(day_obs).sunset)


@transaction.atomic
def decide(product_set: ProductSet, reasons: list[str], seen: datetime | None) -> bool:
    """Certify the set, or refuse it with `reasons`. Returns whether it was certified."""
    product_set = _open(product_set)
    if not reasons:
        try:
            with transaction.atomic():
                _certify(product_set, actor=ACTOR, reason="", override=False, seen=seen)
        except (certification.NotCertifiable, certification.ConflictingCertification) as error:
            reasons = [str(error)]
    state = ProductSet.State.REFUSED if reasons else ProductSet.State.CERTIFIED
    _close(product_set, state, reasons, ACTOR)
    _ring(product_set, reasons)
    return not reasons


@transaction.atomic
def override(product_set: ProductSet, actor: str, reason: str) -> CertificationAction:
    """Certify what the gate refused: what the set has, whole or not, on a person's word.

    Raises
    ------
    NotDecidable
        The set was not refused, has no product, or no reason is given.
    """
    product_set = ProductSet.objects.select_for_update().select_related("run").get(pk=product_set.pk)
    undecided = product_set.state == ProductSet.State.MAKING and product_set.run.is_over
    if product_set.state != ProductSet.State.REFUSED and not undecided:
        raise NotDecidable(
            f"The set is {product_set.get_state_display().lower()}: only one that was refused, or whose run ended "
            "without a decision, is overridden."
        )
    if not reason.strip():
        raise NotDecidable("A reason is needed: say why these masters are fit to be used although tests failed.")
    try:
        action = _certify(product_set, actor=actor, reason=reason.strip(), override=True, seen=None)
    except certification.NotCertifiable as error:
        raise NotDecidable(str(error)) from error
    _close(product_set, ProductSet.State.CERTIFIED, product_set.reasons, actor)
    alarms.clear(_key(product_set), why=f"{actor} certified the set by hand.")
    return action


def _certify(
    product_set: ProductSet, *, actor: str, reason: str, override: bool, seen: datetime | None
) -> CertificationAction:
    collection, valid_from = str(product_set.parameters["collection"]), usual_validity(product_set.day_obs)
    wait_for_turn(product_set.camera)
    return certification.certify(
        Product.objects.filter(product_set=product_set),
        valid_from=valid_from,
        valid_to=_begin_of_next(product_set.camera, collection, valid_from),
        collection=collection,
        actor=actor,
        reason=reason,
        override=override,
        seen=seen,
        product_set=product_set,
    )


def _begin_of_next(camera: str, collection: str, valid_from: int) -> int | None:
    """From when on products of a later night are to be used: a set of an older day must not take their place."""
    later = Certification.objects.filter(
        slot__camera=camera, slot__collection=collection, known__upper_inf=True, valid__startswith__gt=valid_from
    )
    first: int | None = later.aggregate(first=Min(RangeStartsWith("valid")))["first"]
    return first


def _open(product_set: ProductSet) -> ProductSet:
    product_set = ProductSet.objects.select_for_update().get(pk=product_set.pk)
    if product_set.state != ProductSet.State.MAKING:
        raise NotDecidable(f"The set of {product_set.day_obs} is {product_set.get_state_display().lower()} already.")
    return product_set


def _close(product_set: ProductSet, state: str, reasons: list[str], actor: str) -> None:
    ProductSet.objects.filter(pk=product_set.pk).update(
        state=state, reasons=reasons, decided_by=actor, decided_at=Now()
    )


def _ring(product_set: ProductSet, reasons: list[str]) -> None:
    subject = f"productset:{product_set.pk}"
    if not reasons:
        alarms.clear(_key(product_set), why="A later set was certified.")
        return
    text = f"The masters of {ObservingDay(product_set.day_obs)} were not certified; those certified before stay in use."
    events.record(
        "calib.refused",
        f"{text} {reasons[0]}",
        actor=ACTOR,
        day_obs=product_set.day_obs,
        severity=Severity.ALARM,
        subject=subject,
        data={"set": product_set.pk, "reasons": reasons[:MOST_REASONS]},
    )
    alarms.raise_alarm(
        key=_key(product_set),
        name="masters not certified",
        activity="products",
        day_obs=product_set.day_obs,
        sentence=f"{text} {reasons[0]}" + (f" And {len(reasons) - 1} more." if len(reasons) > 1 else ""),
        remedy="Look at the set, exclude the frames at fault and build again, or certify it by hand with a reason.",
        subject=subject,
    )


def _key(product_set: ProductSet) -> str:
    return f"products:{product_set.camera}:{product_set.parameters['collection']}"
