"""Sources as arrays."""

import numpy as np
import pytest

from dayops.level1 import reading
from dayops.level1.ahead import ahead
from dayops.level1.instants import instant
from dayops.level1.loading import load_columns
from dayops.level1.models import DiaForcedSource, DiaSource
from dayops.level1.reading import dia_sources, forced_sources
from dayops.level1.writing import withdraw
from tests.dayops.level1.tables import MJD, NIGHT, sources
from tests.dayops.level1.test_loading import forced

pytestmark = pytest.mark.django_db


def test_rows_come_in_the_order_of_their_ids_whatever_is_asked():
    load_columns(sources(500, psfFlux=np.arange(500, 0, -1)))
    assert dia_sources([NIGHT], columns=["psfFlux"])["psfFlux"].tolist() == list(range(500, 0, -1))


def test_only_the_columns_that_were_asked_come_in_their_order():
    load_columns(sources(3))
    assert list(dia_sources([NIGHT], columns=["ra", "diaSourceId"])) == ["ra", "diaSourceId"]
    assert tuple(dia_sources([NIGHT])) == reading.USUAL


def test_types_are_the_machines_own_and_as_wide_as_the_columns():
    load_columns(sources(3))
    read = dia_sources([NIGHT], columns=["diaSourceId", "detector", "ra", "psfFlux", "isNegative", "band", "night"])
    assert [values.dtype.str for values in read.values()] == ["<i8", "<i2", "<f8", "<f4", "|b1", "<U1", "<i4"]


def test_what_is_null_is_nan_nought_false_or_empty():
    load_columns(sources(1, diaObjectId=[0], band=[""], psfFlux=[np.nan]))
    read = dia_sources([NIGHT], columns=["diaObjectId", "ssObjectId", "band", "psfFlux", "snr", "isDipole"])
    assert (read["diaObjectId"][0], read["ssObjectId"][0], read["band"][0], read["isDipole"][0]) == (0, 0, "", False)
    assert np.isnan([read["psfFlux"][0], read["snr"][0]]).all()


def test_a_night_that_there_is_not_has_no_sources():
    read = dia_sources([19991231])
    assert {len(values) for values in read.values()} == {0}
    assert read["band"].dtype.str == "<U1"


def test_several_nights_come_together_and_others_stay_away():
    load_columns(sources(6, midpointMjdTai=MJD + np.arange(6) % 3))
    assert dia_sources([NIGHT + 2, NIGHT])["diaSourceId"].tolist() == [1, 3, 4, 6]


def test_a_column_that_there_is_not_is_refused():
    with pytest.raises(ValueError, match="DiaSource has no column hue"):
        dia_sources([NIGHT], columns=["hue"])


def test_withdrawn_rows_are_gone_from_now_on():
    load_columns(sources(3))
    load_columns(forced(3), model=DiaForcedSource)
    withdraw(DiaSource, [NIGHT], np.array([2]), instant())
    withdraw(DiaForcedSource, [NIGHT], np.array([3]), instant())
    assert dia_sources([NIGHT])["diaSourceId"].tolist() == [1, 3]
    assert forced_sources([NIGHT], columns=["diaForcedSourceId"])["diaForcedSourceId"].tolist() == [1, 2]


def test_forced_sources_give_all_of_apdbs_columns_but_the_withdrawal():
    load_columns(forced(2), model=DiaForcedSource)
    read = forced_sources([NIGHT])
    assert len(set(read) - {"night", "healpix", "loadId"}) == 13
    assert np.isnan(read["scienceFlux"]).all()


def test_what_is_made_ahead_comes_in_order_and_its_errors_where_it_is_used():
    def made():
        yield 1
        yield 2
        raise OSError("broken")

    seen = []
    with pytest.raises(OSError, match="broken"):
        for one in ahead(made()):
            seen.append(one)
    assert seen == [1, 2]
