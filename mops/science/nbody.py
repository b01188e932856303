"""The motion of a small body under the Sun (with its first post-Newtonian term), the planets, Pluto and the Moon.

Heliocentric equations of motion: attraction by all (`forces`), less that of the planets on the Sun. Steps are
Gauss-Legendre collocations of eight nodes, solved by Picard's iteration from a two-body start, of a length that the
last Legendre term of the acceleration allows; between nodes the same polynomial gives the place at any time. The
state-transition matrix follows the variational equations on the same nodes, without the relativistic term (1e-8 of it).
"""

import math
from collections import namedtuple
from typing import Any

import numba
import numpy as np

from mops.science import collocation as c
from mops.science import forces, perturbers
from mops.science.constants import GM_SUN
from mops.science.kepler import propagate_one

TOLERANCE_AU = 2e-12  # of a step, between its nodes; 0.3 m
STEPS, STEPS_A_DAY = 100, 0.5  # as many at most; a body that needs more is lost in an approach
_SHORTEST_DAYS = 1e-5
_SETTLED_AU = 2e-13
_SWEEPS = 15
_PLANETS = perturbers.COUNT
_N = c.COUNT
_NODES, _WEIGHTS, _LAST, _LAST_SIZE = c.NODES, c.WEIGHTS, c.LAST_TERM, c.LAST_TERM_IN_POSITION
_AT_NODES, _AT_END = c.POSITION_AT_NODES, c.POSITION_AT_END
_GM = perturbers.GM

# What a step needs and leaves behind: state (6,) and transition (2, 18) at its beginning; at the nodes the planets, the
# state (two-body velocity), the acceleration without planets and Sun (given) and in all, its gradient, and the columns
# of the transition matrix with their acceleration; room for weights.
Step = namedtuple(
    "Step", "state transition planets place given acceleration gradient columns columns_acceleration weights"
)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def new_step() -> Any:
    """Room for a step; one for each thread."""
    return Step(
        np.zeros(6),
        np.zeros((2, 18)),
        np.zeros((_N, 3 * _PLANETS + 3)),
        np.zeros((_N, 6)),
        np.zeros((_N, 3)),
        np.zeros((_N, 3)),
        np.zeros((_N, 6)),
        np.zeros((_N, 18)),
        np.zeros((_N, 18)),
        np.zeros(_N),
    )


@numba.njit(cache=True, nogil=True, error_model="numpy")
def propagate(state: Any, epoch: float, to: float, first: float, table: Any, step: Any, with_partials: bool) -> bool:
    """Bring step.state (and step.transition) from `state` at `epoch` to the date `to`; False where it cannot go on."""
    begin(step, state)
    now = epoch
    length = math.copysign(natural_step(step.state, now, first, table, step), to - epoch)
    for _ in range(most_steps(to - epoch)):
        if abs(to - now) < 1e-9:
            return True
        length, following = advance(step, now, to, length, first, table, with_partials)
        if length == 0.0:
            return False
        now += length
        finish(step, length, with_partials)
        length = following
    return False


@numba.njit(cache=True, nogil=True, error_model="numpy")
def most_steps(days: float) -> int:
    """How many steps an integration over `days` may take."""
    return STEPS + int(STEPS_A_DAY * min(abs(days), 1e6))


@numba.njit(cache=True, nogil=True, error_model="numpy")
def begin(step: Any, state: Any) -> None:
    """Put a body at the beginning of its path, with the unit matrix."""
    step.state[:] = state
    step.transition[:] = 0.0
    for axis in range(3):
        step.transition[0, axis * 6 + axis] = 1.0
        step.transition[1, axis * 6 + 3 + axis] = 1.0


