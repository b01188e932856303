"""The simulated survey against JPL Horizons: real objects, their places and their brightness."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from mops.science.elements import elements_from_states
from mops.science.time_scales import tai_from_utc
from mops.synthetic.brightness import V_MINUS_BAND
from mops.synthetic.detections import simulate
from mops.synthetic.pointings import Pointings
from mops.synthetic.population import Population, make_population
from mops.synthetic.sky import unit_vectors
from tests.mops.horizons_places import orbits, rows

pytestmark = pytest.mark.real_data
NAMES = (
    "2020 AV2",
    "2010 TK7",
    "2000 PH5",
    "Amor",
    "Nyx",
    "Napolitania",
    "Pallas",
    "Aci",
    "Edlu",
    "Agamemnon",
    "Aneas",
    "Pholus",
    "Albion",
    "1993 SC",
)
FAR_INSIDE = 40.0  # mag, a depth at which neither fading nor noise is left


@cache
def of_horizons(name: str, site: str) -> tuple[Population, Pointings, np.ndarray, np.ndarray, np.ndarray]:
    """One object; a visit for each of its 45 places, half a degree off; the places (45, 3), V and phase angles."""
    names, states, epochs = orbits()
    which = next(k for k, each in enumerate(names) if name in each)
    table = [row for row in rows() if name in row["targetname"] and row["observatory_code"] == site]
    ra, dec, v, utc, phase = (
        np.array([float(row[key]) for row in table]) for key in ("RA", "DEC", "V", "mjd_utc", "alpha")
    )
    n = len(table)
    one = make_population(1, 1, {"main_belt_inner": 1})
    sky = replace(
        one,
        state=states[which : which + 1],
        elements=elements_from_states(states[which : which + 1], epochs[which]),
        epoch_mjd_tdb=float(epochs[which]),
        h=np.array([float(table[0]["H"])]),
        g=np.array([float(table[0]["G"])]),
    )
    visits = Pointings(
        visit=np.arange(1, n + 1, dtype=np.int64),
        mjd_tai=tai_from_utc(utc),
        ra=ra,
        dec=dec + np.where(dec > 0, -0.5, 0.5),
        band=np.full(n, 2, dtype=np.int8),
        night=np.arange(n, dtype=np.int32),
        m5=np.full(n, FAR_INSIDE),
        seeing=np.ones(n),
    )
    return sky, visits, unit_vectors(ra, dec), v, phase


@pytest.mark.parametrize("name", NAMES)
def test_places_and_magnitudes_are_those_of_horizons(name):
    """From inside Venus's orbit to beyond Neptune, up to two and a half years from the dates of the orbits."""
    for site in ("X05", "W84"):
        sky, visits, place, v, phase = of_horizons(name, site)
        seen, _ = simulate(sky, visits, seed=1, site=site, astrometric_noise=0.0, planets=True)
        assert len(seen) == 45
        off = np.linalg.norm(unit_vectors(seen.ra, seen.dec) - place, axis=1)
        assert np.degrees(off).max() * 3.6e6 < 15  # mas
        bright = seen.mag + V_MINUS_BAND[int(sky.stony[0]), 2]
        assert np.abs(bright - v)[phase < 100].max(initial=0) < 0.001  # Horizons' last digit; no function fits farther


def test_without_planets_the_same_object_strays():
    sky, visits, place, _, _ = of_horizons("2000 PH5", "X05")
    seen, _ = simulate(sky, visits, seed=1, site="X05", astrometric_noise=0.0)
    off = np.linalg.norm(unit_vectors(seen.ra, seen.dec) - place, axis=1)
    assert np.degrees(off).max() * 3.6e6 > 200
