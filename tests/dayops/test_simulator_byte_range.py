"""The Range header: one range is honoured, nonsense means the whole file, nothing to send is said."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dayops.simulator.byte_range import NotSatisfiable, parse_range

sizes = st.integers(1, 10**12)
places = st.integers(0, 10**12)


@given(sizes, places)
def test_from_a_byte_on_is_the_rest_of_the_file(size, first):
    assume(first < size)
    assert parse_range(f"bytes={first}-", size) == range(first, size)


@given(sizes, places, places)
def test_a_closed_range_includes_its_last_byte_and_ends_with_the_file(size, first, last):
    assume(first < size and first <= last)
    assert parse_range(f"bytes={first}-{last}", size) == range(first, min(last + 1, size))


@given(sizes, st.integers(1, 10**13))
def test_a_suffix_is_the_end_of_the_file(size, length):
    assert parse_range(f"bytes=-{length}", size) == range(max(0, size - length), size)


@given(sizes, places)
def test_a_range_beyond_the_end_cannot_be_satisfied(size, beyond):
    with pytest.raises(NotSatisfiable):
        parse_range(f"bytes={size + beyond}-", size)


def test_the_last_zero_bytes_cannot_be_satisfied():
    with pytest.raises(NotSatisfiable):
        parse_range("bytes=-0", 10)


@given(st.text(max_size=40), sizes)
def test_no_text_makes_it_fall_over_or_leave_the_file(text, size):
    try:
        wanted = parse_range(text, size)
    except NotSatisfiable:
        return
    assert wanted is None or (0 <= wanted.start < wanted.stop <= size and wanted.step == 1)


@pytest.mark.parametrize(
    "header", [None, "", "bytes=-", "bytes=5-2", "bytes=0-1,4-5", "lines=1-2", "bytes=a-b", "bytes=٣-"]
)
def test_what_is_not_one_range_of_bytes_means_the_whole_file(header):
    assert parse_range(header, 10) is None
