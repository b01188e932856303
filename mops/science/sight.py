"""Lines of sight to a moving body, with light time: one N-body integration for all detections of an arc.

Light leaves the body at emission and is seen at reception; meanwhile the Sun, the origin here, moves about the
barycentre (10 mas at 2 au). Neither aberration nor the bending of light is applied: stars near the body share them.
"""

import math
from typing import Any

import numba
import numpy as np

from mops.science import collocation as c
from mops.science import nbody
from mops.science.constants import C_AU_PER_DAY
from mops.science.forces import size

_N = c.COUNT
_PLACE_POWERS, _MOTION_POWERS = c.POSITION_POWERS, c.VELOCITY_POWERS


@numba.njit(cache=True, nogil=True, error_model="numpy")
def trace(
    state: Any,
    epoch: float,
    times: Any,
    observer: Any,
    sun_motion: Any,
    first: float,
    table: Any,
    step: Any,
    line: Any,
    motion: Any,
    partials: Any,
) -> bool:
    """Follow one body past observers: light-time corrected lines of sight, one N-body integration for all.

    state (6,) at `epoch` MJD TDB; times (m,) of reception, MJD TDB, ascending; observer (m, 3) heliocentric au;
    sun_motion (m, 3) barycentric velocity of the Sun, au/day; first, table: of `perturbers.Perturbers`. Writes line
    (m, 3), observer to body at emission, au; motion (m, 3), its heliocentric velocity then; and, where partials has m
    rows and not none, d line / d state (m, 18) = (3, 6). False where the integration cannot go on.
    """
    ahead = int(np.searchsorted(times, epoch))
    with_partials = len(partials) > 0
    forward = _follow(
        state, epoch, times, observer, sun_motion, first, table, step, line, motion, partials, with_partials, ahead, 1
    )
    return forward and _follow(
        state,
        epoch,
        times,
        observer,
        sun_motion,
        first,
        table,
        step,
        line,
        motion,
        partials,
        with_partials,
        ahead - 1,
        -1,
    )


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _follow(
    state: Any,
    epoch: float,
    times: Any,
    observer: Any,
    sun_motion: Any,
    first: float,
    table: Any,
    step: Any,
    line: Any,
    motion: Any,
    partials: Any,
    with_partials: bool,
    k: int,
    way: int,
) -> bool:
    """From `epoch` in one direction of time, past the detections k, k + way, …"""
    stop = len(times) if way > 0 else -1
    if k == stop:
        return True
    nbody.begin(step, state)
    now = epoch
    farthest = times[stop - way] - epoch
    if way < 0:  # what is seen then left earlier
        farthest -= (size(step.state) + 1.1) / C_AU_PER_DAY
    end = epoch + way * max(abs(farthest), 0.5)
    length = way * nbody.natural_step(step.state, now, first, table, step)
    for _ in range(nbody.most_steps(end - epoch)):
        length, following = nbody.advance(step, now, end, length, first, table, with_partials)
        if length == 0.0:
            return False
        last = now + length == end or abs(end - now - length) < 1e-9
        while k != stop:
            emission = times[k] - _light_time(step, 0.0, length, observer[k])
            if not last and (emission - now - length) * way > 0.0:
                break
            fraction = _see(step, now, length, times[k], observer[k], sun_motion[k], line[k], motion[k])
            if with_partials:
                _partials(step, length, fraction, line[k], motion[k], sun_motion[k], partials[k])
            k += way
        if k == stop:
            return True
        now += length
        nbody.finish(step, length, with_partials)
        length = following
    return False


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _see(
    step: Any, now: float, length: float, time: float, observer: Any, sun_motion: Any, line: Any, motion: Any
) -> float:
    """The line of sight of one detection, light time by repetition (four digits each); its fraction of the step."""
    delay, fraction = _light_time(step, (time - now) / length, length, observer), 0.0
    for _ in range(3):
        fraction = (time - delay - now) / length
        _weigh(step.weights, _PLACE_POWERS, fraction)
        square = 0.0
        for axis in range(3):
            total = 0.0
            for j in range(_N):
                total += step.weights[j] * step.acceleration[j, axis]
            place = step.state[axis] + length * fraction * (step.state[3 + axis] + length * fraction * total)
            line[axis] = place - observer[axis] - delay * sun_motion[axis]
            square += line[axis] * line[axis]
        delay = math.sqrt(square) / C_AU_PER_DAY
    motion[:] = step.state[3:]
    for j in range(_N):
        weight = 0.0
        for power in range(_N - 1, -1, -1):
            weight = weight * fraction + _MOTION_POWERS[power, j]
        for axis in range(3):
            motion[axis] += length * fraction * weight * step.acceleration[j, axis]
    return fraction


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _partials(
    step: Any, length: float, fraction: float, line: Any, motion: Any, sun_motion: Any, partials: Any
) -> None:
    """d line / d state at the place that `_see` weighed, light time included.

    What moves the body farther lets its light leave earlier. That is 1e-4 of the whole, and far more than what a short
    arc says of the distance: without it fits creep.
    """
    for m in range(18):
        total = 0.0
        for j in range(_N):
            total += step.weights[j] * step.columns_acceleration[j, m]
        partials[m] = step.transition[0, m] + length * fraction * (step.transition[1, m] + length * fraction * total)
    distance, approach = size(line), 0.0
    for axis in range(3):
        approach += line[axis] / distance * (motion[axis] + sun_motion[axis])
    for m in range(6):
        longer = 0.0
        for axis in range(3):
            longer += line[axis] / distance * partials[6 * axis + m]
        delay = longer / (C_AU_PER_DAY + approach)
        for axis in range(3):
            partials[6 * axis + m] -= (motion[axis] + sun_motion[axis]) * delay


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _weigh(weights: Any, powers: Any, fraction: float) -> None:
    for j in range(_N):
        weights[j] = powers[_N - 1, j]
    for power in range(_N - 2, -1, -1):
        for j in range(_N):
            weights[j] = weights[j] * fraction + powers[power, j]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _light_time(step: Any, fraction: float, length: float, observer: Any) -> float:
    """Days, from the place on a straight path."""
    square = 0.0
    for axis in range(3):
        square += (step.state[axis] + fraction * length * step.state[3 + axis] - observer[axis]) ** 2
    return math.sqrt(square) / C_AU_PER_DAY