@numba.njit(cache=True, nogil=True, error_model="numpy")
def natural_step(state: Any, now: float, first: float, table: Any, step: Any) -> float:
    """A first length in days: a third of the time in which the nearest pull would turn the body."""
    x, y, z = state[0], state[1], state[2]
    r = forces.size(state)
    rate = GM_SUN / (r * r * r) + (state[3] ** 2 + state[4] ** 2 + state[5] ** 2) / (r * r)
    row = step.planets[0]
    perturbers.read(first, table, now, row)
    for j in range(_PLANETS):
        dx, dy, dz = row[j] - x, row[_PLANETS + j] - y, row[2 * _PLANETS + j] - z
        rate += _GM[j] * (dx * dx + dy * dy + dz * dz) ** -1.5
    return 0.35 / math.sqrt(rate)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def advance(
    step: Any, now: float, end: float, length: float, first: float, table: Any, with_partials: bool
) -> tuple[float, float]:
    """Solve a step from `now` towards `end`: its length and the one to try next; (0, 0) where none is short enough."""
    if abs(end - now) <= 1.3 * abs(length):
        length = end - now
    while True:
        error = _solve(step, now, length, first, table)
        if error <= TOLERANCE_AU:
            break
        if not abs(length) > _SHORTEST_DAYS:
            return 0.0, 0.0
        length *= max(0.2, 0.8 * (TOLERANCE_AU / error) ** 0.1) if math.isfinite(error) else 0.3
    if with_partials:
        _solve_transition(step, length)
    return length, length * min(2.0, 0.8 * (TOLERANCE_AU / max(error, 1e-30)) ** 0.1)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _solve(step: Any, now: float, length: float, first: float, table: Any) -> float:
    """Places and accelerations at the nodes; the error between them in au, infinite where they do not settle."""
    for i in range(_N):
        propagate_one(step.state, _NODES[i] * length, step.place[i])
        perturbers.read(first, table, now + _NODES[i] * length, step.planets[i])
        forces.relativity(step.place[i], step.given[i])
        for axis in range(3):
            step.given[i, axis] += step.planets[i, 3 * _PLANETS + axis]
    before = 0.0
    for _ in range(_SWEEPS):
        for i in range(_N):
            forces.attraction(step.place[i], step.planets[i], step.given[i], step.acceleration[i])
        change = _sweep(step, length)
        if not math.isfinite(change):
            return math.inf
        if (
            change < _SETTLED_AU or change * change < _SETTLED_AU * before
        ):  # the next change is to this as this to the last
            return _error(step, length)
        before = change
    return math.inf


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _sweep(step: Any, length: float) -> float:
    largest = 0.0
    for i in range(_N):
        for axis in range(3):
            total = 0.0
            for j in range(_N):
                total += _AT_NODES[i, j] * step.acceleration[j, axis]
            value = step.state[axis] + length * (_NODES[i] * step.state[3 + axis] + length * total)
            change = abs(value - step.place[i, axis])
            if not change <= largest:  # a NaN counts as larger
                largest = change
            step.place[i, axis] = value
    return largest


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _error(step: Any, length: float) -> float:
    total = 0.0
    for axis in range(3):
        last = 0.0
        for j in range(_N):
            last += _LAST[j] * step.acceleration[j, axis]
        total += abs(last)
    return total * length * length * _LAST_SIZE


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _solve_transition(step: Any, length: float) -> None:
    """The 18 columns of d place / d state at the nodes, to 1e-9 of the largest."""
    columns, pull = step.columns, step.columns_acceleration
    for i in range(_N):
        forces.gradient(step.place[i], step.planets[i], step.gradient[i])
        for m in range(18):
            columns[i, m] = step.transition[0, m] + _NODES[i] * length * step.transition[1, m]
    for _ in range(_SWEEPS):
        for i in range(_N):
            g = step.gradient[i]
            for m in range(6):
                x, y, z = columns[i, m], columns[i, 6 + m], columns[i, 12 + m]
                pull[i, m] = g[0] * x + g[1] * y + g[2] * z
                pull[i, 6 + m] = g[1] * x + g[3] * y + g[4] * z
                pull[i, 12 + m] = g[2] * x + g[4] * y + g[5] * z
        change = largest = 0.0
        for i in range(_N):
            for m in range(18):
                total = 0.0
                for j in range(_N):
                    total += _AT_NODES[i, j] * pull[j, m]
                value = step.transition[0, m] + length * (_NODES[i] * step.transition[1, m] + length * total)
                change = max(change, abs(value - columns[i, m]))
                largest = max(largest, abs(value))
                columns[i, m] = value
        if change <= 1e-7 * largest:  # the next one would be 1e-9 or less
            return


@numba.njit(cache=True, nogil=True, error_model="numpy")
def finish(step: Any, length: float, with_partials: bool) -> None:
    """Go to the end of a solved step."""
    for axis in range(3):
        place = motion = 0.0
        for j in range(_N):
            place += _AT_END[j] * step.acceleration[j, axis]
            motion += _WEIGHTS[j] * step.acceleration[j, axis]
        step.state[axis] += length * (step.state[3 + axis] + length * place)
        step.state[3 + axis] += length * motion
    if with_partials:
        for m in range(18):
            place = motion = 0.0
            for j in range(_N):
                place += _AT_END[j] * step.columns_acceleration[j, m]
                motion += _WEIGHTS[j] * step.columns_acceleration[j, m]
            step.transition[0, m] += length * (step.transition[1, m] + length * place)
            step.transition[1, m] += length * motion
