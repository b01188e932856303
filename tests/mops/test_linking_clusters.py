"""Clusters under hypotheses: against every pair by hand, cut into blocks, and round a new night alone."""

from dataclasses import replace

import numpy as np
import pytest

from mops.science.linking import clusters as kernels
from mops.science.linking import hypotheses, link
from mops.science.linking.clusters import Hypothesis
from mops.science.linking.link import LinkConfig, merged, night_bits
from mops.science.linking.states import Sightings, state
from mops.science.tracklets import Flood, make_tracklets
from tests.mops import moving

CONFIG = LinkConfig()


@pytest.fixture(scope="module")
def sky():
    detections, truth = moving.seen(moving.belt(150, seed=11), moving.times())
    return detections, make_tracklets(detections).tracklets, truth


def as_sets(found):
    return {tuple(each.tolist()) for each in np.split(found.members, found.first[1:-1])} if len(found) else set()


def one_by_one(detections, tracklets, guess, config):
    """The clusters of one hypothesis by comparing every tracklet with every other."""
    frame = link.frame_of(moving.EPOCH, config)
    rows = Sightings.of(detections, tracklets, moving.EPOCH).rows
    place, moved = np.full((len(rows), 6), np.nan, np.float32), np.empty(6)
    for j in range(len(rows)):
        if state(rows[j], guess.r, guess.rdot, guess.rddot, guess.side, moved) > 0:
            kernels.seen_from_earth(moved, frame, place[j])
    found = set()
    for j in range(len(rows)):
        near = np.flatnonzero(((place - place[j]) ** 2).sum(axis=1) <= frame.radius**2)
        if len(np.unique(tracklets.night[near])) >= config.nights:
            found.add(tuple(near.tolist()))
    return found


@pytest.mark.parametrize("radius", [40.0, 150.0, 1500.0])
@pytest.mark.parametrize("nights", [2, 3])
@pytest.mark.parametrize("r", [2.0, 2.6])
def test_clusters_are_those_that_comparing_every_pair_finds(sky, radius, nights, r):
    detections, tracklets, _ = sky
    config = replace(CONFIG, radius_arcsec=radius, nights=nights, most_members=1000)
    one = hypotheses.grid("one", (r, r), 0.1, (0.0, 0.1))
    guess = Hypothesis(0, float(one.r[0]), float(one.rdot[0]), float(one.rddot[0]), 1.0)
    expected = one_by_one(detections, tracklets, guess, config)
    assert as_sets(link.link(detections, tracklets, one, moving.EPOCH, config)) == expected
    assert expected


@pytest.mark.parametrize("turn", [0.0, 90.0])
def test_the_cells_hold_at_the_pole_and_at_ra_zero(sky, turn):
    """The sky is turned so that the objects stand round RA 0, or round the pole."""
    detections, tracklets, _ = sky
    one = hypotheses.grid("one", (2.4, 2.4), 0.1, (0.0, 0.1))
    rows = Sightings.of(detections, tracklets, moving.EPOCH).rows
    middle = rows[:, 1:4].mean(axis=0) / np.linalg.norm(rows[:, 1:4].mean(axis=0))
    to = np.array([np.cos(np.radians(turn)), 0.0, np.sin(np.radians(turn))])
    axis = np.cross(middle, to)
    k = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    rotation = np.eye(3) + k + k @ k / (1 + middle @ to)
    frame = link.frame_of(moving.EPOCH, CONFIG)
    turned = np.concatenate([rows[:, :1], *(rows[:, c : c + 3] @ rotation.T for c in (1, 4, 7, 10))], axis=1)
    there = frame._replace(earth=np.concatenate([rotation @ frame.earth[:3], rotation @ frame.earth[3:]]))
    seeds, bits = np.ones(len(rows), bool), night_bits(tracklets.night)
    straight = link._all(rows, bits, seeds, one, frame, CONFIG)
    moved = link._all(np.ascontiguousarray(turned), bits, seeds, one, there, CONFIG)
    assert moved.used.tolist() == straight.used.tolist()
    assert straight.used[0] > 0


def test_every_object_has_a_cluster_of_its_own(sky):
    detections, tracklets, truth = sky
    found = link.link(detections, tracklets, hypotheses.main_belt(), moving.EPOCH)
    of_tracklet = truth[tracklets.members[tracklets.first[:-1]]]
    pure = [owner.pop() for owner in moving.owners(found.first, found.members, of_tracklet) if len(owner) == 1]
    assert set(pure) == set(range(150))


