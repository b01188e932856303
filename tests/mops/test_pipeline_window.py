"""The tracklets of a window: nights one after another, none of found objects, the right ones of those kept."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayops.engine import BadInput
from mops.models import KeptArrays
from mops.pipeline import kept, window
from mops.pipeline.configuration import USUAL, configuration
from mops.pipeline.packing import packed
from mops.pipeline.tracklet_making import only_used
from mops.science.detections import Detections
from mops.science.tracklets import Tracklets, make_tracklets
from tests.mops import nights
from tests.mops.synthetic_skies import detections, pairs_on_nights

WANTED = configuration(USUAL)
Part = tuple[Detections, Tracklets]


def part(mjd: float, pairs: int = 2, *, extra: int = 0, first_id: int = 1) -> Part:
    """A night of `pairs` pairs, far from each other, after `extra` detections that are in none."""
    times = [mjd] * extra + [mjd, mjd + 0.02] * pairs
    places = [100.0 + k for k in range(extra)] + [10.0 + 2 * (k // 2) for k in range(2 * pairs)]
    shifts = [0.0] * extra + [0.0, 20 / 3600] * pairs
    made = detections(times, places, shifts)
    made = Detections(**{**{name: getattr(made, name) for name in Detections.__slots__}, "id": made.id + first_id - 1})
    return made, make_tracklets(made).tracklets


def ids_of(detections: Detections, tracklets: Tracklets) -> list[list[int]]:
    cut = np.split(detections.id[tracklets.members], tracklets.first[1:-1])
    return [each.tolist() for each in cut] if len(tracklets) else []


def test_a_pair_a_night_is_a_tracklet_each():
    found = pairs_on_nights([100, 101])
    assert len(make_tracklets(found).tracklets) == 2
    assert len(part(100.0, 3, extra=4)[1]) == 3


def test_nights_follow_each_other_and_members_count_through():
    one, two, none = part(100.0, 2, extra=1), part(101.0, 3, first_id=500), part(102.0, 0, extra=2, first_id=900)
    both, tracklets = window.combined([one, none, two])
    assert len(both) == len(one[0]) + len(two[0]) + len(none[0])
    assert len(tracklets) == 5
    assert ids_of(both, tracklets) == ids_of(*one) + ids_of(*two)
    np.testing.assert_array_equal(tracklets.night, np.repeat([100, 101], [2, 3]))
    np.testing.assert_array_equal(tracklets.n_points, np.diff(tracklets.first))


def test_a_window_without_any_tracklets_says_what_to_do():
    with pytest.raises(BadInput, match="load its detections, and search again"):
        window.combined([])


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.data())
def test_a_tracklet_goes_when_and_only_when_a_detection_of_it_is_taken(sizes, data):
    parts = [part(100.0 + k, size, extra=k % 2, first_id=100 * k + 1) for k, size in enumerate(sizes)]
    both, tracklets = window.combined(parts)
    taken = data.draw(st.sets(st.sampled_from(both.id.tolist()))) if len(both) else set()
    left = window.without(both, tracklets, np.array(sorted(taken), np.int64))
    expected = [each for each in ids_of(both, tracklets) if not set(each) & taken]
    assert ids_of(both, left) == expected


def test_only_detections_in_a_tracklet_are_kept_and_members_still_name_the_same():
    made, tracklets = part(100.0, 3, extra=5)
    used, renumbered = only_used(made, tracklets)
    assert len(used) == 6
    assert ids_of(used, renumbered) == ids_of(made, tracklets)
    np.testing.assert_array_equal(renumbered.rate_dec, tracklets.rate_dec)


def test_of_no_tracklets_nothing_is_kept():
    used, none = only_used(*part(100.0, 0, extra=4))
    assert (len(used), len(none)) == (0, 0)


def keep(night, day_obs: int, pairs: int, made_with: str = WANTED.of_tracklets) -> None:
    one, tracklets = part(100.0, pairs, first_id=1000 * pairs)
    stored = kept.put(packed(detections=one, tracklets=tracklets))
    kept.keep(night, KeptArrays.Kind.TRACKLETS, stored, rows=pairs, day_obs=day_obs, made_with=made_with)


DAY, BEFORE = 20261121, 20261120


@pytest.mark.django_db
class TestWhichAreRead:
    def kept_of(self, night, day: int) -> int:
        found = window._kept_of(night, day, WANTED)
        assert found is not None
        return len(found[1])

    def test_of_the_night_itself_its_own(self):
        mine, other = nights.night(DAY, "MAKING"), nights.night(DAY, "PUBLISHED")
        keep(mine, DAY, 1)
        keep(other, DAY, 2)
        assert self.kept_of(mine, DAY) == 1
        assert self.kept_of(other, DAY) == 2

    def test_of_older_nights_the_newest_that_were_made(self):
        old, again, mine = nights.night(BEFORE, "REPLACED"), nights.night(BEFORE), nights.night(DAY, "MAKING")
        keep(old, BEFORE, 1)
        keep(again, BEFORE, 2)
        assert self.kept_of(mine, BEFORE) == 2

    def test_those_made_in_this_search_go_before_newer_ones(self):
        mine = nights.night(DAY, "MAKING")
        keep(mine, BEFORE, 1)
        keep(nights.night(BEFORE), BEFORE, 2)
        assert self.kept_of(mine, BEFORE) == 1

    def test_those_with_other_limits_are_not_taken(self):
        mine = nights.night(DAY, "MAKING")
        keep(nights.night(BEFORE), BEFORE, 2, made_with="f" * 64)
        assert window._kept_of(mine, BEFORE, WANTED) is None

    def test_a_later_nights_search_decides_nothing_about_an_earlier_one(self):
        mine = nights.night(BEFORE, "MAKING")
        keep(nights.night(DAY), 20261119, 2)
        assert window._kept_of(mine, 20261119, WANTED) is None

    def test_without_its_own_a_night_cannot_be_linked_and_says_so(self):
        mine = nights.night(DAY, "MAKING")
        with pytest.raises(BadInput, match="tracklets of the night 2026-11-21 are not kept: run its stage again"):
            window._kept_of(mine, DAY, WANTED)

    def test_the_window_is_joined_without_what_published_nights_own(self):
        before = nights.night(BEFORE, created_at="2026-11-21T12:00Z", decided_at="2026-11-21T12:00Z")
        mine = nights.night(DAY, "MAKING")
        keep(before, BEFORE, 2)
        keep(mine, DAY, 3)
        nights.linkage(
            before, sources=[2000, 2001], used=[True, True], residual_ra=[0.0, 0.0], residual_dec=[0.0, 0.0],
            nights=[BEFORE], ss_object_id=1,
        )  # fmt: skip
        both, tracklets = window.window_of(mine, WANTED)
        assert len(both) == 10
        assert ids_of(both, tracklets) == [[2002, 2003], [3000, 3001], [3002, 3003], [3004, 3005]]
