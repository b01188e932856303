"""The coefficients of collocation against quadrature, SciPy's polynomials and the theory of Gauss's rule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.interpolate import BarycentricInterpolator
from scipy.special import roots_sh_legendre

from mops.science import collocation


def lagrange(j: int):
    """The polynomial that is one at node j and nought at the others."""
    return BarycentricInterpolator(collocation.NODES, np.eye(collocation.COUNT)[j])


def test_nodes_and_weights_are_gausss_on_the_unit_interval():
    nodes, weights = roots_sh_legendre(collocation.COUNT)
    assert np.abs(collocation.NODES - nodes).max() < 1e-15
    assert np.abs(collocation.WEIGHTS - weights).max() < 1e-15


def test_nodes_lie_alike_on_both_sides_of_the_middle():
    assert collocation.NODES + collocation.NODES[::-1] == pytest.approx(np.ones(collocation.COUNT), abs=1e-15)
    assert np.abs(collocation.WEIGHTS - collocation.WEIGHTS[::-1]).max() < 1e-15
    assert (np.diff(collocation.NODES) > 0).all()
    assert 0 < collocation.NODES[0] < collocation.NODES[-1] < 1


@pytest.mark.parametrize("j", range(collocation.COUNT))
def test_weights_are_the_integrals_of_lagranges_polynomials(j):
    assert collocation.WEIGHTS[j] == pytest.approx(quad(lagrange(j), 0, 1)[0], abs=1e-12)


@pytest.mark.parametrize("j", range(collocation.COUNT))
def test_positions_at_nodes_are_their_double_integrals(j):
    for i in range(collocation.COUNT):
        node = collocation.NODES[i]
        expected = quad(lambda s, node=node: (node - s) * lagrange(j)(s), 0, node)[0]  # Cauchy's repeated integral
        assert collocation.POSITION_AT_NODES[i, j] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("j", range(collocation.COUNT))
def test_positions_at_the_end_are_moments_of_the_weights(j):
    assert collocation.POSITION_AT_END[j] == pytest.approx(
        collocation.WEIGHTS[j] * (1 - collocation.NODES[j]), abs=1e-12
    )


@given(st.floats(0, 1), st.integers(0, collocation.COUNT - 1))
@settings(max_examples=60, deadline=None)
def test_velocity_is_the_derivative_of_position(s, j):
    power = np.arange(collocation.COUNT)
    velocity = s ** (power + 1) @ collocation.VELOCITY_POWERS[:, j]
    slope = ((power + 2) * s ** (power + 1)) @ collocation.POSITION_POWERS[:, j]
    assert velocity == pytest.approx(slope, abs=1e-9)


def test_the_rule_ends_at_degree_sixteen():
    degree = 2 * collocation.COUNT
    assert collocation.WEIGHTS @ collocation.NODES ** (degree - 1) == pytest.approx(1 / degree, rel=1e-13)
    assert abs(collocation.WEIGHTS @ collocation.NODES**degree - 1 / (degree + 1)) > 1e-12


def test_the_sizes_of_all_tables_are_those_of_the_nodes():
    assert (
        collocation.POSITION_POWERS.shape
        == collocation.VELOCITY_POWERS.shape
        == collocation.POSITION_AT_NODES.shape
        == (collocation.COUNT, collocation.COUNT)
    )
    assert collocation.POSITION_AT_END.shape == collocation.LAST_TERM.shape == (collocation.COUNT,)
    assert collocation.POSITION_AT_NODES.flags.c_contiguous


@given(st.lists(st.floats(-10, 10), min_size=collocation.COUNT - 1, max_size=collocation.COUNT - 1))
@settings(max_examples=50, deadline=None)
def test_an_acceleration_of_low_degree_has_no_last_term(coefficients):
    assert collocation.LAST_TERM @ np.polynomial.Polynomial(coefficients)(collocation.NODES) == pytest.approx(
        0, abs=1e-10
    )


def test_the_last_terms_double_integral_is_of_the_size_that_is_said():
    """P7's double integral is at most about 1 / (4 (2n − 3) (2n + 1)): the three Legendre terms it is made of."""
    last = np.polynomial.legendre.Legendre.basis(collocation.COUNT - 1, domain=[0, 1])
    largest = np.abs(last.integ(2, lbnd=0)(np.linspace(0, 1, 2_001))).max()
    assert 0.2 * collocation.LAST_TERM_IN_POSITION < largest < 2 * collocation.LAST_TERM_IN_POSITION
