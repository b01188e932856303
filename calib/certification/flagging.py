"""A product that turns out bad: it is used nowhere any more, and what was to be used before it stands again."""

from django.db import transaction

from calib.certification import actions, rows
from calib.certification.refusals import NotCertifiable
from calib.models import CalibrationSlot, CertificationAction, Product
from dayops import events
from dayops.models import Severity
from dayops.observing_day import ObservingDay


@transaction.atomic
def flag_bad(product: Product, actor: str, reason: str) -> list[CertificationAction]:
    """Flag `product`, decertify it wherever it is certified now, and let what it took the place of be used again.

    Returns one deed for each collection in which it was certified. The row given is brought up to date.

    Raises
    ------
    NotCertifiable
        It is flagged already, or no reason is given.
    """
    if not reason.strip():
        raise NotCertifiable("A reason is needed: say in a few words what is wrong with the product.")
    actions.wait_for_turn(product.camera)
    product.refresh_from_db()
    if product.flagged_bad_at is not None:
        raise NotCertifiable(f"{product} was flagged bad by {product.flagged_bad_by} already ({product.flag_reason}).")
    certified = CalibrationSlot.objects.filter(certifications__product=product, certifications__known__upper_inf=True)
    collections = sorted(set(certified.values_list("collection", flat=True)))
    _flag(product, actor, reason.strip())
    deeds = [_withdraw(product, collection) for collection in collections]
    where = f" and decertified in {', '.join(collections)}" if collections else ""
    events.record(
        "calib.product.flagged_bad",
        f"{product.camera}: {product} is flagged bad{where}.",
        actor=actor,
        severity=Severity.WARN,
        reason=product.flag_reason,
        subject=f"product:{product.pk}",
        data={"product": product.pk, "actions": [deed.pk for deed in deeds]},
    )
    return deeds


def _flag(product: Product, actor: str, reason: str) -> None:
    product.flagged_bad_at = actions.database_time(product.camera)
    product.flagged_bad_by = actor
    product.flag_reason = reason
    product.save(update_fields=["flagged_bad_at", "flagged_bad_by", "flag_reason"])


def _withdraw(product: Product, collection: str) -> CertificationAction:
    deed = actions.begin(
        product.camera,
        collection,
        CertificationAction.Kind.DECERTIFY,
        day_obs=ObservingDay.current().day_obs,
        actor=product.flagged_bad_by,
        reason=product.flag_reason,
    )
    rows.end_product(deed, product.pk)
    rows.insert_what_was_before(deed)
    return deed
