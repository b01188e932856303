"""From tracklets to linkages: what belongs together is found, what does not is left out, and a night adds its own."""

from dataclasses import replace

import numpy as np
import pytest

from mops.science.kepler import propagate
from mops.science.linking import hypotheses, search
from mops.science.linking.link import LinkConfig, link, merged, reference_time
from mops.science.linking.pool import Pool, PurifyConfig
from mops.science.linking.purify import NO_ORBIT, detections_of, finished, purify
from mops.science.orbit_status import Status
from mops.science.tracklets import make_tracklets
from mops.synthetic.findability import findable
from mops.synthetic.scoring import score
from tests.mops import moving


def linked(detections, **options):
    tracklets = make_tracklets(detections).tracklets
    return search.search(detections, tracklets, **options)


def objects(linkages, truth):
    return [sorted(owner) for owner in moving.owners(linkages.first, linkages.members, truth)]


@pytest.fixture(scope="module")
def sky():
    return moving.seen(moving.belt(120, seed=21), moving.times())


@pytest.fixture(scope="module")
def found(sky):
    return linked(sky[0])


def test_every_object_is_linked_once_and_whole(sky, found):
    _, truth = sky
    assert sorted(objects(found, truth)) == [[k] for k in range(120)]
    assert (np.diff(found.first) == 8).all()


def test_linkages_share_neither_detections_nor_tracklets(found):
    assert len(np.unique(found.members)) == len(found.members)
    assert len(np.unique(found.tracklet_members)) == len(found.tracklet_members)


def test_detections_of_a_linkage_are_those_of_its_tracklets_in_the_order_of_time(sky, found):
    detections, _ = sky
    tracklets = make_tracklets(detections).tracklets
    for j in range(len(found)):
        mine = found.members[found.first[j] : found.first[j + 1]]
        parts = found.tracklet_members[found.tracklet_first[j] : found.tracklet_first[j + 1]]
        theirs = np.concatenate([tracklets.members[tracklets.first[p] : tracklets.first[p + 1]] for p in parts])
        assert sorted(mine) == sorted(set(theirs.tolist()))
        assert (np.diff(detections.mjd_tai[mine]) > 0).all()


def test_the_orbits_are_those_the_objects_have(sky, found):
    _, truth = sky
    states = moving.belt(120, seed=21)
    good = found.orbits.status == Status.OK
    assert good.mean() > 0.9
    owner = truth[found.members[found.first[:-1]]]
    then = propagate(states[owner], found.orbits.epoch_mjd_tdb - moving.EPOCH)
    off = (found.orbits.state - then)[good]
    spread = found.orbits.covariance[good]
    distance = np.array([o @ np.linalg.solve(c, o) for o, c in zip(off, spread, strict=True)])
    assert np.median(distance) < 12.6  # of six numbers, 95 %: the truth here has no planets


def test_merit_is_larger_for_more_nights():
    both = [
        moving.seen(moving.belt(5, seed=3), moving.times(n)) for n in ((-4.0, 0.0, 4.0), (-4.0, -2.0, 0.0, 2.0, 4.0))
    ]
    few, many = (linked(detections) for detections, _ in both)
    assert many.merit.min() > few.merit.max()


def test_two_nights_are_no_linkage():
    assert len(linked(moving.seen(moving.belt(20, seed=4), moving.times((-2.0, 2.0)))[0])) == 0


def test_an_object_whose_third_night_says_nothing_of_its_rate_is_found():
    states = moving.belt(30, seed=6)
    good, truth = moving.seen(states, moving.times((-4.0, -1.0)))
    poor, more = moving.seen(states, moving.times((3.0,), (0.0, 0.0025)), sigma=0.2, seed=2)
    detections, owner = moving.together(good, poor), np.concatenate([truth, more])
    want = findable(detections, owner)
    result = linked(detections)
    scored = score(result.first, result.members, owner, want)
    assert len(want) > 20
    assert scored.completeness.value >= 0.96 and scored.purity.value == 1.0


def test_near_earth_and_distant_objects_are_found():
    for r in ((1.25, 1.5), (5.0, 5.3), (25.0, 60.0)):
        detections, truth = moving.seen(
            moving.belt(12, seed=9, r=r), moving.times((-6.0, -3.0, 0.0, 2.0, 5.0), (0.0, 0.03))
        )
        assert sorted(objects(linked(detections), truth)) == [[k] for k in range(12)], r


def test_a_tracklet_of_something_else_is_not_taken_in():
    detections, truth = moving.seen(moving.belt(30, seed=12), moving.times())
    stray = detections.take(np.flatnonzero((truth < 30) & (detections.night == detections.night.min())))
    stray = replace(stray, ra=(stray.ra + 20 / 3600) % 360, dec=stray.dec + 15 / 3600)
    both = moving.together(detections, stray)
    result = linked(both)
    assert sorted(objects(result, np.concatenate([truth, np.full(len(stray), -1)]))) == [[k] for k in range(30)]


def test_noise_alone_makes_no_linkage():
    rng = np.random.default_rng(3)
    mjd = np.repeat(moving.times((-5.0, -2.0, 0.0, 3.0, 6.0), (0.0, 0.02)), 700)
    detections = moving.detections(mjd, 215 + rng.uniform(-1.5, 1.5, len(mjd)), -13 + rng.uniform(-1.5, 1.5, len(mjd)))
    tracklets = make_tracklets(detections).tracklets
    assert len(tracklets) > 500
    assert len(search.search(detections, tracklets)) <= 1


