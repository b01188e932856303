"""Synthetic detections beside real ones: 867 of ZTF, of 30 asteroids."""

import csv

import numpy as np
import pytest

from mops.science.detections import Detections
from mops.synthetic.detections import simulate
from mops.synthetic.findability import findable
from mops.synthetic.injection import INJECTED, merged
from mops.synthetic.obstacles import why_without_tracklets
from mops.synthetic.pointings import Pointings, day_obs
from mops.synthetic.population import make_population
from mops.synthetic.scoring import score
from tests.mops import difi_referee
from tests.mops.synthetic_skies import detections
from tests.real_data import real_file

pytestmark = pytest.mark.real_data


def of_ztf() -> tuple[Detections, np.ndarray]:
    """The detections in order of time, and each one's asteroid by its number."""
    with real_file("moving_objects", "ztf_30_objects", "ztf30.csv").open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: float(row["MJD"]))
    mjd, ra, dec, mag = (np.array([float(row[name]) for row in rows]) for name in ("MJD", "RA", "Dec", "mag"))
    return detections(mjd, ra, dec, night=day_obs(mjd), mag=mag), np.array([int(row["ObjID"]) for row in rows])


def where_they_looked(seen: Detections) -> Pointings:
    """A visit for every fifth real detection, centred on it."""
    at = seen.take(np.arange(0, len(seen), 5))
    n = len(at)
    return Pointings(
        visit=np.arange(1, n + 1, dtype=np.int64),
        mjd_tai=at.mjd_tai,
        ra=at.ra,
        dec=at.dec,
        band=at.band,
        night=at.night,
        m5=np.full(n, 21.0),
        seeing=np.full(n, 2.0),
    )


def test_all_thirty_real_asteroids_are_findable_to_us_and_to_difi(tmp_path):
    seen, whose = of_ztf()
    ours = findable(seen, whose)
    assert ours.tolist() == np.unique(whose).tolist()
    assert len(ours) == 30
    assert not why_without_tracklets(seen, whose)
    assert difi_referee.findable(tmp_path, seen, whose).tolist() == ours.tolist()


def test_linkages_of_the_real_asteroids_score_whole_and_one_swapped_detection_spoils_two():
    seen, whose = of_ztf()
    order = np.lexsort((seen.mjd_tai, whose))
    first = np.append(np.flatnonzero(np.diff(whose[order], prepend=-1)), len(order)).astype(np.int64)
    right = score(first, order, whose, np.unique(whose))
    assert (right.completeness.value, right.purity.value, right.duplicates) == (1.0, 1.0, 0)
    swapped = order.copy()
    swapped[[first[1] - 1, first[1]]] = swapped[[first[1], first[1] - 1]]
    assert score(first, swapped, whose, np.unique(whose)).purity.count == 28


def test_injected_detections_share_the_sky_of_real_ones_and_keep_their_own_truth():
    real, _ = of_ztf()
    sky = make_population(20_000, 1, epoch_mjd_tdb=float(real.mjd_tai.mean()), fainter=-4.0)
    injected, truth = simulate(sky, where_they_looked(real), seed=1, site="I41", first_id=INJECTED)
    both, known = merged(real, injected, truth)
    assert len(injected) > 100
    assert (known >= 0).sum() == len(injected) == len(both) - 867
    assert set(both.id[known < 0]) == set(real.id)
    np.testing.assert_array_equal(findable(both, known, nights=1), findable(injected, truth, nights=1))
