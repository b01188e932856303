"""What makes a report, what is held back, and that nothing is sent twice."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.mpc.batches import Kind, Policy, batch, digest, file_name, observation_key
from mops.mpc.designations import Designation
from mops.mpc.observation import Observation
from tests.mops.mpc_observations import observations, tracklet

THREE_NIGHTS = [row for night in (0, 3, 6) for row in tracklet(night)]


def reasons(made):
    return [held.reason for held in made.held]


def test_three_nights_of_pairs_make_a_new_object():
    made = batch(THREE_NIGHTS, Kind.NEW)
    assert made.observations == tuple(THREE_NIGHTS)
    assert made.held == () and made.refused == ""


@pytest.mark.parametrize(("nights", "word"), [([0, 3], "2 tracklets and 2 nights"), ([0], "1 tracklets and 1 nights")])
def test_fewer_nights_are_no_new_object(nights, word):
    made = batch([row for night in nights for row in tracklet(night)], Kind.NEW)
    assert made.observations == () and word in made.refused


def test_two_tracklets_and_a_third_night_are_a_new_object_without_the_single_position():
    single = tracklet(6, positions=1)
    made = batch([*tracklet(0), *tracklet(3), *single], Kind.NEW)
    assert len(made.observations) == 4 and not made.refused
    assert [held.observation for held in made.held] == single
    assert "fewer than 2 positions" in reasons(made)[0]


def test_single_positions_on_every_night_are_no_report():
    made = batch([row for night in range(5) for row in tracklet(night, positions=1)], Kind.NEW)
    assert made.refused == "no observation is left to report"
    assert len(made.held) == 5


def test_a_known_object_needs_one_night():
    made = batch(tracklet(0), Kind.REOBSERVED)
    assert len(made.observations) == 2 and not made.refused


def test_a_policy_may_ask_for_more():
    made = batch(THREE_NIGHTS, Kind.NEW, policy=Policy(nights=4))
    assert "needs 2 tracklets and 4 nights" in made.refused
    assert "fewer than 3 positions" in reasons(batch(tracklet(0), Kind.REOBSERVED, policy=Policy(positions=3)))[0]


def test_two_positions_at_one_time_are_both_held_and_count_for_nothing():
    first, second = tracklet(0)
    made = batch([first, replace(first, ra=first.ra + 0.001), second], Kind.REOBSERVED)
    assert made.observations == ()
    assert sorted(reasons(made)) == [
        "its night has fewer than 2 positions of the object",
        "the object has more than one position at this time",
        "the object has more than one position at this time",
    ]


def test_positions_of_two_observatories_are_two_nights_of_their_own():
    here, there = tracklet(0)
    made = batch([here, replace(there, station="I41")], Kind.REOBSERVED)
    assert len(made.held) == 2


def test_what_was_reported_stays_and_the_rest_goes():
    sent = frozenset(observation_key(row) for row in tracklet(0))
    made = batch(THREE_NIGHTS, Kind.NEW, sent=sent)
    assert len(made.observations) == 4
    assert reasons(made) == ["it was reported before"] * 2


def test_a_report_sent_whole_is_not_made_again():
    first = batch(THREE_NIGHTS, Kind.NEW)
    sent = frozenset(observation_key(row) for row in first.observations)
    again = batch(THREE_NIGHTS, Kind.NEW, sent=sent)
    assert again.observations == () and again.refused == "no observation is left to report"


@st.composite
def campaigns(draw: st.DrawFn) -> list[Observation]:
    """Nights of one object with zero to three positions, some at the same time."""
    rows = [row for night in range(8) for row in tracklet(night, positions=draw(st.integers(0, 3)))]
    doubled = draw(st.lists(st.sampled_from(rows), max_size=3)) if rows else []
    return draw(st.permutations([*rows, *(replace(row, dec=row.dec + 0.01) for row in doubled)]))


@given(campaigns(), st.sampled_from(Kind), st.data())
@settings(max_examples=150)
def test_a_batch_keeps_the_centers_rules_and_loses_nothing(rows, kind, data):
    sent = frozenset(observation_key(row) for row in (data.draw(st.sets(st.sampled_from(rows))) if rows else ()))
    made = batch(rows, kind, sent=sent)
    if made.refused:
        assert made.observations == ()
        return
    assert Counter([*made.observations, *(held.observation for held in made.held)]) == Counter(rows)
    times = Counter(row.mjd_utc for row in rows)
    for row in made.observations:
        assert observation_key(row) not in sent
        assert times[row.mjd_utc] == 1
        assert sum(other.night == row.night and times[other.mjd_utc] == 1 for other in rows) >= 2
    if kind is Kind.NEW:
        assert len({row.night for row in rows}) >= 3


def test_a_batch_is_of_one_object():
    with pytest.raises(ValueError, match="of 2: d000001, d000002"):
        batch([*tracklet(0, name="d000001"), *tracklet(0, name="d000002")], Kind.NEW)


@given(st.lists(observations(), min_size=1, max_size=6), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_a_digest_depends_on_the_observations_alone(rows, order):
    shuffled = order.sample(rows, len(rows))
    renamed = [row.named(Designation(temporary="other")) for row in shuffled]
    assert digest(rows) == digest(renamed)
    assert len(digest(rows)) == 64


@given(st.lists(observations(), min_size=2, max_size=6, unique_by=observation_key))
@settings(max_examples=50)
def test_a_digest_changes_with_every_observation(rows):
    assert digest(rows) != digest(rows[1:])


@pytest.mark.parametrize("changes", [{"ra": 150.2}, {"dec": -5.1}, {"station": "I41"}, {"mjd_utc": 61135.2}])
def test_another_place_time_or_observatory_is_another_observation(changes):
    row = tracklet(0)[0]
    assert observation_key(row) != observation_key(replace(row, **changes))


def test_another_magnitude_is_the_same_observation():
    row = tracklet(0)[0]
    assert observation_key(row) == observation_key(replace(row, mag=19.0, rms_ra=1.0))


def test_a_file_is_named_for_its_last_night_kind_object_and_digest():
    made = batch(random.Random(1).sample(THREE_NIGHTS, 6), Kind.NEW)
    assert file_name(made, "psv") == f"X05_20260410_new_d00001A_{made.digest[:8]}.psv"


def test_a_files_name_has_no_characters_of_paths():
    rows = [row.named(Designation(provisional="C/2025 N1")) for row in tracklet(0)]
    assert "_reobserved_C-2025-N1_" in file_name(batch(rows, Kind.REOBSERVED), "xml")


def test_an_empty_batch_has_no_file():
    with pytest.raises(ValueError, match="no observation is left"):
        file_name(batch([], Kind.NEW), "psv")
