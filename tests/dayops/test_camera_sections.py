"""FITS sections, forwards, backwards and broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayops.camera.geometry import Box
from dayops.camera.sections import Section, format_section, parse

edges = st.integers(0, 9_000)


@st.composite
def boxes(draw):
    x0, y0 = draw(edges), draw(edges)
    return Box(x0, y0, x0 + draw(st.integers(2, 900)), y0 + draw(st.integers(2, 900)))


@given(boxes(), st.booleans(), st.booleans())
def test_a_formatted_section_reads_back_as_the_same_box_and_directions(box, flip_x, flip_y):
    assert parse(format_section(box, flip_x=flip_x, flip_y=flip_y)) == Section(box, flip_x, flip_y)


def test_a_section_is_counted_from_one_with_both_ends_included():
    assert parse("[4:512,1:2000]") == Section(Box(3, 0, 512, 2000))


def test_a_section_may_be_padded_with_spaces():
    assert parse("[  17: 528,   1: 520]") == Section(Box(16, 0, 528, 520))


def test_a_section_may_count_backwards():
    assert parse("[509:1,4000:2001]") == Section(Box(0, 2000, 509, 4000), flip_x=True, flip_y=True)


@pytest.mark.parametrize("text", [None, "UNKNOWN", "unknown ", "", "N/A"])
def test_an_unknown_section_is_none(text):
    assert parse(text) is None


@pytest.mark.parametrize(
    "text", ["[1:2]", "[0:5,1:2]", "4:512,1:2000", "[a:b,c:d]", "[1:2,3:4]x", 17, "[1:99999999,1:2]"]
)
def test_text_that_is_no_section_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match=r"expected \[x1:x2,y1:y2\] counted from 1"):
        parse(text)
