"""Magnitudes, detection and measurement errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.synthetic.brightness import (
    V_MINUS_BAND,
    astrometric_sigma,
    detection_probability,
    signal_to_noise,
    v_magnitude,
)

M5 = np.array([24.0])


def in_numpy(h, g, sun_object, object_observer, sun_observer):
    """The H, G system with the phase angle from two vectors."""
    cosine = (sun_object**2 + object_observer**2 - sun_observer**2) / (2 * sun_object * object_observer)
    half = np.tan(np.minimum(np.arccos(np.clip(cosine, -1, 1)), np.radians(150)) / 2)
    phi_1, phi_2 = np.exp(-3.33 * half**0.63), np.exp(-1.87 * half**1.22)
    return h + 5 * np.log10(sun_object * object_observer) - 2.5 * np.log10((1 - g) * phi_1 + g * phi_2)


@settings(max_examples=200, deadline=None)
@given(st.floats(5, 25), st.floats(0, 0.5), st.floats(0.3, 50), st.floats(0, 2 * np.pi), st.floats(0.98, 1.02))
def test_magnitudes_are_those_of_the_h_g_system(h, g, r, turn, earth):
    delta = float(np.hypot(r * np.cos(turn) - earth, r * np.sin(turn)))
    if delta > 1e-3:
        assert v_magnitude(h, g, r, delta, earth) == pytest.approx(in_numpy(h, g, r, delta, earth), abs=1e-9)


def test_at_opposition_only_distances_dim():
    assert v_magnitude(15.0, 0.15, 2.5, 1.5, 1.0) == pytest.approx(15 + 5 * np.log10(2.5 * 1.5))


def test_the_farther_from_opposition_the_dimmer():
    distances = [1 / (2 * np.sin(np.radians(phase / 2))) for phase in (5, 10, 20, 40, 80, 120)]
    dimming = [v_magnitude(0.0, 0.15, each, each, 1.0) - 10 * np.log10(each) for each in distances]
    assert (np.diff([0.0, *dimming]) > 0).all()


def test_beyond_the_last_phase_angle_magnitudes_stay_finite():
    assert np.isfinite(v_magnitude(20.0, 0.15, 0.9, 0.1, 1.0))
    assert v_magnitude(20.0, 0.15, 0.9, 0.1, 1.0) < 30


def test_stony_objects_are_redder():
    carbonaceous, stony = V_MINUS_BAND
    assert ((stony[2:] - stony[1]) > (carbonaceous[2:] - carbonaceous[1])).all()
    assert (np.diff(V_MINUS_BAND[:, :4], axis=1) > 0).all()


def test_half_are_detected_at_the_limit_all_above_it_and_none_far_below():
    share = detection_probability(M5 + np.array([-5.0, -1.0, 0.0, 0.5, 0.999, 1.0, 9.0]), M5)
    assert share[[0, 2, 5, 6]].tolist() == [1.0, 0.5, 0.0, 0.0]
    assert share[1] > 0.9999
    assert (np.diff(share) <= 0).all()


def test_signal_to_noise_is_five_at_the_limit_and_grows_with_light():
    found = signal_to_noise(M5 + np.array([0.0, -1.0, -5.0]), M5)
    assert found[0] == pytest.approx(5.0, abs=0.01)
    assert found[1] == pytest.approx(5 * 10**0.4, rel=0.05)  # the sky's noise rules near the limit
    assert found[2] < 5 * 10**2


def test_astrometry_is_the_floor_for_bright_and_the_seeing_over_noise_for_faint():
    bright, faint = astrometric_sigma(np.array([1e6, 5.0]), np.array([0.9, 0.9]), 0.010)
    assert bright == pytest.approx(0.010, rel=1e-6)
    assert faint == pytest.approx(np.hypot(0.010, 0.9 / 2.3548 / 5))
