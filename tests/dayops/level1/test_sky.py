"""Pixels, ranges of them, and distances."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from hypothesis import given
from hypothesis import strategies as st

from dayops.level1 import sky

ra = st.floats(0, 360, exclude_max=True)
dec = st.floats(-90, 90)
radius = st.floats(-4, 1).map(lambda power: 10**power)


@given(ra, dec, radius, st.floats(0, 1), st.floats(0, 360))
def test_the_ranges_hold_every_place_within_the_radius(ra, dec, radius, fraction, bearing):
    from astropy import units as u

    there = SkyCoord(ra * u.deg, dec * u.deg).directional_offset_by(bearing * u.deg, 0.999 * fraction * radius * u.deg)
    pixel = sky.pixels(np.array([there.ra.deg % 360]), np.array([there.dec.deg]))[0]
    held = sky.ranges(ra, dec, radius)
    assert ((held[:, 0] <= pixel) & (pixel <= held[:, 1])).any()


@pytest.mark.parametrize("radius", [1 / 3600, 0.01, 0.5, 3.5])
def test_the_ranges_hold_little_more_than_the_cone(radius):
    rng = np.random.default_rng(1)
    for ra, dec in zip(rng.uniform(0, 360, 20), np.degrees(np.arcsin(rng.uniform(-1, 1, 20))), strict=True):
        held = sky.ranges(ra, dec, radius)
        area = (held[:, 1] - held[:, 0] + 1).sum() * 41_252.96 / (12 * 4.0**29)
        assert area < 2.5 * np.pi * radius**2
        assert len(held) <= 64


def test_ranges_are_in_order_and_apart():
    held = sky.ranges(10.0, -30.0, 0.5)
    assert (held[:, 0] <= held[:, 1]).all()
    assert (held[1:, 0] > held[:-1, 1] + 1).all()


@given(ra, dec, ra, dec)
def test_distances_are_those_of_astropy(ra, dec, other_ra, other_dec):
    expected = SkyCoord(ra, dec, unit="deg").separation(SkyCoord(other_ra, other_dec, unit="deg")).deg
    found = sky.separation_deg(*(np.array([each]) for each in (ra, dec, other_ra, other_dec)))[0]
    assert found == pytest.approx(expected, abs=2e-6 if expected > 179 else 1e-11, rel=1e-9)


def test_a_milliarcsecond_is_told_apart():
    found = sky.separation_deg(np.array([359.9999999]), np.array([0.0]), np.array([0.0000001]), np.array([0.0]))
    assert found[0] * 3600 == pytest.approx(0.00072, rel=1e-6)


def test_a_pixel_is_the_finest_and_positive():
    found = sky.pixels(np.array([0.0, 359.999999, 12.0]), np.array([90.0, -90.0, 0.0]))
    assert (found >= 0).all()
    assert (found < 12 * 4**29).all()
