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
_ARRAY_HEADER = 20  # dimensions, whether there are NULLs, type; of the one dimension its size and lower bound
ROWS = 5_000  # a piece that stays in the processor's cache while it is packed
_Bytes = npt.NDArray[np.uint8]
_Integers = npt.NDArray[np.int64]


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
    names = range(len(values))
    parts = [_with_length(str(i), each.dtype.str) for i, each in zip(names, values, strict=True)]
    rows = np.empty(len(values[0]), np.dtype([("fields", ">i2"), *[part for pair in parts for part in pair]]))
    rows["fields"] = len(values)
    shorter = []
    for i, each, void in zip(names, values, voids, strict=True):
        rows[str(i)] = each
        lengths = np.strings.str_len(each) if each.dtype.kind == "S" else np.full(len(each), each.dtype.itemsize)
        lengths = np.where(void, -1, lengths)
        rows[f"length of {i}"] = lengths
        if (lengths != each.dtype.itemsize).any():
            begin = rows.dtype.itemsize - sum(4 + later.dtype.itemsize for later in values[i:]) + 4
            shorter.append((begin, each.dtype.itemsize, np.maximum(lengths, 0)))
    if not shorter:
        return rows.tobytes()
    begins, widths, kept = (np.array(column) for column in zip(*shorter, strict=True))
    out = np.empty(rows.nbytes - int((widths[:, None] - kept).sum()), np.uint8)
    _squeeze(rows.view(np.uint8).reshape(len(rows), -1), begins, widths, kept.T.copy(), out)
    return out.tobytes()


@numba.njit(cache=True, nogil=True)
def _squeeze(rows: _Bytes, begins: _Integers, widths: _Integers, kept: _Integers, out: _Bytes) -> None:
    """Leave out what a value does not fill: of the `widths` bytes from `begins` only the first `kept` stay."""
    at = 0
    for row in range(rows.shape[0]):
        start = 0
        for field in range(len(begins) + 1):
            last = field == len(begins)
            stop = rows.shape[1] if last else begins[field] + kept[row, field]
            for byte in range(start, stop):
                out[at + byte - start] = rows[row, byte]
            at += stop - start
            start = stop if last else begins[field] + widths[field]


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


def unpacked_arrays(data: bytes, kinds: dict[str, str]) -> Columns:
    """One row of a binary COPY whose fields are PostgreSQL's arrays without NULL: a few thousand rows at one stroke."""
    at = len(SIGNATURE) + 2
    found: Columns = {}
    for name, kind in kinds.items():
        length = int.from_bytes(data[at : at + 4], signed=True)
        element = np.dtype([("length", ">i4"), ("value", kind)])
        number = max(length - _ARRAY_HEADER, 0) // element.itemsize  # nothing at all comes as NULL, of length −1
        elements = np.frombuffer(data, element, number, at + 4 + _ARRAY_HEADER if number else 0)
        found[name] = elements["value"].astype(np.dtype(kind).newbyteorder("="))
        at += 4 + max(length, 0)
    return found


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
