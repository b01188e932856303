"""Errors of elements against clouds of orbits, U against the MPC's own table, arcs in words."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science.elements import Elements, elements_from_states, states_from_elements
from mops.science.uncertainty import (
    NO_U,
    ElementErrors,
    arc_words,
    element_errors,
    oppositions,
    period_days,
    u_parameter,
)

EPOCH = np.array([60_400.0])


def orbit(a: float = 2.5, e: float = 0.15, i: float = 8.0, mean_anomaly: float = 40.0) -> Elements:
    a_, e_, i_, node, argperi, mean = np.array([[a], [e], [i], [75.0], [120.0], [mean_anomaly]])
    return Elements.of_mean_anomaly(a_, e_, i_, node, argperi, mean, EPOCH)


def state_of(elements: Elements) -> np.ndarray:
    return states_from_elements(elements, EPOCH)


def covariance(seed, position_au=1e-7, velocity=1e-9):
    random = np.random.default_rng(seed)
    root = random.normal(0, 1, (6, 6)) * np.r_[[position_au] * 3, [velocity] * 3][:, None]
    return (root @ root.T)[None]


def errors(peri_time: float, period: float) -> ElementErrors:
    nothing = np.zeros(1)
    others = dict.fromkeys(("a", "q", "e", "i", "node", "argperi", "mean_anomaly"), nothing)
    return ElementErrors(**others, peri_time=np.array([peri_time]), period=np.array([period]))


@given(st.floats(0.6, 40), st.floats(0.02, 0.9), st.floats(1, 170), st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_errors_of_elements_are_the_spread_of_a_cloud_of_orbits(a, e, i, seed):
    state = state_of(orbit(a, e, i))
    spread = covariance(seed, 1e-8, 1e-10)
    cloud = np.random.default_rng(seed).multivariate_normal(state[0], spread[0], 4_000)
    seen = elements_from_states(cloud, np.repeat(EPOCH, 4_000))
    found = element_errors(state, EPOCH, spread)
    for name in ("a", "q", "e", "i", "peri_time"):
        assert getattr(found, name)[0] == pytest.approx(np.std(getattr(seen, name)), rel=0.06), name
    assert found.period[0] == pytest.approx(np.std(period_days(seen.a)), rel=0.06)


@pytest.mark.parametrize("mean_anomaly", [0.0, 359.999_999_9, 180.0])
def test_an_angle_at_its_full_turn_is_no_less_certain(mean_anomaly):
    """Compared with an orbit a little farther on, whose mean anomaly is far from 0° and 360°."""
    there, near = (
        element_errors(state_of(orbit(mean_anomaly=each)), EPOCH, covariance(4)).mean_anomaly[0]
        for each in (mean_anomaly, mean_anomaly + 0.5)
    )
    assert there == pytest.approx(near, rel=0.1)


def test_twice_the_errors_of_the_state_are_twice_those_of_the_elements():
    state = state_of(orbit())
    one, two = (element_errors(state, EPOCH, scale * covariance(2)) for scale in (1, 4))
    for name in ElementErrors.__slots__:
        assert getattr(two, name) == pytest.approx(2 * getattr(one, name)), name


def test_a_hyperbola_has_errors_but_no_period_and_no_u():
    state = state_of(orbit(-1.3, 1.2, 120.0))
    found = element_errors(state, EPOCH, covariance(5))
    assert found.e[0] > 0
    assert np.isnan(found.period[0])
    assert u_parameter(elements_from_states(state, EPOCH), found).tolist() == [NO_U]


def test_a_covariance_that_is_none_gives_no_errors_and_no_u():
    state = state_of(orbit())
    found = element_errors(state, EPOCH, np.full((1, 6, 6), np.nan))
    assert np.isnan(found.a[0])
    assert u_parameter(orbit(), found).tolist() == [NO_U]


@pytest.mark.parametrize(
    ("limit", "below"),
    [(1.0, 0), (4.4, 1), (19.6, 2), (86.5, 3), (382, 4), (1692, 5), (7488, 6), (33_121, 7), (146_502, 8)],
)  # the table of the MPC's page, whose limits have three to six figures
def test_u_follows_the_table_of_the_minor_planet_center(limit, below):
    year = orbit(a=1.0, e=0.0)
    days = limit / (10 * np.degrees(0.01720209895) * 3600 * 3)  # dP of that runoff for P = 1 year, e = 0
    years = period_days(year.a)[0] / 365.25
    assert u_parameter(year, errors(0.0, 0.98 * days * years**2)).tolist() == [below]
    assert u_parameter(year, errors(0.0, 1.02 * days * years**2)).tolist() == [below + 1]


@given(st.floats(0, 1e6), st.floats(0, 1e6))
@settings(max_examples=100, deadline=None)
def test_u_is_a_figure_from_0_to_9_and_grows_with_the_errors(peri_time, period):
    u = u_parameter(orbit(), errors(peri_time, period))[0]
    assert 0 <= u <= 9
    assert u <= u_parameter(orbit(), errors(2 * peri_time, 2 * period))[0]


def test_a_perfectly_known_orbit_is_0_and_a_hardly_known_one_9():
    assert u_parameter(orbit(), errors(0.0, 0.0)).tolist() == [0]
    assert u_parameter(orbit(), errors(1e5, 1e5)).tolist() == [9]
    assert u_parameter(replace(orbit(), e=np.array([1.0])), errors(0.1, 0.1)).tolist() == [NO_U]


def test_the_period_is_keplers():
    assert period_days(np.array([1.0, 4.0, -2.0, np.inf])) == pytest.approx(
        [365.2569, 8 * 365.2569, np.nan, np.nan], nan_ok=True, rel=1e-6
    )


def test_oppositions_are_parted_by_half_a_year():
    assert oppositions(np.array([])) == 0
    assert oppositions(np.array([60_000.0, 60_100.0, 60_010.0])) == 1
    assert oppositions(np.array([60_900.0, 60_000.0, 60_450.0])) == 3


@pytest.mark.parametrize(
    ("times", "nights", "words"),
    [
        ([], 0, "not observed"),
        ([0.0, 0.02], 1, "29 min"),
        ([0.0, 0.1], 1, "2.4 h"),
        ([0.0, 3.1, 9.1], 3, "9.1 days in 3 nights"),
        ([0.0, 475.0], 2, "2 oppositions, 1.3 years"),
    ],
)
def test_arcs_are_said_as_people_say_them(times, nights, words):
    assert arc_words(60_000 + np.array(times), nights) == words
