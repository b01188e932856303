"""What pulls at a small body: the Sun with its first post-Newtonian term, the planets, Pluto and the Moon.

The relativistic term is that of IERS Conventions 2010, eq. 10.12 (first line, beta = gamma = 1).
"""

import math
from typing import Any

import numba

from mops.science import perturbers
from mops.science.constants import C_AU_PER_DAY, GM_SUN

_PLANETS = perturbers.COUNT
_GM = perturbers.GM


@numba.njit(
    cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"}
)  # sums of ten planets in any order
def attraction(place: Any, planets: Any, given: Any, acceleration: Any) -> None:
    """Write the acceleration at `place` by the Sun and the `planets` (a row of `perturbers.read`), `given` added."""
    x, y, z = place[0], place[1], place[2]
    sun = -GM_SUN * (x * x + y * y + z * z) ** -1.5
    ax, ay, az = 0.0, 0.0, 0.0
    for j in range(_PLANETS):
        dx, dy, dz = planets[j] - x, planets[_PLANETS + j] - y, planets[2 * _PLANETS + j] - z
        square = dx * dx + dy * dy + dz * dz
        pull = _GM[j] / (square * math.sqrt(square))
        ax += pull * dx
        ay += pull * dy
        az += pull * dz
    acceleration[0] = sun * x + ax + given[0]
    acceleration[1] = sun * y + ay + given[1]
    acceleration[2] = sun * z + az + given[2]


@numba.njit(cache=True, nogil=True, error_model="numpy")
def relativity(state: Any, acceleration: Any) -> None:
    """Write the post-Newtonian acceleration of `state` (6,)."""
    x, y, z, u, v, w = state[0], state[1], state[2], state[3], state[4], state[5]
    r = size(state)
    factor = GM_SUN / (C_AU_PER_DAY**2 * r * r * r)
    along, across = factor * (4.0 * GM_SUN / r - u * u - v * v - w * w), factor * 4.0 * (x * u + y * v + z * w)
    acceleration[0] = along * x + across * u
    acceleration[1] = along * y + across * v
    acceleration[2] = along * z + across * w


@numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract"})
def gradient(place: Any, planets: Any, gradient: Any) -> None:
    """d acceleration / d place as xx, xy, xz, yy, yz, zz."""
    x, y, z = place[0], place[1], place[2]
    square = x * x + y * y + z * z
    cube = GM_SUN / (square * math.sqrt(square))
    fifth = 3.0 * cube / square
    xx, xy, xz = fifth * x * x - cube, fifth * x * y, fifth * x * z
    yy, yz, zz = fifth * y * y - cube, fifth * y * z, fifth * z * z - cube
    for j in range(_PLANETS):
        dx, dy, dz = planets[j] - x, planets[_PLANETS + j] - y, planets[2 * _PLANETS + j] - z
        square = dx * dx + dy * dy + dz * dz
        cube = _GM[j] / (square * math.sqrt(square))
        fifth = 3.0 * cube / square
        xx += fifth * dx * dx - cube
        xy += fifth * dx * dy
        xz += fifth * dx * dz
        yy += fifth * dy * dy - cube
        yz += fifth * dy * dz
        zz += fifth * dz * dz - cube
    gradient[0], gradient[1], gradient[2], gradient[3], gradient[4], gradient[5] = xx, xy, xz, yy, yz, zz


@numba.njit(cache=True, nogil=True, error_model="numpy")
def size(vector: Any) -> float:
    """Length of the first three of `vector`."""
    return math.sqrt(vector[0] * vector[0] + vector[1] * vector[1] + vector[2] * vector[2])
