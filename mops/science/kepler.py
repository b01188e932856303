"""Motion of two bodies in universal variables: ellipses, parabolas and hyperbolas alike, any number of revolutions.

The universal Kepler equation grows steadily with its variable, so a bracket with Laguerre's step always finds its root
(Conway 1986, Celestial Mechanics 39, 199; Danby 1992, Fundamentals of Celestial Mechanics, ch. 6.9).
"""

import math
from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from mops.science.constants import GM_SUN

Array = npt.NDArray[np.float64]

_SERIES_TO = 0.3  # |alpha chi²| up to which the terms of the series are exact to rounding
_TERMS = 7
_C2 = tuple(1 / math.factorial(2 * k + 2) for k in range(_TERMS))  # signs alternate
_C3 = tuple(1 / math.factorial(2 * k + 3) for k in range(_TERMS))
_ITERATIONS = 60


def propagate(states: Array, dt: float | Array) -> Array:
    """States (n, 6) after `dt` days (a number, or one each) about the Sun alone; NaN where a state has no motion.

    States are heliocentric, au and au/day, in any axes that do not turn.
    """
    states = np.ascontiguousarray(states, float)
    moved = np.empty_like(states)
    _propagate_all(states, np.ascontiguousarray(np.broadcast_to(np.asarray(dt, float), len(states))), moved)
    return moved


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _propagate_all(states: Any, dt: Any, moved: Any) -> None:
    for k in range(len(states)):
        propagate_one(states[k], dt[k], moved[k])


@numba.njit(cache=True, nogil=True, error_model="numpy")
def propagate_one(state: Any, dt: float, out: Any) -> None:
    """Write `state` (6,) after `dt` days to `out` (6,): Lagrange's f and g functions of the universal variable."""
    x, y, z, u, v, w = state[0], state[1], state[2], state[3], state[4], state[5]
    r0 = math.sqrt(x * x + y * y + z * z)
    if not (r0 > 0.0 and math.isfinite(dt)):
        out[:] = np.nan
        return
    alpha = 2.0 / r0 - (u * u + v * v + w * w) / GM_SUN
    sigma = (x * u + y * v + z * w) / math.sqrt(GM_SUN)
    chi = _universal_anomaly(r0, sigma, alpha, math.sqrt(GM_SUN) * _within_one_revolution(dt, alpha))
    c2, c3 = stumpff(alpha * chi * chi)
    second, third = chi * chi * c2, chi * chi * chi * c3
    first = chi - alpha * third
    r = r0 + sigma * first + (1.0 - alpha * r0) * second
    f, g = 1.0 - second / r0, (r0 * first + sigma * second) / math.sqrt(GM_SUN)
    f_dot, g_dot = -math.sqrt(GM_SUN) * first / (r0 * r), 1.0 - second / r
    out[0], out[1], out[2] = f * x + g * u, f * y + g * v, f * z + g * w
    out[3], out[4], out[5] = f_dot * x + g_dot * u, f_dot * y + g_dot * v, f_dot * z + g_dot * w


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _within_one_revolution(dt: float, alpha: float) -> float:
    if alpha <= 0.0:
        return dt
    period = 2.0 * math.pi / math.sqrt(GM_SUN * alpha * alpha * alpha)
    return dt - period * math.floor(dt / period + 0.5) if abs(dt) > 0.5 * period else dt


@numba.njit(cache=True, nogil=True, error_model="numpy")
def stumpff(z: float) -> tuple[float, float]:
    """The functions c2 and c3 of Stumpff at `z` = alpha chi²."""
    if abs(z) < _SERIES_TO:
        c2 = c3 = 0.0
        for k in range(_TERMS - 1, -1, -1):
            c2 = _C2[k] - z * c2
            c3 = _C3[k] - z * c3
        return c2, c3
    if z > 0.0:
        root = math.sqrt(z)
        return (1.0 - math.cos(root)) / z, (root - math.sin(root)) / (z * root)
    root = math.sqrt(-z)
    return (math.cosh(root) - 1.0) / -z, (math.sinh(root) - root) / (-z * root)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _universal_anomaly(r0: float, sigma: float, alpha: float, time: float) -> float:
    """Root chi of r0 chi + sigma chi² c2 + (1 − alpha r0) chi³ c3 = `time` (sqrt(GM) dt), bracketed all the way."""
    chi = _first_guess(r0, sigma, alpha, time)
    low, high = (0.0, math.inf) if time >= 0.0 else (-math.inf, 0.0)
    for _ in range(_ITERATIONS):
        c2, c3 = stumpff(alpha * chi * chi)
        second, third = chi * chi * c2, chi * chi * chi * c3
        first = chi - alpha * third
        miss = r0 * first + sigma * second + third - time
        r = r0 + sigma * first + (1.0 - alpha * r0) * second
        beyond = miss > 0.0 if math.isfinite(miss) else time >= 0.0  # too far out to compute is too far
        if beyond:
            high = chi
        else:
            low = chi
        curve = sigma * (1.0 - alpha * second) + (1.0 - alpha * r0) * first
        root = math.sqrt(abs(16.0 * r * r - 20.0 * miss * curve))
        step = 5.0 * miss / (r + root)
        following = chi - step
        if not (low <= following <= high and math.isfinite(root)):  # also where it is no number
            chi = _between(low, high, chi)
            continue
        if abs(following - chi) <= 1e-15 * abs(following) or miss == 0.0:
            return following
        if abs(step) < 1e-6 * abs(chi):  # the next correction is its cube
            return following
        chi = following
    return chi


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _first_guess(r0: float, sigma: float, alpha: float, time: float) -> float:
    """From the series in time for a short step, else that of the mean motion or of a long way out."""
    chi = time / r0
    if abs(sigma * chi) < 0.3 * r0 and abs(chi * chi * (1.0 - alpha * r0)) < r0:
        return chi - 0.5 * sigma * chi * chi / r0
    if alpha > 0.0:
        return alpha * time
    if alpha > -1e-12:
        return math.copysign(min(abs(chi), (6.0 * abs(time)) ** (1.0 / 3.0)), time)
    root = math.sqrt(-alpha)  # far out the time grows with exp(root chi)
    grows = r0 / root + math.copysign(sigma, sigma * time) / -alpha + 1.0 / (-alpha * root)
    return math.copysign(math.asinh(abs(time) / grows) / root, time) if grows > 0.0 else chi


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _between(low: float, high: float, chi: float) -> float:
    if math.isinf(high):
        return 2.0 * chi + 1e-6
    if math.isinf(low):
        return 2.0 * chi - 1e-6
    return 0.5 * (low + high)


def warm_up() -> None:
    """Compile the kernels."""
    propagate(np.array([[1.0, 0.0, 0.0, 0.0, 0.0172, 0.0]]), 1.0)
