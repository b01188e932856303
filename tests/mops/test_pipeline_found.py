"""What a search found: cut by `first`, owned one to one, and put together without mixing anything up."""

from dataclasses import fields

import numpy as np
import pytest

from mops.pipeline.found import Found, together
from mops.pipeline.packing import packed, unpacked
from mops.science.orbit_fit import Orbits
from tests.mops.linked import known, linked, refused, sources_of


@pytest.fixture(scope="module")
def found() -> Found:
    return linked(3)


def test_made_up_objects_are_fitted_well(found):
    assert found.accepted.all()
    assert (found.orbits.rms_arcsec < 0.05).all()
    assert found.orbits.used.mean() > 0.9


def test_each_member_has_one_owner_whose_piece_it_is_in(found):
    assert len(found) == 3
    assert len(found.owner) == len(found.members)
    for linkage in range(len(found)):
        np.testing.assert_array_equal(
            np.arange(len(found.members))[found.of(linkage)], np.flatnonzero(found.owner == linkage)
        )


def test_only_what_has_no_reason_against_it_is_accepted(found):
    assert refused(found, 1, "because").accepted.tolist() == [True, False, True]


def test_put_together_each_linkage_keeps_its_detections_orbit_and_words(found):
    other = known(linked(2, seed=8, first_id=50_000), 7, 8)
    both = together(found, other)
    assert len(both) == 5
    assert len(both.detections) == len(found.detections) + len(other.detections)
    for number in range(3):
        assert sources_of(both, number) == sources_of(found, number)
    for number in range(2):
        assert sources_of(both, 3 + number) == sources_of(other, number)
    assert both.object_id.tolist() == [0, 0, 0, 7, 8]
    np.testing.assert_array_equal(both.orbits.state[3:], other.orbits.state)
    np.testing.assert_array_equal(both.orbits.used[both.of(4)], other.orbits.used[other.of(1)])


def test_every_field_of_both_is_there_when_put_together(found):
    both = together(found, found)
    for field in fields(Orbits):
        one, twice = getattr(found.orbits, field.name), getattr(both.orbits, field.name)
        assert len(twice) == 2 * len(one)
    for field in fields(Found):
        assert field.name in {"first", "orbits"} or len(getattr(both, field.name)) == 2 * len(
            getattr(found, field.name)
        )
    assert len(both.first) == 2 * len(found) + 1


def test_words_are_not_cut_short_by_shorter_ones(found):
    long = refused(linked(1), 0, "a reason " * 20)
    both = together(refused(found, 0, "x"), long)
    assert both.reason[3] == "a reason " * 20
    assert both.reason[0] == "x"


def test_what_was_found_comes_back_from_its_file(found):
    again = unpacked(Found, "found", packed(found=refused(found, 2, "why")))
    assert again.reason.tolist() == ["", "", "why"]
    np.testing.assert_array_equal(again.orbits.covariance, found.orbits.covariance)
    np.testing.assert_array_equal(again.detections.id, found.detections.id)
