"""Columns of text, as CSV has them, read as numbers and flags."""

from typing import Any

import numpy as np
import numpy.typing as npt

from dayops.level1 import fields
from dayops.level1.columns import Array, Field, width_of

_FLAGS = {"true": 1, "t": 1, "1": 1, "false": 0, "f": 0, "0": 0}


def numbers(field: Field, values: Array) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Values of a column as numbers, and which of them could not be read; those of numbers and words stay as they are.

    An element that is masked, or an empty text, is masked in the result: it stands for no value.
    """
    kind = np.dtype(width_of(field)).kind
    if np.ma.getdata(values).dtype.kind not in "SU" or kind in "SM":
        return values, np.zeros(len(values), bool)
    text = np.strings.strip(np.ma.getdata(values).astype(str))
    void = np.ma.getmaskarray(values) | (text == "")
    if isinstance(field, fields.Flag):
        return _flags(text, void)
    target = np.float64 if kind == "f" else np.int64
    text[void] = "0"
    try:
        return np.ma.masked_array(text.astype(target), void), np.zeros(len(text), bool)
    except (ValueError, OverflowError):
        return _one_by_one(text, void, target)


def _flags(text: Array, void: npt.NDArray[np.bool_]) -> tuple[Array, npt.NDArray[np.bool_]]:
    read = np.array([_FLAGS.get(word, -1) for word in np.strings.lower(text)], np.int8)
    unreadable = ~void & (read < 0)
    return np.ma.masked_array(read > 0, void | unreadable), unreadable


def _one_by_one(text: Array, void: npt.NDArray[np.bool_], target: Any) -> tuple[Array, npt.NDArray[np.bool_]]:
    read, unreadable = np.zeros(len(text), target), np.zeros(len(text), bool)
    for row, word in enumerate(text):
        try:
            read[row] = float(word) if target is np.float64 else _whole(word)
        except (ValueError, OverflowError):
            unreadable[row] = True
    return np.ma.masked_array(read, void | unreadable), unreadable


def _whole(word: str) -> int:
    """A whole number, also as some programs write one where others of its column are empty: ``7.0``."""
    try:
        return int(word)
    except ValueError:
        value = float(word)
        if value.is_integer() and abs(value) < 2**53:
            return int(value)
        raise
