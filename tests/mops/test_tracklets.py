"""Tracklets of one night: which detections may be one mover, at every place on the sky and in every cadence."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science.tracklets import Flood, TrackletConfig, make_tracklets, sky_grid
from mops.science.tracklets.lines import gnomonic, separation
from tests.mops import moving

ARCSEC = np.radians(1 / 3600)
DAY = 60430.1
skies = st.integers(0, 2**31)


def moved(ra, dec, rate_ra, rate_dec, minutes):
    """A mover on the sky at a straight rate, degrees and degrees a day."""
    days = np.asarray(minutes) / 1440
    return moving.detections(DAY + days, ra + rate_ra * days / np.cos(np.radians(dec)), dec + rate_dec * days)


def of(made):
    first, members = made.tracklets.first, made.tracklets.members
    return [members[a:b].tolist() for a, b in pairwise(first)]


@pytest.mark.parametrize("dec", [0.0, -60.0, 89.0, -89.0])
@pytest.mark.parametrize("ra", [120.0, 359.999, 0.0])
def test_two_detections_half_an_hour_apart_are_a_tracklet_anywhere(ra, dec):
    made = make_tracklets(moved(ra, dec, 0.2, -0.1, [0, 30]))
    assert of(made) == [[0, 1]]
    assert made.tracklets.rate_ra[0] == pytest.approx(0.2, rel=1e-3)
    assert made.tracklets.rate_dec[0] == pytest.approx(-0.1, rel=6e-3)  # a parallel bends near the pole


def test_a_mover_over_the_pole_is_one_tracklet():
    days = np.array([0.0, 0.01, 0.02])
    north = 89.998 + 0.2 * days
    over = north > 90
    sky = moving.detections(DAY + days, np.where(over, 190.0, 10.0), np.where(over, 180 - north, north))
    assert of(make_tracklets(sky)) == [[0, 1, 2]]


@pytest.mark.parametrize(
    ("rate", "minutes", "found"),
    [
        (0.2, 30, True),
        (0.2, 95, False),  # beyond 1.5 h
        (1.6, 30, False),  # beyond 1.5 deg/day
        (1.4, 30, True),
        (0.01, 30, False),  # 0.75 arcsec
        (0.02, 30, True),
    ],
)
def test_a_pair_must_keep_the_limits(rate, minutes, found):
    assert (len(make_tracklets(moved(40.0, 10.0, rate, 0.0, [0, minutes])).tracklets) == 1) == found


def test_detections_of_one_visit_are_never_a_tracklet():
    sky = moved(40.0, 10.0, 0.2, 0.0, [0, 30])
    assert len(make_tracklets(replace(sky, visit=np.array([7, 7]))).tracklets) == 0


def test_three_on_a_line_are_one_tracklet_and_no_pairs():
    made = make_tracklets(moved(40.0, 10.0, 0.2, 0.1, [0, 20, 50]))
    assert of(made) == [[0, 1, 2]]
    assert made.counts["lines"] == 1 and made.counts["pairs"] == 0


def test_three_that_bend_are_pairs():
    sky = moved(40.0, 10.0, 0.2, 0.1, [0, 20, 50])
    sky.dec[1] += 3 / 3600
    assert of(make_tracklets(sky)) == [[0, 1], [0, 2], [1, 2]]


@pytest.mark.parametrize("rate", [0.03, 0.25, 1.2])
def test_a_hundred_detections_of_a_night_are_one_tracklet(rate):
    made = make_tracklets(moved(150.0, 2.2, rate, 0.02, np.arange(100) * 2.0))
    assert of(made) == [list(range(100))]


def test_two_movers_that_cross_stay_apart():
    there, back = moved(40.0, 10.0, 0.3, 0.0, [0, 10, 20, 30, 40]), moved(40.008, 10.0, -0.3, 0.01, [0, 10, 20, 30, 40])
    sky = moving.together(there, back)
    assert sorted(sorted(each) for each in of(make_tracklets(sky))) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_the_order_of_the_detections_does_not_matter():
    sky, _ = moving.seen(moving.belt(40, seed=3), moving.times())
    shuffled = np.random.default_rng(5).permutation(len(sky))
    straight, mixed = make_tracklets(sky), make_tracklets(sky.take(shuffled))
    assert {tuple(each) for each in of(straight)} == {tuple(shuffled[each].tolist()) for each in of(mixed)}


def test_every_night_of_every_object_has_its_tracklet():
    sky, truth = moving.seen(moving.belt(200, seed=8), moving.times())
    made = make_tracklets(sky).tracklets
    owners = moving.owners(made.first, made.members, truth)
    pure = {(owner.pop(), int(night)) for owner, night in zip(owners, made.night, strict=True) if len(owner) == 1}
    assert len(pure) == 200 * len(moving.NIGHTS)


def test_a_star_that_stays_is_left_out_and_a_mover_beside_it_is_not():
    nights = np.arange(4.0)
    star = moving.detections(DAY + nights, np.full(4, 40.0), np.full(4, 10.0))
    made = make_tracklets(moving.together(star, moved(40.0, 10.0, 0.3, 0.0, [10, 40])))
    assert made.stationary.tolist() == [True] * 4 + [False] * 2
    assert of(made) == [[4, 5]]
    assert made.counts["stationary"] == 4


def test_a_trail_of_detections_in_one_visit_is_left_out():
    trail = moving.detections(np.full(12, DAY), 40.0 + np.arange(12) * 2 / 3600, np.full(12, 10.0))
    made = make_tracklets(moving.together(trail, moved(41.0, 10.0, 0.3, 0.0, [0, 30])))
    assert made.crowded.sum() == 12 and of(made) == [[12, 13]]


def test_no_detection_makes_no_tracklet():
    made = make_tracklets(moved(40.0, 10.0, 0.2, 0.0, []))
    assert len(made.tracklets) == 0 and made.counts["detections"] == 0


def test_a_bad_frame_of_a_million_is_refused_with_its_number():
    n = 1_000_000
    sky = moving.detections(np.full(n, DAY), np.zeros(n), np.zeros(n), observer=np.zeros((n, 3)))
    with pytest.raises(Flood, match=r"Visit 0 has 1,000,000 detections, more than the 100,000"):
        make_tracklets(sky)


def test_a_flood_of_pairs_is_refused_with_their_number():
    rng = np.random.default_rng(4)
    minutes = np.repeat(np.arange(6) * 12.0, 300)
    sky = moving.detections(DAY + minutes / 1440, rng.uniform(40, 41, 1800), rng.uniform(0, 1, 1800))
    with pytest.raises(Flood, match=r"tracklets from 1,800 detections, which is more than the 1,000 allowed"):
        make_tracklets(sky, TrackletConfig(max_tracklets=1000))


@pytest.mark.parametrize(("column", "value"), [("ra", np.nan), ("dec", 91.0), ("mjd_tai", np.inf)])
def test_a_detection_without_place_or_time_is_named(column, value):
    sky = moved(40.0, 10.0, 0.2, 0.0, [0, 30])
    getattr(sky, column)[1] = value
    with pytest.raises(ValueError, match=r"1 of 2 detections have no usable place or time .* diaSource 1"):
        make_tracklets(sky)


def test_rates_and_places_are_those_of_least_squares():
    sky = moved(40.0, 10.0, 0.2, 0.1, [0, 13, 31, 44])
    sky.ra[:] += np.random.default_rng(1).normal(0, 0.1 / 3600, 4)
    made = make_tracklets(sky).tracklets
    days = sky.mjd_tai - sky.mjd_tai.mean()
    slope, middle = np.polyfit(days, sky.ra, 1)
    assert made.rate_ra[0] == pytest.approx(slope * np.cos(np.radians(10.0)), rel=1e-4)
    assert made.ra[0] == pytest.approx(middle, abs=1e-7)
    assert made.rms_arcsec[0] == pytest.approx(
        np.std(sky.ra - middle - slope * days) * 3600 * np.cos(np.radians(10)), rel=0.02
    )
    assert made.hours[0] == pytest.approx(44 / 60)


def test_taking_some_tracklets_takes_their_members():
    sky, _ = moving.seen(moving.belt(10, seed=2), moving.times())
    made = make_tracklets(sky).tracklets
    some = made.take(np.arange(len(made)) % 3 == 1)
    chosen = [made.members[made.first[j] : made.first[j + 1]].tolist() for j in range(1, len(made), 3)]
    assert [some.members[a:b].tolist() for a, b in pairwise(some.first)] == chosen
    assert np.array_equal(some.ra, made.ra[1::3])


@given(skies, st.floats(-np.pi / 2, np.pi / 2), st.floats(0.001, 0.3))
@settings(max_examples=60, deadline=None)
def test_the_grid_finds_everything_within_the_radius(seed, dec, radius):
    rng = np.random.default_rng(seed)
    ra0 = rng.uniform(0, 2 * np.pi)
    decs = np.clip(dec + rng.normal(0, 2 * radius, 300), -np.pi / 2, np.pi / 2)
    ras = (ra0 + rng.normal(0, 2 * radius, 300) / np.maximum(np.cos(decs), 0.02)) % (2 * np.pi)
    out = np.empty(300, np.int64)
    found = out[: sky_grid.near(sky_grid.build(ras, decs, radius), ra0, dec, radius, out)]
    inside = [k for k in range(300) if separation(ra0, dec, ras[k], decs[k]) < radius * (1 - 1e-9)]
    assert set(inside) <= set(found.tolist())
    assert len(set(found.tolist())) == len(found)


def test_the_grid_says_when_there_is_no_room():
    ras, decs = np.full(10, 1.0), np.full(10, 0.3)
    assert sky_grid.near(sky_grid.build(ras, decs, 0.01), 1.0, 0.3, 0.01, np.empty(9, np.int64)) == -1


@given(st.floats(0, 6.28), st.floats(-1.5, 1.5), st.floats(-0.01, 0.01), st.floats(-0.01, 0.01))
@settings(max_examples=60, deadline=None)
def test_the_plane_keeps_small_distances(ra, dec, east, north):
    other = max(min(dec + north, 1.57), -1.57)
    x, y = gnomonic(ra, dec, ra + east, other)
    assert np.hypot(x, y) == pytest.approx(separation(ra, dec, ra + east, other), rel=1e-3, abs=1e-12)
