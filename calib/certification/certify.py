"""Certifying products: from now on they are what is to be used at some instants of observation."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from calib.certification import actions, rows
from calib.certification.instants import half_open, said
from calib.certification.refusals import NotCertifiable
from calib.models import CertificationAction, Product, ProductSet
from dayops import camera as cameras
from dayops import events
from dayops.models import Severity


@transaction.atomic
def certify(
    products: QuerySet[Product] | Iterable[Product],
    *,
    valid_from: int,
    valid_to: int | None,
    collection: str = "daily",
    actor: str,
    reason: str = "",
    override: bool = False,
    seen: datetime | None = None,
    product_set: ProductSet | None = None,
) -> CertificationAction:
    """Let `products`, of one camera, be used within [valid_from, valid_to), in the place of what was to be used there.

    All of them or none: one transaction, with its event. `valid_from`, `valid_to` are nanoseconds of TAI since 1970;
    without `valid_to` there is no end until the next ones are certified. `seen` is what `state_seen` gave before the
    caller looked: of several who looked at the same state exactly one wins.

    Raises
    ------
    ConflictingCertification
        One of the same slots was changed after `seen`.
    NotCertifiable
        A product is flagged bad or does not fit, the range is empty, the very same is certified already, or an
        override has no reason.
    """
    valid = half_open(valid_from, valid_to)
    keys = _keys(products)
    if override and not reason.strip():
        raise NotCertifiable("An override needs a reason: say why what the checks refused is to be used.")
    camera, day_obs = _expect_fitting(_facts(keys), len(keys), product_set)
    action = actions.begin(
        camera,
        collection,
        CertificationAction.Kind.CERTIFY,
        day_obs=day_obs,
        product_set=product_set,
        override=override,
        actor=actor,
        reason=reason.strip(),
    )
    _expect_none_flagged(keys)
    slots, keys = _slots(collection, keys)
    actions.expect_unchanged(action, slots, seen)
    _expect_new(slots, keys, valid)
    rows.end(action, slots, valid)
    rows.insert(action, slots, keys, valid)
    _tell(action, len(keys), valid_from, valid_to)
    return action


def _keys(products: QuerySet[Product] | Iterable[Product]) -> list[int]:
    if isinstance(products, QuerySet):
        return list(products.order_by().values_list("pk", flat=True))
    return [product.pk for product in products]


@dataclass(frozen=True, slots=True)
class _Facts:
    """Of all the products together."""

    count: int
    slots: int
    cameras: list[str]
    sets: list[int]
    day_obs: int
    detectors: list[int]
    filtered: str | None


def _facts(keys: list[int]) -> _Facts:
    found = _row(
        """
        SELECT count(*), count(DISTINCT (type, detector, filter)), coalesce(array_agg(DISTINCT camera), '{}'),
            coalesce(array_agg(DISTINCT product_set_id), '{}'), coalesce(max(day_obs), 0),
            coalesce(array_agg(DISTINCT detector::int), '{}'),
            min(type || ' of detector ' || detector) FILTER (WHERE filter <> '' AND type <> 'flat')
        FROM calib_product WHERE id = ANY(%s)
        """,
        [keys],
    )
    return _Facts(*found)


def _expect_fitting(facts: _Facts, asked: int, product_set: ProductSet | None) -> tuple[str, int]:
    """The camera and dayObs of the products. Raises NotCertifiable where they cannot be certified together."""
    if not facts.count:
        raise NotCertifiable("There is no product to certify: choose at least one.")
    if facts.count != asked:
        raise NotCertifiable(f"Of {asked} products {facts.count} are kept: a product is missing, or named twice.")
    if len(facts.cameras) > 1:
        raise NotCertifiable(f"The products are of {' and '.join(facts.cameras)}: certify one camera at a time.")
    if facts.slots != facts.count:
        raise NotCertifiable("Two of the products are of the same type, detector and filter: choose one of them.")
    if facts.filtered:
        raise NotCertifiable(f"The {facts.filtered} names a filter: only a flat has one.")
    if product_set is not None and facts.sets != [product_set.pk]:
        raise NotCertifiable(f"The products are not all of {product_set}: certify those of one set.")
    (camera,) = facts.cameras
    if camera in cameras.names() and (unknown := set(facts.detectors) - set(cameras.load(camera).by_id)):
        raise NotCertifiable(f"{camera} has no detector {min(unknown)}: the products are not of this camera.")
    return camera, facts.day_obs


def _expect_none_flagged(keys: list[int]) -> None:
    (flagged,) = _row(
        "SELECT coalesce(array_agg(id ORDER BY id), '{}') FROM calib_product"
        " WHERE id = ANY(%s) AND flagged_bad_at IS NOT NULL",
        [keys],
    )
    if flagged:
        first = Product.objects.get(pk=flagged[0])
        more = f", and {len(flagged) - 1} more of them" if len(flagged) > 1 else ""
        raise NotCertifiable(
            f"{first} was flagged bad by {first.flagged_bad_by} ({first.flag_reason}){more}: it is never used. "
            "Make the products again without what was wrong."
        )


def _slots(collection: str, keys: list[int]) -> tuple[list[int], list[int]]:
    """The slots of the products, made where they are new, and the products in the same order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO calib_calibrationslot (collection, camera, type, detector, filter)"
            " SELECT %s, camera, type, detector, filter FROM calib_product WHERE id = ANY(%s) ON CONFLICT DO NOTHING",
            [collection, keys],
        )
    slots, products = _row(
        "SELECT array_agg(slot.id ORDER BY slot.id), array_agg(product.id ORDER BY slot.id) FROM calib_product product"
        " JOIN calib_calibrationslot slot USING (camera, type, detector, filter)"
        " WHERE product.id = ANY(%s) AND slot.collection = %s",
        [keys, collection],
    )
    return slots, products


def _expect_new(slots: list[int], products: list[int], valid: Any) -> None:
    count, deed = _row(
        "SELECT count(*), max(action_id) FROM unnest(%s::bigint[], %s::bigint[]) AS new (slot, product)"
        " CROSS JOIN LATERAL (SELECT action_id FROM calib_certification WHERE product_id = product"
        " AND slot_id = slot AND upper_inf(known) AND valid @> %s::int8range OFFSET 0) same",
        [slots, products, valid],
    )
    if count == len(slots):
        before = CertificationAction.objects.get(pk=deed)
        raise NotCertifiable(f"{actions.in_words(before)}: there is nothing to change.")


def _row(statement: str, values: list[Any]) -> tuple[Any, ...]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: tuple[Any, ...] = cursor.fetchone()
    return found


def _tell(action: CertificationAction, count: int, valid_from: int, valid_to: int | None) -> None:
    products = f"{count} product{'' if count == 1 else 's'}"
    until = "on" if valid_to is None else f"to {said(valid_to)}"
    how = " against the checks" if action.override else ""
    events.record(
        "calib.certified",
        f"{action.camera}: {products} of {action.day_obs} certified{how} in {action.collection}, "
        f"from {said(valid_from)} {until}.",
        actor=action.actor,
        day_obs=action.day_obs,
        severity=Severity.WARN if action.override else Severity.INFO,
        reason=action.reason,
        subject=f"certification:{action.pk}",
        data={"action": action.pk, "products": count, "valid_from": valid_from, "valid_to": valid_to},
    )
