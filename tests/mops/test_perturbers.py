"""The table of the planets against DE440 and against itself."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science import ephemeris, perturbers
from mops.science.constants import AU_KM, GM_PLANETS
from tests.mops.orbit_oracles import EPOCH, row_of

METRE = 1 / (AU_KM * 1000)


def place(row: np.ndarray, name: str) -> np.ndarray:
    return row[perturbers.NAMES.index(name) + perturbers.COUNT * np.arange(3)]


def test_every_planet_has_its_mass():
    assert dict(zip(perturbers.NAMES, perturbers.GM.tolist(), strict=True)) == GM_PLANETS
    assert perturbers.COLUMNS == 33


@given(st.sampled_from(perturbers.NAMES), st.floats(EPOCH - 150, EPOCH + 150))
@settings(max_examples=60, deadline=None)
def test_a_planet_is_within_a_metre_of_de440_at_any_instant(name, date):
    assert np.abs(place(row_of(date), name) - ephemeris.body(name, date)[0][0]).max() < METRE


@given(st.floats(EPOCH - 150, EPOCH + 150))
@settings(max_examples=40, deadline=None)
def test_the_suns_own_acceleration_is_that_of_all_planets_on_it(date):
    expected = np.zeros(3)
    for name, gm in GM_PLANETS.items():
        away = ephemeris.body(name, date)[0][0]
        expected -= gm * away / np.linalg.norm(away) ** 3
    found = row_of(date)[3 * perturbers.COUNT :]
    assert found == pytest.approx(expected, rel=1e-7, abs=1e-9 * float(np.linalg.norm(expected)))


def test_the_suns_acceleration_is_the_second_difference_of_its_place():
    """An oracle that knows no mass: the Sun about the barycentre, from DE440 alone."""
    dates = EPOCH + 0.37 + np.array([-4.0, 0.0, 4.0])
    before, now, after = ephemeris.barycentric("sun", dates)[0]
    measured = (before - 2 * now + after) / 16
    found = -row_of(EPOCH + 0.37)[3 * perturbers.COUNT :]
    assert np.linalg.norm(found - measured) < 2e-3 * np.linalg.norm(measured)


@given(st.integers(int(EPOCH) - 100, int(EPOCH) + 100))
@settings(max_examples=30, deadline=None)
def test_one_days_polynomial_meets_the_next(day):
    before, after = row_of(day - 1e-9), row_of(float(day))
    assert np.abs(after - before)[:30].max() < 6 * METRE  # Mercury goes four metres in the time between


def test_outside_the_table_its_first_or_last_polynomial_goes_on():
    table = perturbers.perturbers(EPOCH, EPOCH)
    row = np.zeros(perturbers.COLUMNS)
    perturbers.read(table.first_mjd_tdb, table.coefficients, table.first_mjd_tdb - 0.1, row)
    assert np.abs(place(row, "jupiter") - ephemeris.body("jupiter", table.first_mjd_tdb - 0.1)[0][0]).max() < 1e-6
    end = table.first_mjd_tdb + len(table.coefficients)
    perturbers.read(table.first_mjd_tdb, table.coefficients, end + 0.1, row)
    assert np.abs(place(row, "jupiter") - ephemeris.body("jupiter", end + 0.1)[0][0]).max() < 1e-6


@given(st.floats(ephemeris.FIRST_MJD_TDB + 30, ephemeris.LAST_MJD_TDB - 430), st.floats(0, 400))
@settings(max_examples=4, deadline=None)
def test_a_table_holds_the_dates_asked_for_and_days_about_them(first, span):
    table = perturbers.perturbers(first, first + span)
    assert table.first_mjd_tdb <= max(first - 20, ephemeris.FIRST_MJD_TDB)
    assert table.first_mjd_tdb + len(table.coefficients) >= min(first + span + 20, ephemeris.LAST_MJD_TDB)
    assert table.coefficients.shape[1:] == (6, perturbers.COLUMNS)
    assert np.isfinite(table.coefficients).all()


def test_dates_close_to_each_other_share_a_table():
    assert perturbers.perturbers(EPOCH, EPOCH + 1) is perturbers.perturbers(EPOCH + 2, EPOCH + 3)


@pytest.mark.parametrize("edge", [ephemeris.FIRST_MJD_TDB, ephemeris.LAST_MJD_TDB])
def test_a_table_ends_with_the_ephemeris(edge):
    table = perturbers.perturbers(edge, edge)
    assert ephemeris.FIRST_MJD_TDB <= table.first_mjd_tdb < ephemeris.LAST_MJD_TDB
    row = np.zeros(perturbers.COLUMNS)
    perturbers.read(table.first_mjd_tdb, table.coefficients, edge, row)
    assert np.abs(place(row, "mars") - ephemeris.body("mars", edge)[0][0]).max() < METRE


@pytest.mark.parametrize("wrong", [100.0, ephemeris.FIRST_MJD_TDB - 1, ephemeris.LAST_MJD_TDB + 1, np.nan, np.inf])
def test_dates_without_an_ephemeris_are_said(wrong):
    for first, last in ((wrong, EPOCH), (EPOCH, wrong)):
        with pytest.raises(ValueError, match="covers MJD 11000 to 93000"):
            perturbers.perturbers(first, last)
