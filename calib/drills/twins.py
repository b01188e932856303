"""What a product would have been, had a fault not spoilt frames that went into it.

A fault draws nothing from an exposure's own random numbers, so that the simulator gives each spoilt frame's twin: the
same exposure without the fault. The product is made anew of twins where frames were hit, and of its other frames; it
*departs* where it differs from that by more than chance.
"""

import io
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from calib.models import Measurement, Product, ProductType
from calib.products import image_file
from calib.products.curves import FramePair, make_crosstalk, make_ptc
from calib.products.images import make_image
from calib.products.known import Known, made_so_far
from calib.products.made import Made, numbers
from calib.products.raw_frames import segments_of
from calib.science.amplifier import measure_detector
from calib.science.verification import largest_patches, patch_chance
from dayops.archive import store
from dayops.camera import Detector
from dayops.models import RawFrame
from dayops.simulator.frames import simulate
from dayops.simulator.observatory import Programme

CHANCES = 5.0  # standard errors: of a patch's median in an image, of a number in a table
TWINS_ALIKE = frozenset({"wrong-filter"})  # the simulated filters differ in brightness alone, which masters divide out
MOST_LOST = 0.001  # of the pixels, without a value that the twins would have given
Frames = dict[int, RawFrame]
Image = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]


def is_hit(frame: RawFrame, programme: Programme) -> bool:
    """Whether the fault of `programme` spoilt this frame."""
    fault, exposure = programme.fault, frame.exposure
    if fault is None or exposure.day_obs != programme.day_obs:
        return False
    spoilt = {planned.seq_num for planned in fault.where.exposures(programme.day_obs)}
    return exposure.seq_num in spoilt and frame.detector in fault.detectors(
        programme.camera, programme.seed, programme.day_obs
    )


def departure(product_id: int, programme: Programme) -> str:
    """How the product departs from what its frames' twins make, in a sentence; empty where it does not.

    An image departs where a patch of 32 × 32 pixels has another median, a table where a number differs, by more than
    five standard errors; a curve also where it tells another exposure time. Linearity holds a curve's numbers in
    another form: the curve departs in its place.
    """
    product = Product.objects.select_related("product_set").get(pk=product_id)
    if programme.fault is not None and programme.fault.name in TWINS_ALIKE:
        return f"{product} is made of frames of another filter than they say."
    if product.type == ProductType.LINEARITY:
        return ""
    rows = RawFrame.objects.filter(pk__in=product.inputs).select_related("exposure")
    frames = {row.pk: twin(row, programme) if is_hit(row, programme) else row for row in rows}
    made = _made_anew(product, frames, programme)
    if compare := _TABLES.get(ProductType(product.type)):
        far = compare(product, made)
    else:
        anew = _image(store().put(io.BytesIO(made.content)).sha256)
        noise = numbers(product.statistics, "noise")
        far = image_departure(_image(product.sha256), anew, programme.camera.by_id[product.detector], noise)
    return "" if far <= CHANCES else f"{product} departs by {far:.1f} standard errors from what it would have been."


def twin(frame: RawFrame, programme: Programme) -> RawFrame:
    """`frame` as it would have been archived without the fault; it is not saved."""
    shot = next(shot for shot in programme.shots() if shot.name == frame.exposure.name)
    other = copy(frame)
    other.exposure = copy(frame.exposure)
    other.sha256 = store().put(io.BytesIO(simulate(shot, frame.detector, programme.seed))).sha256
    other.exposure.exposure_s = shot.planned.exposure_s
    return other


def _made_anew(product: Product, frames: Frames, programme: Programme) -> Made:
    made_set, detector, kind = product.product_set, programme.camera.by_id[product.detector], ProductType(product.type)
    known = _known_then(product, detector)
    if kind == ProductType.PTC:
        pairs = [FramePair(frames[one], frames[other]) for one, other in product.statistics["frames"]]
        return make_ptc(made_set, detector, known, pairs, ())
    inputs = [frames[key] for key in product.inputs]
    if kind == ProductType.CROSSTALK:
        return make_crosstalk(made_set, detector, known, inputs, ())
    told = product.provenance["inputs"] if kind == ProductType.FLAT else ()
    scales = [_scale(each, frames[each["frame"]], programme) for each in told]
    return make_image(made_set, kind, product.filter, detector, known, inputs, (), scales)


def _known_then(product: Product, detector: Detector) -> Known:
    """The products of the set that this one was derived with."""
    known = made_so_far(product.product_set, detector)
    used = {slot: each for slot, each in known.products.items() if each.pk in product.calibrations}
    return replace(known, products=used)


def _scale(told: dict[str, Any], frame: RawFrame, programme: Programme) -> float:
    """The stored scale of a flat, or of its twin: in inverse proportion to the light on the whole focal plane."""
    scale = float(told.get("scale", 1.0))
    if frame.sha256 == told["sha256"]:
        return scale
    rows = Measurement.objects.filter(exposure=frame.exposure_id, metric="flat_level").select_related("frame__exposure")
    light = np.array([_light(row, programme) for row in rows if row.frame is not None])
    return scale * float(np.nansum(light[:, 0]) / np.nansum(light[:, 1]))


def _light(row: Measurement, programme: Programme) -> tuple[float, float]:
    """Median signal of one frame of a flat, e⁻ by nominal gains: as it was measured, and of its twin."""
    frame = row.frame
    assert frame is not None
    measured = float(np.nanmedian(np.array(row.values, dtype=np.float64))) * frame.exposure.exposure_s
    if not is_hit(frame, programme):
        return measured, measured
    detector, other = programme.camera.by_id[frame.detector], twin(frame, programme)
    seconds = other.exposure.exposure_s
    found = measure_detector(segments_of(other, detector), detector, seconds, "FLAT")
    return measured, float(np.nanmedian(found.of("flat_level"))) * seconds


def image_departure(image: Image, anew: Image, detector: Detector, noise: Values) -> float:
    """The largest patch median of the difference, in its standard errors; `noise` (n) is that of a pixel of `image`.

    Infinite where pixels that the twins would have given a value have none.
    """
    difference = image - anew
    if (np.isfinite(anew) & ~np.isfinite(difference)).mean() > MOST_LOST:
        return float(np.inf)
    largest = np.nan_to_num(largest_patches(difference, np.zeros(difference.shape, dtype=np.int32), detector))
    chance = np.array([max(patch_chance(each), 1e-12) for each in np.nan_to_num(noise)])
    return float((largest / chance).max())


def _image(sha256: str) -> Image:
    with store().local_path(sha256) as path:
        return image_file.read_pixels(path)


def curve_departure(product: Product, made: Made) -> float:
    """The largest difference of a gain in its errors; infinite where exposure times differ."""
    if product.statistics["exposure_s"] != made.statistics["exposure_s"]:
        return float(np.inf)
    return _largest_pull(product, made, "gain", "gain_error")


def crosstalk_departure(product: Product, made: Made) -> float:
    """The largest difference of a coefficient in its errors."""
    return _largest_pull(product, made, "coefficients", "errors")


def _largest_pull(product: Product, made: Made, name: str, error: str) -> float:
    """The largest difference in standard errors; infinite where a number is known of one of both alone."""
    one, other = numbers(product.statistics, name), numbers(made.statistics, name)
    if (np.isfinite(one) != np.isfinite(other)).any():
        return float(np.inf)
    errors = np.maximum(np.nan_to_num(numbers(product.statistics, error)), 1e-12)
    return float(np.nan_to_num(np.abs(one - other) / errors).max())


_TABLES = {ProductType.PTC: curve_departure, ProductType.CROSSTALK: crosstalk_departure}
