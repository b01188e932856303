"""One cluster at a time: what is fitted, left out, grown and refused, and what each refusal is called."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science.linking import growth, hypotheses, search, selection, two_body_fit
from mops.science.linking.link import Clusters, link, reference_time
from mops.science.linking.pool import Pool, PurifyConfig
from mops.science.linking.purify import finished
from mops.science.linking.small import three_nights
from mops.science.tracklets import make_tracklets
from tests.mops import moving

STATES = moving.belt(8, seed=31)


@pytest.fixture
def pool():
    detections, truth = moving.seen(STATES, moving.times())
    tracklets = make_tracklets(detections).tracklets
    # Objects stand in the same order in every visit.
    assert np.array_equal(truth, np.tile(np.arange(len(STATES)), len(moving.times())))
    return Pool(detections, tracklets, moving.EPOCH, PurifyConfig())


def of(pool, item, nights=slice(None)):
    """The tracklets of an object, those of some of its nights."""
    owner = pool.tracklets.members[pool.tracklets.first[:-1]] % len(STATES)
    return np.flatnonzero(owner == item)[nights]


def clusters(*lists, states, spread=None):
    count = len(lists)
    return Clusters(
        first=np.concatenate([[0], np.cumsum([len(each) for each in lists])]).astype(np.int64),
        members=np.concatenate([np.sort(each) for each in lists]).astype(np.int64),
        hypothesis=np.arange(count),
        zone=np.full(count, "main_belt"),
        state=np.asarray(states, float).reshape(count, 6),
        spread=np.full(count, 10.0) if spread is None else np.asarray(spread, float),
        reference_mjd_tdb=moving.EPOCH,
    )


def linked(pool):
    _, first, members = pool.linked()
    return [sorted(part.tolist()) for part in np.split(members, first[1:-1])] if len(first) > 1 else []


def test_a_cluster_of_one_object_is_accepted(pool):
    assert pool.judge(clusters(of(pool, 0), states=STATES[0]), 3).tolist() == [selection.ACCEPTED]
    assert linked(pool) == [of(pool, 0).tolist()]
    assert pool.free.sum() == len(pool.free) - 4


def test_a_tracklet_of_another_object_is_left_out(pool):
    mixed = np.concatenate([of(pool, 0), of(pool, 1, [2])])
    assert pool.judge(clusters(mixed, states=STATES[0]), 3).tolist() == [selection.ACCEPTED]
    assert linked(pool) == [of(pool, 0).tolist()]


def test_three_nights_of_three_objects_fit_no_orbit(pool):
    mixed = np.array([of(pool, item)[night] for item, night in ((0, 0), (1, 1), (2, 3))])
    assert pool.judge(clusters(mixed, states=STATES[0]), 3).tolist() == [selection.ASTROMETRY]
    assert linked(pool) == [] and pool.free.all()


def test_the_cluster_with_more_nights_goes_first(pool):
    verdict = pool.judge(clusters(of(pool, 0, [0, 1, 2]), of(pool, 0), states=STATES[[0, 0]], spread=[1.0, 30.0]), 3)
    assert verdict.tolist() == [selection.TAKEN, selection.ACCEPTED]
    assert pool.ends[selection.REASONS[selection.TAKEN]] == 1


def test_of_two_clusters_of_as_many_nights_the_closer_goes_first(pool):
    parts = of(pool, 0, [0, 1, 2]), of(pool, 0, [0, 1, 3])
    verdict = pool.judge(clusters(*parts, states=STATES[[0, 0]], spread=[20.0, 5.0]), 3)
    assert verdict.tolist() == [selection.TAKEN, selection.ACCEPTED]


def test_two_nights_are_grown_by_the_others(pool):
    assert pool.judge(clusters(of(pool, 3, [1, 2]), states=STATES[3]), 2).tolist() == [selection.ACCEPTED]
    assert linked(pool) == [of(pool, 3).tolist()]


def test_two_nights_of_two_objects_grow_into_nothing(pool):
    mixed = np.array([of(pool, 0)[0], of(pool, 1)[2]])
    assert pool.judge(clusters(mixed, states=STATES[0]), 2)[0] != selection.ACCEPTED
    assert linked(pool) == []


def test_growth_looks_only_at_the_nights_it_is_given(pool):
    pool.judge(clusters(of(pool, 2, [0, 1, 2]), states=STATES[2]), 3)
    pool.grow(pool.night_mask(int(pool.tracklets.night.min())))
    assert linked(pool) == [of(pool, 2, [0, 1, 2]).tolist()]
    pool._grown = 0
    pool.grow(pool.night_mask(int(pool.tracklets.night.max())))
    assert linked(pool) == [of(pool, 2).tolist()]


def test_a_night_without_tracklets_has_no_bit(pool):
    assert pool.night_mask(20990101) == 0
    assert pool.night_mask(int(pool.tracklets.night.min())) == 1


def test_only_linkages_of_a_night_are_given_for_it(pool):
    pool.judge(clusters(of(pool, 0, [0, 1, 2]), of(pool, 1), states=STATES[:2]), 3)
    last = int(pool.tracklets.night.max())
    assert len(pool.linked()[0]) == 2
    assert len(pool.linked(last)[0]) == 1
    assert len(finished(pool, last)) == 1


def test_a_hyperbola_is_refused_where_none_is_wanted_and_taken_where_it_is():
    fast = STATES[:1].copy()
    fast[0, 3:] *= 1.75
    detections, _ = moving.seen(fast, moving.times((-7.0, -3.0, 0.0, 4.0, 7.0)), sigma=0.01)
    tracklets = make_tracklets(detections).tracklets
    mine = clusters(np.arange(len(tracklets)), states=fast)
    bound, free = (Pool(detections, tracklets, moving.EPOCH, PurifyConfig(escape_speeds=limit)) for limit in (1.1, 3.0))
    assert bound.judge(mine, 3)[0] != selection.ACCEPTED
    assert free.judge(mine, 3).tolist() == [selection.ACCEPTED]


def test_a_linkage_whose_n_body_orbit_does_not_fit_is_counted_and_left_out(pool):
    pool.judge(clusters(of(pool, 0), of(pool, 1), states=STATES[:2]), 3)
    pool.detections.ra[pool.tracklets.members[pool.tracklets.first[of(pool, 1)]]] += 0.01
    result = finished(pool)
    assert len(result) == 1 and result.refused["the N-body orbit does not fit its detections"] == 1


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=8), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None)
def test_nights_of_clusters_are_counted_as_by_hand(lists):
    night = np.int64(1) << np.arange(10) // 2
    made = clusters(*(np.array(each) for each in lists), states=np.zeros((len(lists), 6)))
    by_hand = [len({each // 2 for each in part}) for part in lists]
    assert selection.nights_of_each(made.first, made.members, night).tolist() == by_hand


def test_scaling_a_start_keeps_its_motion_on_the_sky():
    earth = np.array([1.0, 0, 0, 0, 0.017, 0])
    own, out = two_body_fit.work(earth, 2), np.empty(6)
    selection.scaled(STATES[0], 1.7, own, out)
    line, scaled = STATES[0] - earth, out - earth
    assert scaled == pytest.approx(1.7 * line)
    assert scaled[3:] / np.linalg.norm(scaled[:3]) == pytest.approx(line[3:] / np.linalg.norm(line[:3]))


def test_a_prediction_is_asked_only_where_it_says_enough(pool):
    own = two_body_fit.work(pool.earth, 8)
    orbit = STATES[0].copy()
    selection.fit_tracklets(of(pool, 0), orbit, pool.known, own)
    near, place, moved = np.empty(4096, np.int64), np.empty(9), np.empty(6)
    found = near[: growth._near_prediction(0, own, pool.sky, near, place, moved)]
    assert of(pool, 0)[0] in found
    own.normal[:] *= 1e-10  # as if known a hundred thousand times worse
    assert growth._near_prediction(0, own, pool.sky, near, place, moved) == 0


def test_the_smallest_catalogue_is_one_linkage():
    detections = three_nights()
    tracklets = make_tracklets(detections).tracklets
    assert len(search.search(detections, tracklets)) == 1
    search.warm_up()


def test_a_noisier_catalogue_is_linked_as_well():
    detections, truth = moving.seen(STATES, moving.times(), sigma=0.2, seed=7)
    result = search.search(detections, make_tracklets(detections).tracklets)
    assert sorted(sorted(owner) for owner in moving.owners(result.first, result.members, truth)) == [
        [k] for k in range(8)
    ]


def test_a_sigma_that_is_too_small_is_not_believed_into_a_linkage():
    detections, _ = moving.seen(STATES, moving.times(), sigma=0.5, seed=7)
    tiny = replace(detections, sigma_ra=np.full(len(detections), 0.001), sigma_dec=np.full(len(detections), 0.001))
    tracklets = make_tracklets(tiny).tracklets
    found = link(tiny, tracklets, hypotheses.main_belt(), reference_time(tiny))
    assert len(found) >= 6
    pool = Pool(tiny, tracklets, reference_time(tiny), PurifyConfig())
    assert (pool.judge(found, 3) != selection.ACCEPTED).all()
