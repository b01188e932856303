"""Named sets of values: what may be changed of them, and what each refusal says."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayops.named_values import NamedValues

TOML = """
[usual]
title = "As usual"
nights = 15
share = 0.5

[long]
nights = 30
"""
RANGES = {"nights": (3, 30), "share": (0.0, 1.0)}


@pytest.fixture(scope="module")
def named(tmp_path_factory) -> NamedValues:
    return NamedValues(_file(tmp_path_factory.mktemp("named")), RANGES, {"nights"}, based_on="usual")


def _file(folder: Path) -> Path:
    path = folder / "sets.toml"
    path.write_text(TOML)
    return path


def test_sets_come_in_the_order_of_their_file(named):
    assert named.names() == ["usual", "long"]


def test_a_set_takes_what_it_does_not_say_from_the_one_it_is_based_on(named):
    assert named.values("long") == {"title": "As usual", "nights": 30, "share": 0.5}


def test_without_a_base_each_set_says_all(tmp_path):
    assert NamedValues(_file(tmp_path), RANGES).values("long") == {"nights": 30}


def test_an_unknown_set_is_refused_with_those_there_are(named):
    with pytest.raises(ValueError, match="There is no configuration 'fast': expected usual or long"):
        named.values("fast")


def test_what_has_no_range_cannot_be_set(named):
    with pytest.raises(ValueError, match="'title' cannot be set: expected one of nights, share"):
        named.values("usual", {"title": "mine"})


def test_a_change_does_not_outlive_its_question(named):
    assert named.values("usual", {"nights": 20})["nights"] == 20
    assert named.values("usual")["nights"] == 15


@given(st.integers(-100, 100))
def test_whole_numbers_are_taken_within_their_range_alone(named, value):
    if 3 <= value <= 30:
        taken = named.values("usual", {"nights": value})["nights"]
        assert taken == value
        assert isinstance(taken, int)
    else:
        with pytest.raises(ValueError, match=f"nights is {value}: expected 3 to 30"):
            named.values("usual", {"nights": value})


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_numbers_are_taken_within_their_range_alone(named, value):
    if 0 <= value <= 1:
        assert named.values("usual", {"share": value})["share"] == value
    else:
        with pytest.raises(ValueError, match=r"share is .*: expected 0 to 1"):
            named.values("usual", {"share": value})


@pytest.mark.parametrize("value", [True, "7", None, [7], 7.5, float("nan")])
def test_what_is_no_whole_number_is_told_so(named, value):
    with pytest.raises(ValueError, match=r"nights is .*: expected a whole number"):
        named.values("usual", {"nights": value})


def test_a_long_value_is_cut_in_the_sentence(named):
    with pytest.raises(ValueError, match=r"^share is '7{39}: expected a number\.$"):
        named.values("usual", {"share": "7" * 1000})
