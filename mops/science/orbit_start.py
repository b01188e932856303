"""First orbits where no linker gives seeds: suppositions of distance for a short piece, then longer and longer arcs.

The best-covered weeks of an arc are fitted from a grid of heliocentric distances and radial velocities, as the linker
supposes them (Holman et al. 2018, AJ 156, 135); two of its detections and the f and g series (Danby 1992, ch. 6.8) make
each a state. The fit of least chi² then grows, doubling the time it covers, to decades if there are.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mops.science.constants import GM_SUN, RADIUS_SUN_AU
from mops.science.orbit_fit import DEFAULT, QUICK, Arcs, FitConfig, Orbits, fit, sky_axes
from mops.science.orbit_status import Status, perihelion

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StartConfig:
    """piece_days : of the first fit.  distances : heliocentric, au.  radial_shares : radial velocity over the circular.
    growth : by what factor the time about the piece grows from fit to fit."""

    piece_days: float = 20.0
    distances: tuple[float, ...] = (
        *(0.7, 0.9, 1.02, 1.1, 1.25, 1.5, 1.9, 2.3, 2.7, 3.2),
        *(4.0, 5.2, 8.0, 14.0, 25.0, 40.0, 60.0),
    )
    radial_shares: tuple[float, ...] = (-3.0, -0.8, -0.3, 0.0, 0.3, 0.8, 3.0)
    growth: float = 2.0


START = StartConfig()


def start(arcs: Arcs, config: StartConfig = START) -> tuple[Array, Array]:
    """Seed states (k, 6) and their epochs (k,), MJD TDB; NaN where no supposition leads to an orbit."""
    pieces = _pieces(arcs, config.piece_days)
    seeds, epochs, whose = _suppositions(arcs, pieces, config)
    short = _kept(arcs, pieces)
    found = fit(short.take(whose), seeds, epochs[whose], QUICK)
    states = _best(found, whose, len(arcs))
    return _grown(arcs, pieces, states, epochs, config), epochs


def determine(arcs: Arcs, config: FitConfig = DEFAULT, begin: StartConfig = START) -> Orbits:
    """Orbits of arcs without seeds: `start`, then `fit`."""
    return fit(arcs, *start(arcs, begin), config)


def _pieces(arcs: Arcs, days: float) -> npt.NDArray[np.bool_]:
    """Mask (m,) of the detections in each arc's window of `days` with most nights, then most detections."""
    mask = np.zeros(len(arcs.mjd_tdb), np.bool_)
    for a, b in zip(arcs.first[:-1], arcs.first[1:], strict=True):
        times = np.sort(arcs.mjd_tdb[a:b])
        if not np.isfinite(times).all() or not len(times):
            continue
        ends = np.searchsorted(times, times + days, side="right")
        starts_night = np.concatenate([[1], np.diff(times) > 0.5])
        nights = np.cumsum(starts_night)
        covered = nights[ends - 1] - nights + 1
        span = times[ends - 1] - times
        best = np.lexsort((span, ends - np.arange(len(times)), np.minimum(covered, 5)))[-1]
        mask[a:b] = (arcs.mjd_tdb[a:b] >= times[best]) & (arcs.mjd_tdb[a:b] <= times[ends[best] - 1])
    return mask


def _kept(arcs: Arcs, mask: npt.NDArray[np.bool_]) -> Arcs:
    first = np.concatenate([[0], np.cumsum(mask)])[arcs.first]
    flat = (arcs.mjd_tdb, arcs.ra, arcs.dec, arcs.sigma_ra, arcs.sigma_dec, arcs.observer)
    return Arcs(first.astype(np.int64), *(each[mask] for each in flat))


def _suppositions(
    arcs: Arcs, pieces: npt.NDArray[np.bool_], config: StartConfig
) -> tuple[Array, Array, npt.NDArray[np.int64]]:
    """States by distance and radial velocity, the epoch of each arc, and the arc of each state."""
    epochs, states, whose = np.full(len(arcs), np.nan), [np.zeros((0, 6))], [np.zeros(0, np.int64)]
    distance, share = (each.ravel() for each in np.meshgrid(config.distances, config.radial_shares, indexing="ij"))
    for k, (a, b) in enumerate(zip(arcs.first[:-1], arcs.first[1:], strict=True)):
        members = a + np.flatnonzero(pieces[a:b])
        if len(members) < 2:
            continue
        members = members[np.argsort(arcs.mjd_tdb[members], kind="stable")]
        epochs[k] = arcs.mjd_tdb[members].mean()
        one, other = _pair(arcs.mjd_tdb[members])
        made = _states_through(arcs, members[one], members[other], epochs[k], distance, share)
        states.append(made)
        whose.append(np.full(len(made), k, np.int64))
    return np.concatenate(states), epochs, np.concatenate(whose)


