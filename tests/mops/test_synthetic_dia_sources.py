"""Synthetic detections as Level 1 rows, and back."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dayops.level1.checking import checked, kept_columns
from dayops.level1.models import DiaSource, Visit
from mops.synthetic.detections import simulate
from mops.synthetic.dia_sources import detections_from_rows, dia_source_rows, visit_rows
from mops.synthetic.focal_plane import DETECTORS, PITCH_PIXELS, detector_places
from mops.synthetic.opposition import gathered
from mops.synthetic.population import make_population
from mops.synthetic.sky import angles, tangents, unit_vectors
from mops.synthetic.survey import small_survey

SURVEY = small_survey(20240424, nights=2)
SKY = gathered(make_population(300, 1, fainter=-2.0), float(SURVEY.mjd_tai.mean()), 5.0, seed=1)
SEEN, TRUTH = simulate(SKY, SURVEY, seed=1, false_per_deg2=0.5)
ROWS = dia_source_rows(SEEN, SURVEY, TRUTH)


def offset(ra: float, dec: float, east_deg: float, north_deg: float) -> tuple[np.ndarray, np.ndarray]:
    """RA and Dec of a place in the tangent plane of a field's centre."""
    at = np.array([ra]), np.array([dec])
    east, north = tangents(*at)
    return angles(unit_vectors(*at) + np.tan(np.radians(east_deg)) * east + np.tan(np.radians(north_deg)) * north)


def test_detections_come_back_as_they_went():
    back = detections_from_rows(ROWS, SEEN.night, "X05")
    for name in ("id", "mjd_tai", "ra", "dec", "night", "visit", "band"):
        np.testing.assert_array_equal(getattr(back, name), getattr(SEEN, name))
    for name in ("sigma_ra", "sigma_dec", "mag", "observer"):
        np.testing.assert_allclose(getattr(back, name), getattr(SEEN, name), rtol=1e-12, atol=1e-12)


def test_rows_are_fit_for_the_level_1_database():
    columns = {name: ROWS[name] for name in kept_columns(DiaSource, list(ROWS))}
    assert set(columns) == set(ROWS)
    found = checked(DiaSource, columns, 0)
    assert not found.refused
    np.testing.assert_array_equal(found.columns["night"], SEEN.night)


def test_visits_have_what_the_database_keeps():
    rows = visit_rows(SURVEY)
    assert set(kept_columns(Visit, list(rows))) | {"night"} == set(rows)
    assert set(SEEN.visit) <= set(rows["visit"])
    assert rows["band"][0] == "r"


def test_a_row_of_signal_to_noise_five_is_at_the_depth_of_its_visit():
    depth = dict(zip(SURVEY.visit.tolist(), SURVEY.m5.tolist(), strict=True))
    above = np.array([depth[visit] for visit in SEEN.visit.tolist()]) - SEEN.mag
    assert ((ROWS["snr"] >= 4.99) == (above >= 0)).all()
    np.testing.assert_allclose(ROWS["psfFlux"] / ROWS["psfFluxErr"], ROWS["snr"])
    np.testing.assert_allclose(31.4 - 2.5 * np.log10(ROWS["psfFlux"]), SEEN.mag)


def test_true_sources_are_reliable_and_false_ones_any():
    reliability = ROWS["reliability"]
    assert ((reliability >= 0) & (reliability <= 1)).all()
    assert np.median(reliability[TRUTH >= 0]) == pytest.approx(0.5**0.1, abs=0.03)
    assert np.median(reliability[TRUTH < 0]) == pytest.approx(0.5, abs=0.1)
    alone = dia_source_rows(SEEN.take(np.array([7])), SURVEY, TRUTH[7:8])
    assert alone["reliability"][0] == reliability[7]


def test_detections_of_a_visit_that_is_not_there_are_refused():
    with pytest.raises(ValueError, match="visits of detections, 2024042400001 first, are not among the pointings"):
        dia_source_rows(SEEN, SURVEY.take(np.arange(18, 36)), TRUTH)
    with pytest.raises(ValueError, match="There are no pointings"):
        dia_source_rows(SEEN, SURVEY.take(np.zeros(0, dtype=np.intp)), TRUTH)


@settings(max_examples=200, deadline=None)
@given(
    st.tuples(st.floats(0, 359.99), st.floats(-90, 90)),
    st.tuples(st.floats(-1.2, 1.2), st.floats(-1.2, 1.2)),
)
def test_every_place_in_a_field_is_on_one_detector(centre, away):
    ra, dec = offset(*centre, *away)
    detector, x, y = detector_places(ra, dec, np.array([centre[0]]), np.array([centre[1]]))
    assert 0 <= detector[0] < DETECTORS + 16
    assert 0 <= x[0] <= PITCH_PIXELS
    assert 0 <= y[0] <= PITCH_PIXELS


def test_the_middle_of_the_field_is_the_middle_of_detector_94():
    detector, x, y = detector_places(*(np.array([value]) for value in (10.0, -30.0, 10.0, -30.0)))
    assert (detector[0], x[0], y[0]) == (94, pytest.approx(PITCH_PIXELS / 2), pytest.approx(PITCH_PIXELS / 2))


def test_every_science_detector_is_met_once_and_the_corners_have_their_own():
    pitch_deg = PITCH_PIXELS * 0.2 / 3600
    cells = [(column, row) for column in range(15) for row in range(15)]
    places = [
        offset(0.0, 0.0, *(np.degrees(np.arctan(np.radians((cell - 7) * pitch_deg))) for cell in each))
        for each in cells
    ]
    ra, dec = (np.concatenate([place[k] for place in places]) for k in (0, 1))
    zero = np.zeros(len(ra))
    detector, x, y = detector_places(ra, dec, zero, zero)
    science = detector[detector < DETECTORS]
    assert sorted(science) == list(range(DETECTORS))
    assert set(detector) - set(science) < set(range(DETECTORS, DETECTORS + 16))
    np.testing.assert_allclose(x, PITCH_PIXELS / 2, atol=0.01)
    np.testing.assert_allclose(y, PITCH_PIXELS / 2, atol=0.01)
