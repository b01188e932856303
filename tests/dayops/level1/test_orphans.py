"""DiaObjects that lose their sources to the Solar System."""

import numpy as np
import pytest

from dayops.level1.instants import instant, snapshot
from dayops.level1.loading import load_columns
from dayops.level1.models import DiaObject, SSSource
from dayops.level1.orphans import settle
from dayops.level1.writing import replace
from tests.dayops.level1.tables import sources

pytestmark = pytest.mark.django_db
FLUX, ERROR = np.array([10.0, 20.0, 40.0, 5.0, 7.0]), np.array([1.0, 2.0, 1.0, 1.0, 1.0])


def night() -> None:
    """DiaObject 1 with sources 1, 2, 3 and DiaObject 2 with sources 4, 5."""
    load_columns(sources(5, diaObjectId=[1, 1, 1, 2, 2], psfFlux=FLUX, psfFluxErr=ERROR, band=list("rrgrr")))
    place = {"ra": np.array([1.0, 2.0]), "dec": np.zeros(2), "raErr": np.array([1e-5, np.nan])}
    replace(DiaObject, {"diaObjectId": np.array([1, 2]), "nDiaSources": np.array([3, 2]), **place}, instant())


def attribute(ids: list[int]) -> None:
    zero = np.zeros(len(ids))
    rows = {"diaSourceId": np.array(ids), "ssObjectId": np.full(len(ids), 9)}
    replace(SSSource, rows | dict.fromkeys(["eclLambda", "eclBeta", "galLon", "galLat"], zero), instant())


def test_an_object_that_loses_its_last_source_ends_and_was_there_before():
    night()
    before = snapshot()
    attribute([4, 5])
    assert settle(np.array([2]), instant()) == (1, 0)
    assert [one.diaObjectId for one in DiaObject.objects.current()] == [1]
    assert [one.diaObjectId for one in DiaObject.objects.as_of(before).order_by("diaObjectId")] == [1, 2]


def test_an_object_that_keeps_some_is_made_again_from_these():
    night()
    attribute([3])
    assert settle(np.array([1, 1, 77]), instant()) == (0, 1)
    made = DiaObject.objects.current().get(diaObjectId=1)
    assert (made.nDiaSources, made.r_psfFluxNdata, made.g_psfFluxNdata) == (2, 2, 0)
    assert made.r_psfFluxMean == pytest.approx((10 / 1 + 20 / 4) / (1 + 1 / 4))
    assert made.r_psfFluxMeanErr == pytest.approx((1 + 1 / 4) ** -0.5)
    assert made.r_psfFluxSigma == pytest.approx(np.std([10, 20], ddof=1))
    assert (made.g_psfFluxMean, made.g_psfFluxMeanErr, made.g_psfFluxSigma) == (None, None, None)
    assert (made.ra, made.raErr, made.decErr) == (1.0, np.float32(1e-5), None)
    assert made.lastDiaSourceMjdTai - made.firstDiaSourceMjdTai == pytest.approx(1e-7, abs=1e-10)


def test_one_source_has_a_mean_and_no_spread():
    night()
    attribute([5])
    settle(np.array([2]), instant())
    made = DiaObject.objects.current().get(diaObjectId=2)
    assert (made.r_psfFluxMean, made.r_psfFluxSigma, made.nDiaSources) == (5.0, None, 1)


def test_settling_twice_changes_nothing():
    night()
    attribute([3, 4, 5])
    assert settle(np.array([1, 2]), instant()) == (1, 1)
    assert settle(np.array([1, 2]), instant()) == (0, 0)


def test_no_objects_need_no_settling():
    assert settle(np.empty(0, np.int64), 61_000.0) == (0, 0)
