"""Where orbits lead: states at other epochs, and places on the sky, with N-body forces and their uncertainty."""

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from mops.science import ephemeris, nbody, time_scales
from mops.science.constants import ARCSEC, C_AU_PER_DAY
from mops.science.perturbers import Perturbers, perturbers
from mops.science.sight import trace

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Places:
    """Of n bodies at m times, each (n, m); NaN where a body cannot be followed (a collision, or no orbit).

    ra, dec : astrometric, ICRF, degrees, light time applied.  distance_au : from the observer.  sun_distance_au : from
    the Sun at emission.  rate_ra, rate_dec : degrees a day on the sky.  covariance : (n, m, 2, 2) of ra and dec on the
    sky, arcsec², where orbits' covariances were given, else (n, m, 0, 0).
    """

    ra: Array
    dec: Array
    distance_au: Array
    sun_distance_au: Array
    rate_ra: Array
    rate_dec: Array
    covariance: Array


def propagate_nbody(states: Array, epochs: float | Array, to_epoch: float | Array) -> Array:
    """States (n, 6) at other epochs (MJD TDB, one or one each); NaN where a body cannot be followed."""
    return _propagated(states, epochs, to_epoch, with_partials=False)[0]


def with_covariance(
    states: Array, covariances: Array, epochs: float | Array, to_epoch: float | Array
) -> tuple[Array, Array]:
    """As `propagate_nbody`, and the covariances (n, 6, 6) carried along by the state-transition matrix."""
    moved, transition = _propagated(states, epochs, to_epoch, with_partials=True)
    return moved, transition @ np.asarray(covariances, float) @ transition.transpose(0, 2, 1)


def places(
    states: Array,
    epochs: float | Array,
    mjd_tai: float | Array,
    observer: Array,
    *,
    observer_velocity: Array | None = None,
    covariances: Array | None = None,
) -> Places:
    """Places of n bodies as seen at all of m times.

    states (n, 6) at epochs MJD TDB; mjd_tai (m,) in any order; observer (m, 3) heliocentric au, its velocity au/day
    (that of the Earth's centre if None: rates then lack the daily parallax); covariances (n, 6, 6).
    """
    states = np.atleast_2d(np.asarray(states, float))
    tdb = np.atleast_1d(time_scales.tdb_from_tai(mjd_tai))
    observer = np.asarray(observer, float).reshape(-1, 3)
    if observer.shape != (len(tdb), 3):
        raise ValueError(f"{len(tdb)} times need observers of shape ({len(tdb)}, 3), not {observer.shape}.")
    velocity = ephemeris.earth(tdb)[1] if observer_velocity is None else np.asarray(observer_velocity, float)
    order = np.argsort(tdb, kind="stable")
    with_partials = covariances is not None
    seen = _lines(states, _each(epochs, len(states)), tdb[order], observer[order], with_partials)
    back = np.argsort(order, kind="stable")
    line, motion, partials = (each[:, back] if each.size else each for each in seen)
    return _on_the_sky(line, motion, partials, observer, velocity, covariances)


def _each(epochs: float | Array, count: int) -> Array:
    return np.ascontiguousarray(np.broadcast_to(np.asarray(epochs, float), (count,)))


def _table(*dates: Array) -> Perturbers:
    finite = np.concatenate([each[np.isfinite(each)] for each in dates])
    return perturbers(finite.min(), finite.max()) if finite.size else perturbers(60_000.0, 60_000.0)


def _propagated(
    states: Array, epochs: float | Array, to_epoch: float | Array, *, with_partials: bool
) -> tuple[Array, Array]:
    states = np.ascontiguousarray(np.atleast_2d(states), float)
    start, end = _each(epochs, len(states)), _each(to_epoch, len(states))
    table = _table(start, end)
    moved, transition = np.full_like(states, np.nan), np.full((len(states), 6, 6), np.nan)
    _propagate_all(states, start, end, table.first_mjd_tdb, table.coefficients, with_partials, moved, transition)
    return moved, transition


