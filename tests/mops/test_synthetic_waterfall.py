"""Where objects are lost, and to which limit."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.synthetic.findability import findable
from mops.synthetic.losses import Loss
from mops.synthetic.obstacles import why_without_tracklets
from mops.synthetic.waterfall import NO_REASON, Step, held, tracked, waterfall, without_hypothesis
from tests.mops.synthetic_skies import detections, pairs_on_nights
from tests.mops.test_scoring import lists
from tests.mops.test_scoring_findability import skies

ONE = np.zeros(6, dtype=np.int64)


def reason(seen, **limits) -> str:
    """Why the only object has no tracklets."""
    (loss,) = why_without_tracklets(seen, np.zeros(len(seen), dtype=np.int64), **limits).values()
    return str(loss)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"arcsec": 0.8}, "nights with a pair 0 < 3: pair arc 0.8″ < 1″"),
        ({"arcsec": 1.7 * 3600 / 48}, "nights with a pair 0 < 3: rate 1.7 deg/day > 1.5 deg/day"),
        ({"hours": 1.8}, "nights with a pair 0 < 3: pair apart in time 1.8 h > 1.5 h"),
    ],
)
def test_the_limit_that_a_pair_breaks_is_named_with_what_was_found(change, sentence):
    assert reason(pairs_on_nights([60000, 60003, 60007], **change)) == sentence


def test_too_few_nights_and_single_detections_are_named():
    assert reason(pairs_on_nights([60000, 60003])) == "nights with a pair 2 < 3"
    assert reason(pairs_on_nights([60000, 60003]), nights=4) == "nights with a pair 2 < 4"
    single = detections([60000.0, 60001.0, 60002.0], [1.0, 1.2, 1.4], [0.0, 0.0, 0.0])
    assert reason(single) == "nights with a pair 0 < 3: detections a night 1 < 2"


def test_the_obstacle_nearest_to_a_pair_counts():
    good, short = pairs_on_nights([60000, 60003]), pairs_on_nights([60005], arcsec=0.5)
    mixed = detections(
        np.concatenate([good.mjd_tai, short.mjd_tai, [60008.0]]),
        np.concatenate([good.ra, short.ra, [9.0]]),
        np.concatenate([good.dec, short.dec, [0.0]]),
    )
    assert reason(mixed) == "nights with a pair 2 < 3: pair arc 0.5″ < 1″"


def test_of_several_pairs_the_longest_short_arc_is_named():
    seen = detections([60000.0, 60000.01, 60000.02], [1.0] * 3, [0.0, 0.3 / 3600, 0.7 / 3600])
    assert reason(seen) == "nights with a pair 0 < 3: pair arc 0.7″ < 1″"


@settings(max_examples=100, deadline=None)
@given(skies(), st.integers(1, 3))
def test_every_detected_object_is_findable_or_has_a_reason(sky, nights):
    seen, truth = sky
    lost = set(why_without_tracklets(seen, truth, nights=nights))
    kept = set(findable(seen, truth, nights=nights).tolist())
    assert not lost & kept
    assert lost | kept == set(truth[truth >= 0].tolist())


def test_rows_add_up_and_name_what_lost_each_object():
    rows = waterfall(
        np.array([5, 3, 3, 9, 7]),
        [
            Step("tracklet", np.array([3, 5, 7]), {9: Loss("pair arc", 0.8, 1, "″", least=True)}),
            Step("clustered", np.array([3, 7, 9])),
            Step("fitted", np.array([3, 7])),
            Step("accepted", np.array([7]), {3: Loss("χ² per degree of freedom", 14.2, 4)}),
        ],
    )
    assert [(row.name, row.count) for row in rows] == [
        ("detected", 4),
        ("tracklet", 3),
        ("clustered", 2),
        ("fitted", 2),
        ("accepted", 1),
    ]
    assert {item: str(loss) for item, loss in rows[1].lost.items()} == {9: "pair arc 0.8″ < 1″"}
    assert rows[2].lost == {5: None}
    assert rows[2].by_limit() == [(NO_REASON, 1)]
    assert rows[4].by_limit() == [("χ² per degree of freedom > 4", 1)]


@settings(max_examples=100, deadline=None)
@given(st.sets(st.integers(0, 20)), st.lists(st.sets(st.integers(0, 20)), max_size=5))
def test_no_row_ever_grows_and_every_loss_is_counted_once(detected, kept):
    rows = waterfall(
        np.array(sorted(detected), dtype=np.int64),
        [Step(str(k), np.array(sorted(each), dtype=np.int64)) for k, each in enumerate(kept)],
    )
    for before, after in pairwise(rows):
        assert before.count == after.count + len(after.lost)
    assert sum(len(row.lost) for row in rows) + rows[-1].count == len(detected)


def test_losses_to_one_limit_are_counted_together():
    losses = {k: Loss("nights with a pair", k, 3, least=True, because=Loss("rate", 2 + k, 1.5)) for k in range(2)}
    rows = waterfall(np.arange(4), [Step("tracklet", np.array([3]), losses)])
    assert rows[1].by_limit() == [("rate > 1.5", 2), (NO_REASON, 1)]


def test_a_reason_without_figures_is_said_as_it_is():
    assert (str(Loss("the fit diverged")), Loss("the fit diverged").limit) == ("the fit diverged", "the fit diverged")
    assert str(Loss("no orbit", because=Loss("rms", 1.5, 1, "″"))) == "no orbit: rms 1.5″ > 1″"


def test_tracked_objects_have_pure_tracklets_on_enough_nights():
    seen = pairs_on_nights([60000, 60003, 60007])
    pairs = lists([0, 1], [2, 3], [4, 5])
    assert tracked(*pairs, seen, ONE).tolist() == [0]
    assert not tracked(*lists([0, 1], [2, 3]), seen, ONE).size
    assert not tracked(*pairs, seen, np.array([0, 0, 0, 1, 0, 0])).size
    assert not tracked(*lists(), seen, ONE).size


def test_held_objects_are_on_enough_nights_of_one_list_even_beside_others():
    seen = pairs_on_nights([60000, 60003, 60007])
    truth = np.array([4, -1, 4, 2, 4, 2])
    assert held(*lists([0, 1, 2, 3, 4, 5]), seen, truth).tolist() == [4]
    assert held(*lists([0, 1, 2, 3, 4, 5]), seen, truth, nights=2).tolist() == [2, 4]
    assert not held(*lists([0, 2], [4, 5]), seen, truth).size
    assert not held(*lists(), seen, truth).size


def test_objects_far_from_every_hypothesis_are_told_how_far():
    losses = without_hypothesis(
        np.array([7, 8, 9, 10]), np.array([0.9, 2.04, 2.5, 40.0]), np.array([3.0, 1.0, 2.0]), 0.11
    )
    assert {item: str(loss) for item, loss in losses.items()} == {
        9: "distance from the nearest hypothesis 0.5 au > 0.11 au",
        10: "distance from the nearest hypothesis 37 au > 0.11 au",
    }


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(0.1, 50), min_size=1), st.lists(st.floats(0.1, 50), min_size=1), st.floats(0.01, 5))
def test_hypotheses_are_missed_by_the_distance_to_the_nearest(r, grid, reach):
    losses = without_hypothesis(np.arange(len(r)), np.array(r), np.array(grid), reach)
    nearest = np.abs(np.array(r)[:, None] - np.array(grid)).min(axis=1)
    assert set(losses) == set(np.flatnonzero(nearest > reach).tolist())
    assert all(loss.value == pytest.approx(nearest[item]) for item, loss in losses.items())
