"""Orbits to order, and slow ways to the same answers, for the tests of the orbit kernels."""

import numpy as np
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from mops.science import ephemeris, perturbers, propagation, time_scales
from mops.science.constants import C_AU_PER_DAY, GM_PLANETS, GM_SUN
from mops.science.elements import Elements, states_from_elements
from mops.science.orbit_fit import Arcs

EPOCH = 60_430.0


def orbit(q=2.0, e=0.1, i=10.0, node=30.0, argperi=60.0, since_perihelion=50.0) -> np.ndarray:
    """A state (6,) at `EPOCH`: au, degrees, days."""
    given = (np.nan, q, e, i, node, argperi, np.nan, EPOCH - since_perihelion)
    return np.asarray(states_from_elements(Elements(*(np.array([each], float) for each in given)), EPOCH)[0])


angles = st.floats(0, 359.99)
conics = st.builds(
    orbit,
    st.floats(0.3, 30),
    st.one_of(st.floats(0, 0.95), st.floats(1.05, 5), st.floats(1 - 1e-7, 1 + 1e-7), st.sampled_from([0.0, 1.0])),
    st.one_of(st.floats(0, 180), st.sampled_from([0.0, 90.0, 180.0])),
    angles,
    angles,
    st.floats(-600, 600),
)


def acceleration(place, velocity, date) -> np.ndarray:
    """Of the Sun, its first post-Newtonian term and all perturbers, heliocentric, with DE440 itself."""
    r = np.linalg.norm(place)
    total = -GM_SUN * place / r**3
    slow = 4 * GM_SUN / r - velocity @ velocity
    total += GM_SUN / (C_AU_PER_DAY**2 * r**3) * (slow * place + 4 * (place @ velocity) * velocity)
    for name, gm in GM_PLANETS.items():
        planet = ephemeris.body(name, date)[0][0]
        away = planet - place
        total += gm * (away / np.linalg.norm(away) ** 3 - planet / np.linalg.norm(planet) ** 3)
    return np.asarray(total)


def by_scipy(state, days, epoch=EPOCH) -> np.ndarray:
    def motion(date, y):
        return np.concatenate([y[3:], acceleration(y[:3], y[3:], date)])

    solved = solve_ivp(motion, (epoch, epoch + days), state, rtol=1e-12, atol=1e-15, method="DOP853")
    return np.asarray(solved.y[:, -1])


def row_of(date) -> np.ndarray:
    """The perturbers of a date as the kernels take them."""
    table, row = perturbers.perturbers(date, date), np.zeros(perturbers.COLUMNS)
    perturbers.read(table.first_mjd_tdb, table.coefficients, date, row)
    return row


def slopes(function, at, steps) -> np.ndarray:
    """d function / d at (outputs, inputs) by central differences."""
    columns = []
    for k, step in enumerate(steps):
        ahead, behind = at.copy(), at.copy()
        ahead[k] += step
        behind[k] -= step
        columns.append((function(ahead) - function(behind)) / (2 * step))
    return np.stack(columns, axis=-1)


def arc_of(state, days, *, sigma=0.1, noise=0.0, seed=1, observer=None) -> Arcs:
    """One arc of `state` seen `days` (TAI) from `EPOCH`, from the Earth's centre, sigma and noise in arcsec."""
    tai = EPOCH + np.asarray(days, float)
    tdb = np.atleast_1d(time_scales.tdb_from_tai(tai))
    observer = ephemeris.earth(tdb)[0] if observer is None else observer
    seen = propagation.places(state, EPOCH, tai, observer)
    error = np.random.default_rng(seed).normal(0, noise / 3_600, (2, len(tdb)))
    spread = np.full(len(tdb), sigma)
    ra = seen.ra[0] + error[0] / np.cos(np.radians(seen.dec[0]))
    return Arcs(np.array([0, len(tdb)]), tdb, ra % 360, seen.dec[0] + error[1], spread, spread, observer)


def joined(*arcs: Arcs) -> Arcs:
    """Arcs one after the other."""
    counts = np.concatenate([np.diff(each.first) for each in arcs])
    names = ("mjd_tdb", "ra", "dec", "sigma_ra", "sigma_dec", "observer")
    flat = (np.concatenate([getattr(each, name) for each in arcs]) for name in names)
    return Arcs(np.concatenate([[0], np.cumsum(counts)]), *flat)


def nights(count, *, every=3.0, pair=0.02) -> np.ndarray:
    """Days of pairs on `count` nights about nought."""
    first = (np.arange(count) - (count - 1) / 2) * every
    return np.sort(np.concatenate([first, first + pair]))