def _lines(states: Array, epochs: Array, tdb: Array, observer: Array, with_partials: bool) -> tuple[Array, ...]:
    table, sun_motion = _table(epochs, tdb), ephemeris.barycentric("sun", tdb)[1]
    shape = (len(states), len(tdb))
    line, motion = np.full((*shape, 3), np.nan), np.full((*shape, 3), np.nan)
    partials = np.full((*shape, 18), np.nan) if with_partials else np.zeros((len(states), 0, 18))
    states, observer = np.ascontiguousarray(states), np.ascontiguousarray(observer)
    _trace_all(
        states, epochs, tdb, observer, sun_motion, table.first_mjd_tdb, table.coefficients, line, motion, partials
    )
    return line, motion, partials


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _propagate_all(
    states: Any, start: Any, end: Any, first: float, table: Any, with_partials: bool, moved: Any, transition: Any
) -> None:
    step = nbody.new_step()
    for k in range(len(states)):
        if not (np.isfinite(states[k]).all() and np.isfinite(start[k] + end[k])):
            continue
        if nbody.propagate(states[k], start[k], end[k], first, table, step, with_partials):
            moved[k] = step.state
            for half in range(2):
                for m in range(18):
                    transition[k, 3 * half + m // 6, m % 6] = step.transition[half, m]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _trace_all(
    states: Any,
    epochs: Any,
    times: Any,
    observer: Any,
    sun_motion: Any,
    first: float,
    table: Any,
    line: Any,
    motion: Any,
    partials: Any,
) -> None:
    step = nbody.new_step()
    for k in range(len(states)):
        sound = np.isfinite(states[k]).all() and np.isfinite(epochs[k])
        if not sound or not trace(
            states[k], epochs[k], times, observer, sun_motion, first, table, step, line[k], motion[k], partials[k]
        ):
            line[k], motion[k], partials[k] = np.nan, np.nan, np.nan


def _on_the_sky(
    line: Array, motion: Array, partials: Array, observer: Array, velocity: Array, covariances: Array | None
) -> Places:
    x, y, z = np.moveaxis(line, 2, 0)
    distance, flat = np.linalg.norm(line, axis=2), np.hypot(x, y)
    safe = np.where(flat > 0, flat, 1.0)  # at the pole any direction is east
    cos_ra, sin_ra = np.where(flat > 0, x / safe, 1.0), y / safe
    east = np.stack([-sin_ra, cos_ra, np.zeros_like(x)], axis=2)
    north = np.stack([-z * cos_ra, -z * sin_ra, flat], axis=2) / distance[..., None]
    relative = motion - velocity
    receding = np.sum(line * relative, axis=2) / (distance * C_AU_PER_DAY)
    # a day of the body's light is longer than its own by what the distance grows meanwhile
    relative = motion * (1 - receding)[..., None] - velocity
    covariance = np.zeros((*distance.shape, 0, 0))
    if covariances is not None:
        axes = np.stack([east, north], axis=2) / (distance[..., None, None] * ARCSEC)
        slope = axes @ partials.reshape(*distance.shape, 3, 6)
        covariance = slope @ np.asarray(covariances, float)[:, None] @ np.swapaxes(slope, 2, 3)
    return Places(
        ra=np.degrees(np.arctan2(y, x)) % 360,
        dec=np.degrees(np.arctan2(z, flat)),
        distance_au=distance,
        sun_distance_au=np.linalg.norm(line + observer, axis=2),
        rate_ra=np.degrees(np.sum(relative * east, axis=2) / distance),
        rate_dec=np.degrees(np.sum(relative * north, axis=2) / distance),
        covariance=covariance,
    )


def warm_up() -> None:
    """Compile the kernels."""
    state = np.array([[2.0, 0.0, 0.0, 0.0, 0.012, 0.0]])
    propagate_nbody(state, 60_000.0, 60_001.0)
    places(state, 60_000.0, 60_001.0, np.zeros((1, 3)), covariances=np.zeros((1, 6, 6)))
