"""Pointings: OpSim's and our own."""

import datetime as dt

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science.detections import BANDS
from mops.science.ephemeris import earth
from mops.science.time_scales import tdb_from_tai
from mops.synthetic.pointings import day_obs
from mops.synthetic.sky import unit_vectors
from mops.synthetic.survey import pointings_from_opsim, small_survey
from tests.real_data import real_file

HEADER = "observationId,observationStartMJD,visitTime,filter,seeingFwhmEff,fiveSigmaDepth,fieldRA,fieldDec,rotSkyPos\n"
LATE = "12,60423.96,34.0,i,0.9,22.8,129.5,-9.8,132.3\n"
EARLY = "11,60422.97,34.0,u,1.1,23.8,10.0,-5.0,132.3\n"


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "opsim.csv"
    path.write_text(HEADER + LATE + EARLY)
    return path


@settings(max_examples=200, deadline=None)
@given(st.floats(40_000, 80_000))
def test_day_obs_is_the_date_twelve_hours_before(mjd):
    then = dt.datetime(1858, 11, 17, tzinfo=dt.UTC) + dt.timedelta(days=mjd) - dt.timedelta(hours=12)
    if abs((mjd - 0.5) % 1 - 0.5) < 0.4999999:  # the microseconds of datetime are too coarse at noon itself
        assert day_obs(np.array([mjd]))[0] == int(then.strftime("%Y%m%d"))


def test_opsim_visits_come_in_order_of_time_at_the_middle_of_their_exposure(table):
    visits = pointings_from_opsim(table)
    assert visits.visit.tolist() == [11, 12]
    assert visits.mjd_tai[0] == pytest.approx(60422.97 + 17 / 86400, abs=1e-9)
    assert visits.night.tolist() == [20240422, 20240423]
    assert [BANDS[band] for band in visits.band] == ["u", "i"]
    assert (visits.ra[1], visits.dec[1], visits.m5[1], visits.seeing[1]) == (129.5, -9.8, 22.8, 0.9)


def test_only_the_nights_asked_for_are_read(table):
    assert pointings_from_opsim(table, nights=[20240423]).visit.tolist() == [12]


def test_a_night_without_visits_is_refused_with_those_that_there_are(table):
    with pytest.raises(ValueError, match=r"no visit on \[20250101\]: it covers 20240422 to 20240423"):
        pointings_from_opsim(table, nights=[20250101])


@pytest.mark.parametrize("text", ["observationId,filter\n1,r\n", HEADER, ""])
def test_a_table_without_its_columns_or_rows_is_refused(tmp_path, text):
    path = tmp_path / "other.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match="OpSim table with a header line"):
        pointings_from_opsim(path)


def test_a_band_that_is_none_is_refused(tmp_path):
    path = tmp_path / "bands.csv"
    path.write_text(HEADER + EARLY + LATE.replace(",i,", ",w,"))
    with pytest.raises(ValueError, match="has visits in w; the bands are u, g, r, i, z, y"):
        pointings_from_opsim(path)


@pytest.mark.real_data
def test_the_real_fortnight_is_read_whole():
    visits = pointings_from_opsim(real_file("moving_objects", "baseline_v2.0_nights60422_60436.csv"))
    assert len(visits) == 14_203
    assert len(np.unique(visits.visit)) == 14_203
    assert len(np.unique(visits.night)) == 15
    assert (np.diff(visits.mjd_tai) >= 0).all()


def test_the_small_survey_looks_opposite_the_sun_twice_a_night():
    visits = small_survey(20251231, nights=3, every=2, fields_across=3, gap_minutes=25.0, bands="gr")
    assert len(visits) == 3 * 9 * 2
    assert visits.night.tolist() == [20251231] * 18 + [20260102] * 18 + [20260104] * 18
    assert (np.diff(visits.mjd_tai) > 0).all()
    for night in np.unique(visits.night):
        mine = visits.take(visits.night == night)
        np.testing.assert_allclose((mine.mjd_tai[9:] - mine.mjd_tai[:9]) * 1440, 25.0, atol=1e-4)
        np.testing.assert_array_equal(mine.ra[:9], mine.ra[9:])
        assert [BANDS[band] for band in mine.band] == ["g"] * 9 + ["r"] * 9


def test_the_middle_field_is_at_opposition_and_its_neighbours_three_degrees_away():
    visits = small_survey(20240424, nights=3)
    position, _ = earth(tdb_from_tai(np.array([visits.mjd_tai[visits.night == 20240427].mean()])))
    centre = unit_vectors(visits.ra[:9], visits.dec[:9])
    angle = np.degrees(np.arccos(centre @ (position[0] / np.linalg.norm(position[0]))))
    assert angle[4] < 0.01  # the Earth's own latitude above the ecliptic
    np.testing.assert_allclose(angle[[1, 3, 5, 7]], 3.0, atol=0.02)
    assert angle[[0, 2, 6, 8]].min() > 4.2


def test_midnight_is_that_of_the_mountain():
    visits = small_survey(20240424, nights=1)
    utc = visits.mjd_tai.mean() - 37 / 86400
    assert utc % 1 == pytest.approx(0.1965, abs=1e-4)


def test_visits_are_numbered_as_rubins():
    assert small_survey(20240424, nights=2, every=1).visit[[0, 17, 18]].tolist() == [
        2024042400001,
        2024042400018,
        2024042500001,
    ]


def test_a_round_longer_than_the_gap_is_refused():
    with pytest.raises(ValueError, match="100 fields take 70 minutes, longer than the gap of 30"):
        small_survey(20240424, fields_across=10)


def test_a_date_that_is_none_is_refused():
    with pytest.raises(ValueError, match="20241340 is no date: give the first night as yyyymmdd"):
        small_survey(20241340)
