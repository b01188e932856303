"""Lines of sight with light time: one integration against one each, and the slopes against differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science import ephemeris, nbody, sight
from mops.science.constants import C_AU_PER_DAY
from mops.science.perturbers import perturbers
from mops.science.propagation import propagate_nbody
from tests.mops.orbit_oracles import EPOCH, conics, orbit, slopes


def traced(state, times, observer=None, *, epoch=EPOCH, with_partials=False):
    """Lines, motions, partials, and whether the body could be followed."""
    times = np.asarray(times, float)
    observer = ephemeris.earth(times)[0] if observer is None else observer
    sun_motion = ephemeris.barycentric("sun", times)[1]
    table = perturbers(min([*times, epoch]), max([*times, epoch]))
    line, motion = np.full((len(times), 3), np.nan), np.full((len(times), 3), np.nan)
    partials = np.full((len(times) if with_partials else 0, 18), np.nan)
    followed = sight.trace(
        np.array(state, float), epoch, times, observer, sun_motion, table.first_mjd_tdb, table.coefficients,
        nbody.new_step(), line, motion, partials,
    )  # fmt: skip
    return line, motion, partials.reshape(-1, 3, 6), followed


def seen_once(state, time, observer) -> tuple[np.ndarray, np.ndarray]:
    """Line and motion, each repetition its own propagation from the epoch."""
    sun_motion, delay = ephemeris.barycentric("sun", time)[1][0], 0.0
    for _ in range(6):
        there = propagate_nbody(state, EPOCH, time - delay)[0]
        line = there[:3] - observer - delay * sun_motion
        delay = float(np.linalg.norm(line)) / C_AU_PER_DAY
    return line, there[3:]


@given(conics, st.lists(st.floats(-90, 90), min_size=1, max_size=6))
@settings(max_examples=30, deadline=None)
def test_one_integration_sees_what_one_each_does(state, days):
    times = EPOCH + np.sort(days)
    observer = ephemeris.earth(times)[0]
    line, motion, _, followed = traced(state, times)
    if not followed:
        return
    for k, time in enumerate(times):
        expected, velocity = seen_once(state, time, observer[k])
        assert line[k] == pytest.approx(expected, abs=3e-10)
        assert motion[k] == pytest.approx(velocity, abs=1e-9)


def test_ordinary_bodies_are_followed():
    """So that the property above is not about none."""
    for state in (orbit(), orbit(q=0.5, e=0.8), orbit(q=2.0, e=1.0), orbit(q=1.5, e=4.0), orbit(i=90), orbit(i=180)):
        assert traced(state, EPOCH + np.array([-80.0, 0.0, 80.0]))[3]


@given(conics, st.floats(-60, 60))
@settings(max_examples=30, deadline=None)
def test_light_takes_the_time_of_its_way(state, day):
    """|line| / c before reception the body was where the line ends."""
    time = EPOCH + day
    line, _, _, followed = traced(state, [time])
    if followed:
        delay = np.linalg.norm(line[0]) / C_AU_PER_DAY
        there = propagate_nbody(state, EPOCH, time - delay)[0, :3]
        drift = delay * ephemeris.barycentric("sun", time)[1][0]
        assert line[0] + ephemeris.earth(time)[0][0] + drift == pytest.approx(there, abs=3e-10)


@pytest.mark.parametrize("span", [0.0, 3.0, -3.0, 50.0, -50.0])
@pytest.mark.parametrize(
    "state", [orbit(), orbit(q=0.6, e=0.6, i=120.0), orbit(q=1.2, e=2.5)], ids=["belt", "near", "unbound"]
)
def test_slopes_are_those_of_differences(state, span):
    _, _, partials, _ = traced(state, [EPOCH + span], with_partials=True)
    expected = slopes(lambda start: traced(start, [EPOCH + span])[0][0], state, np.repeat([1e-6, 1e-8], 3))
    assert partials[0] == pytest.approx(expected, abs=1e-3 * max(1.0, np.abs(expected).max()))


def test_lines_are_the_same_with_and_without_slopes():
    times = EPOCH + np.linspace(-40, 40, 9)
    assert (traced(orbit(), times)[0] == traced(orbit(), times, with_partials=True)[0]).all()


@given(st.floats(0.1, 40), st.floats(0.1, 40))
@settings(max_examples=20, deadline=None)
def test_what_is_seen_after_the_epoch_does_not_hang_on_what_is_before(before, after):
    both = traced(orbit(), [EPOCH - before, EPOCH + after])[0]
    assert both[1] == pytest.approx(traced(orbit(), [EPOCH + after])[0][0], abs=1e-14)
    assert both[0] == pytest.approx(traced(orbit(), [EPOCH - before])[0][0], abs=1e-14)


def test_two_detections_at_one_time_see_the_same():
    line, motion, _, _ = traced(orbit(), [EPOCH + 5, EPOCH + 5, EPOCH + 5])
    assert (line == line[0]).all()
    assert (motion == motion[0]).all()


def test_two_observers_at_one_time_see_one_body():
    observer = ephemeris.earth(np.full(2, EPOCH + 5))[0] + np.array([[0, 0, 0], [1e-5, 0, 0]])
    line = traced(orbit(), [EPOCH + 5, EPOCH + 5], observer)[0]
    assert (line + observer)[0] == pytest.approx((line + observer)[1], abs=1e-8)
    assert (line[0] - line[1])[0] == pytest.approx(1e-5, abs=1e-9)


def test_at_the_epoch_the_body_is_seen_as_it_was_a_light_time_ago():
    line, _, _, followed = traced(orbit(), [EPOCH])
    assert followed
    assert line[0] == pytest.approx(seen_once(orbit(), EPOCH, ephemeris.earth(EPOCH)[0][0])[0], abs=1e-11)


def test_no_times_are_no_lines():
    line, _, _, followed = traced(orbit(), [])
    assert followed
    assert line.shape == (0, 3)


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_state_that_is_no_number_cannot_be_followed(wrong):
    for column in range(6):
        state = orbit()
        state[column] = wrong
        assert not traced(state, [EPOCH - 5, EPOCH + 5])[3]


def test_a_body_that_falls_into_the_sun_cannot_be_followed():
    falling = np.array([0.3, 0.01, 0, 0, 0, 0])
    assert traced(falling, [EPOCH + 2.0])[3]
    assert not traced(falling, [EPOCH + 2.0, EPOCH + 30.0])[3]
