"""Tile-compressed integer images (FITS Standard 4.0, section 10), read in one piece and decoded in one call.

Only what our cameras write is read here: one column of RICE_1 streams and pixels that are whole numbers. Everything
else, and everything that is odd in any way, is refused and left to CFITSIO, which knows all of it.
"""

import re
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from dayops.images.rice import BLOCK_SIZES, PADDING, Integers, Refused, decode

_KEYWORD = re.compile(r"[A-Z0-9_-]* *")
_CARD = re.compile(r"(\w+) *= +(?:'([^']*?) *'|([^ /']+)) *(?:/.*)?")
_ABSENT = ("ZBLANK", "BLANK", "ZSCALE", "ZZERO", "TSCAL1", "TZERO1", "TNULL1")
_MEANING = ("BLANK", "BSCALE", "BZERO")
_TABLE = ("XTENSION", "NAXIS1", "NAXIS2", "PCOUNT", "TFIELDS", "TTYPE1", "TFORM1", "THEAP")
_IMAGE = ("ZIMAGE", "ZCMPTYPE", "ZBITPIX", "ZNAXIS", "ZNAXIS1", "ZNAXIS2", "ZTILE1", "ZTILE2", "BSCALE", "BZERO")
_PARAMETERS = tuple(f"{name}{number}" for number in range(1, 10) for name in ("ZNAME", "ZVAL"))
_KNOWN = {f"{name:<8}" for name in (*_ABSENT, *_TABLE, *_IMAGE, *_PARAMETERS)}
_EXPECTED = {"XTENSION": "BINTABLE", "ZIMAGE": "T", "TFIELDS": "1", "TTYPE1": "COMPRESSED_DATA", "ZNAXIS": "2"}
_KINDS = {
    (8, 0.0): "u1",
    (8, -128.0): "i1",
    (16, 0.0): "i2",
    (16, 32768.0): "u2",
    (32, 0.0): "i4",
    (32, 2147483648.0): "u4",
}
_PIXELS_PER_BYTE = 86  # a block of 32 pixels takes 3 bits at the very least


@dataclass(frozen=True)
class _Layout:
    """Where in the data the streams are, and what image they hold. Shapes are rows first."""

    dtype: np.dtype[Any]
    zero: int
    block_size: int
    shape: tuple[int, int]
    tile: tuple[int, int]
    descriptor: str
    rows: int
    heap: int
    end: int


def read_rice(
    file: BinaryIO, header_start: int, data_start: int, data_end: int, *, stored: bool = False
) -> npt.NDArray[np.integer[Any]]:
    """The image in the table whose header and data lie at these bytes of `file`, rows first, as CFITSIO would give it.

    `stored` gives the integers of an image with BSCALE or BLANK as they lie in the file.

    Raises
    ------
    Refused
        It is not an integer image that this module can read, or its data are broken.
    """
    file.seek(header_start)
    cards = cards_of(file.read(data_start - header_start).decode("latin-1"))
    layout = layout_of({name: cards[name] for name in cards if not (stored and name in _MEANING)})
    size = data_end - data_start
    if layout.end > size or layout.shape[0] * layout.shape[1] > _PIXELS_PER_BYTE * size:
        raise Refused(f"{size} bytes of data cannot hold an image of {layout.shape} pixels.")
    data = np.zeros(size + PADDING, dtype=np.uint8)
    if file.readinto(data[:size]) != size:  # type: ignore[attr-defined]
        raise Refused("The file ends within the data.")
    sizes = _tile_sizes(layout)
    pixels = np.empty(int(sizes.sum()), dtype=f"u{layout.dtype.itemsize}")
    decode(data, *streams_of(data, layout), sizes, layout.block_size, layout.zero, pixels)
    return _placed(pixels.view(layout.dtype), layout)


def cards_of(header: str) -> dict[str, str]:
    """The values of the keywords that matter here, as they are written."""
    cards: dict[str, str] = {}
    for start in range(0, len(header), 80):
        keyword, card = header[start : start + 8], header[start : start + 80]
        if keyword == "END     ":
            break
        if not _KEYWORD.fullmatch(keyword):  # CFITSIO takes BZERo for BZERO
            raise Refused(f"{keyword!r} is not a keyword.")
        if keyword in _KNOWN:
            match = _CARD.fullmatch(card)
            if match is None or match[1] in cards:
                raise Refused(f"{keyword.strip()} is twice in the header, or written in another way.")
            cards[match[1]] = match[3] or match[2] or ""
    return cards


