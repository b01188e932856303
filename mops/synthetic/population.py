"""Objects from Atens to the Kuiper belt, and interstellar ones on request, drawn reproducibly."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mops.science.elements import Elements, states_from_elements
from mops.synthetic.orbits import absolute_magnitudes, draw
from mops.synthetic.zones import SURVEY_SHARES, WORDS, ZONES, counts

Array = npt.NDArray[np.float64]

EPOCH_MJD_TDB = 60430.0  # the middle of the OpSim fortnight that the benchmarks use
SLOPE_PARAMETER = 0.15  # G of the H, G system, the MPC's value where none is known


@dataclass(frozen=True, slots=True)
class Population:
    """`n` objects.

    epoch_mjd_tdb : of the states.  state : float64 (n, 6), heliocentric ICRF, au and au/day.  elements : of the same
    orbits.  h, g : float64 (n,), absolute magnitude in V and slope parameter.  zone_index : int8 (n,), in
    `zones.WORDS`.  stony : bool (n,), S-type colours, else C-type.
    """

    epoch_mjd_tdb: float
    state: Array
    elements: Elements
    h: Array
    g: Array
    zone_index: npt.NDArray[np.int8]
    stony: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.h)

    @property
    def zone(self) -> npt.NDArray[np.str_]:
        """The word of each object's zone, (n,)."""
        return np.array(WORDS)[self.zone_index]


def make_population(
    n: int,
    seed: int,
    shares: Mapping[str, float] = SURVEY_SHARES,
    *,
    epoch_mjd_tdb: float = EPOCH_MJD_TDB,
    fainter: float = 0.0,
) -> Population:
    """Draw `n` objects, in the order of their zones.

    Parameters
    ----------
    n, seed
        The same pair gives the same objects, on every machine with the same NumPy.
    shares
        Of the zones, any scale (`zones.EQUAL_SHARES` for completeness per zone; add "interstellar" for hyperbolic
        orbits).
    epoch_mjd_tdb
        When the drawn anomalies hold.
    fainter
        Magnitudes added to every H: more objects below the survey's limit, or fewer.

    Raises
    ------
    ValueError
        For shares that cannot be (`zones.counts`).
    """
    rng = np.random.default_rng(seed)
    sizes = counts(n, shares)
    orbits = [draw(zone, sizes[zone.word], rng, epoch_mjd_tdb) for zone in ZONES]
    magnitudes = [absolute_magnitudes(zone, sizes[zone.word], rng) for zone in ZONES]
    drawn = {name: np.concatenate([orbit[name] for orbit in orbits]) for name in orbits[0]}
    elements = Elements.of_mean_anomaly(**drawn, epoch_mjd_tdb=epoch_mjd_tdb)
    zone_index = np.repeat(np.arange(len(ZONES), dtype=np.int8), [sizes[zone.word] for zone in ZONES])
    share_s = np.array([zone.share_s for zone in ZONES])[zone_index]
    return Population(
        epoch_mjd_tdb=epoch_mjd_tdb,
        state=states_from_elements(elements, epoch_mjd_tdb),
        elements=elements,
        h=np.concatenate(magnitudes) + fainter,
        g=np.full(n, SLOPE_PARAMETER),
        zone_index=zone_index,
        stony=rng.random(n) < share_s,
    )
