"""Real and published catalogues: every object that can be found is found, and nothing is mixed."""

import csv

import numpy as np
import pytest

from mops.science.detections import Detections
from mops.science.linking.search import search
from mops.science.observers import heliocentric
from mops.science.time_scales import tai_from_utc
from mops.science.tracklets import make_tracklets
from mops.synthetic.findability import findable
from mops.synthetic.pointings import day_obs
from mops.synthetic.scoring import score
from tests.real_data import needs_real_data, real_file

pytestmark = [pytest.mark.real_data, needs_real_data]


def rows_of(*path):
    with real_file("moving_objects", *path).open(newline="") as file:
        return list(csv.DictReader(file))


def catalogue(mjd_tai, ra, dec, sigma, name, site):
    """Detections in the order of time, and the number of each one's object."""
    order = np.argsort(mjd_tai, kind="stable")
    mjd, ra, dec, sigma = (np.asarray(each, float)[order] for each in (mjd_tai, ra, dec, sigma))
    visit = np.unique(np.round(mjd * 86400 / 5), return_inverse=True)[1].astype(np.int64)
    detections = Detections(
        id=np.arange(len(mjd)), mjd_tai=mjd, ra=ra, dec=dec, sigma_ra=sigma, sigma_dec=sigma.copy(),
        mag=np.full(len(mjd), 20.0), band=np.zeros(len(mjd), np.int8), night=day_obs(mjd), visit=visit,
        observer=heliocentric(site, mjd)[0],
    )  # fmt: skip
    return detections, np.unique(np.asarray(name)[order], return_inverse=True)[1].astype(np.int64)


def scored(detections, truth):
    result = search(detections, make_tracklets(detections).tracklets)
    return score(result.first, result.members, truth, findable(detections, truth))


@pytest.mark.parametrize("sigma", [0.1, 0.2, 0.5])
def test_thirty_asteroids_of_ztf_are_linked_pure(sigma):
    rows = rows_of("ztf_30_objects", "ztf30.csv")
    mjd = tai_from_utc(np.array([float(row["MJD"]) for row in rows]))
    places = ([row["RA"] for row in rows], [row["Dec"] for row in rows])
    sky = catalogue(mjd, *places, np.full(len(rows), sigma), [row["ObjID"] for row in rows], "I41")
    result = scored(*sky)
    assert (result.completeness.count, result.completeness.total) == (30, 30)
    assert (result.purity.count, result.purity.total) == (30, 30)


def test_heliolinx_ten_objects_of_the_main_belt_are_linked_pure():
    rows = rows_of("heliolinx_demo", "test_TenObjects01a.csv")
    sigma = np.maximum(0.01, 3600 * np.array([float(row["AstrometricSigma(deg)"]) for row in rows]))
    places = ([row["AstRA(deg)"] for row in rows], [row["AstDec(deg)"] for row in rows])
    mjd = [float(row["FieldMJD_TAI"]) for row in rows]
    result = scored(*catalogue(mjd, *places, sigma, [row["ObjID"] for row in rows], "X05"))
    assert (result.completeness.count, result.purity.count, result.purity.total) == (10, 10, 10)


def test_heliolinx_ten_objects_inside_the_earths_orbit_are_linked_pure():
    rows = rows_of("heliolinx_demo", "test_VaneTen01a.csv")
    places = ([row["RA"] for row in rows], [row["Dec"] for row in rows])
    mjd = [float(row["MJD"]) for row in rows]
    result = scored(*catalogue(mjd, *places, np.full(len(rows), 0.1), [row["#stringID"] for row in rows], "X05"))
    assert (result.completeness.count, result.purity.count, result.purity.total) == (10, 10, 10)
