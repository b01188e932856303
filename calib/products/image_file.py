"""A master image as a file: multi-extension FITS with IMAGE, VARIANCE, MASK and NEXP, as LSST orders its planes.

Pixels are rounded to a fine step of their own noise and kept as scaled integers, RICE-compressed by rows: four times
faster to write than floating-point tiles are, and a seventh of the size. The rounding adds under 0.04 % to the noise.
Nothing here looks at a clock: the same planes and cards give the same bytes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import fitsio
import numba
import numpy as np
import numpy.typing as npt

from calib.science.mask_planes import header_cards
from dayops.images.fits_checksum import seal
from dayops.images.rice import Refused
from dayops.images.tile_compression import read_rice

STEPS_PER_SIGMA = 16  # of quantised floating-point images, cfitsio's own default is 4
_BLANK = -(2**31)
_UNSEALED = "0" * 16
_HDUS = ("IMAGE", "VARIANCE", "MASK", "NEXP")
Image = npt.NDArray[np.float32]
Card = tuple[str, Any, str]


@dataclass(frozen=True, eq=False)
class MasterImage:
    """The planes of one master, each (height, width) as the detector is assembled.

    image : NaN where there is no good value.  variance : of `image`, in its unit squared.
    mask : bit planes (`calib.science.mask_planes`).  frames : how many frames each pixel was made of.
    """

    image: Image
    variance: Image
    mask: npt.NDArray[np.int32]
    frames: npt.NDArray[np.int16]


def to_bytes(master: MasterImage, cards: list[Card], unit: str) -> bytes:
    """The FITS file of `master`; `cards` go into the primary header, `unit` is BUNIT."""
    with fitsio.FITS("mem://", "rw") as file:
        file.write(None, header=_records(cards))
        _reserve_seal(file)
        sigma = _usual_sigma(master.variance)
        _write_scaled(file, master.image, "IMAGE", unit, sigma / STEPS_PER_SIGMA)
        _write_scaled(file, master.variance, "VARIANCE", f"({unit})**2", sigma**2 / STEPS_PER_SIGMA, least=1)
        planes: list[Card] = [(name, bit, "bit of this mask plane") for name, bit in header_cards().items()]
        _write(file, master.mask, "MASK", planes)
        _write(file, master.frames, "NEXP", [("BUNIT", "frames", "")])
        offsets = [hdu.get_offsets() for hdu in file]
        raw = bytearray(file.read_raw())
    for at in offsets:
        block = raw[at["header_start"] : at["data_end"]]
        seal(block, at["data_start"] - at["header_start"])
        raw[at["header_start"] : at["data_end"]] = block
    return bytes(raw)


def read(path: Path) -> MasterImage:
    """The planes of a file that `to_bytes` made. Raises ValueError where one is missing or shapes differ."""
    image, variance, mask, frames = _planes(path, _HDUS)
    return MasterImage(image, variance, mask.astype(np.int32, copy=False), frames.astype(np.int16, copy=False))


def read_pixels(path: Path) -> Image:
    """The plane IMAGE alone. Raises ValueError as `read` does."""
    (image,) = _planes(path, ("IMAGE",))
    return np.asarray(image)


def _planes(path: Path, names: tuple[str, ...]) -> list[Any]:
    try:
        with path.open("rb") as file, fitsio.FITS(f"/dev/fd/{file.fileno()}") as fits:
            hdus = [fits[name] for name in names]
            if len({tuple(hdu.get_dims()) for hdu in hdus}) == 1:
                return [_plane(file, hdu) for hdu in hdus]
    except (OSError, RuntimeError, Refused) as error:
        raise ValueError(f"{path.name} is no master image: {str(error).splitlines()[-1]}") from error
    raise ValueError(f"The planes of {path.name} differ in shape: it is no master image.")


def _plane(file: BinaryIO, hdu: Any) -> npt.NDArray[Any]:
    """Float32 where the integers are steps, NaN where they are BLANK; else as they are."""
    at, header = hdu.get_offsets(), hdu.read_header()
    stored = read_rice(file, at["header_start"], at["data_start"], at["data_end"], stored=True)
    if "BSCALE" not in header:
        return stored
    plane = np.empty(stored.shape, dtype=np.float32)
    _from_steps(stored, np.float32(header["BSCALE"]), plane)
    return plane


def _usual_sigma(variance: Image) -> float:
    """Square root of the median variance of every fourth pixel along both axes; 1 where there is none."""
    sample = variance[::4, ::4]
    good = sample[np.isfinite(sample) & (sample > 0)]
    return float(np.sqrt(np.median(good))) if good.size else 1.0


def _write_scaled(file: Any, plane: Image, name: str, unit: str, finest: float, least: int | None = None) -> None:
    """As integers in steps of a power of two no larger than `finest`, or what 31 bits can hold.

    `least` steps are kept of any value: no variance is 0, by which somebody might divide.
    """
    step = 2.0 ** np.ceil(np.log2(max(finest / 2, _largest(plane) / 2**30, 1e-30)))
    steps = np.empty(plane.shape, dtype=np.int32)
    _to_steps(plane, 1 / step, steps)
    if least is not None:
        np.maximum(steps, least, out=steps, where=steps != _BLANK)
    _write(file, steps, name, [("BUNIT", unit, "unit of the pixels"), ("BLANK", _BLANK, "no good value")])
    file[-1].write_key("BSCALE", step, "a step")
    file[-1].write_key("BZERO", 0.0)


def _write(file: Any, plane: npt.NDArray[Any], name: str, cards: list[Card]) -> None:
    file.write(plane, extname=name, header=_records(cards), compress="RICE", tile_dims=(1, plane.shape[1]))
    _reserve_seal(file)


def _reserve_seal(file: Any) -> None:
    for keyword in ("CHECKSUM", "DATASUM"):
        file[-1].write_key(keyword, _UNSEALED)


def _records(cards: list[Card]) -> list[dict[str, Any]]:
    return [{"name": name, "value": value, "comment": comment} for name, value, comment in cards]


@numba.njit(cache=True, nogil=True)
def _largest(plane: Any) -> float:
    """Of the absolute values of `plane` (height, width) that are finite; 0 where there is none."""
    largest = np.float32(0)
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            value = abs(plane[y, x])
            if value > largest and value < np.inf:
                largest = value
    return float(largest)


@numba.njit(cache=True, nogil=True)
def _to_steps(plane: Any, per_unit: float, steps: Any) -> None:
    """The nearest whole number of steps, of which there are `per_unit`; BLANK where `plane` is not finite."""
    for y in range(plane.shape[0]):
        for x in range(plane.shape[1]):
            value = plane[y, x]
            steps[y, x] = np.int32(np.rint(value * per_unit)) if np.isfinite(value) else np.int32(_BLANK)


@numba.njit(cache=True, nogil=True)
def _from_steps(steps: Any, step: Any, plane: Any) -> None:
    for y in range(steps.shape[0]):
        for x in range(steps.shape[1]):
            plane[y, x] = steps[y, x] * step if steps[y, x] != _BLANK else np.float32(np.nan)


def warm_up() -> None:
    """Compile the kernels, or load them from the cache."""
    plane, steps = np.zeros((2, 2), dtype=np.float32), np.zeros((2, 2), dtype=np.int32)
    _largest(plane)
    _to_steps(plane, 1.0, steps)
    _from_steps(steps, np.float32(1), plane)
