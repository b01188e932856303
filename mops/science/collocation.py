"""Coefficients of Gauss-Legendre collocation for r'' = a(t, r): Hairer, Lubich & Wanner 2006, Geometric Numerical
Integration, ch. II.1.3 and II.2, made with NumPy at import.

With l_j the Lagrange polynomials of the nodes on (0, 1), a step of h days has
r(t + h s) = r + h s v + h² sum_j p_j(s) a_j and v(t + h s) = v + h sum_j q_j(s) a_j,
where p_j is the double integral of l_j and q_j the single one.
"""

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

COUNT = 8  # order 16 at the end of a step, 10 between


def _nodes() -> tuple[Array, Array]:
    x, weight = np.polynomial.legendre.leggauss(COUNT)
    return (x + 1) / 2, weight / 2


def _polynomials(nodes: Array) -> tuple[Array, Array]:
    """Coefficients, lowest power first and (power, node), of p_j(s) / s² and q_j(s) / s."""
    lagrange = np.linalg.inv(np.vander(nodes, increasing=True))  # (power, node)
    power = np.arange(COUNT)[:, None]
    return lagrange / ((power + 1) * (power + 2)), lagrange / (power + 1)


NODES, WEIGHTS = _nodes()
POSITION_POWERS, VELOCITY_POWERS = _polynomials(NODES)
POSITION_AT_NODES = np.ascontiguousarray((np.vander(NODES, increasing=True) * NODES[:, None] ** 2) @ POSITION_POWERS)
POSITION_AT_END = POSITION_POWERS.sum(axis=0)
# the last Legendre coefficient of the acceleration, and about what its double integral comes to
LAST_TERM = WEIGHTS * (2 * COUNT - 1) * np.polynomial.legendre.Legendre.basis(COUNT - 1)(2 * NODES - 1)
LAST_TERM_IN_POSITION = 1 / (4 * (2 * COUNT - 3) * (2 * COUNT + 1))
