"""Observations as detections for fitting, and our detections as observations."""

from math import nan

import numpy as np
import pytest

from mops.mpc.ades_validate import validate
from mops.mpc.ades_write import ades_document
from mops.mpc.as_detections import as_detections, mjd_tai
from mops.mpc.designations import Designation
from mops.mpc.from_detections import from_detections
from mops.mpc.vocabulary import lsst_band
from mops.mpc.weights import expected_sigma_arcsec
from mops.science import ephemeris, observers, time_scales
from mops.science.constants import AU_KM
from tests.mops.mpc_observations import CONTEXT, observed, tracklet

OWN = Designation(temporary="d00001A")


def test_an_observation_becomes_a_detection():
    converted = as_detections([observed()])
    made = converted.detections
    assert made.mjd_tai[0] == pytest.approx(61135.12784349537 + 37 / 86_400, abs=1e-10)
    assert (made.ra[0], made.dec[0]) == (150.12345678, -5.87654321)
    assert (made.sigma_ra[0], made.sigma_dec[0], made.mag[0]) == (0.0123, 0.0145, 22.345)
    assert (made.band[0], made.night[0]) == (2, 20260404)
    assert made.observer[0] == pytest.approx(observers.heliocentric("X05", made.mjd_tai)[0][0], abs=1e-12)
    assert converted.refused == ()


def test_types_are_those_of_detections_also_for_none():
    made = as_detections([]).detections
    assert len(made) == 0
    assert [str(column.dtype) for column in (made.id, made.band, made.night)] == ["int64", "int8", "int32"]
    assert made.observer.shape == (0, 3)


def test_an_observer_without_a_place_is_left_out_with_its_reason():
    rows = [observed(), observed(station="C51", line=9), observed(station="I41")]
    converted = as_detections(rows)
    assert converted.rows.tolist() == converted.detections.id.tolist() == [0, 2]
    (refusal,) = converted.refused
    assert refusal.line == 9 and "WISE" in refusal.reason


def test_a_given_place_is_the_observers_from_the_earths_centre():
    made = as_detections([observed(), observed(station="C51", place_km=(7000.0, 0.0, -100.0))]).detections
    earth, _ = ephemeris.earth(time_scales.tdb_from_tai(made.mjd_tai[1:]))
    assert (made.observer[1] - earth[0]) * AU_KM == pytest.approx([7000.0, 0.0, -100.0], abs=1e-3)
    assert 6000 < np.linalg.norm(made.observer[0] - earth[0]) * AU_KM < 7000


def test_exposures_are_numbered_by_observatory_and_time():
    first, second = tracklet(0)
    rows = [first, second, first, observed(station="I41", mjd_utc=first.mjd_utc)]
    assert as_detections(rows).detections.visit.tolist() == [0, 1, 0, 2]


def test_utc_becomes_tai_with_the_leap_seconds_of_its_time():
    times = mjd_tai([observed(mjd_utc=57753.0), observed(mjd_utc=57754.0)])
    assert (times - [57753.0, 57754.0]) * 86_400 == pytest.approx([36.0, 37.0], abs=1e-5)


@pytest.mark.parametrize(
    ("band", "index"),
    [("Lu", 0), ("Ly", 5), ("Sg", 1), ("Pz", 4), ("r", 2), ("V", -1), ("G", -1), ("", -1), ("Lx", -1)],
)
def test_bands_of_the_same_letter_count_as_lssts(band, index):
    assert lsst_band(band) == index


@pytest.mark.parametrize(
    ("station", "mode", "mjd", "sigma"),
    [
        ("F51", "", 58000.0, 0.2),
        ("703", "CCD", 56000.0, 1.0),
        ("703", "CCD", 57000.0, 0.8),
        ("I41", "", 58000.0, 1.0),
        ("675", "PHO", 40000.0, 2.5),
        ("675", "", 40000.0, 2.5),
        ("675", "", 47891.9, 2.5),
        ("675", "", 47892.0, 1.0),
        ("675", "", 30000.0, 5.0),
        ("675", "", 1000.0, 10.0),
        ("500", "PMT", 48000.0, 0.2),
    ],
)
def test_an_unknown_uncertainty_is_expected_of_observatory_and_age(station, mode, mjd, sigma):
    assert expected_sigma_arcsec(station, mode, mjd) == sigma


def test_only_unknown_uncertainties_are_replaced():
    made = as_detections([observed(rms_ra=nan, station="F51")]).detections
    assert (made.sigma_ra[0], made.sigma_dec[0]) == (0.2, 0.0145)


def test_our_detections_become_valid_observations_and_come_back():
    rows = [row for night in range(3) for row in tracklet(night)]
    ours = as_detections(rows).detections
    reported = from_detections(
        ours, OWN, rms_mag=np.full(6, 0.05), rms_corr=np.full(6, 0.1), photometric_catalogue="Gaia3"
    )
    assert validate(ades_document(reported, CONTEXT)) == []
    back = as_detections(reported).detections
    for name in ("ra", "dec", "sigma_ra", "sigma_dec", "mag", "band", "night", "visit"):
        assert getattr(back, name).tolist() == getattr(ours, name).tolist()
    assert back.mjd_tai == pytest.approx(ours.mjd_tai, abs=1e-10)


def test_times_are_reported_in_utc():
    (row,) = from_detections(as_detections([observed()]).detections, OWN)
    assert row.utc == "2026-04-05T03:04:05.678Z"
    assert row.band == "Lr" and row.mode == "CCD"


@pytest.mark.parametrize("changes", [{"mag": nan}, {"band": "V"}])
def test_a_magnitude_that_ades_cannot_hold_is_left_out(changes):
    (row,) = from_detections(as_detections([observed(**changes)]).detections, OWN)
    assert row.band == "" and row.photometric_catalogue == ""
    assert validate(ades_document([row], CONTEXT)) == []
