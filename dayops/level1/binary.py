"""PostgreSQL's binary COPY format (its manual, "COPY", Binary Format), for many rows at once.

A row is the number of its fields, and of each field its length (−1: NULL, and no value follows) and its value, all
big-endian. A thousand rows and more are laid out side by side by NumPy and run together by one kernel: a hundred times
the speed of making tuples.
"""

from collections.abc import Iterator

import numba
import numpy as np
import numpy.typing as npt
from django.db import models

from dayops.level1.columns import Array, Columns, empty, field_of, stored

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
TRAILER = b"\xff\xff"
ROWS = 5_000  # a piece that stays in the processor's cache while it is packed
_Bytes = npt.NDArray[np.uint8]


def packed(model: type[models.Model], columns: Columns) -> Iterator[bytes]:
    """The rows of `columns` (name → (n,)) as pieces of a binary COPY, without signature and trailer.

    Raises
    ------
    ValueError
        For a name that is no column of `model`.
    """
    fields = [field_of(model, name) for name in columns]
    total = len(next(iter(columns.values())))
    for start in range(0, total, ROWS):
        pieces = [values[start : start + ROWS] for values in columns.values()]
        voids = [empty(field, piece) for field, piece in zip(fields, pieces, strict=True)]
        yield pack([stored(f, p, v) for f, p, v in zip(fields, pieces, voids, strict=True)], voids)


def pack(values: list[Array], voids: list[npt.NDArray[np.bool_]]) -> bytes:
    """Rows of big-endian or text arrays, each (n,), with NULL where `voids` says so."""
    rows = np.empty(len(values[0]), dtype=[(f"f{i}", each.dtype) for i, each in enumerate(values)])
    lengths = np.empty((len(rows), len(values)), np.int32)
    for i, (each, void) in enumerate(zip(values, voids, strict=True)):
        rows[f"f{i}"] = each
        lengths[:, i] = np.strings.str_len(each) if each.dtype.kind == "S" else each.dtype.itemsize
        lengths[void, i] = -1
    widths = np.array([each.dtype.itemsize for each in values])
    out = np.empty(len(rows) * (2 + 4 * len(values)) + int(np.maximum(lengths, 0).sum()), np.uint8)
    _run_together(rows.view(np.uint8).reshape(len(rows), -1), widths, lengths, out)
    return out.tobytes()


@numba.njit(cache=True, nogil=True)
def _run_together(rows: _Bytes, widths: npt.NDArray[np.int64], lengths: npt.NDArray[np.int32], out: _Bytes) -> None:
    at = 0
    for row in range(rows.shape[0]):
        out[at] = len(widths) >> 8
        out[at + 1] = len(widths) & 255
        at += 2
        begin = 0
        for field in range(len(widths)):
            length = lengths[row, field]
            for shift in range(4):
                out[at + shift] = (length >> (24 - 8 * shift)) & 255
            at += 4
            for byte in range(length):
                out[at + byte] = rows[row, begin + byte]
            at += max(length, 0)
            begin += widths[field]


def unpacked(pieces: Iterator[bytes], kinds: dict[str, str]) -> Columns:
    """Rows of a binary COPY without NULL and without text, as arrays in the machine's own byte order.

    Parameters
    ----------
    pieces
        What COPY sent, cut anywhere.
    kinds
        Name → big-endian NumPy type, in the order of the query.
    """
    row = np.dtype([("fields", ">i2"), *[part for name, kind in kinds.items() for part in _with_length(name, kind)]])
    found: list[Columns] = []
    rest = b""
    for block in _blocks(pieces, 50_000 * row.itemsize):
        rest = rest + block if found or rest else block[len(SIGNATURE) :]
        whole = np.frombuffer(rest, row, (len(rest) - 1) // row.itemsize)  # the trailer is shorter than a row
        found.append({name: whole[name].astype(np.dtype(kind).newbyteorder("=")) for name, kind in kinds.items()})
        rest = rest[len(whole) * row.itemsize :]
    if rest != TRAILER:
        raise ValueError("PostgreSQL's answer ended in the middle of a row")
    return {name: np.concatenate([part.pop(name) for part in found]) for name in kinds}


def _with_length(name: str, kind: str) -> list[tuple[str, str]]:
    return [(f"length of {name}", ">i4"), (name, kind)]


def _blocks(pieces: Iterator[bytes], size: int) -> Iterator[bytes]:
    held: list[bytes] = []
    holds = 0
    for piece in pieces:
        held.append(piece)
        holds += len(piece)
        if holds >= size:
            yield b"".join(held)
            held, holds = [], 0
    yield b"".join(held)


def warm_up() -> None:
    """Compile the kernel, or load it from Numba's cache."""
    pack([np.zeros(1, ">i8"), np.zeros(1, "S1")], [np.zeros(1, bool), np.ones(1, bool)])
