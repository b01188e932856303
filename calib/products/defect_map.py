"""The stage that makes the map of defects, from the master dark and the master flats of the set."""

import numpy as np
import numpy.typing as npt

from calib.models import ProductSet, ProductType
from calib.products import tables
from calib.products.known import Known
from calib.products.made import CannotBeMade, Made, storable
from calib.products.provenance import provenance, table_meta
from calib.science.defects import DefectLimits, find_defects
from dayops.camera import Detector

Image = npt.NDArray[np.float32]


def make_defects(product_set: ProductSet, detector: Detector, known: Known) -> Made:
    """Hot pixels by the dark, cold ones by the flats. Raises CannotBeMade where either is missing."""
    dark, gains = known.image(ProductType.DARK), known.values(ProductType.PTC, "gain")
    flats = [product for (kind, _), product in sorted(known.products.items()) if kind == ProductType.FLAT]
    if dark is None or gains is None or not flats:
        raise CannotBeMade("It needs the dark, a flat and the photon transfer curve of this set: one was not made.")
    gain = _spread(gains, detector)
    limits = DefectLimits(hot_e_s=product_set.parameters["hot_e_s"], cold=product_set.parameters["cold"])
    found = find_defects(detector, dark.image * gain, _together(known, detector), dark.variance * gain**2, limits)
    used = [known.products[ProductType.DARK, ""], *flats]
    origin = provenance(product_set, ProductType.DEFECTS, detector.name, "", (), (), (), used)
    kinds = [box.kind for box in found.boxes]
    return Made(
        content=tables.to_bytes(tables.defects_table(found.boxes), table_meta(origin, product_set.day_obs)),
        statistics=storable(
            {
                "boxes": len(found.boxes),
                "kinds": {kind: kinds.count(kind) for kind in sorted(set(kinds))},
                "bad_pixels": int((found.mask != 0).sum()),
                "bad_fraction": float((found.mask != 0).mean()),
            }
        ),
        provenance=origin,
        inputs=(),
        calibrations=used,
    )


def _together(known: Known, detector: Detector) -> Image:
    """The mean of all filters' flats, so that shot noise makes no cold pixel."""
    total = np.zeros((detector.height, detector.width), dtype=np.float32)
    seen = np.zeros(total.shape, dtype=np.int16)
    for kind, band in sorted(known.products):
        if kind == ProductType.FLAT and (flat := known.pixels(kind, band)) is not None:
            good = np.isfinite(flat)
            np.add(total, flat, out=total, where=good)
            seen += good
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(total / seen, dtype=np.float32)


def _spread(values: npt.NDArray[np.float64], detector: Detector) -> Image:
    image = np.full((detector.height, detector.width), np.nan, dtype=np.float32)
    for amplifier, value in zip(detector.amplifiers, values, strict=True):
        image[amplifier.place.slices] = value
    return image
