"""Builders of product sets, products and certifications: rows only, no files."""

from collections.abc import Sequence
from hashlib import sha256
from itertools import count
from typing import Any

from calib.certification import certify
from calib.certification.instants import night_of
from calib.models import CertificationAction, Product, ProductSet, ProductType
from dayops.camera import load
from tests.work import run_of

DAY = 20261122
_numbers = count(1)


def set_of(day_obs: int = DAY, camera: str = "minicam") -> ProductSet:
    return ProductSet.objects.create(run=run_of(), camera=camera, day_obs=day_obs, configuration="daily")


def product(
    type: ProductType = ProductType.BIAS, detector: int = 0, *, of: ProductSet | None = None, **fields: Any
) -> Product:
    """A product of `of`, or of a set of its own; keywords replace fields."""
    return products([(type, detector, fields.pop("filter", ""))], of=of, **fields)[0]


def products(
    slots: Sequence[tuple[ProductType, int, str]], *, of: ProductSet | None = None, **fields: Any
) -> list[Product]:
    """One product for each of `slots`: type, detector, filter."""
    of = of or set_of(fields.get("day_obs", DAY))
    return Product.objects.bulk_create(
        Product(
            **{
                "product_set": of,
                "type": type,
                "camera": of.camera,
                "detector": detector,
                "detector_name": load(of.camera).by_id[detector].name,
                "filter": filter,
                "day_obs": of.day_obs,
                "sha256": sha256(str(next(_numbers)).encode()).hexdigest(),
                "size": 1000,
                **fields,
            }
        )
        for type, detector, filter in slots
    )


def certified(
    *these: Product, valid_from: int | None = None, valid_to: int | None = None, **words: Any
) -> CertificationAction:
    """Certify from the roll-over of the products' dayObs on, unless told."""
    begins = night_of(these[0].day_obs)[0] if valid_from is None else valid_from
    return certify(these, **{"valid_from": begins, "valid_to": valid_to, "actor": "sofia", **words})
