"""The compiled heart of an orbit fit: Levenberg and Marquardt's method on lines of sight, with outliers set aside.

Residuals are observed less computed on the tangent plane of the observation, in units of their sigma. The damping
scales the diagonal (Marquardt 1963) and starts at nought: a good seed takes Gauss-Newton steps. A fit has converged
when the undamped step would lower chi² by less than a tolerance, which no choice of units changes. Detections leave
and return by the chi² of their residual with the covariance of the orbit taken into account (Carpino, Milani & Chesley
2003, Icarus 166, 248, §3).
"""

import math
from collections import namedtuple
from typing import Any

import numba
import numpy as np

from mops.science.constants import ARCSEC, GM_SUN
from mops.science.nbody import new_step
from mops.science.sight import trace

FITTED, DIVERGED, TOO_FEW, OUTLIERS = 0, 1, 2, 3
_PER_RADIAN = 1.0 / ARCSEC
_MOST_DAMPING = 1e7
_CAREFUL_DAMPING = 1e-2
_ROUNDS = 10

Rules = namedtuple("Rules", "iterations tolerance reject_chi2 readmit_chi2 least_used least_share energy_sigma")
# Room for the largest arc: what `trace` writes, residuals (m, 2) and their derivatives (m, 12) in sigmas
Room = namedtuple("Room", "step line motion partials residual rows")


@numba.njit(cache=True, nogil=True, error_model="numpy")
def new_room(longest: int) -> Any:
    """Room for arcs of up to `longest` detections; one for each thread."""
    return Room(
        new_step(),
        np.zeros((longest, 3)),
        np.zeros((longest, 3)),
        np.zeros((longest, 18)),
        np.zeros((longest, 2)),
        np.zeros((longest, 12)),
    )


