"""The skeleton of a FITS file, walked strictly, without an interpreter of its contents.

Sizes are computed from the headers before any data are touched, and every byte must be accounted for: what a header
claims, the length of the file and its checksums have to agree (FITS standard 4.0: §3.1, §4.4.1, §4.4.2.7, §10.1).
"""

import gzip
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import BinaryIO, cast

import numpy as np

from dayops.archive.fits_header import BLOCK, BadStructure, Header, read_cards, shown

_CHUNK = BLOCK * 32  # small enough that its memory is used again
_ALL_ONES = 0xFFFFFFFF


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a raw frame may be. LSSTCam's are 19 HDUs, 0.3 MB of headers, 19 million pixels, 76 MB."""

    units: int = 64
    header_bytes: int = 10 * 1024**2
    pixels: int = 256 * 1024**2
    inflated_bytes: int = 1024**3


@dataclass(frozen=True, slots=True)
class Unit:
    """One header-data unit. `pixels` are those of its image, uncompressed.

    `doubts` are sentences about checksums that do not agree: the bytes changed after they were written.
    """

    pixels: int
    header_bytes: int
    data_bytes: int
    doubts: tuple[str, ...] = ()


def walk(file: BinaryIO, limits: Limits | None = None) -> list[Unit]:
    """Check the structure of a FITS file from its first byte to its last.

    Parameters
    ----------
    file
        An open file, at its start. gzip is recognised by its first bytes, whatever the file is called.

    Raises
    ------
    BadStructure
        At the first rule that is broken, in words.
    """
    limits = limits or Limits()
    stream = _Stream(file, limits.inflated_bytes)
    units: list[Unit] = []
    while block := stream.read(BLOCK):
        if len(units) == limits.units:
            raise BadStructure(f"It has more than {limits.units} header-data units; no raw frame has. See who sent it.")
        where = f"HDU {len(units)}"
        header = _read_header(stream, block, where, limits.header_bytes - sum(unit.header_bytes for unit in units))
        unit = _claims(header)
        if (pixels := unit.pixels + sum(unit.pixels for unit in units)) > limits.pixels:
            raise BadStructure(f"Its headers claim {pixels} pixels; a raw frame has at most {limits.pixels}.")
        doubts = _doubts(header, _sum_data(stream, unit.data_bytes, where))
        units.append(replace(unit, doubts=tuple(doubts)))
    if not units:
        raise BadStructure("It is empty (0 bytes). Send it again.")
    return units


class _Stream:
    """The file's bytes, counted, and inflated where it is gzip, up to a limit."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self.compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        self._file = cast("BinaryIO", gzip.GzipFile(fileobj=file)) if self.compressed else file
        self._limit = limit
        self.position = 0

    def read(self, size: int) -> bytes:
        """Up to `size` bytes; fewer only at the end of the file."""
        try:
            data = self._file.read(size)
        except EOFError:
            raise BadStructure(
                f"Its gzip stream breaks off after {self.position} inflated bytes: it is truncated. Send it again."
            ) from None
        except (zlib.error, gzip.BadGzipFile) as error:
            raise BadStructure(f"Its gzip stream is damaged ({error}). Send it again.") from None
        self.position += len(data)
        if self.position > self._limit:
            raise BadStructure(f"It inflates to more than {self._limit} bytes; no raw frame does. See who sent it.")
        return data


def _read_header(stream: _Stream, block: bytes, where: str, allowed_bytes: int) -> Header:
    _expect_beginning(block, where, stream)
    values: dict[str, str] = {}
    size, total = 0, 0
    while True:
        if len(block) < BLOCK:
            raise BadStructure(
                f"{where}: the file ends within this header, after {stream.position} bytes: truncated. Send it again."
            )
        size += BLOCK
        total += _sum(block)
        if size > allowed_bytes:
            raise BadStructure(f"{where}: the headers have no END within {size} bytes; no raw frame's are that long.")
        if read_cards(block, values, where):
            return Header(where, values, size, total)
        block = stream.read(BLOCK)


def _expect_beginning(block: bytes, where: str, stream: _Stream) -> None:
    if where == "HDU 0":
        if not re.match(rb"SIMPLE  = +T(?![^ /])", block):
            raise BadStructure(
                f"It is not a FITS file: it begins with {shown(block)}, expected SIMPLE = T. Send the frame itself."
            )
    elif not block.startswith(b"XTENSION= '"):
        extra = "and perhaps more " if len(block) == BLOCK else ""
        raise BadStructure(
            f"{len(block)} bytes {extra}follow after its last HDU, which ends at byte {stream.position - len(block)}: "
            f"they belong to nothing ({shown(block)}). Send the file again."
        )


def _claims(header: Header) -> Unit:
    """What the header says of its unit, before any of its data are read."""
    axes = header.axes("NAXIS")
    bits = abs(header.bitpix("BITPIX"))
    elements = header.number("PCOUNT", 0) + prod(axes) if axes else 0
    compressed = header.values.get("ZIMAGE") == "T"
    if compressed:
        header.bitpix("ZBITPIX")
    image = header.axes("ZNAXIS") if compressed else axes
    return Unit(
        pixels=prod(image) if image else 0,
        header_bytes=header.size,
        data_bytes=bits // 8 * header.number("GCOUNT", 1) * elements,
    )


def _sum_data(stream: _Stream, size: int, where: str) -> int:
    """Ones' complement sum of the unit's data, which must be there to the last padding byte."""
    begin, left, total = stream.position, -(-size // BLOCK) * BLOCK, 0
    end = begin + left
    while left:
        data = stream.read(min(left, _CHUNK))
        if not data:
            inflated = "inflated " if stream.compressed else ""
            raise BadStructure(
                f"It is truncated: its {inflated}size is {stream.position} bytes, expected at least {end} ({where} is "
                f"{size} bytes long and begins at {begin}). Send it again."
            )
        left -= len(data)
        total += _sum(data)
    return total


def _sum(data: bytes) -> int:
    words = np.frombuffer(data + b"\0" * (-len(data) % 4), dtype=">u4")
    return int(words.sum(dtype=np.uint64))


def _fold(total: int) -> int:
    while total > _ALL_ONES:
        total = (total & _ALL_ONES) + (total >> 32)
    return total


def _doubts(header: Header, data_sum: int) -> Iterator[str]:
    said = header.values.get("DATASUM", "").strip()
    if said and said != str(_fold(data_sum)):
        yield f"{header.where}: its data add up to {_fold(data_sum)}, but DATASUM says {said}."
    elif header.values.get("CHECKSUM", "").strip() and _fold(header.sum + data_sum) not in {0, _ALL_ONES}:
        yield f"{header.where}: its header does not agree with its CHECKSUM."
