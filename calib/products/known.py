"""What is known of a detector while masters are made: the set's own products so far, and the certified ones."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from calib.certification import lookup
from calib.models import Product, ProductSet, ProductType
from calib.products import image_file, tables
from calib.products.image_file import Image, MasterImage
from calib.products.made import numbers
from calib.science.mask_planes import Mask
from calib.science.signature_removal import Calibrations
from dayops.archive import store
from dayops.camera import Detector

T = TypeVar("T")
Values = npt.NDArray[np.float64]
Slot = tuple[str, str]


@dataclass
class Known:
    """Products of one detector, by (type, filter); files are read once and when they are asked for."""

    detector: Detector
    products: dict[Slot, Product]
    _read: dict[tuple[int, str], Any] = field(default_factory=dict)

    def product(self, kind: str, band: str = "") -> Product | None:
        return self.products.get((str(kind), band))

    def image(self, kind: str, band: str = "") -> MasterImage | None:
        """The planes of a master image, or None where there is none."""
        return self._once(self.product(kind, band), lambda product: _with_path(product, image_file.read))

    def pixels(self, kind: str, band: str = "") -> Image | None:
        """The pixels of a master image alone, which are read sooner than all its planes."""
        return self._once(
            self.product(kind, band), lambda product: _with_path(product, image_file.read_pixels), "pixels"
        )

    def mask(self) -> Mask | None:
        """The bit planes of the defects."""
        product = self.product(ProductType.DEFECTS)
        return self._once(product, lambda one: tables.mask_of(_with_path(one, tables.read), self.detector))

    def values(self, kind: str, name: str) -> Values | None:
        """Numbers of a product's statistics, one for each amplifier (or a matrix of them)."""
        product = self.product(kind)
        return None if product is None or name not in product.statistics else numbers(product.statistics, name)

    def linearity(self) -> Values | None:
        """Coefficients (n, 2); 0 for an amplifier whose linearity is not known, which is left as it is."""
        coefficients = self.values(ProductType.LINEARITY, "coefficients")
        return None if coefficients is None else np.nan_to_num(coefficients)

    def calibrations(self, flat: str | None = None) -> Calibrations:
        """All of it as signature removal takes it; with the flat of the filter `flat` where that is given."""
        return Calibrations(
            bias=self.pixels(ProductType.BIAS),
            dark=self.pixels(ProductType.DARK),
            flat=None if flat is None else self.pixels(ProductType.FLAT, flat),
            mask=self.mask(),
            gain=self.values(ProductType.PTC, "gain"),
            read_noise_e=self.values(ProductType.PTC, "read_noise_e"),
            linearity=self.linearity(),
            crosstalk=self.values(ProductType.CROSSTALK, "applied"),
        )

    def _once(self, product: Product | None, read: Callable[[Product], T], what: str = "") -> T | None:
        if product is None:
            return None
        if (product.pk, what) not in self._read:
            self._read[product.pk, what] = read(product)
        found: T = self._read[product.pk, what]
        return found


def made_so_far(product_set: ProductSet, detector: Detector, stages: Collection[str] | None = None) -> Known:
    """What this set has of the detector; of `stages` alone where they are told.

    Whoever makes a product tells those before its own: when a set is made again, the later ones are there already.
    """
    products = Product.objects.filter(product_set=product_set, detector=detector.id)
    return Known(detector, _by_slot(products if stages is None else products.filter(type__in=stages)))


def certified(camera: str, detector: Detector, at: int) -> Known:
    """What is certified for the detector at the instant `at` (nanoseconds of TAI), as known now."""
    keys = [found.product for found in lookup(camera, at, detector=detector.id)]
    return Known(detector, _by_slot(Product.objects.filter(pk__in=keys)))


def _by_slot(products: Iterable[Product]) -> dict[Slot, Product]:
    return {(product.type, product.filter): product for product in products}


def _with_path(product: Product, read: Callable[..., T]) -> T:
    with store().local_path(product.sha256) as path:
        return read(path)
