"""Findable objects against a slow definition and against difi."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.synthetic import findability
from mops.synthetic.detections import simulate
from mops.synthetic.findability import findable
from mops.synthetic.opposition import gathered
from mops.synthetic.population import make_population
from mops.synthetic.scoring import findable as findable_of_scoring
from mops.synthetic.sky import unit_vectors
from mops.synthetic.survey import small_survey
from mops.synthetic.zones import EQUAL_SHARES
from tests.mops import difi_referee
from tests.mops.synthetic_skies import detections, pairs_on_nights


def slowly(seen, truth, nights=3, max_hours=1.5, min_arcsec=1.0, max_deg_per_day=1.5) -> list[int]:
    """By the definition: every two detections, their angle from the cross product of unit vectors."""
    unit = unit_vectors(seen.ra, seen.dec)
    good: dict[int, set[int]] = {}
    for one, other in itertools.permutations(range(len(seen)), 2):
        days = seen.mjd_tai[other] - seen.mjd_tai[one]
        if truth[one] != truth[other] or truth[one] < 0 or seen.night[one] != seen.night[other]:
            continue
        if not 0 < days <= max_hours / 24:
            continue
        apart = np.arctan2(np.linalg.norm(np.cross(unit[one], unit[other])), unit[one] @ unit[other])
        if min_arcsec <= np.degrees(apart) * 3600 and np.degrees(apart) <= max_deg_per_day * days:
            good.setdefault(int(truth[one]), set()).add(int(seen.night[one]))
    return sorted(item for item, on in good.items() if len(on) >= nights)


@st.composite
def skies(draw):
    n = draw(st.integers(0, 24))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    ra_0, dec_0 = draw(st.sampled_from([(0.0, 0.0), (359.99, -30.0), (12.0, 89.99), (200.0, -89.99)]))
    mjd = 60000 + rng.integers(0, 4, n) + rng.choice([0.1, 0.11, 0.15, 0.18], n)
    ra = (ra_0 + rng.choice([0, 1e-5, 1e-3, 0.02, 0.2], n)) % 360
    dec = np.clip(dec_0 + rng.choice([0, 1e-5, 1e-3, 0.02], n), -90, 90)
    return detections(mjd, ra, dec), rng.integers(-1, 3, n)


@settings(max_examples=150, deadline=None)
@given(skies(), st.integers(1, 3))
def test_findable_objects_are_those_of_the_definition(sky, nights):
    seen, truth = sky
    assert findable(seen, truth, nights=nights).tolist() == slowly(seen, truth, nights=nights)


def test_three_nights_with_a_pair_are_enough_and_two_are_not():
    seen = pairs_on_nights([60000, 60003, 60007])
    assert findable(seen, np.zeros(6, dtype=np.int64)).tolist() == [0]
    assert not findable(seen.take(np.arange(4)), np.zeros(4, dtype=np.int64)).size


@pytest.mark.parametrize(
    ("change", "is_findable"),
    [
        ({"arcsec": 1.01}, True),
        ({"arcsec": 0.99}, False),
        ({"hours": 1.49}, True),
        ({"hours": 1.51}, False),
        ({"arcsec": 1.49 * 3600 / 48}, True),
        ({"arcsec": 1.51 * 3600 / 48}, False),
    ],
)
def test_each_limit_of_a_pair_counts(change, is_findable):
    seen = pairs_on_nights([60000, 60003, 60007], **change)
    assert (findable(seen, np.zeros(6, dtype=np.int64)).size == 1) is is_findable


def test_false_detections_are_no_object():
    assert not findable(pairs_on_nights([60000, 60003, 60007]), np.full(6, -1)).size


def test_a_pair_across_two_nights_is_none():
    seen = detections([60000.99, 60001.01] * 3, [1.0] * 6, [0.0, 0.01] * 3)
    assert not findable(seen, np.zeros(6, dtype=np.int64), nights=1).size


def test_the_order_of_detections_does_not_matter():
    seen, truth = pairs_on_nights([60000, 60003, 60007]), np.full(6, 7)
    shuffled = np.random.default_rng(1).permutation(6)
    assert findable(seen.take(shuffled), truth).tolist() == [7]


def test_a_truth_of_another_length_is_refused():
    with pytest.raises(ValueError, match="6 detections and 5 truths"):
        findable(pairs_on_nights([60000, 60001, 60002]), np.zeros(5, dtype=np.int64))


def test_separation_keeps_small_angles_at_the_pole_and_across_ra_zero():
    arcsec = np.radians(1 / 3600)
    assert findability.separation(2 * np.pi - arcsec / 2, 0.0, arcsec / 2, 0.0) == pytest.approx(arcsec, rel=1e-9)
    assert findability.separation(0.0, np.pi / 2 - arcsec, np.pi, np.pi / 2 - arcsec) == pytest.approx(2 * arcsec)


def test_scoring_offers_the_same_function():
    assert findable_of_scoring is findable


def test_difi_finds_the_same_objects_findable(tmp_path):
    survey = small_survey(20240424)
    sky = gathered(make_population(1000, 5, EQUAL_SHARES, fainter=-2.0), float(np.median(survey.mjd_tai)), 5.0, seed=1)
    seen, truth = simulate(sky, survey, seed=2)
    ours = findable(seen, truth, max_deg_per_day=1e9)  # difi knows no limit of speed
    assert len(ours) > 50
    assert difi_referee.findable(tmp_path, seen, truth).tolist() == ours.tolist()
