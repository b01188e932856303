"""The binary COPY format: the kernel against Python's `struct`, and what comes back."""

import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dayops.level1.binary import SIGNATURE, TRAILER, pack, packed, unpacked
from dayops.level1.models import DiaSource
from tests.dayops.level1.tables import sources

rows = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(width=32, allow_nan=False),
        st.none() | st.binary(min_size=1, max_size=3).filter(lambda text: not text.endswith(b"\0")),
        st.none() | st.booleans(),
    ),
    min_size=1,
    max_size=20,
)


def field(layout: str, value: object) -> bytes:
    return (
        struct.pack(">i", -1)
        if value is None
        else struct.pack(">i", struct.calcsize(layout)) + struct.pack(layout, value)
    )


@settings(deadline=None)
@given(rows)
def test_rows_are_packed_as_the_manual_says(given_rows):
    expected = b"".join(
        struct.pack(">h", 4)
        + field(">q", long)
        + field(">f", real)
        + field(f"{len(text or b'')}s", text)
        + field("?", flag)
        for long, real, text, flag in given_rows
    )
    columns = list(zip(*given_rows, strict=True))
    voids = [np.array([value is None for value in column]) for column in columns]
    values = [
        np.array([0 if value is None else value for value in column], kind)
        if kind != "S"
        else np.array([b"" if value is None else value for value in column], "S")
        for column, kind in zip(columns, (">i8", ">f4", "S", "?"), strict=True)
    ]
    assert pack(values, voids) == expected


@given(st.lists(st.tuples(st.integers(-(2**63), 2**63 - 1), st.floats(width=64)), max_size=30), st.integers(1, 40))
def test_an_answer_is_read_however_it_was_cut(given_rows, cut):
    body = b"".join(struct.pack(">hiqid", 2, 8, one, 8, other) for one, other in given_rows)
    whole = SIGNATURE + body + TRAILER
    pieces = [whole[at : at + cut] for at in range(0, len(whole), cut)]
    read = unpacked(iter(pieces), {"one": ">i8", "other": ">f8"})
    assert read["one"].tolist() == [one for one, _ in given_rows]
    np.testing.assert_array_equal(read["other"], [other for _, other in given_rows])
    assert read["one"].dtype == np.dtype("=i8")


def test_an_answer_of_many_blocks_is_joined():
    number = 60_000
    body = np.zeros(number, [("fields", ">i2"), ("length", ">i4"), ("value", ">i8")])
    body["fields"], body["length"], body["value"] = 1, 8, np.arange(number)
    data = SIGNATURE + body.tobytes() + TRAILER
    pieces = iter([data[at : at + 1000] for at in range(0, len(data), 1000)])
    np.testing.assert_array_equal(unpacked(pieces, {"value": ">i8"})["value"], np.arange(number))


def test_an_answer_that_ends_in_the_middle_of_a_row_is_no_answer():
    data = SIGNATURE + struct.pack(">hiq", 1, 8, 5)
    with pytest.raises(ValueError, match="ended in the middle of a row"):
        unpacked(iter([data]), {"value": ">i8"})


def test_many_rows_are_packed_in_pieces_that_say_the_same_as_one():
    columns = sources(12_000)
    pieces = list(packed(DiaSource, columns))
    assert len(pieces) == 3
    alone = [b"".join(packed(DiaSource, {n: v[a : a + 4_000] for n, v in columns.items()})) for a in (0, 4_000, 8_000)]
    assert b"".join(pieces) == b"".join(alone)


def test_a_column_that_there_is_not_is_named_with_those_that_there_are():
    with pytest.raises(ValueError, match="DiaSource has no column decl; it has diaSourceId, night,"):
        list(packed(DiaSource, {"decl": np.zeros(1)}))
