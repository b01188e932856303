"""How nights are searched: what may be changed, and that nothing else may."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mops.pipeline.configuration import _RANGES, _WHOLE, USUAL, configuration, names, of_parameters


def test_every_configuration_can_be_made_and_takes_the_rest_from_the_usual_one():
    usual = configuration(USUAL)
    assert USUAL in names()
    for name in names():
        found = configuration(name)
        assert found.name == name
        assert found.title
        assert found.blocks >= 1
        assert found.tracklet_min_arcsec == usual.tracklet_min_arcsec
    assert configuration("month").window_nights == 30
    assert configuration("strict").minimum_nights == 4


def test_a_night_gives_back_the_configuration_that_it_kept():
    made = configuration(USUAL, {"window_nights": 20, "blocks": 7})
    again = of_parameters(USUAL, made.parameters)
    assert again.parameters == made.parameters


def test_tracklets_are_used_again_unless_a_limit_of_theirs_changed():
    usual = configuration(USUAL)
    assert configuration("month").of_tracklets == usual.of_tracklets
    assert configuration(USUAL, {"minimum_nights": 5}).of_tracklets == usual.of_tracklets
    assert configuration(USUAL, {"tracklet_max_hours": 2}).of_tracklets != usual.of_tracklets
    assert configuration(USUAL, {"minimum_reliability": 0.5}).of_tracklets != usual.of_tracklets


@pytest.mark.parametrize("name", sorted(_RANGES))
@given(st.data())
def test_a_number_within_its_range_is_taken_and_one_outside_is_refused_with_both_limits(name, data):
    low, high = _RANGES[name]
    inside = st.integers(int(low), int(high)) if name in _WHOLE else st.floats(low, high)
    value = data.draw(inside)
    assert getattr(configuration(USUAL, {name: value}), name) == value
    wrong = data.draw(
        st.one_of(
            st.floats(max_value=low, exclude_max=True),
            st.floats(min_value=high, exclude_min=True),
            st.just(float("nan")),
            st.text(),
            st.none(),
            st.booleans(),
        )
    )
    with pytest.raises(ValueError, match=f"{name} is .*: expected (a number|a whole number|{low:g} to {high:g})"):
        configuration(USUAL, {name: wrong})


def test_what_cannot_be_changed_is_said_with_what_can():
    with pytest.raises(ValueError, match=r"'zones' cannot be set: expected one of window_nights, blocks"):
        configuration(USUAL, {"zones": ["neo"]})


def test_an_unknown_configuration_is_refused_with_those_that_are_known():
    with pytest.raises(ValueError, match="There is no configuration 'fast': expected usual or month or strict"):
        configuration("fast")
