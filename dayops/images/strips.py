"""Raw segments by rows, so that many frames can be looked at side by side while only a few rows of each are in memory.

Where a segment is RICE-compressed with a tile for each row, as our cameras write it, only the streams of the rows
asked for are read and decoded. Every other kind of image is left to CFITSIO, also by rows.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import fitsio
import numpy as np
import numpy.typing as npt

from dayops.camera.geometry import Detector
from dayops.camera.headers import BadFrame
from dayops.camera.segments import hdu_numbers
from dayops.images.headers import read_hdus
from dayops.images.inflation import inflated
from dayops.images.pixels import Segment, native, wrong_segment
from dayops.images.rice import PADDING, Integers, Refused, decode
from dayops.images.tile_compression import cards_of, layout_of, streams_of


@dataclass(frozen=True, eq=False)
class _RowTiles:
    """A RICE tile for each row of a segment: the bytes of the file where its stream begins and ends."""

    begins: Integers
    ends: Integers
    width: int
    dtype: np.dtype[Any]
    block_size: int
    zero: int


class RawStrips:
    """An open raw file, of whose segments some rows at a time are read; `open_strips` makes it."""

    def __init__(self, name: str, file: BinaryIO, images: list[Any]) -> None:
        """`images` are fitsio's HDUs in `file`, in the order of the detector's amplifiers."""
        self._name = name
        self._file = file
        self._images = images
        self._tiles = [_row_tiles(file, image) for image in images]

    def rows(self, amplifier: int, first: int, last: int) -> Segment:
        """Rows `first` <= y < `last`, counted from zero, of the raw segment of the detector's `amplifier`.

        Shape (last - first, raw_width), of the type that `read_segments` gives.

        Raises
        ------
        BadFrame
            The pixels cannot be read; the sentence begins with the file's name.
        """
        tiles = self._tiles[amplifier]
        if tiles is not None:
            try:
                return _decoded(self._file.fileno(), tiles, first, last)
            except Refused:
                self._tiles[amplifier] = None  # what is broken is for CFITSIO to read, or to refuse
        try:
            return native(self._images[amplifier][first:last, :])
        except (OSError, ValueError) as error:
            raise BadFrame([f"{self._name}: {_unreadable(error)}"]) from error


@contextmanager
def open_strips(path: Path, detector: Detector) -> Iterator[RawStrips]:
    """The raw file at `path`, plain or gzip, open for as long as the context lasts.

    Raises
    ------
    BadFrame
        Not FITS, truncated, a segment is missing or has another shape than geometry says. Each sentence begins with
        the file's name, for it is one of many.
    """
    with ExitStack() as stack:
        try:
            strips = _opened(path, detector, stack)
        except BadFrame as error:
            raise BadFrame([f"{path.name}: {problem}" for problem in error.problems]) from error
        yield strips


def _opened(path: Path, detector: Detector, stack: ExitStack) -> RawStrips:
    plain = stack.enter_context(inflated(path))
    numbers = _segment_numbers(plain, detector)
    file = stack.enter_context(plain.open("rb"))
    try:
        # CFITSIO reads brackets, plus signs and much else in a file's name as commands; a descriptor's has none
        fits = stack.enter_context(fitsio.FITS(f"/dev/fd/{file.fileno()}", "r"))
        return RawStrips(path.name, file, [fits[number] for number in numbers])
    except OSError as error:
        raise BadFrame([_unreadable(error)]) from error


def _segment_numbers(path: Path, detector: Detector) -> list[int]:
    hdus = read_hdus(path)
    numbers = hdu_numbers(detector, [hdu.cards for hdu in hdus])
    wrong = [
        wrong_segment(amplifier, None if number is None else hdus[number])
        for amplifier, number in zip(detector.amplifiers, numbers, strict=True)
    ]
    if any(wrong):
        raise BadFrame([sentence for sentence in wrong if sentence])
    return [number for number in numbers if number is not None]


def _unreadable(error: Exception) -> str:
    return f"The pixels cannot be read: {str(error).splitlines()[-1]}"


def _row_tiles(file: BinaryIO, image: Any) -> _RowTiles | None:
    """The tiles of an image whose rows are tiles and whose streams all lie within its data; None of any other."""
    at = image.get_offsets()
    start, size = at["data_start"], at["data_end"] - at["data_start"]
    file.seek(at["header_start"])
    try:
        layout = layout_of(cards_of(file.read(start - at["header_start"]).decode("latin-1")))
        width = layout.shape[1]
        table = np.frombuffer(file.read(layout.heap), np.uint8) if layout.end <= size else np.empty(0, np.uint8)
        if layout.tile[0] != 1 or layout.tile[1] < width or table.size < layout.heap:
            return None
        begins, ends = streams_of(table, layout)
    except Refused:
        return None
    return _RowTiles(start + begins, start + ends, width, layout.dtype, layout.block_size, layout.zero)


def _decoded(descriptor: int, tiles: _RowTiles, first: int, last: int) -> npt.NDArray[np.integer[Any]]:
    begins, ends = tiles.begins[first:last], tiles.ends[first:last]
    start = int(begins.min())
    size = int(ends.max()) - start
    read = os.pread(descriptor, size, start)
    if len(read) != size:
        raise Refused("The file ends within the data.")
    data = np.frombuffer(read + bytes(PADDING), dtype=np.uint8)
    pixels = np.empty((last - first) * tiles.width, dtype=f"u{tiles.dtype.itemsize}")
    sizes = np.full(last - first, tiles.width, dtype=np.int64)
    decode(data, begins - start, ends - start, sizes, tiles.block_size, tiles.zero, pixels)
    return pixels.view(tiles.dtype).reshape(-1, tiles.width)
