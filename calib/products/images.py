"""The stages that make images: master bias, master dark and master flats."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from calib.models import Product, ProductSet, ProductType
from calib.products import image_file
from calib.products.image_file import MasterImage
from calib.products.known import Known
from calib.products.made import CannotBeMade, Made, storable
from calib.products.provenance import header_cards, provenance
from calib.products.raw_frames import called_by_name, segments_of
from calib.science.combine import Combined, Frame, combine
from calib.science.cosmic_rays import cosmic_rays
from calib.science.header_checks import dark_time_s
from calib.science.mask_planes import Plane
from dayops.archive import store
from dayops.camera import Detector
from dayops.models import RawFrame

UNITS = {ProductType.BIAS: "adu", ProductType.DARK: "adu/s", ProductType.FLAT: ""}
FEW_DARKS = 5  # with which the shortest cannot tell a faint ray in the longest
_QUANTILES = (0, 5, 16, 50, 84, 95, 100)  # per cent, as cp_pipe writes them
_SAMPLE = 4
Image = npt.NDArray[np.float32]


def make_image(
    product_set: ProductSet,
    kind: ProductType,
    band: str,
    detector: Detector,
    known: Known,
    inputs: Sequence[RawFrame],
    held_out: Sequence[RawFrame],
    scales: Sequence[float] = (),
) -> Made:
    """The master of `kind` of one detector from `inputs`. Raises CannotBeMade where what it needs is missing."""
    needed = _needed(kind, known)
    combined = _combined(product_set, kind, detector, known, inputs, scales)
    image, variance = combined.mean, combined.variance
    if kind == ProductType.FLAT:
        _in_electrons(image, variance, detector, known)
    mask = np.where(np.isfinite(image), np.int32(0), np.int32(Plane.NO_DATA))
    if not np.isfinite(image).any():
        raise CannotBeMade("No pixel has a good value in any frame: look at the frames, they may be saturated.")
    origin = provenance(product_set, kind, detector.name, band, inputs, held_out, scales, needed)
    master = MasterImage(image, variance, mask, combined.count)
    statistics = _statistics(master, detector) | {"read_noise_adu": np.nanmedian(combined.noise, axis=0)}
    if kind == ProductType.DARK:
        statistics["dark_s"] = [dark_time_s(frame.header, frame.exposure.exposure_s) for frame in inputs]
    return Made(
        content=image_file.to_bytes(master, header_cards(origin, product_set.day_obs), UNITS[kind]),
        statistics=storable(statistics),
        provenance=origin,
        inputs=inputs,
        held_out=held_out,
        calibrations=needed,
    )


def _needed(kind: ProductType, known: Known) -> list[Product]:
    wanted = {
        ProductType.BIAS: (),
        ProductType.DARK: (ProductType.BIAS,),
        ProductType.FLAT: (ProductType.BIAS, ProductType.DARK, ProductType.PTC, ProductType.LINEARITY),
    }[kind]
    missing = [str(one) for one in wanted if known.product(one) is None]
    if missing:
        raise CannotBeMade(f"It needs the {' and the '.join(missing)} of this set, which could not be made.")
    return [product for one in wanted if (product := known.product(one)) is not None]


def _combined(
    product_set: ProductSet,
    kind: ProductType,
    detector: Detector,
    known: Known,
    inputs: Sequence[RawFrame],
    scales: Sequence[float],
) -> Combined:
    calibrations = known.calibrations() if kind != ProductType.BIAS else None
    nominal = np.array([amplifier.gain for amplifier in detector.amplifiers])
    gain = nominal if calibrations is None or calibrations.gain is None else calibrations.gain
    gain = np.where(gain > 0, gain, nominal)  # a dead amplifier has none
    with called_by_name(inputs), ExitStack() as files:
        frames = []
        for number, frame in enumerate(inputs):
            dark_s = 0.0 if kind == ProductType.BIAS else dark_time_s(frame.header, frame.exposure.exposure_s)
            scale = scales[number] if scales else (1 / dark_s if kind == ProductType.DARK else 1.0)
            path = files.enter_context(store().local_path(frame.sha256))
            frames.append(Frame(path, scale=scale, dark_s=dark_s))
        if kind == ProductType.DARK and len(inputs) < FEW_DARKS:
            rays = cosmic_rays([segments_of(frame, detector) for frame in inputs], detector)
            frames = [replace(frame, out=out) for frame, out in zip(frames, rays, strict=True)]
        return combine(
            frames,
            detector,
            gain=gain,
            bias=None if calibrations is None else calibrations.bias,
            dark=calibrations.dark if calibrations is not None and kind == ProductType.FLAT else None,
            linearity=calibrations.linearity if calibrations is not None and kind == ProductType.FLAT else None,
            clip=float(product_set.parameters["clip_sigma"]),
            weights="noise" if kind == ProductType.DARK else "equal",
        )


def _in_electrons(image: Image, variance: Image, detector: Detector, known: Known) -> None:
    """A flat without the gains in it, which are the photon transfer curve's to tell: in place."""
    gains = known.values(ProductType.PTC, "gain")
    assert gains is not None
    for amplifier, gain in zip(detector.amplifiers, gains, strict=True):
        image[amplifier.place.slices] *= gain
        variance[amplifier.place.slices] *= gain**2


def _statistics(master: MasterImage, detector: Detector) -> dict[str, Any]:
    """Medians and noise by amplifier, quantiles of the whole, and how many frames a pixel has.

    Medians are those of every second pixel along both axes, noise and quantiles but the first and last of every fourth.
    """
    places = [amplifier.place.slices for amplifier in detector.amplifiers]
    return {
        "median": [_median(master.image[place][::2, ::2]) for place in places],
        "noise": [float(np.sqrt(_median(master.variance[place][::_SAMPLE, ::_SAMPLE]))) for place in places],
        "quantiles": _quantiles(master.image),
        "frames": float(master.frames.mean()),
        "no_data": int((master.frames == 0).sum()),
        "rejected": int(master.frames.max()) * master.frames.size - int(master.frames.sum(dtype=np.int64)),
    }


def _quantiles(image: Image) -> dict[str, float]:
    sample = image[::_SAMPLE, ::_SAMPLE]
    found = np.nanpercentile(sample, _QUANTILES)
    found[0], found[-1] = np.nanmin(image), np.nanmax(image)
    return dict(zip(map(str, _QUANTILES), found, strict=True))


def _median(values: Image) -> float:
    known = values[np.isfinite(values)]
    return float(np.median(known)) if known.size else np.nan
