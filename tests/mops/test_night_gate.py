"""A night's result that is worse than what is published is refused with its figure; any other is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mops.pipeline.configuration import USUAL, configuration
from mops.pipeline.gate import FEWEST, Standing, objections

WANTED = configuration(USUAL)


def standing(detections=1000, explained=400, rms=0.05, linkages=50, objects=range(50)) -> Standing:
    return Standing(detections, explained, [rms] * linkages, frozenset(objects))


def test_the_first_night_ever_has_nothing_to_be_worse_than():
    assert objections(standing(), None, None, WANTED) == []
    assert objections(standing(explained=0, linkages=0, objects=()), None, None, WANTED) == []


def test_a_night_without_a_detection_is_refused():
    found = objections(standing(detections=0, explained=0, linkages=0), standing(), None, WANTED)
    assert found == ["No detection of the night was there to be searched: load it, and search again."]


def test_a_night_like_the_last_is_published():
    assert objections(standing(), standing(), standing(), WANTED) == []


def test_objects_that_explain_much_less_than_last_night_refuse_it_with_both_figures():
    (said,) = objections(standing(explained=150), standing(), None, WANTED)
    assert "15.00 %" in said
    assert "40.00 %" in said
    assert "the last published night" in said
    assert "at least 20.00 %" in said


def test_a_night_with_fewer_detections_is_not_worse_by_that_alone():
    assert objections(standing(detections=100, explained=40, linkages=5), standing(), None, WANTED) == []


def test_orbits_that_fit_much_worse_refuse_it_with_both_figures():
    (said,) = objections(standing(rms=0.11), standing(rms=0.05), None, WANTED)
    assert "0.110″" in said
    assert "0.050″" in said
    assert "at most 0.100″" in said


def test_too_few_orbits_say_nothing_about_their_rms():
    assert objections(standing(rms=0.5, linkages=FEWEST - 1), standing(), None, WANTED) == []
    assert objections(standing(rms=0.5), standing(linkages=FEWEST - 1), None, WANTED) == []


def test_objects_lost_from_what_is_published_of_the_same_night_refuse_it():
    (said,) = objections(standing(objects=range(20)), None, standing(objects=range(50)), WANTED)
    assert said == "30 of the 50 objects that are published of this night would be lost; at most 25 are accepted."


def test_other_objects_of_another_night_are_not_lost():
    assert objections(standing(objects=range(100, 150)), standing(objects=range(50)), None, WANTED) == []


counts = st.integers(0, 10_000)


@given(detections=counts, share=st.floats(0, 1), other=st.floats(0, 1))
def test_the_share_decides_exactly_at_its_limit(detections, share, other):
    new = standing(detections=detections, explained=int(share * detections))
    last = standing(detections=10_000, explained=int(other * 10_000))
    told = [said for said in objections(new, last, None, WANTED) if "explain" in said]
    is_worse = detections > 0 and last.explained >= FEWEST and new.share < WANTED.worse_count_share * last.share
    assert bool(told) == is_worse


@given(rms=st.floats(0.001, 10), other=st.floats(0.001, 10))
def test_the_rms_decides_exactly_at_its_limit(rms, other):
    told = objections(standing(rms=rms), standing(rms=other), None, WANTED)
    assert bool(told) == (rms > WANTED.worse_rms_factor * other)


@pytest.mark.parametrize("kept", [0.0, 1.0])
def test_how_much_may_be_lost_is_a_matter_of_configuration(kept):
    wanted = configuration(USUAL, {"worse_count_share": kept})
    told = objections(standing(objects=range(1)), None, standing(objects=range(50)), wanted)
    assert bool(told) == (kept == 1.0)
