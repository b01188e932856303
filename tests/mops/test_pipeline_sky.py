"""A sky moved to where coordinates are awkward: over RA 0 and to the poles the same objects are linked."""

import numpy as np
import pytest

from mops.science.detections import Detections
from mops.science.linking.search import search
from mops.science.tracklets import make_tracklets
from tests.mops.linked import detected, opposite_the_sun

STATES = opposite_the_sun(3)
SKY = detected(STATES, nights=4, sigma=0.02)


def turned(detections: Detections, ra: float, dec: float) -> Detections:
    """The sky and the observer turned together so that the detections' middle is at (ra, dec)."""
    middle = vectors(detections.ra, detections.dec).mean(axis=0)
    at_ra, at_dec = (
        np.degrees(np.arctan2(middle[1], middle[0])),
        np.degrees(np.arcsin(middle[2] / np.linalg.norm(middle))),
    )
    turn = about_z(ra) @ about_y(-dec) @ about_y(at_dec) @ about_z(-at_ra)
    x, y, z = turn @ vectors(detections.ra, detections.dec).T
    values = {name: getattr(detections, name) for name in Detections.__slots__}
    values |= {
        "ra": np.degrees(np.arctan2(y, x)) % 360,
        "dec": np.degrees(np.arcsin(np.clip(z, -1, 1))),
        "observer": detections.observer @ turn.T,
    }
    return Detections(**values)


def vectors(ra, dec):
    ra, dec = np.radians(ra), np.radians(dec)
    return np.stack([np.cos(dec) * np.cos(ra), np.cos(dec) * np.sin(ra), np.sin(dec)], axis=-1)


def about_z(degrees: float):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])


def about_y(degrees: float):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


AWKWARD = [(0.0, 0.0), (359.9, 40.0), (180.0, 89.9), (30.0, -90.0), (90.0, 0.0)]


def pairs(detections: Detections) -> set[tuple[int, ...]]:
    made = make_tracklets(detections).tracklets
    return {tuple(each) for each in np.split(detections.id[made.members], made.first[1:-1])}


def lonely() -> Detections:
    """One object alone, so that its sky can be turned as a small one."""
    return SKY.take(SKY.id < 2_000)


def test_turning_the_sky_keeps_every_angle_in_it():
    there = turned(SKY, 0.0, 89.0)
    before, after = vectors(SKY.ra, SKY.dec), vectors(there.ra, there.dec)
    np.testing.assert_allclose(after @ after.T, before @ before.T, atol=1e-12)
    assert ((there.ra >= 0) & (there.ra < 360)).all()


@pytest.mark.parametrize(("ra", "dec"), AWKWARD)
def test_the_same_tracklets_are_made_wherever_the_sky_lies(ra, dec):
    usual = pairs(lonely())
    assert len(usual) == 4
    assert pairs(turned(lonely(), ra, dec)) == usual


@pytest.mark.parametrize(("ra", "dec"), AWKWARD)
def test_rates_are_on_the_sky_and_so_the_same_everywhere(ra, dec):
    speeds = []
    for each in (lonely(), turned(lonely(), ra, dec)):
        made = make_tracklets(each).tracklets
        speeds.append(np.sort(np.hypot(made.rate_ra, made.rate_dec)))
    np.testing.assert_allclose(speeds[1], speeds[0], rtol=1e-4)


@pytest.mark.parametrize(("ra", "dec"), [(0.0, 0.0), (10.0, 85.0)])
def test_an_object_is_linked_wherever_the_sky_lies(ra, dec):
    there = turned(lonely(), ra, dec)
    tracklets = make_tracklets(there).tracklets
    found = search(there, tracklets)
    sets = [set(there.id[found.members[found.first[k] : found.first[k + 1]]].tolist()) for k in range(len(found))]
    assert max((len(each) for each in sets), default=0) >= 6
