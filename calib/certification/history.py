"""What was ever certified for one slot."""

from django.db.models import QuerySet

from calib.models import Certification, ProductType


def history_of(
    camera: str, collection: str, type: ProductType | str, detector: int, filter: str = ""
) -> QuerySet[Certification]:
    """Every certification of the slot, ended or not, newest knowledge first, with its product and deeds."""
    slot = {"slot__camera": camera, "slot__collection": collection, "slot__type": type}
    of_slot = Certification.objects.filter(slot__detector=detector, slot__filter=filter, **slot)
    return of_slot.select_related("product", "action", "ended_by").order_by("-pk")
