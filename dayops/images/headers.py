"""Walks the headers of a FITS file within limits and without touching a pixel.

Astropy parses the cards; the walk from HDU to HDU is ours because it must not follow a header that never ends, and
must say how many bytes are missing (FITS Standard 4.0, sections 3.1, 4.4 and 10.1).
"""

import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from astropy.io import fits

from dayops.camera.cards import clean
from dayops.camera.headers import BadFrame
from dayops.images.inflation import inflated

BLOCK = 2880
CARD = 80
MOST_HDUS = 64
MOST_HEADER_BYTES = 10_000_000
_END = b"END".ljust(CARD)
_COMMENTARY = {"", "COMMENT", "HISTORY", "END"}
_TABLE_ONLY = ("ZIMAGE", "ZTENSION", "ZBITPIX", "ZNAXIS", "ZPCOUNT", "ZGCOUNT", "TFIELDS", "TTYPE", "TFORM")
_BITPIX = {8, 16, 32, 64, -32, -64}


@dataclass(frozen=True)
class Hdu:
    """One header: its cards as plain values, and the shape (rows first) of the image it describes, if any."""

    cards: dict[str, Any]
    shape: tuple[int, ...] | None


def read_headers(path: Path) -> tuple[list[dict[str, Any]], list[tuple[int, ...] | None]]:
    """The cards of each HDU, safe for JSON, and the shape of its image (rows first; None where it has none).

    A tile-compressed image is described as the image it holds. No pixel is read.

    Raises
    ------
    BadFrame
        Not FITS, truncated, broken gzip, or headers beyond the limits of this module.
    """
    hdus = read_hdus(path)
    return [dict(hdu.cards) for hdu in hdus], [hdu.shape for hdu in hdus]


def read_hdus(path: Path) -> list[Hdu]:
    """`scan` of the file at `path`, plain or gzip."""
    with inflated(path) as plain, plain.open("rb") as file:
        return scan(file)


def scan(file: BinaryIO) -> list[Hdu]:
    """Every HDU of an open, seekable, uncompressed FITS file.

    Raises
    ------
    BadFrame
        Not FITS, truncated (with both sizes), or more headers than the limits allow.
    """
    size = file.seek(0, 2)
    if size == 0:
        raise BadFrame(["The file is empty: expected a FITS file. Send it again."])
    hdus: list[Hdu] = []
    position = header_bytes = 0
    while position < size and len(hdus) < MOST_HDUS:
        file.seek(position)
        block = _header_block(file, MOST_HEADER_BYTES - header_bytes, first=position == 0)
        if block is None:
            break
        raw = _cards(block)
        header_bytes += len(block)
        position += len(block) + _padded(_data_bytes(raw))
        hdus.append(Hdu(_as_image(raw), _shape(raw)))
        if position > size:
            raise BadFrame([f"The file is truncated: its size is {size:,} bytes, expected at least {position:,}."])
    if position < size and len(hdus) == MOST_HDUS:
        raise BadFrame([f"The file has more than {MOST_HDUS} HDUs: expected the segments of one detector."])
    return hdus


def _header_block(file: BinaryIO, limit: int, *, first: bool) -> bytes | None:
    """One header up to the end of its last block; None where what follows the last HDU is not an extension."""
    block = file.read(BLOCK)
    if not block.startswith(b"SIMPLE  =" if first else b"XTENSION="):
        if first:
            raise BadFrame([f"This is not a FITS file: it begins with {clean(block[:30].decode('latin-1'))!r}."])
        return None
    chunks = [block]
    while not _ends(chunks[-1]):
        if len(chunks) * BLOCK >= limit:
            raise BadFrame([f"The headers are longer than {MOST_HEADER_BYTES:,} bytes: no END card was found."])
        chunks.append(file.read(BLOCK))
        if len(chunks[-1]) < BLOCK:
            raise BadFrame(["The file is truncated within a header: no END card was found. Send it again."])
    return b"".join(chunks)


def _ends(block: bytes) -> bool:
    return any(block[start : start + CARD] == _END for start in range(0, BLOCK, CARD))


def _cards(block: bytes) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # astropy repairs what it can; what it cannot is a missing card below
        header = fits.Header.fromstring(block.decode("latin-1"))
        return {card.keyword: _plain(card) for card in header.cards if card.keyword not in _COMMENTARY}


def _plain(card: fits.Card) -> Any:
    """The card's value as JSON can keep it: no undefined, no NaN, no control characters."""
    try:
        value = card.value
    except (fits.VerifyError, ValueError):
        return None
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return None


def _padded(size: int) -> int:
    return -(-size // BLOCK) * BLOCK


def _data_bytes(cards: dict[str, Any]) -> int:
    axes = _axes(cards, "NAXIS")
    bitpix = cards.get("BITPIX")
    counts = [cards.get("PCOUNT", 0), cards.get("GCOUNT", 1)]
    if bitpix not in _BITPIX or any(type(count) is not int or count < 0 for count in counts):
        raise BadFrame([f"BITPIX {bitpix!r}, PCOUNT {counts[0]!r} or GCOUNT {counts[1]!r} is not a legal number."])
    return abs(bitpix) // 8 * counts[1] * (counts[0] + math.prod(axes)) if axes else 0


def _axes(cards: dict[str, Any], name: str) -> tuple[int, ...]:
    """The lengths of the axes in FITS order, fastest first."""
    count = cards.get(name)
    if type(count) is not int or not 0 <= count <= 9:
        raise BadFrame([f"{name} is {count!r}: expected 0 to 9."])
    axes = tuple(cards.get(f"{name}{axis}") for axis in range(1, count + 1))
    if not all(isinstance(length, int) and length >= 0 for length in axes):
        raise BadFrame([f"The axes {axes} of {name} are not lengths."])
    return tuple(int(length or 0) for length in axes)


def _is_compressed(cards: dict[str, Any]) -> bool:
    return cards.get("ZIMAGE") is True and cards.get("XTENSION") == "BINTABLE"


def _shape(cards: dict[str, Any]) -> tuple[int, ...] | None:
    if _is_compressed(cards):
        return _axes(cards, "ZNAXIS")[::-1] or None
    if cards.get("XTENSION", "IMAGE") != "IMAGE":
        return None
    return _axes(cards, "NAXIS")[::-1] or None


def _as_image(cards: dict[str, Any]) -> dict[str, Any]:
    """A tile-compressed image's cards, without those of the table that carries it."""
    if not _is_compressed(cards):
        return cards
    image = {key: value for key, value in cards.items() if not key.startswith(_TABLE_ONLY)}
    return (
        image
        | {"XTENSION": "IMAGE", "BITPIX": cards.get("ZBITPIX"), "NAXIS": cards.get("ZNAXIS")}
        | {f"NAXIS{axis}": length for axis, length in enumerate(_axes(cards, "ZNAXIS"), 1)}
    )