def layout_of(cards: dict[str, str]) -> _Layout:
    odd = [name for name, value in _EXPECTED.items() if cards.get(name) != value]
    odd += [name for name in _ABSENT if name in cards]
    form = re.fullmatch(r"1?([PQ])B(\(\d+\))?", cards.get("TFORM1", ""))
    if odd or form is None or cards.get("ZCMPTYPE") not in {"RICE_1", "RICE_ONE"}:
        raise Refused(f"This is not a table of RICE_1 streams of integers: {', '.join(odd) or 'ZCMPTYPE, TFORM1'}.")
    parameters = {cards.get(f"ZNAME{number}"): cards.get(f"ZVAL{number}", "") for number in range(1, 10)}
    try:
        return _checked(cards, parameters, form[1])
    except (KeyError, ValueError) as error:
        raise Refused(f"A card is missing, or not a number that this module knows: {error}.") from error


def _checked(cards: dict[str, str], parameters: dict[str | None, str], form: str) -> _Layout:
    bits, zero = int(cards["ZBITPIX"]), float(cards.get("BZERO", "0"))
    block_size, width, rows = int(parameters["BLOCKSIZE"]), int(cards["NAXIS1"]), int(cards["NAXIS2"])
    if int(parameters["BYTEPIX"]) * 8 != bits or block_size not in BLOCK_SIZES or float(cards.get("BSCALE", "1")) != 1:
        raise ValueError("BYTEPIX, BLOCKSIZE or BSCALE")
    if width != (8 if form == "P" else 16):
        raise ValueError("NAXIS1")
    layout = _Layout(
        dtype=np.dtype(_KINDS[bits, zero]),
        zero=int(zero) % 2**bits,
        block_size=block_size,
        shape=(int(cards["ZNAXIS2"]), int(cards["ZNAXIS1"])),
        tile=(int(cards.get("ZTILE2", "1")), int(cards.get("ZTILE1", cards["ZNAXIS1"]))),
        descriptor=">i4" if form == "P" else ">i8",
        rows=rows,
        heap=int(cards.get("THEAP", width * rows)),
        end=width * rows + int(cards["PCOUNT"]),
    )
    down, across = (
        -(-length // tile) if tile > 0 else 0 for length, tile in zip(layout.shape, layout.tile, strict=True)
    )
    if min(layout.shape) < 1 or rows != down * across or not width * rows <= layout.heap <= layout.end:
        raise ValueError("ZNAXISn, ZTILEn, NAXIS2, THEAP or PCOUNT")
    return layout


def streams_of(data: npt.NDArray[np.uint8], layout: _Layout) -> tuple[Integers, Integers]:
    """The first byte of each tile's stream and the byte behind it."""
    table = np.frombuffer(data, layout.descriptor, 2 * layout.rows).reshape(-1, 2)
    lengths, offsets = table.T.astype(np.int64)
    room = layout.end - layout.heap
    if np.any(lengths < 1) or np.any(lengths > room) or np.any(offsets < 0) or np.any(offsets > room - lengths):
        raise Refused("A tile has no stream, or one that is not within the heap.")
    return layout.heap + offsets, layout.heap + offsets + lengths


def _tile_sizes(layout: _Layout) -> Integers:
    """Pixels of each tile, in the order of the tiles: the last of a row or column may be smaller."""
    heights, widths = (
        np.minimum(tile, length - np.arange(0, length, tile, dtype=np.int64))
        for length, tile in zip(layout.shape, layout.tile, strict=True)
    )
    return np.outer(heights, widths).ravel()


def _placed(pixels: npt.NDArray[Any], layout: _Layout) -> npt.NDArray[Any]:
    """Pixels in the order of the tiles as an image."""
    (height, width), (down, across) = layout.shape, layout.tile
    if across >= width:
        return pixels.reshape(layout.shape)
    image = np.empty(layout.shape, dtype=pixels.dtype)
    for y in range(0, height, down):
        for x in range(0, width, across):
            place = image[y : y + down, x : x + across]
            place[...] = pixels[: place.size].reshape(place.shape)
            pixels = pixels[place.size :]
    return image