def _pair(times: Array) -> tuple[int, int]:
    """The two farthest apart within ten days: the series of f and g are good for so long."""
    last = np.searchsorted(times, times + 10.0, side="right") - 1
    one = int(np.argmax(times[last] - times))
    return one, int(last[one])


def _states_through(arcs: Arcs, one: int, other: int, epoch: float, distance: Array, share: Array) -> Array:
    circular = np.sqrt(GM_SUN / distance)
    sides = [(each, arcs.mjd_tdb[each] - epoch) for each in (one, other)]
    places, ranges = [], []
    for each, dt in sides:
        outward = sky_axes(arcs.ra[each : each + 1], arcs.dec[each : each + 1])[0, 2]
        place, far = _on_sphere(arcs.observer[each], outward, distance + share * circular * dt)
        places.append(place)
        ranges.append(far)
    pull = GM_SUN / distance**3
    (_, t1), (_, t2) = sides
    f1, f2 = 1 - pull * t1**2 / 2, 1 - pull * t2**2 / 2
    g1, g2 = t1 - pull * t1**3 / 6, t2 - pull * t2**3 / 6
    with np.errstate(divide="ignore", invalid="ignore"):  # two of one instant make no state
        scale = 1 / (f1 * g2 - f2 * g1)
        position = (g2 * scale)[:, None] * places[0] - (g1 * scale)[:, None] * places[1]
        velocity = (f1 * scale)[:, None] * places[1] - (f2 * scale)[:, None] * places[0]
    made = np.concatenate([position, velocity], axis=1)
    speed = np.linalg.norm(velocity, axis=1)
    return np.asarray(made[np.isfinite(made).all(axis=1) & (speed < 6 * circular) & (np.minimum(*ranges) > 0)])


def _on_sphere(observer: Array, outward: Array, radius: Array) -> tuple[Array, Array]:
    """Where a line of sight leaves spheres about the Sun (n, 3), and how far that is; NaN where it misses."""
    along = observer @ outward
    with np.errstate(invalid="ignore"):
        far = -along + np.sqrt(along**2 - observer @ observer + radius**2)
    return observer + far[:, None] * outward, far


def _best(found: Orbits, whose: npt.NDArray[np.int64], count: int) -> Array:
    """The state of least chi² of each arc; a bound one unless an unbound one is better by five sigmas."""
    states = np.full((count, 6), np.nan)
    if not len(whose):
        return states
    r, square = np.linalg.norm(found.state[:, :3], axis=1), np.sum(found.state[:, 3:] ** 2, axis=1)
    odd = (square > 2 * GM_SUN / r) | (perihelion(found.state) < RADIUS_SUN_AU)
    merit = np.where(np.isfinite(found.chi2), found.chi2 + 25.0 * odd, np.inf)
    order = np.lexsort((merit, whose))
    arc, at = np.unique(whose[order], return_index=True)
    states[arc] = found.state[order[at]]
    return states


def _grown(arcs: Arcs, pieces: npt.NDArray[np.bool_], states: Array, epochs: Array, config: StartConfig) -> Array:
    which = np.repeat(np.arange(len(arcs)), np.diff(arcs.first))
    away = np.nan_to_num(np.abs(arcs.mjd_tdb - epochs[which]))
    reach = np.zeros(len(arcs))
    np.maximum.at(reach, which[pieces], away[pieces])
    farthest = np.zeros(len(arcs))
    np.maximum.at(farthest, which, away)
    growing = np.isfinite(states).all(axis=1) & (reach < farthest)
    config_of_growth = replace(DEFAULT, least_share=0.5)
    while growing.any():
        reach = np.where(growing, np.maximum(reach * config.growth, reach + 5.0), reach)
        chosen = np.flatnonzero(growing)
        longer = _kept(arcs, growing[which] & (away <= reach[which])).take(chosen)
        found = fit(longer, states[chosen], epochs[chosen], config_of_growth)
        good = np.isin(found.status, [Status.OK, Status.UNCONSTRAINED, Status.OUTLIERS])
        states[chosen[good]] = found.state[good]
        growing[chosen[~good]] = False
        growing &= reach < farthest
    return states
