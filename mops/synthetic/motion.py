"""States of objects from which their places in visits are taken: about the Sun alone, or with the planets."""

from typing import Any

import numba
import numpy as np
import numpy.typing as npt

from mops.science import nbody
from mops.science.perturbers import perturbers
from mops.synthetic.population import Population

Array = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


def two_body(population: Population, pairs: Indices) -> tuple[Array, Array]:
    """States (k, 6) and epochs (k,), MJD TDB, of pairs (visit, object): those of the population."""
    return population.state[pairs[:, 1]], np.full(len(pairs), population.epoch_mjd_tdb)


def with_planets(population: Population, pairs: Indices, tdb: Array) -> tuple[Array, Array]:
    """As `two_body`, but at the visits' own times `tdb` (visits,) and moved there by the Sun, planets and relativity.

    From there on, over the light time alone, the Sun suffices: that is less than 1e-11 au. An object that falls into a
    planet has no state (NaN).
    """
    order = np.lexsort((pairs[:, 0], pairs[:, 1]))
    epoch = population.epoch_mjd_tdb
    table = perturbers(min(epoch, float(tdb.min())), max(epoch, float(tdb.max())))
    out = np.empty((len(pairs), 6))
    along_visits(order, pairs, population.state, epoch, tdb, table.first_mjd_tdb, table.coefficients, out)
    return out, tdb[pairs[:, 0]]


@numba.njit(cache=True, nogil=True)
def along_visits(
    order: Indices, pairs: Indices, state: Array, epoch: float, tdb: Array, first: float, table: Any, out: Array
) -> None:
    """Integrate each object through its visits; `order` puts the pairs by object, and those by time."""
    step = nbody.new_step()
    start, now, last = np.empty(6), 0.0, -1
    for pair in order:
        visit, item = pairs[pair, 0], pairs[pair, 1]
        if item != last:
            start[:], now, last = state[item], epoch, item
        if nbody.propagate(start, now, tdb[visit], first, table, step, False):
            start[:], now = step.state, tdb[visit]
            out[pair] = start
        else:
            out[pair] = np.nan


def warm_up() -> None:
    """Compile the kernels."""
    table = perturbers(60000.0, 60001.0)
    state, tdb, out = np.array([[2.0, 0.0, 0.0, 0.0, 0.012, 0.0]]), np.array([60000.5]), np.empty((1, 6))
    order, pairs = np.zeros(1, dtype=np.int64), np.zeros((1, 2), dtype=np.int64)
    along_visits(order, pairs, state, 60000.0, tdb, table.first_mjd_tdb, table.coefficients, out)
