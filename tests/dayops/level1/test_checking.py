"""Which rows may be loaded: each rule, with the sentence it gives."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dayops.level1.checking import BadTable, checked, kept_columns
from dayops.level1.models import DiaForcedSource, DiaSource
from tests.dayops.level1.tables import MJD, NIGHT, sources


def reasons(**changed: Any) -> dict[int, str]:
    """What is said of rows of a table in which columns were changed."""
    size = max((len(values) for values in changed.values()), default=3)
    return {one.row: one.reason for one in checked(DiaSource, sources(size, **changed), 0).refused}


@pytest.mark.parametrize(
    ("column", "values", "sentence"),
    [
        ("ra", [1.0, np.nan, 3.0], "ra is missing or not a number"),
        ("ra", [1.0, 360.0, 3.0], "ra = 360.0 is outside [0, 360) degrees"),
        ("ra", [1.0, -1e-9, 3.0], "ra = -1e-09 is outside [0, 360) degrees"),
        ("ra", [1.0, np.inf, 3.0], "ra = inf is infinite, or too large for its column"),
        ("dec", [1.0, 90.1, 3.0], "dec = 90.1 is outside −90 to 90 degrees"),
        ("diaSourceId", [1, 0, 3], "diaSourceId = 0 is not positive, as every id is"),
        ("diaSourceId", [1, -5, 3], "diaSourceId = -5 is not positive, as every id is"),
        ("diaObjectId", [1, -5, 0], "diaObjectId = -5 is not positive, as every id is"),
        ("visit", [1, 0, 3], "visit = 0 is not positive, as every id is"),
        ("detector", [1, 40_000, 3], "detector = 40000 is beyond 2^15 − 1"),
        ("band", ["u", "V", ""], "band = V is none of u, g, r, i, z, y"),
        ("midpointMjdTai", [MJD, 0.0, MJD], "midpointMjdTai = 0.0 is no MJD between 1990 and 2100"),
        (
            "midpointMjdTai",
            [MJD, MJD + 2_400_000.5, MJD],
            "midpointMjdTai = 2461365.6 is a Julian Date: take off 2400000.5 to make it an MJD",
        ),
        (
            "timeProcessedMjdTai",
            [MJD, 1.7e9, MJD],
            "timeProcessedMjdTai = 1700000000.0 is no MJD between 1990 and 2100",
        ),
        ("timeWithdrawnMjdTai", [np.nan, 5.0, MJD], "timeWithdrawnMjdTai = 5.0 is no MJD between 1990 and 2100"),
        ("psfFlux", [1.0, 1e39, np.nan], "psfFlux = 1e+39 is infinite, or too large for its column"),
        ("night", [NIGHT, NIGHT + 1, NIGHT], "night = 20261121 is not the dayObs of midpointMjdTai"),
        ("ra", ["1.5", "one", "3.5"], "ra = one is not a number"),
        ("bboxSize", ["5", "", "7"], "bboxSize is missing or not a number"),
        ("isNegative", ["true", "maybe", "F"], "isNegative = maybe is not a number"),
        (
            "diaObjectId",
            [1.0, 2.0**60, np.nan],
            "diaObjectId = 1.152921504606847e+18 is no whole number below 2^53: write whole numbers as integers",
        ),
    ],
)
def test_a_bad_row_is_refused_with_its_reason_and_the_others_are_not(column, values, sentence):
    assert reasons(**{column: np.array(values)}) == {1: sentence}


def test_an_id_beyond_63_bits_is_refused():
    assert reasons(diaSourceId=np.array([1, 2**63, 2**63 - 1], np.uint64)) == {
        1: "diaSourceId = 9223372036854775808 is beyond 2^63 − 1"
    }


def test_a_row_with_several_faults_is_refused_once_and_the_rows_left_are_numbered_by_the_file():
    table = sources(4, ra=[1.0, -1.0, 2.0, 3.0], dec=[0.0, 95.0, 1.0, np.nan])
    found = checked(DiaSource, table, 100)
    assert [one.row for one in found.refused] == [101, 103]
    assert found.rows.tolist() == [0, 2]
    assert found.columns["ra"].tolist() == [1.0, 2.0]
    assert [one.identity for one in found.refused] == ["2", "4"]


@given(st.lists(st.floats(), min_size=1), st.data())
def test_no_place_outside_the_sky_passes_and_none_inside_is_refused(ra, data):
    dec = data.draw(st.lists(st.floats(), min_size=len(ra), max_size=len(ra)))
    found = checked(DiaSource, sources(len(ra), ra=ra, dec=dec), 0)
    good = [i for i, (a, d) in enumerate(zip(ra, dec, strict=True)) if 0 <= a < 360 and -90 <= d <= 90]
    assert found.rows.tolist() == good
    assert sorted(one.row for one in found.refused) == sorted(set(range(len(ra))) - set(good))


@given(st.lists(st.integers(-(2**63), 2**64 - 1), min_size=1))
def test_ids_pass_when_they_are_positive_and_of_63_bits(ids):
    kind = np.uint64 if min(ids) >= 0 else np.int64
    if max(ids) >= 2**63 and min(ids) < 0:
        ids = [one for one in ids if one < 2**63]
    found = checked(DiaSource, sources(len(ids), diaSourceId=np.array(ids, kind)), 0)
    assert found.rows.tolist() == [i for i, one in enumerate(ids) if 0 < one < 2**63 and one not in ids[:i]]


def test_a_table_without_a_column_that_every_row_needs_is_refused_by_name():
    names = [name for name in sources(1) if name not in {"ra", "bboxSize"}]
    with pytest.raises(BadTable, match=r"has no ra, bboxSize, which every DiaSource needs .*it has diaSourceId,"):
        kept_columns(DiaSource, names)


@pytest.mark.parametrize("name", ["midpointMjdUtc", "midpointMjdTdb", "midpointMjdTT"])
def test_times_in_another_scale_are_refused(name):
    with pytest.raises(BadTable, match=rf"{name} is not in TAI.*midpointMjdTai"):
        kept_columns(DiaSource, [*sources(1), name])


def test_columns_that_are_not_kept_are_left_out():
    assert kept_columns(DiaSource, [*sources(1), "ixx", "healpix", "loadId"]) == list(sources(1))


def test_forced_sources_obey_the_same_rules():
    table = {
        "diaForcedSourceId": np.array([1, 2]),
        "diaObjectId": np.array([7, 0]),
        "ra": np.array([1.0, 2.0]),
        "dec": np.array([1.0, 2.0]),
        "visit": np.array([5, 5]),
        "detector": np.array([1, 2]),
        "midpointMjdTai": np.array([MJD, MJD]),
        "timeProcessedMjdTai": np.array([MJD, MJD]),
    }
    found = checked(DiaForcedSource, table, 0)
    assert [one.reason for one in found.refused] == ["diaObjectId = 0 is not positive, as every id is"]
