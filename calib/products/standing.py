"""Whether what was certified still is: a set may have been rolled back, or replaced by a later one of its night."""

from django.db.models import Exists, OuterRef, QuerySet

from calib.models import Certification, ProductSet


def with_use(sets: QuerySet[ProductSet]) -> QuerySet[ProductSet]:
    """`sets` with `is_used`: whether a product of it is to be used at some instant, as is known now."""
    return sets.annotate(is_used=_is_known())


def in_use(sets: QuerySet[ProductSet]) -> QuerySet[ProductSet]:
    """Those of `sets` that are used."""
    return sets.filter(_is_known())


def _is_known() -> Exists:
    return Exists(Certification.objects.filter(product__product_set=OuterRef("pk"), known__upper_inf=True))
