"""Columns of text read as numbers and flags."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayops.level1.columns import field_of
from dayops.level1.models import DiaSource
from dayops.level1.numbers import numbers


def read(column: str, words: list[str]) -> tuple[list[object], list[bool]]:
    values, unreadable = numbers(field_of(DiaSource, column), np.array(words))
    return values.tolist(), unreadable.tolist()


@pytest.mark.parametrize(
    ("column", "words", "values", "unreadable"),
    [
        ("ra", ["1.5", " 2 ", "1e1"], [1.5, 2.0, 10.0], [False] * 3),
        ("ra", ["1.5", "", "x"], [1.5, None, None], [False, False, True]),
        ("diaSourceId", ["9223372036854775807", "-1"], [2**63 - 1, -1], [False, False]),
        ("diaSourceId", ["9223372036854775808", "5"], [None, 5], [True, False]),
        ("diaObjectId", ["7.0", "7.5", "1e30", ""], [7, None, None, None], [False, True, True, False]),
        ("isDipole", ["true", "F", "1", "", "yes"], [True, False, True, None, None], [False] * 4 + [True]),
    ],
)
def test_words_are_read_and_what_cannot_be_is_told(column, words, values, unreadable):
    assert read(column, words) == (values, unreadable)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_whole_numbers_keep_every_digit(given_numbers):
    assert read("diaSourceId", [str(one) for one in given_numbers]) == (given_numbers, [False] * len(given_numbers))


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_floats_come_back_as_they_were_written(given_numbers):
    assert read("ra", [repr(one) for one in given_numbers])[0] == given_numbers


def test_numbers_and_words_stay_as_they_are():
    ra, band = np.array([1.0, 2.0]), np.array(["r", "V"])
    assert numbers(field_of(DiaSource, "ra"), ra)[0] is ra
    assert numbers(field_of(DiaSource, "band"), band)[0] is band
