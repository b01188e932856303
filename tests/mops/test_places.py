"""Places on the sky: in any order, at the poles, from any observer, and where there is nothing to see."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science import ephemeris, propagation
from mops.science.constants import C_AU_PER_DAY
from mops.science.time_scales import tdb_from_tai
from tests.mops.orbit_oracles import EPOCH, conics, orbit

DAYS = np.array([7.0, -3.0, 20.0, 0.0, -15.0])
FIELDS = ("ra", "dec", "distance_au", "sun_distance_au", "rate_ra", "rate_dec")


def seen(states, days=DAYS, **more) -> propagation.Places:
    tai = EPOCH + np.asarray(days, float)
    return propagation.places(states, EPOCH, tai, ephemeris.earth(tdb_from_tai(tai))[0], **more)


def same(one, other, tolerance=1e-10) -> bool:
    return all(np.allclose(getattr(one, name), getattr(other, name), rtol=0, atol=tolerance) for name in FIELDS)


@given(st.permutations(range(5)))
@settings(max_examples=15, deadline=None)
def test_times_may_come_in_any_order(order):
    usual, mixed = seen(orbit()), seen(orbit(), DAYS[list(order)])
    for name in FIELDS:
        assert getattr(mixed, name) == pytest.approx(getattr(usual, name)[:, list(order)], abs=1e-11)


def test_bodies_do_not_mix():
    states = np.array([orbit(), [np.nan] * 6, orbit(q=1.2, e=2.0)])
    together = seen(states)
    assert np.isnan(together.ra[1]).all()
    for k in (0, 2):
        alone = seen(states[k])
        assert (together.ra[k] == alone.ra[0]).all()
        assert (together.distance_au[k] == alone.distance_au[0]).all()


def test_a_covariance_of_no_use_to_others_is_kept_apart():
    states = np.array([orbit(), [np.nan] * 6])
    found = seen(states, covariances=np.broadcast_to(1e-14 * np.eye(6), (2, 6, 6)))
    assert found.covariance.shape == (2, 5, 2, 2)
    assert np.isfinite(found.covariance[0]).all()
    assert np.isnan(found.covariance[1]).all()


@given(conics)
@settings(max_examples=40, deadline=None)
def test_distances_close_the_triangle_of_sun_earth_and_body(state):
    found = seen(state, [0.0])
    if np.isfinite(found.ra).all():
        observer = ephemeris.earth(tdb_from_tai(EPOCH))[0][0]
        ra, dec = np.radians(found.ra[0, 0]), np.radians(found.dec[0, 0])
        outward = np.array([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)])
        there = observer + found.distance_au[0, 0] * outward
        assert np.linalg.norm(there) == pytest.approx(found.sun_distance_au[0, 0], rel=1e-10)


@given(conics)
@settings(max_examples=40, deadline=None)
def test_coordinates_lie_in_their_ranges(state):
    found = seen(state)
    known = np.isfinite(found.ra)
    assert ((found.ra[known] >= 0) & (found.ra[known] < 360)).all()
    assert (np.abs(found.dec[known]) <= 90).all()
    assert (found.distance_au[known] > 0).all()


@given(st.floats(0.5, 40), st.floats(0, 0.8), st.floats(0, 180))
@settings(max_examples=30, deadline=None)
def test_rates_are_the_slope_of_the_places(q, e, i):
    step = 0.005
    found = seen(orbit(q=q, e=e, i=i), [-step, 0.0, step])
    across = (np.diff(found.ra[0, ::2])[0] + 180) % 360 - 180
    expected = across * np.cos(np.radians(found.dec[0, 1])) / (2 * step)
    assert found.rate_ra[0, 1] == pytest.approx(expected, abs=2e-5 * (1 + abs(expected)))
    assert found.rate_dec[0, 1] == pytest.approx(
        np.diff(found.dec[0, ::2])[0] / (2 * step), abs=2e-5 * (1 + abs(expected))
    )


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_body_over_a_pole_of_the_sky_has_a_place(side):
    observer, state = np.zeros((1, 3)), np.array([0.0, 0.0, 2.0 * side, 0.0, 0.0, 0.001])
    found = propagation.places(
        state, EPOCH, EPOCH, observer, observer_velocity=np.zeros((1, 3)), covariances=1e-12 * np.eye(6)[None]
    )
    assert found.dec[0, 0] == pytest.approx(90 * side, abs=1e-2)
    assert np.isfinite(found.ra).all()
    assert np.isfinite(found.rate_ra).all()
    assert np.linalg.eigvalsh(found.covariance[0, 0]).min() > 0


def test_light_from_neptune_is_four_hours_late():
    state = orbit(q=30.0, e=0.0)
    found = seen(state, [0.0])
    assert found.distance_au[0, 0] / C_AU_PER_DAY * 24 == pytest.approx(4.1, abs=0.2)
    ago = propagation.propagate_nbody(state, EPOCH, tdb_from_tai(EPOCH) - found.distance_au[0, 0] / C_AU_PER_DAY)[0]
    assert found.sun_distance_au[0, 0] == pytest.approx(np.linalg.norm(ago[:3]), abs=3e-6)  # the Sun moved meanwhile


def test_no_times_are_no_places():
    found = propagation.places(orbit(), EPOCH, np.zeros(0), np.zeros((0, 3)))
    assert found.ra.shape == (1, 0)


def test_no_bodies_are_no_places():
    assert seen(np.zeros((0, 6))).ra.shape == (0, 5)


def test_asking_twice_has_the_same_answer():
    assert same(seen(orbit()), seen(orbit()), tolerance=0.0)


@pytest.mark.parametrize("shape", [(4, 3), (6, 3), (1, 3)])
def test_observers_of_another_number_are_said(shape):
    with pytest.raises(ValueError, match=r"5 times need observers of shape \(5, 3\), not"):
        propagation.places(orbit(), EPOCH, EPOCH + DAYS, np.zeros(shape))


@pytest.mark.parametrize("wrong", [np.nan, 100.0, 200_000.0])
def test_a_time_outside_the_ephemeris_is_said(wrong):
    with pytest.raises(ValueError, match="covers MJD"):
        propagation.places(orbit(), EPOCH, np.array([EPOCH, wrong]), np.zeros((2, 3)), observer_velocity=np.zeros(3))
