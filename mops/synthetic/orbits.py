"""Elements drawn for one zone."""

import numpy as np
import numpy.typing as npt

from mops.science.constants import AU_KM, GM_SUN
from mops.synthetic.zones import Zone

Array = npt.NDArray[np.float64]

LIBRATION_DEG = (
    12.0  # scatter of the resonant angle; Trojans librate by 10° to 15° (Marzari et al. 2002, Asteroids III)
)
INTERSTELLAR_KM_PER_S = 20.0  # each axis of the velocity at infinity, as of nearby stars (1I 26, 2I 32, 3I 58 km/s)
PERIHELION_DAYS = 200.0  # interstellar objects pass the Sun at most this long before or after the epoch


def draw(zone: Zone, n: int, rng: np.random.Generator, epoch_mjd_tdb: float) -> dict[str, Array]:
    """`n` orbits of the zone at the epoch: the arguments of `Elements.of_mean_anomaly` by name, (n,) each."""
    unbound = zone.word == "interstellar"
    shape = _hyperbolic(zone, n, rng) if unbound else _elliptic(zone, n, rng)
    anomaly = _anomalies_near_perihelion(shape["a"], rng) if unbound else rng.uniform(0, 360, n)
    node = rng.uniform(0, 360, n)
    argperi = (_longitude_of_perihelion(zone, anomaly, rng, epoch_mjd_tdb) - node) % 360
    return {**shape, "node": node, "argperi": argperi, "mean_anomaly": anomaly}


def _elliptic(zone: Zone, n: int, rng: np.random.Generator) -> dict[str, Array]:
    """a, e, i of `n` ellipses with perihelia in the zone: drawn, and drawn again where refused."""
    a, e = np.empty(0), np.empty(0)
    while len(a) < n:
        more_a = rng.uniform(*zone.a, 2 * n + 16)
        more_e = rng.rayleigh(zone.e[0], 2 * n + 16)
        q = more_a * (1 - more_e)
        fits = (more_e < zone.e[1]) & (q >= zone.q[0]) & (q < zone.q[1])
        a, e = np.append(a, more_a[fits]), np.append(e, more_e[fits])
    a, e = a[:n], e[:n]
    return {"a": a, "e": e, "i": _inclinations(zone, n, rng)}


def _inclinations(zone: Zone, n: int, rng: np.random.Generator) -> Array:
    i = np.empty(0)
    while len(i) < n:
        more = rng.rayleigh(zone.i[0], 2 * n + 16)  # sin i · exp(−i²/2σ²) for the small widths that zones have
        i = np.append(i, more[more < zone.i[1]])
    return i[:n]


def _hyperbolic(zone: Zone, n: int, rng: np.random.Generator) -> dict[str, Array]:
    speed = np.linalg.norm(rng.normal(0, INTERSTELLAR_KM_PER_S, (n, 3)), axis=1) * 86400 / AU_KM
    q = rng.uniform(*zone.q, n)
    return {
        "a": -GM_SUN / speed**2,
        "e": 1 + q * speed**2 / GM_SUN,
        "i": np.degrees(np.arccos(rng.uniform(-1, 1, n))),
    }


def _anomalies_near_perihelion(a: Array, rng: np.random.Generator) -> Array:
    days = rng.uniform(-PERIHELION_DAYS, PERIHELION_DAYS, len(a))
    return np.asarray(np.degrees(np.sqrt(GM_SUN / np.abs(a) ** 3) * days))


def _longitude_of_perihelion(zone: Zone, anomaly: Array, rng: np.random.Generator, epoch_mjd_tdb: float) -> Array:
    """Longitudes of perihelion, degrees: any, or those that the resonance with Jupiter keeps.

    3:2 librates about 3λ_J − 2λ − ϖ = 0, hence ϖ = λ_J − 2M/3 up to thirds of a turn; 1:1 about λ − λ_J = ±60°.
    """
    n = len(anomaly)
    if not zone.resonance:
        return rng.uniform(0, 360, n)
    libration = rng.normal(0, LIBRATION_DEG, n)
    jupiter = jupiter_mean_longitude(epoch_mjd_tdb)
    if zone.resonance == "3:2":
        return jupiter - 2 * anomaly / 3 + 120 * rng.integers(0, 3, n) + libration / 3
    return jupiter + 60 * rng.choice([-1, 1], n) + libration - anomaly


def jupiter_mean_longitude(mjd_tdb: float) -> float:
    """Mean ecliptic longitude of Jupiter, degrees, J2000 (Standish, JPL "Keplerian elements", table 1, 1800–2050)."""
    return 34.39644051 + 3034.74612775 * (mjd_tdb - 51544.5) / 36525


def absolute_magnitudes(zone: Zone, n: int, rng: np.random.Generator) -> Array:
    """H by N(<H) ∝ 10^(αH) between the zone's limits, by inversion."""
    bright, faint = (10 ** (zone.slope * h) for h in zone.h)
    return np.log10(rng.uniform(bright, faint, n)) / zone.slope
