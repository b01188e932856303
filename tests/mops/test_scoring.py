"""Scores of linkages against a count by hand and against difi."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.synthetic.detections import simulate
from mops.synthetic.findability import findable
from mops.synthetic.groups import describe, in_words, rates
from mops.synthetic.opposition import gathered
from mops.synthetic.population import make_population
from mops.synthetic.scoring import Share, compare, distinct_sizes, pure_objects, score
from mops.synthetic.survey import small_survey
from mops.synthetic.zones import EQUAL_SHARES
from tests.mops import difi_referee
from tests.mops.synthetic_skies import detections, pairs_on_nights


def lists(*linkages) -> tuple[np.ndarray, np.ndarray]:
    """Lists of lists as `first` and `members`."""
    first = np.cumsum([0, *(len(each) for each in linkages)]).astype(np.int64)
    return first, np.array([member for each in linkages for member in each], dtype=np.int64)


TRUTH = np.array([0] * 6 + [1] * 6 + [-1])
BOTH = np.array([0, 1])


@st.composite
def results(draw):
    truth = np.array(draw(st.lists(st.integers(-1, 4), min_size=1, max_size=40)), dtype=np.int64)
    member = st.integers(0, len(truth) - 1)
    linkages = draw(st.lists(st.lists(member, max_size=8), max_size=10))
    objects = draw(st.sets(st.integers(0, 4)))
    return truth, linkages, np.array(sorted(objects), dtype=np.int64), draw(st.integers(1, 4))


@settings(max_examples=200, deadline=None)
@given(results())
def test_a_score_is_what_a_count_by_hand_gives(result):
    truth, linkages, wanted, least = result
    scored = score(*lists(*linkages), truth, wanted, min_detections=least)
    owners = [{int(truth[member]) for member in linkage} for linkage in linkages]
    pure = [len(owner) == 1 and owner != {-1} for owner in owners]
    found = [
        owner.copy().pop()
        for owner, good, linkage in zip(owners, pure, linkages, strict=True)
        if good and len(set(linkage)) >= least
    ]
    assert scored.purity == Share(sum(pure), len(linkages))
    assert scored.found.tolist() == sorted(set(found))
    assert scored.completeness == Share(len(set(found) & set(wanted.tolist())), len(wanted))
    assert scored.duplicates == len(found) - len(set(found))


@settings(max_examples=100, deadline=None)
@given(results())
def test_sizes_count_each_detection_once(result):
    _, linkages, _, _ = result
    assert distinct_sizes(*lists(*linkages)).tolist() == [len(set(linkage)) for linkage in linkages]


def test_one_foreign_detection_makes_a_linkage_impure():
    scored = score(*lists([0, 1, 2, 3, 4, 5, 6], [6, 7, 8, 9, 10, 11]), TRUTH, BOTH)
    assert scored.linkage_object.tolist() == [-1, 1]
    assert str(scored.purity) == "1/2 = 50.00 %"
    assert scored.completeness.value == 0.5


def test_a_false_detection_makes_a_linkage_impure_and_false_ones_alone_are_none():
    assert pure_objects(*lists([0, 1, 12], [12], [0, 1]), TRUTH).tolist() == [-1, -1, 0]


def test_a_pure_linkage_of_five_detections_has_not_found_its_object():
    scored = score(*lists([0, 1, 2, 3, 4, 4]), TRUTH, BOTH)
    assert scored.purity.value == 1
    assert not scored.found.size


def test_without_linkages_nothing_is_found_and_purity_is_unknown():
    scored = score(*lists(), TRUTH, BOTH)
    assert scored.completeness == Share(0, 2)
    assert np.isnan(scored.purity.value)


def test_completeness_is_cut_by_the_words_of_findable_objects():
    groups = {"zone": np.array(["neo", "tno", "tno"])}
    scored = score(*lists([0, 1, 2, 3, 4, 5]), TRUTH, BOTH, groups=groups)
    assert scored.by == {"zone": {"neo": Share(1, 1), "tno": Share(0, 1)}}


def test_two_results_differ_by_what_was_gained_and_lost():
    before = score(*lists([0, 1, 2, 3, 4, 5]), TRUTH, BOTH)
    after = score(*lists([6, 7, 8, 9, 10, 11]), TRUTH, BOTH)
    change = compare(before, after)
    assert (change.gained.tolist(), change.lost.tolist()) == ([1], [0])
    assert not compare(before, before).gained.size


def test_scores_of_different_data_are_not_compared():
    with pytest.raises(ValueError, match="2 and 1 findable objects"):
        compare(score(*lists(), TRUTH, BOTH), score(*lists(), TRUTH, BOTH[:1]))


@pytest.mark.parametrize(
    ("first", "members", "sentence"),
    [
        ([0, 3], [0, 1], "must rise from 0 to the 2 members"),
        ([0, 2, 1, 2], [0, 1], "must rise"),
        ([], [], "must rise"),
        ([0, 1], [13], "A member is no detection: there are 13"),
        ([0, 1], [-1], "A member is no detection"),
    ],
)
def test_lists_that_do_not_fit_are_refused(first, members, sentence):
    with pytest.raises(ValueError, match=sentence):
        score(np.array(first, dtype=np.int64), np.array(members, dtype=np.int64), TRUTH, BOTH)


def test_rates_are_those_of_the_longest_night():
    seen = detections([1.0, 1.1, 2.0, 2.2, 3.0], [359.95, 0.05, 1.0, 1.04, 7.0], [0.0] * 5)
    found = rates(seen, np.array([0, 0, 0, 0, 1]), 3)
    np.testing.assert_allclose(found, [0.2, np.nan, np.nan], rtol=1e-9)


def test_words_name_the_range_of_a_value():
    words = in_words(np.array([0.5, 1.0, 1.5, 9.0, np.nan]), (1.0, 2.0), "mag")
    assert words.tolist() == ["below 1 mag", "1–2 mag", "1–2 mag", "above 2 mag", "unknown"]


def test_objects_are_described_by_zone_magnitude_and_rate():
    sky = make_population(20, 1, EQUAL_SHARES)
    seen = pairs_on_nights([60000, 60001, 60002], arcsec=18.0, hours=0.5)
    words = describe(seen, np.zeros(6, dtype=np.int64), sky)
    assert words["zone"].tolist() == sky.zone.tolist()
    assert (words["magnitude"][0], words["rate"][0]) == ("21–22 mag", "0.2–0.3 deg/day")
    assert set(words["rate"][1:]) == {"unknown"}


def made_up_linkages(truth: np.ndarray, wanted: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Some whole objects, some short of detections, some with a stranger, some of strangers only."""
    linkages = []
    for item in wanted:
        own = np.flatnonzero(truth == item)
        stranger = rng.integers(len(truth))
        linkages.append([own, own[:5], np.append(own, stranger), rng.integers(0, len(truth), 7)][rng.integers(4)])
    return lists(*(np.unique(linkage) for linkage in linkages))


def test_difi_counts_the_same_pure_linkages_and_found_objects(tmp_path):
    survey = small_survey(20240424)
    sky = gathered(make_population(800, 5, EQUAL_SHARES, fainter=-2.0), float(np.median(survey.mjd_tai)), 5.0, seed=1)
    seen, truth = simulate(sky, survey, seed=2, false_per_deg2=0.05)
    wanted = findable(seen, truth, max_deg_per_day=1e9)
    first, members = made_up_linkages(truth, wanted, np.random.default_rng(3))
    scored = score(first, members, truth, wanted)
    verdict = difi_referee.linkages(tmp_path, seen, truth, first, members)
    assert 0 < scored.purity.count < scored.purity.total
    assert (verdict["num_pure"], verdict["num_linkages"]) == (scored.purity.count, scored.purity.total)
    assert (verdict["found"], verdict["findable"]) == (scored.completeness.count, scored.completeness.total)
    assert verdict["completeness"] == pytest.approx(100 * scored.completeness.value)
