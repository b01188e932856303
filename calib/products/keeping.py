"""Keeping what a stage made: first the file, then, with the task's own end, the rows that refer to it."""

import io
from typing import Any

from calib.models import Product, ProductSet, Verification
from calib.products.made import Made
from dayops.archive import store
from dayops.archive.content_store import Stored
from dayops.camera import Detector
from dayops.engine import BadInput


class Changed(BadInput):
    """A decided set would get another file for a product; the message says what to do."""


def publish(made: Made) -> Stored:
    """The product's file, in the archive. Raises ArchiveFull or ArchiveAway; nothing is left behind then."""
    return store().put(io.BytesIO(made.content))


def keep(product_set: ProductSet, kind: str, band: str, detector: Detector, made: Made, stored: Stored) -> Product:
    """The product's row, inside the transaction that ends its task. A second time replaces the first.

    Raises
    ------
    Changed
        The set is decided on already, and these are other bytes.
    """
    values: dict[str, Any] = {
        "camera": product_set.camera,
        "detector_name": detector.name,
        "day_obs": product_set.day_obs,
        "sha256": stored.sha256,
        "size": stored.size,
        "inputs": [frame.pk for frame in made.inputs],
        "held_out": [frame.pk for frame in made.held_out],
        "calibrations": [product.pk for product in made.calibrations],
        "statistics": dict(made.statistics),
        "provenance": dict(made.provenance),
    }
    slot: dict[str, Any] = {"product_set": product_set, "type": kind, "detector": detector.id, "filter": band}
    if _is_decided(product_set):
        kept = Product.objects.filter(**slot).first()
        if kept is None or kept.sha256 != stored.sha256:
            name = " ".join(filter(None, [detector.name, kind, band]))
            raise Changed(
                f"{name}: the set is {product_set.get_state_display().lower()} and is not changed any more, but these "
                "frames now give other bytes. Build a new set."
            )
        return kept
    return Product.objects.update_or_create(**slot, defaults=values)[0]


def keep_verification(product_set: ProductSet, detector: Detector, rows: list[Verification]) -> None:
    """The tests of one detector's products, in the place of earlier ones; those of a decided set stay as they were."""
    if _is_decided(product_set):
        return
    Verification.objects.filter(product__product_set=product_set, product__detector=detector.id).delete()
    Verification.objects.bulk_create(rows)


def _is_decided(product_set: ProductSet) -> bool:
    return ProductSet.objects.filter(pk=product_set.pk).exclude(state=ProductSet.State.MAKING).exists()


def referenced() -> set[str]:
    """Files that products refer to: the archive must not collect them."""
    return set(Product.objects.values_list("sha256", flat=True).iterator(chunk_size=10_000))