@pytest.mark.parametrize("count", [2, 7, 55])
def test_blocks_give_what_the_whole_gives(sky, count):
    detections, tracklets, _ = sky
    whole = link.link(detections, tracklets, hypotheses.main_belt(), moving.EPOCH)
    parts = [
        link.link(detections, tracklets, part, moving.EPOCH)
        for part in hypotheses.blocks(hypotheses.main_belt(), count)
    ]
    together, again = merged(parts), merged(parts[::-1])
    assert as_sets(together) == as_sets(whole)
    best = {
        tuple(m.tolist()): h for m, h in zip(np.split(whole.members, whole.first[1:-1]), whole.hypothesis, strict=True)
    }
    lists = np.split(together.members, together.first[1:-1])
    assert all(best[tuple(m.tolist())] == h for m, h in zip(lists, together.hypothesis, strict=True))
    for name in ("first", "members", "hypothesis", "state", "spread"):
        assert np.array_equal(getattr(together, name), getattr(again, name))


def test_a_new_night_gives_only_clusters_with_one_of_its_tracklets(sky):
    detections, tracklets, _ = sky
    night = int(tracklets.night.max())
    found = link.link(detections, tracklets, hypotheses.main_belt(), moving.EPOCH, new_night=night)
    whole = link.link(detections, tracklets, hypotheses.main_belt(), moving.EPOCH)
    assert as_sets(found) <= as_sets(whole)
    assert all((tracklets.night[list(each)] == night).any() for each in as_sets(found))
    assert len(found) >= 150


def test_only_the_tracklets_named_are_looked_at(sky):
    detections, tracklets, truth = sky
    among = truth[tracklets.members[tracklets.first[:-1]]] < 20
    found = link.link(detections, tracklets, hypotheses.main_belt(), moving.EPOCH, among=among)
    assert set(found.members.tolist()) <= set(np.flatnonzero(among).tolist())
    assert len(found) >= 20


def test_a_full_cluster_is_taken_closer(sky):
    detections, tracklets, _ = sky
    config = replace(CONFIG, radius_arcsec=20_000.0, most_members=8)
    found = link.link(detections, tracklets, hypotheses.main_belt().take(np.arange(5)), moving.EPOCH, config)
    assert len(found) and np.diff(found.first).max() <= 8


def test_too_many_clusters_are_refused_with_their_number(sky):
    detections, tracklets, _ = sky
    config = replace(CONFIG, max_clusters=100)
    with pytest.raises(Flood, match=r"The tracklets make more than [\d,]+ clusters; 100 are allowed"):
        link.link(detections, tracklets, hypotheses.main_belt(), moving.EPOCH, config)


def test_a_store_that_is_too_small_is_enlarged_and_loses_nothing(sky, monkeypatch):
    detections, tracklets, _ = sky
    whole = link.link(detections, tracklets, hypotheses.main_belt(), moving.EPOCH)
    room, asked = kernels.room, []

    def small_at_first(clusters, members):
        asked.append(clusters)
        return room(clusters, members) if len(asked) > 1 else room(8, 64)

    monkeypatch.setattr(kernels, "room", small_at_first)
    again = link.link(detections, tracklets, hypotheses.main_belt(), moving.EPOCH)
    assert asked[1:4] == [16, 32, 64]
    assert as_sets(again) == as_sets(whole) and np.array_equal(again.hypothesis, whole.hypothesis)


def test_no_tracklets_make_no_clusters(sky):
    detections, tracklets, _ = sky
    none = link.link(detections, tracklets, hypotheses.main_belt(), moving.EPOCH, among=np.zeros(len(tracklets), bool))
    assert len(none) == 0 and none.first.tolist() == [0]
    assert len(merged([none])) == 0


def test_more_nights_than_a_mask_holds_are_refused():
    with pytest.raises(ValueError, match="The window has 63 nights; at most 62"):
        night_bits(np.arange(63, dtype=np.int32))


@pytest.mark.parametrize("mask", [0, 1, 0b1011, (1 << 62) - 1])
def test_bits_are_counted(mask):
    assert kernels.bits(mask) == mask.bit_count()
