"""Every compiled kernel of DayMOPS, called once on a small sky: compiled before workers fork."""

import numpy as np

from mops.science import attribution, kepler, moid, observers, phase_curve, propagation
from mops.science.linking.link import LinkConfig
from mops.science.linking.search import SearchConfig, search
from mops.science.time_scales import tdb_from_tai
from mops.science.tracklets import make_tracklets
from mops.synthetic.detections import simulate
from mops.synthetic.findability import findable
from mops.synthetic.obstacles import why_without_tracklets
from mops.synthetic.opposition import gathered
from mops.synthetic.population import make_population
from mops.synthetic.survey import small_survey

_FIRST_NIGHT, _NIGHTS = 20260101, 4


def warm_up() -> None:
    """Compile them, or load them from Numba's cache on disk."""
    for kernels in (kepler, moid, phase_curve, propagation, attribution):
        kernels.warm_up()
    pointings = small_survey(_FIRST_NIGHT, _NIGHTS, every=1, fields_across=1)
    epoch = float(tdb_from_tai(float(pointings.mjd_tai.mean())))
    population = gathered(make_population(400, 1, epoch_mjd_tdb=epoch, fainter=-3.0), epoch, 3.0, 1)
    detections, truth = simulate(population, pointings, seed=1, planets=True)
    findable(detections, truth)
    why_without_tracklets(detections, truth)
    search(detections, make_tracklets(detections).tracklets, SearchConfig(link=LinkConfig(window_days=float(_NIGHTS))))
    observers.heliocentric("X05", np.array([61_000.0]))
