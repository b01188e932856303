"""Which object a linkage is of: found again by most of its detections, never twice, else the next free id."""

from collections import Counter

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mops.pipeline.objects import name_of, object_ids
from tests.mops import nights
from tests.mops.linked import known, linked, refused, sources_of

pytestmark = pytest.mark.django_db
FOUND = linked(3)


def past(sources: list[int], object_id: int | None) -> None:
    """A linkage of an earlier search."""
    zeros = [0.0] * len(sources)
    nights.linkage(
        nights.night(state="REPLACED"), sources=sources, used=[True] * len(sources), residual_ra=zeros,
        residual_dec=zeros, ss_object_id=object_id,
    )  # fmt: skip


def test_the_first_objects_of_all_are_numbered_from_one():
    assert object_ids(FOUND).tolist() == [1, 2, 3]


def test_new_objects_get_the_next_free_ids():
    past([1, 2, 3], 41)
    assert object_ids(FOUND).tolist() == [42, 43, 44]


def test_refused_linkages_are_of_no_object_and_use_no_id_up():
    assert object_ids(refused(FOUND, 1, "because")).tolist() == [1, 0, 2]


def test_a_known_object_keeps_its_id_and_the_others_get_new_ones():
    past([1, 2, 3], 9)
    assert object_ids(known(FOUND, 0, 9, 0)).tolist() == [10, 9, 11]


def test_a_linkage_most_of_whose_detections_were_an_objects_is_that_object():
    past(sources_of(FOUND, 1)[:5], 7)
    assert object_ids(FOUND).tolist() == [8, 7, 9]


def test_half_of_them_is_not_most():
    past(sources_of(FOUND, 1)[:4], 7)
    assert object_ids(FOUND).tolist() == [8, 9, 10]


def test_two_linkages_are_never_of_one_object():
    past([*sources_of(FOUND, 0), *sources_of(FOUND, 1)], 7)
    assert object_ids(FOUND).tolist() == [7, 8, 9]


def test_an_object_that_was_seen_again_is_not_given_to_a_new_linkage_too():
    past(sources_of(FOUND, 0), 7)
    assert object_ids(known(FOUND, 0, 0, 7)).tolist() == [8, 9, 7]


def test_of_two_searches_the_newer_says_whose_a_detection_is():
    past(sources_of(FOUND, 0), 5)
    past(sources_of(FOUND, 0), 6)
    assert object_ids(FOUND)[0] == 6


def test_a_linkage_of_the_past_that_was_refused_counts_nothing():
    past(sources_of(FOUND, 0), None)
    assert object_ids(FOUND).tolist() == [1, 2, 3]


@pytest.mark.parametrize("number", [1, 36, 46_655])
def test_every_object_has_a_name_of_its_own(number):
    assert len(name_of(number)) == 7
    assert name_of(number) != name_of(number + 1)


owners = st.lists(st.sampled_from([0, 0, 3, 5]), min_size=24, max_size=24)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(owners=owners, again=st.sampled_from([0, 3]), bad=st.sampled_from([None, 0, 1, 2]))
def test_whatever_was_linked_before_each_object_is_there_once_and_by_right(owners, again, bad):
    with transaction.atomic():
        ids = [each for number in range(3) for each in sources_of(FOUND, number)]
        for owner in (3, 5):
            mine = [source for source, of in zip(ids, owners, strict=True) if of == owner]
            past(mine or [1], owner)
        found = known(FOUND, 0, 0, again)
        found = found if bad is None else refused(found, bad, "because")
        given_ids = object_ids(found).tolist()
        transaction.set_rollback(True)
    accepted = found.accepted.tolist()
    assert [each > 0 for each in given_ids] == accepted
    assert max(Counter(each for each in given_ids if each).values(), default=1) == 1
    for number, (each, is_accepted) in enumerate(zip(given_ids, accepted, strict=True)):
        if is_accepted and each in (3, 5) and found.object_id[number] == 0:
            assert owners[8 * number : 8 * number + 8].count(each) > 4
        assert each <= 5 + 3
