"""Orbits of distant objects: two weeks do not tell them from unbound ones, so that they are supposed to be bound."""

from dataclasses import fields

import numpy as np

from mops.science.orbit_fit import DISTANT, Arcs, Orbits, fit
from mops.science.orbit_status import Status

FROM_AU = 15.0  # nearer objects move enough in a fortnight


def supposed_bound(arcs: Arcs, orbits: Orbits) -> Orbits:
    """`orbits` of `arcs`, those beyond 15 au that their arc does not fix fitted again with a weak supposition.

    See `orbit_fit.DISTANT`. An orbit that stays loose stays as it was.
    """
    r = np.linalg.norm(orbits.state[:, :3], axis=1)
    loose = np.flatnonzero((orbits.status == Status.UNCONSTRAINED) & (r > FROM_AU))
    if not len(loose):
        return orbits
    again = fit(arcs.take(loose), orbits.state[loose], orbits.epoch_mjd_tdb[loose], DISTANT)
    better = again.status == Status.OK
    flat = np.isin(np.repeat(np.arange(len(arcs)), np.diff(arcs.first)), loose[better])
    kept = np.repeat(better, np.diff(arcs.first)[loose])
    values = {}
    for field in fields(Orbits):
        old, new = getattr(orbits, field.name).copy(), getattr(again, field.name)
        if field.name in _FLAT:
            old[flat] = new[kept]
        else:
            old[loose[better]] = new[better]
        values[field.name] = old
    return Orbits(**values)


_FLAT = {"used", "residual_ra", "residual_dec"}
