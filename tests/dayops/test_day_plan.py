"""The day's plan: what is expected, in which order, and how a step stands."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayops.day_plan import Plan, Step, StepState, step_state

DAY = 20261122
days = st.dates(min_value=date(2000, 1, 1), max_value=date(2090, 1, 1))


def day_obs(day) -> int:
    return int(day.strftime("%Y%m%d"))


def step(count: int = 3, ends_after_s: float = 100.0) -> Step:
    return Step("bias", "Bias", "BIAS", "", (0.0,) * count, 0.0, ends_after_s)


def test_a_day_is_three_biases_three_darks_three_flats_a_filter_and_a_chunk_of_the_ptc():
    counts = {one.name: one.count for one in Plan.load().steps_for(DAY)}
    flats = {f"flat-{band}": 3 for band in "grizy"}
    assert counts == {"bias": 3, "dark": 3, **flats, "ptc": 4}


def test_darks_have_different_exposure_times():
    (dark,) = (one for one in Plan.load().steps_for(DAY) if one.name == "dark")
    assert len(set(dark.exposures_s)) == dark.count


@given(days)
def test_every_day_has_the_25_exposures_that_one_group_of_calibrations_may_have(day):
    assert [one.seq_num for one in Plan.load().exposures(day_obs(day))] == list(range(1, 26))


@given(days)
def test_exposures_never_overlap(day):
    plan = Plan.load()
    exposures = plan.exposures(day_obs(day))
    for earlier, later in pairwise(exposures):
        assert later.begins_after_s >= earlier.begins_after_s + earlier.exposure_s + plan.overhead_s - 1e-6


@given(days)
def test_exposures_lie_within_their_step(day):
    plan = Plan.load()
    steps = {one.name: one for one in plan.steps_for(day_obs(day))}
    for one in plan.exposures(day_obs(day)):
        assert steps[one.step].begins_after_s <= one.begins_after_s + 1e-6
        assert one.begins_after_s + one.exposure_s <= steps[one.step].ends_after_s


def test_seven_days_in_a_row_give_the_whole_photon_transfer_curve_across_a_months_end():
    chunks = {
        Plan.load().steps_for(day)[-1].exposures_s for day in (*range(20261128, 20261131), *range(20261201, 20261205))
    }
    assert len(chunks) == 7


@given(days)
def test_a_ptc_chunk_is_two_pairs_of_flats(day):
    one, two, three, four = Plan.load().steps_for(day_obs(day))[-1].exposures_s
    assert one == two
    assert three == four
    assert one != three


def test_the_ptc_says_which_chunk_it_is():
    titles = {Plan.load().steps_for(day)[-1].title for day in range(20261122, 20261129)}
    assert titles == {f"Photon transfer curve, chunk {n} of 7" for n in range(1, 8)}


def test_the_plan_is_over_when_its_last_exposure_is_read_out():
    plan = Plan.load()
    last = plan.exposures(DAY)[-1]
    assert plan.duration_s(DAY) == pytest.approx(last.begins_after_s + last.exposure_s + plan.overhead_s)


def test_an_unknown_plan_is_refused_with_the_known_ones():
    with pytest.raises(KeyError, match="no day plan 'weekly': known are daily"):
        Plan.load("weekly")


def test_a_day_that_is_no_date_is_refused():
    with pytest.raises(ValueError, match="20261332 is not a dayObs"):
        Plan.load().exposures(20261332)


@pytest.mark.parametrize(
    ("received", "elapsed_s", "is_over", "state"),
    [
        (3, 0.0, False, StepState.OK),
        (4, 1e9, True, StepState.OK),
        (2, 100.0, False, StepState.WAITING),
        (2, 219.0, False, StepState.WAITING),
        (2, 221.0, False, StepState.LATE),
        (0, 221.0, False, StepState.LATE),
        (2, 0.0, True, StepState.MISSING),
    ],
)
def test_a_step_is_ok_waiting_late_or_missing(received, elapsed_s, is_over, state):
    assert step_state(step(), received, elapsed_s, is_over=is_over) is state
