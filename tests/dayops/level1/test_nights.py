"""The night of a time is the ground floor's dayObs."""

from datetime import UTC, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dayops.level1.nights import day_obs
from dayops.observing_day import day_obs_at, mjd_tai


@given(st.floats(0, 40_000))
def test_the_night_of_millions_is_the_night_of_one(days):
    at = datetime(1990, 1, 2, tzinfo=UTC) + timedelta(days=days)
    since_noon = (at + timedelta(seconds=37)).time()
    if abs(since_noon.hour * 3600 + since_noon.minute * 60 + since_noon.second - 43_200) > 60:  # not at the very turn
        assert day_obs(np.array([mjd_tai(at)])).tolist() == [day_obs_at(at)]


def test_a_night_turns_at_noon_tai():
    noon = 61_365.5
    assert day_obs(np.array([np.nextafter(noon, 0), noon])).tolist() == [20261120, 20261121]


def test_nights_come_back_in_the_order_of_their_times():
    assert day_obs(np.array([61_366.1, 61_365.1, 61_366.2])).tolist() == [20261121, 20261120, 20261121]


def test_no_times_have_no_nights():
    assert day_obs(np.empty(0)).tolist() == []