def test_two_halves_of_an_object_are_joined():
    detections, truth = moving.seen(moving.belt(6, seed=14), moving.times((-6.0, -5.0, -4.0, 4.0, 5.0, 6.0)))
    tracklets = make_tracklets(detections).tracklets
    reference = reference_time(detections)
    early = detections.mjd_tai.mean() > tracklets.mjd_tai
    pool = Pool(detections, tracklets, reference, PurifyConfig())
    for half in (early, ~early):
        pool.judge(link(detections, tracklets, hypotheses.main_belt(), reference, among=half), 3)
    assert len(pool.linked()[0]) == 12
    pool.grow()
    result = finished(pool)
    assert sorted(objects(result, truth)) == [[k] for k in range(6)]
    assert (np.diff(result.tracklet_first) == 6).all()


def test_what_became_of_the_clusters_is_counted(sky):
    detections, _ = sky
    tracklets = make_tracklets(detections).tracklets
    clusters = link(detections, tracklets, hypotheses.main_belt(), reference_time(detections))
    result = purify(detections, tracklets, clusters)
    assert result.refused["accepted"] == 120 and result.refused[NO_ORBIT] == 0
    assert sum(result.refused.values()) == len(clusters)
    assert result.clustered.sum() == len(np.unique(clusters.members))
    assert (result.fitted <= result.clustered).all()


def test_a_stricter_limit_refuses_more(sky):
    detections, _ = sky
    tracklets = make_tracklets(detections).tracklets
    clusters = link(detections, tracklets, hypotheses.main_belt(), reference_time(detections))
    strict = purify(detections, tracklets, clusters, PurifyConfig(sigmas=0.0))
    assert 0 < len(strict) < 120


def test_a_first_look_made_elsewhere_in_blocks_gives_the_same(sky, found):
    detections, _ = sky
    tracklets = make_tracklets(detections).tracklets
    guesses, reference, limits = search.first_look(detections)
    parts = [link(detections, tracklets, part, reference, limits) for part in hypotheses.blocks(guesses, 3)]
    again = search.search(detections, tracklets, first=merged(parts))
    assert {tuple(x) for x in np.split(again.members, again.first[1:-1])} == {
        tuple(x) for x in np.split(found.members, found.first[1:-1])
    }


def test_the_same_search_twice_gives_the_same(sky, found):
    again = linked(sky[0])
    assert np.array_equal(again.members, found.members)
    assert np.array_equal(again.orbits.state, found.orbits.state)


def test_a_new_night_extends_what_is_known_and_adds_what_is_new(sky):
    detections, truth = sky
    tracklets = make_tracklets(detections).tracklets
    last = int(detections.night.max())
    late = truth[tracklets.members[tracklets.first[:-1]]] >= 100  # as if seen on only two nights before the last
    first_night = tracklets.night == tracklets.night.min()
    usable = np.flatnonzero(~(late & first_night))
    tracklets = tracklets.take(usable)
    before = np.flatnonzero(tracklets.night < last)
    known = search.search(detections, tracklets.take(before))
    known = replace(known, tracklet_members=before[known.tracklet_members])
    assert sorted(objects(known, truth)) == [[k] for k in range(100)]
    result = search.search(detections, tracklets, new_night=last, known=known)
    assert sorted(objects(result, truth)) == [[k] for k in range(120)]
    assert all((detections.night[part] == last).any() for part in np.split(result.members, result.first[1:-1]))


def test_a_night_that_adds_nothing_gives_nothing(sky):
    detections, _ = sky
    tracklets = make_tracklets(detections).tracklets
    assert len(search.search(detections, tracklets, new_night=19990101)) == 0


def test_no_tracklets_make_no_linkage(sky):
    detections, _ = sky
    none = make_tracklets(detections).tracklets.take(np.zeros(0, np.intp))
    result = search.search(detections, none)
    assert len(result) == 0 and result.first.tolist() == [0]


def test_each_look_is_told(sky):
    told = []
    linked(sky[0], progress=lambda look, among, clusters, linkages: told.append((look.nights, among, linkages)))
    assert len(told) == len(search.LOOKS)
    assert told[0][1] == 480 and told[-1][2] == 120
    assert [among for _, among, _ in told] == sorted((among for _, among, _ in told), reverse=True)


def test_detections_that_two_tracklets_share_count_once():
    first, members = np.array([0, 2, 4]), np.array([5, 9, 9, 12])
    out_first, out = detections_of(first, members, np.array([0, 2]), np.array([1, 0]))
    assert out_first.tolist() == [0, 3] and out.tolist() == [5, 9, 12]


def test_a_known_linkage_that_does_not_fit_the_table_is_refused(sky):
    detections, _ = sky
    tracklets = make_tracklets(detections).tracklets
    pool = Pool(detections, tracklets, moving.EPOCH, PurifyConfig())
    with pytest.raises(ValueError, match="has 65 tracklets in the window; at most 64 fit"):
        pool.adopt(np.array([0, 65]), np.arange(65), np.zeros((1, 6)), np.zeros(1, np.int64), np.array(["neo"]))


def test_the_radius_of_every_look_is_its_own():
    assert {look.nights for look in search.LOOKS} == {2, 3}
    _, _, limits = search.first_look(moving.seen(moving.belt(1, 1), moving.times())[0])
    assert limits == replace(LinkConfig(), nights=3, radius_arcsec=search.LOOKS[0].radius_arcsec)