@numba.njit(cache=True, nogil=True, error_model="numpy")
def fit_all(
    first: Any,
    times: Any,
    axes: Any,
    sigma: Any,
    observer: Any,
    sun_motion: Any,
    epochs: Any,
    table_first: float,
    table: Any,
    rules: Any,
    states: Any,
    covariance: Any,
    chi2: Any,
    used: Any,
    residual: Any,
    status: Any,
    iterations: Any,
) -> None:
    """Fit arc after arc. `states` (k, 6) holds the seeds and then the orbits; the arrays after it are written.

    first (k + 1,) cuts the detections into arcs, each in order of time; times (m,) MJD TDB; axes (m, 3, 3) east, north
    and outward of each detection; sigma (m, 2) arcsec; residual (m, 2) arcsec, also of those not used.
    """
    room = new_room(np.max(first[1:] - first[:-1]))
    for k in range(len(first) - 1):
        a, b = first[k], first[k + 1]
        if status[k] != FITTED:  # found bad before
            continue
        if b - a < rules.least_used:
            status[k] = TOO_FEW
            continue
        arc = (times[a:b], axes[a:b], sigma[a:b], observer[a:b], sun_motion[a:b], epochs[k], table_first, table)
        status[k] = _fit_one(
            arc, rules, room, states[k], covariance[k], chi2[k : k + 1], used[a:b], iterations[k : k + 1]
        )
        for j in range(b - a):
            for axis in range(2):
                residual[a + j, axis] = room.residual[j, axis] * sigma[a + j, axis]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _fit_one(
    arc: Any, rules: Any, room: Any, state: Any, covariance: Any, chi2: Any, used: Any, iterations: Any
) -> int:
    normal, gradient, seed = np.zeros((6, 6)), np.zeros(6), state.copy()
    chi2[0] = _evaluate(arc, rules, room, state, used, normal, gradient)
    if not math.isfinite(chi2[0]):
        return DIVERGED
    for turn in range(_ROUNDS):
        if not _refine(arc, rules, room, state, chi2, used, normal, gradient, iterations, 0.0):
            if turn > 0:
                return DIVERGED
            state[:] = seed  # once more, on a path that keeps closer to the steepest descent
            chi2[0] = _evaluate(arc, rules, room, state, used, normal, gradient)
            if not _refine(arc, rules, room, state, chi2, used, normal, gradient, iterations, _CAREFUL_DAMPING):
                return DIVERGED
        if not _invert(normal, covariance):
            return DIVERGED
        if rules.reject_chi2 <= 0.0 or not _sort_out(room, rules, covariance, used):
            return FITTED
        count = np.sum(used)
        if count < rules.least_used or count < rules.least_share * len(used):
            return OUTLIERS
        chi2[0] = _evaluate(arc, rules, room, state, used, normal, gradient)
    return OUTLIERS  # they leave and return without end


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _evaluate(arc: Any, rules: Any, room: Any, state: Any, used: Any, normal: Any, gradient: Any) -> float:
    """chi² of the used detections, and the normal equations; infinite where the orbit cannot be followed."""
    times, axes, sigma, observer, sun_motion, epoch, table_first, table = arc
    count = len(times)
    line, rows, residual = room.line, room.rows, room.residual
    partials = room.partials[:count]
    if not trace(state, epoch, times, observer, sun_motion, table_first, table, room.step, line, room.motion, partials):
        return math.inf
    normal[:] = 0.0
    gradient[:] = 0.0
    total = 0.0
    for k in range(count):
        distance = math.sqrt(line[k, 0] ** 2 + line[k, 1] ** 2 + line[k, 2] ** 2)
        outward = _dot(axes[k, 2], line[k]) / distance
        for axis in range(2):
            scale = _PER_RADIAN / (distance * sigma[k, axis])
            # 2 / (1 + cos) makes it the stereographic projection, which grows all the way to the opposite point
            residual[k, axis] = -_dot(axes[k, axis], line[k]) * scale * 2.0 / max(1.0 + outward, 1e-9)
            for m in range(6):
                slope = 0.0
                for j in range(3):
                    slope += axes[k, axis, j] * partials[k, 6 * j + m]
                rows[k, 6 * axis + m] = slope * scale
        if used[k]:
            total += residual[k, 0] ** 2 + residual[k, 1] ** 2
            _accumulate(rows[k], residual[k], normal, gradient)
    return total + _suppose_bound(state, rules.energy_sigma, normal, gradient)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _accumulate(row: Any, residual: Any, normal: Any, gradient: Any) -> None:
    for i in range(6):
        gradient[i] += row[i] * residual[0] + row[6 + i] * residual[1]
        for j in range(i + 1):
            normal[i, j] += row[i] * row[j] + row[6 + i] * row[6 + j]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _suppose_bound(state: Any, sigma: float, normal: Any, gradient: Any) -> float:
    """One more observation where `sigma` > 0: v² r / GM is 1 ± sigma, as on a circle (it is 2 on a parabola).

    Bernstein & Khushalani 2000, AJ 120, 3323, §3, hold short arcs of distant objects together in this way.
    """
    if sigma <= 0.0:
        return 0.0
    r, square = math.sqrt(_dot(state, state)), _dot(state[3:], state[3:])
    slope = np.empty(6)
    for axis in range(3):
        slope[axis] = square * state[axis] / (r * GM_SUN * sigma)
        slope[3 + axis] = 2.0 * r * state[3 + axis] / (GM_SUN * sigma)
    miss = (1.0 - square * r / GM_SUN) / sigma
    for i in range(6):
        gradient[i] += slope[i] * miss
        for j in range(i + 1):
            normal[i, j] += slope[i] * slope[j]
    return miss * miss


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _refine(
    arc: Any,
    rules: Any,
    room: Any,
    state: Any,
    chi2: Any,
    used: Any,
    normal: Any,
    gradient: Any,
    iterations: Any,
    damping: float,
) -> bool:
    """Improve `state` until it has converged; normal, gradient, chi2 and the room's residuals are those of `state`."""
    change, trial = np.zeros(6), np.zeros(6)
    trial_normal, trial_gradient = np.zeros((6, 6)), np.zeros(6)
    for _ in range(rules.iterations):
        gain = _solve(normal, gradient, 0.0, change)
        if 0.0 <= gain < rules.tolerance:
            return True
        if damping > 0.0 or gain < 0.0:
            damping = max(damping, 1e-9)
            while _solve(normal, gradient, damping, change) < 0.0:
                damping *= 10.0
                if damping > _MOST_DAMPING:
                    return False
        _shorten(change, state, room.line[0])
        for m in range(6):
            trial[m] = state[m] + change[m]
        iterations[0] += 1
        value = _evaluate(arc, rules, room, trial, used, trial_normal, trial_gradient)
        if value <= chi2[0] * (1.0 + 1e-12):
            state[:] = trial
            chi2[0] = value
            normal[:] = trial_normal
            gradient[:] = trial_gradient
            damping = 0.01 * damping if damping > 1e-9 else 0.0
        else:
            damping = max(20.0 * damping, 1e-6)
            if damping > _MOST_DAMPING:
                break
    value = _evaluate(arc, rules, room, state, used, normal, gradient)
    gain = _solve(normal, gradient, 0.0, change)
    return bool(0.0 <= gain < 100.0 * rules.tolerance)  # rounding may hide the last of the way


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _shorten(change: Any, state: Any, line: Any) -> None:
    """Let no step exceed half the distance to the observer or half the speed, where linear equations end."""
    far = math.sqrt(_dot(change, change)) / (0.5 * math.sqrt(_dot(line, line)))
    fast = math.sqrt(_dot(change[3:], change[3:])) / (0.5 * math.sqrt(_dot(state[3:], state[3:])))
    longest = max(far, fast)
    if longest > 1.0:
        for m in range(6):
            change[m] /= longest


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _solve(normal: Any, gradient: Any, damping: float, change: Any) -> float:
    """`change` of the damped equations by Cholesky; the chi² it gains if all is linear, −1 where they are singular."""
    lower = np.empty((6, 6))
    if not _cholesky(normal, damping, lower):
        return -1.0
    for i in range(6):
        total = gradient[i] / math.sqrt(normal[i, i])
        for j in range(i):
            total -= lower[i, j] * change[j]
        change[i] = total / lower[i, i]
    gain = 0.0
    for i in range(6):
        gain += change[i] ** 2
    for i in range(5, -1, -1):
        total = change[i]
        for j in range(i + 1, 6):
            total -= lower[j, i] * change[j]
        change[i] = total / lower[i, i]
    for i in range(6):
        change[i] /= math.sqrt(normal[i, i])
    return gain


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _cholesky(normal: Any, damping: float, lower: Any) -> bool:
    """Of the normal matrix scaled to a diagonal of 1 + damping; only its lower half is read."""
    for i in range(6):
        if not normal[i, i] > 0.0:
            return False
    for i in range(6):
        for j in range(i + 1):
            total = normal[i, j] / math.sqrt(normal[i, i] * normal[j, j])
            if i == j:
                total += damping
            for m in range(j):
                total -= lower[i, m] * lower[j, m]
            if i > j:
                lower[i, j] = total / lower[j, j]
            elif total > 1e-14:
                lower[i, i] = math.sqrt(total)
            else:
                return False
    return True


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _invert(normal: Any, covariance: Any) -> bool:
    change, unit = np.empty(6), np.zeros(6)
    for m in range(6):
        unit[:] = 0.0
        unit[m] = 1.0
        if _solve(normal, unit, 0.0, change) < 0.0:
            return False
        covariance[:, m] = change
    for i in range(6):
        for j in range(i):
            covariance[i, j] = covariance[j, i] = 0.5 * (covariance[i, j] + covariance[j, i])
    return True


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _sort_out(room: Any, rules: Any, covariance: Any, used: Any) -> bool:
    """Mark what is used; whether that changed. Beside a large outlier smaller ones stay, for it may have made them."""
    values = np.zeros(len(used))
    for k in range(len(used)):
        values[k] = _residual_chi2(room.residual[k], room.rows[k], covariance, used[k])
    largest = 0.0
    for k in range(len(used)):
        if used[k]:
            largest = max(largest, values[k])
    limit, changed = max(rules.reject_chi2, 0.25 * largest), False
    for k in range(len(used)):
        if used[k] and values[k] > limit:
            used[k], changed = False, True
        elif not used[k] and values[k] < rules.readmit_chi2:
            used[k], changed = True, True
    return changed


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _residual_chi2(residual: Any, row: Any, covariance: Any, used: bool) -> float:
    sign = -1.0 if used else 1.0
    xx, xy, yy = 1.0, 0.0, 1.0
    for i in range(6):
        for j in range(6):
            xx += sign * row[i] * covariance[i, j] * row[j]
            xy += sign * row[i] * covariance[i, j] * row[6 + j]
            yy += sign * row[6 + i] * covariance[i, j] * row[6 + j]
    determinant = xx * yy - xy * xy
    x, y = residual[0], residual[1]
    if not (determinant > 0.01 and xx > 0.0):  # the orbit goes wherever this one is
        return float(x * x + y * y)
    return float((yy * x * x - 2.0 * xy * x * y + xx * y * y) / determinant)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _dot(a: Any, b: Any) -> float:
    return float(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])
