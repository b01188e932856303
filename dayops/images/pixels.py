"""Raw segments, and the detector they make up."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

import fitsio
import numpy as np
import numpy.typing as npt

from dayops.camera.geometry import Amplifier, Box, Detector
from dayops.camera.headers import BadFrame
from dayops.camera.segments import hdu_numbers
from dayops.images.headers import Hdu, read_hdus
from dayops.images.inflation import inflated
from dayops.images.rice import Refused
from dayops.images.tile_compression import read_rice

Segment = npt.NDArray[np.integer[Any]] | npt.NDArray[np.float32]


def read_segments(path: Path, detector: Detector) -> list[Segment]:
    """The raw segments of `detector`, in the order of its amplifiers, rows first.

    Integers keep their type (16-bit files with BZERO become unsigned); floating-point pixels become float32.

    Raises
    ------
    BadFrame
        A segment is missing, has another shape than geometry says, or its pixels cannot be read.
    """
    with inflated(path) as plain:
        hdus = read_hdus(plain)
        numbers = hdu_numbers(detector, [hdu.cards for hdu in hdus])
        wrong = [
            wrong_segment(amplifier, None if number is None else hdus[number])
            for amplifier, number in zip(detector.amplifiers, numbers, strict=True)
        ]
        if any(wrong):
            raise BadFrame([sentence for sentence in wrong if sentence])
        return _read_images(plain, [number for number in numbers if number is not None])


def trim(segment: npt.NDArray[Any], box: Box) -> npt.NDArray[Any]:
    """The pixels of `segment` in `box`: a view, not a copy."""
    return segment[box.slices]


def subtract_overscan(segment: npt.NDArray[Any], amplifier: Amplifier) -> npt.NDArray[np.float32]:
    """`segment` as float32 less the median of its serial overscan, in ADU; unchanged where there is no overscan."""
    level = np.median(trim(segment, amplifier.serial_overscan)) if amplifier.serial_overscan else 0.0
    return (segment - level).astype(np.float32)


def assemble(segments: Sequence[npt.NDArray[Any]], detector: Detector) -> npt.NDArray[np.float32]:
    """The light of raw `segments` where it belongs on the detector.

    Parameters
    ----------
    segments
        One array for each amplifier, of its raw shape, as `read_segments` or `subtract_overscan` give them.

    Returns
    -------
    ndarray, float32, shape (detector.height, detector.width)
        NaN where no amplifier reads.
    """
    mosaic = np.full((detector.height, detector.width), np.nan, dtype=np.float32)
    for segment, amplifier in zip(segments, detector.amplifiers, strict=True):
        light = trim(segment, amplifier.image)
        mosaic[amplifier.place.slices] = light[:: -1 if amplifier.flip_y else 1, :: -1 if amplifier.flip_x else 1]
    return mosaic


def wrong_segment(amplifier: Amplifier, hdu: Hdu | None) -> str:
    if hdu is None:
        return f"{amplifier.extension} is missing."
    if hdu.shape != (amplifier.raw_height, amplifier.raw_width):
        return (
            f"{amplifier.extension} has the shape {hdu.shape}: expected {(amplifier.raw_height, amplifier.raw_width)}."
        )
    return ""


def _read_images(path: Path, numbers: list[int]) -> list[Segment]:
    # CFITSIO reads brackets, plus signs and much else in a file's name as commands; a descriptor's has none
    with path.open("rb") as file:
        try:
            with fitsio.FITS(f"/dev/fd/{file.fileno()}", "r") as fits:
                return [native(_pixels(file, fits[number])) for number in numbers]
        except OSError as error:
            raise BadFrame([f"The pixels cannot be read: {str(error).splitlines()[-1]}"]) from error


def _pixels(file: BinaryIO, hdu: Any) -> npt.NDArray[Any]:
    """Our decoder is several times faster than CFITSIO's; what it refuses is for CFITSIO to read, or to refuse."""
    at = hdu.get_offsets()
    with suppress(Refused):
        return read_rice(file, at["header_start"], at["data_start"], at["data_end"])
    pixels: npt.NDArray[Any] = hdu.read()
    return pixels


def native(pixels: npt.NDArray[Any]) -> Segment:
    return pixels.astype(np.float32, copy=False) if pixels.dtype.kind == "f" else pixels
