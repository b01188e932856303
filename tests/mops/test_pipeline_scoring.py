"""How the score brings linkages, clusters and truth together: by ids, whatever their order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mops.pipeline import kept, scoring
from mops.pipeline.configuration import USUAL, configuration
from mops.pipeline.packing import packed, unpacked
from mops.science.linking.link import Clusters
from mops.synthetic.losses import Loss
from mops.synthetic.waterfall import Row
from tests.mops import nights
from tests.mops.linked import linked, refused, sources_of

FOUND = linked(3)
TRUTH = FOUND.detections.id // 1_000  # the object that each detection was made of


@given(st.lists(st.integers(0, 99), unique=True, min_size=1), st.lists(st.integers(0, 120)))
def test_values_are_found_by_id_and_what_is_not_there_is_false(ids, wanted):
    values = np.arange(len(ids)) + 500
    found = scoring._aligned(np.array(wanted, np.int64), np.array(ids, np.int64), values)
    expected = [500 + ids.index(each) if each in ids else -1 for each in wanted]
    assert found.tolist() == expected


@given(st.lists(st.lists(st.integers(990, 1_010), unique=True, min_size=1), max_size=5), st.randoms())
def test_lists_of_ids_become_lists_of_indices_and_what_is_outside_goes(lists, random):
    order = list(range(len(FOUND.detections)))
    random.shuffle(order)
    shuffled = FOUND.detections.take(np.array(order))
    first, members = scoring._as_indices([np.array(each) for each in lists], shuffled)
    there = set(shuffled.id.tolist())
    expected = [sorted(set(each) & there) for each in lists if set(each) & there]
    assert [sorted(part) for part in np.split(shuffled.id[members], first[1:-1])][: len(first) - 1] == expected


def test_lists_after_lists_count_through():
    one = (np.array([0, 2, 3]), np.array([5, 6, 7]))
    none = (np.array([0]), np.empty(0, np.int64))
    first, members = scoring._both(one, one)
    assert first.tolist() == [0, 2, 3, 5, 6]
    assert members.tolist() == [5, 6, 7, 5, 6, 7]
    assert [each.tolist() for each in scoring._both(none, one)] == [each.tolist() for each in one]


def test_only_accepted_linkages_are_scored():
    first, members = scoring._accepted(refused(FOUND, 1, "because"), FOUND.detections)
    parts = [sorted(part) for part in np.split(FOUND.detections.id[members], first[1:-1])]
    assert parts == [sources_of(FOUND, 0), sources_of(FOUND, 2)]


def test_a_refused_linkage_of_one_object_says_what_it_was_lost_to():
    found = refused(refused(FOUND, 0, "χ² too large: 812 of 40."), 2, "Too few.")
    assert scoring._refused(found, TRUTH) == {1: Loss("χ² too large"), 3: Loss("Too few")}


def test_a_refused_linkage_of_several_objects_is_nobodys_loss():
    mixed = TRUTH.copy()
    mixed[:4] = 2
    assert scoring._refused(refused(FOUND, 0, "It does not fit."), mixed) == {}


def clusters(*lists: list[int]) -> Clusters:
    count = len(lists)
    return Clusters(
        first=np.cumsum([0, *(len(each) for each in lists)]),
        members=np.array([each for one in lists for each in one], np.int64),
        hypothesis=np.zeros(count, np.int64),
        zone=np.full(count, "main_belt"),
        state=np.zeros((count, 6)),
        spread=np.zeros(count),
        reference_mjd_tdb=0.0,
    )


@pytest.mark.parametrize(
    ("made", "held"),
    [
        (clusters([0, 1, 2]), [1]),
        (clusters([0, 1, 4]), []),
        (clusters([0, 1, 2], [9, 10, 11]), [1, 3]),
        (clusters([4, 5, 0, 7], [1, 2]), [2]),
        (clusters(), []),
    ],
)
def test_a_cluster_holds_an_object_where_its_tracklets_have_enough_nights_of_it(made, held):
    first = np.arange(13) * 2  # tracklets 0–3 of object 1, 4–7 of object 2, 8–11 of object 3; one a night
    found = scoring._held_by_clusters(made, first, FOUND.members, FOUND.detections, TRUTH, 3)
    assert found.tolist() == held


def test_a_row_of_the_waterfall_names_the_three_limits_that_lost_most():
    limits = ["a"] * 4 + ["b"] * 3 + ["c"] * 2 + ["d"]
    lost = {number: Loss(limit) for number, limit in enumerate(limits)}
    (row,) = scoring._rows([Row("fitted", 90, lost)])
    assert (row["step"], row["objects"], row["lost"]) == ("fitted", 90, 10)
    assert row["limit"] == "a (4); b (3); c (2)"


@pytest.mark.parametrize(("value", "shown"), [(0.5, 0.5), (float("nan"), None), (1.0, 1.0)])
def test_a_share_of_nothing_is_no_number(value, shown):
    assert scoring._number(value) == shown


@pytest.mark.django_db
def test_nights_without_truth_have_no_score():
    assert scoring.score_night(nights.night(state="MAKING"), configuration(USUAL), FOUND) == {}


def test_clusters_come_back_from_their_file_as_the_score_reads_them(tmp_path, settings):
    settings.ARCHIVE_URL = str(tmp_path / "archive")
    stored = kept.put(packed(clusters=clusters([0, 1, 2])))
    again = unpacked(Clusters, "clusters", kept.get(stored.sha256))
    assert again.members.tolist() == [0, 1, 2]
    assert float(again.reference_mjd_tdb) == 0.0
