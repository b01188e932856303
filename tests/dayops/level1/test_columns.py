"""What stands for NULL in arrays, and how wide a column is."""

import numpy as np
import pytest

from dayops.level1.columns import empty, field_of, required, stored, width_of
from dayops.level1.models import DiaForcedSource, DiaSource, MpcOrbit, SSObject, SSSource

A = np.array


@pytest.mark.parametrize(
    ("model", "name", "values", "void"),
    [
        (DiaSource, "psfFlux", A([1.0, np.nan]), [False, True]),
        (DiaSource, "diaObjectId", A([5, 0]), [False, True]),
        (DiaSource, "diaObjectId", A([5.0, np.nan]), [False, True]),
        (DiaSource, "diaSourceId", A([5, 0]), [False, False]),
        (DiaSource, "band", A(["r", ""]), [False, True]),
        (DiaSource, "isDipole", np.ma.masked_array([True, True], [False, True]), [False, True]),
        (MpcOrbit, "u_param", A([0, 9]), [False, False]),
        (MpcOrbit, "u_param", np.ma.masked_array([0, 9], [True, False]), [True, False]),
        (MpcOrbit, "fitting_datetime", A(["2026-11-20", "NaT"], "M8[s]"), [False, True]),
    ],
)
def test_what_is_not_there_is_seen(model, name, values, void):
    assert empty(field_of(model, name), values).tolist() == void


@pytest.mark.parametrize(
    ("name", "width"),
    [("diaSourceId", ">i8"), ("detector", ">i2"), ("ra", ">f8"), ("psfFlux", ">f4"), ("isDipole", "?"), ("band", "S")],
)
def test_columns_are_as_wide_as_apdb_has_them(name, width):
    assert width_of(field_of(DiaSource, name)) == width


def test_every_row_must_have_what_apdb_does_not_let_be_null():
    ours = {"night", "healpix", "loadId"}
    assert set(required(DiaSource)) - ours == {
        "diaSourceId", "visit", "detector", "midpointMjdTai", "ra", "dec", "x", "y", "timeProcessedMjdTai", "bboxSize",
    }  # fmt: skip
    assert set(required(DiaForcedSource)) - ours == {
        "diaForcedSourceId", "diaObjectId", "ra", "dec", "visit", "detector", "midpointMjdTai", "timeProcessedMjdTai",
    }  # fmt: skip
    assert set(required(SSObject)) - {"validityStartMjdTai"} == {"ssObjectId", "nObs", "arc"}
    assert {"diaSourceId", "ssObjectId", "eclLambda", "eclBeta", "galLon", "galLat"} <= set(required(SSSource))


def test_the_forced_sources_have_the_fourteen_columns_of_apdb():
    ours = {"night", "healpix", "loadId"}
    assert len({field.name for field in DiaForcedSource._meta.concrete_fields} - ours) == 14


def test_units_are_those_of_apdb():
    units = {"ra": "deg", "psfFlux": "nJy", "trailLength": "arcsec", "x": "pixel", "midpointMjdTai": "d"}
    assert {name: getattr(field_of(DiaSource, name), "unit", None) for name in units} == units


def test_a_time_of_day_is_stored_as_postgresql_counts_it():
    values = A(["2000-01-01T00:00:01", "NaT"], "M8[us]")
    field = field_of(MpcOrbit, "fitting_datetime")
    assert stored(field, values, empty(field, values)).tolist() == [1_000_000, 0]
