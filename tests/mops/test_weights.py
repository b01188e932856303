"""Sigmas of observatories: their dates of change, what a night shares, and that neither order nor company matters."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mops.science.weights import CCD_FROM_MJD, NIGHT_CORRELATION, SURVEYS_ARCSEC, correlated, shared, sigma_arcsec

observations = st.lists(st.tuples(st.sampled_from(["F51", "703", "X99"]), st.integers(0, 3)), min_size=1, max_size=30)


def columns(seen) -> tuple[np.ndarray, np.ndarray]:
    """Stations and dates, those of a night ten minutes apart."""
    nights = np.array([night for _, night in seen])
    return np.array([code for code, _ in seen]), 60_000.2 + nights + np.arange(len(seen)) * 0.002


def counted(codes, mjd) -> np.ndarray:
    return np.array([np.sum((codes == c) & (np.floor(mjd) == np.floor(t))) for c, t in zip(codes, mjd, strict=True)])


@pytest.mark.parametrize("code", SURVEYS_ARCSEC)
def test_a_survey_has_its_sigma(code):
    assert sigma_arcsec(np.array([code]), np.array([60_000.0])).tolist() == [SURVEYS_ARCSEC[code]]


@pytest.mark.parametrize(
    ("code", "date", "before", "after"),
    [
        ("703", 56_658.0, 1.0, 0.8),
        ("691", 52_640.0, 0.6, 0.5),
        ("644", 52_883.0, 0.6, 0.4),
        ("X99", CCD_FROM_MJD, 1.5, 1.0),
        ("X99", 29_400.0, 2.5, 1.5),
    ],
)
def test_a_sigma_changes_on_its_day(code, date, before, after):
    assert sigma_arcsec(np.array([code] * 2), np.array([date - 0.001, date])).tolist() == [before, after]


@given(observations)
@settings(max_examples=60, deadline=None)
def test_a_night_shares_its_errors_by_its_count(seen):
    codes, mjd = columns(seen)
    count = counted(codes, mjd)
    assert shared(np.ones(len(codes)), codes, mjd) == pytest.approx(np.sqrt(np.maximum(count / 4, 1)))
    assert correlated(np.ones(len(codes)), codes, mjd) == pytest.approx(np.sqrt(1 + (count - 1) * NIGHT_CORRELATION))


@given(observations, st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_the_order_of_observations_is_of_no_account(seen, random):
    codes, mjd = columns(seen)
    order = np.array(random.sample(range(len(codes)), len(codes)))
    sigma = sigma_arcsec(codes, mjd)
    assert shared(sigma[order], codes[order], mjd[order]) == pytest.approx(shared(sigma, codes, mjd)[order])
