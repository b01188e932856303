"""The profile of an overscan against NumPy's straight line, and on levels that rise, jump and swing."""

from dataclasses import astuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.science.profile import FEWEST_ROWS, SHIFT_ROWS, measure_profile

ROWS = 512
QUIET_ADU = 0.7  # 4 ADU of read noise in the mean of 29 columns


def row_means(seed: int = 1, sigma: float = QUIET_ADU, rows: int = ROWS) -> np.ndarray:
    return np.random.default_rng(seed).normal(25_000.0, sigma, rows)


@given(st.integers(0, 2**32 - 1), st.floats(-50, 50), st.integers(FEWEST_ROWS, 300))
@settings(max_examples=50, deadline=None)
def test_it_is_numpys_straight_line_and_what_is_left_of_it(seed, rise, rows):
    means = row_means(seed, rows=rows) + np.linspace(0, rise, rows)
    slope, start = np.polyfit(np.arange(rows), means, 1)
    left = means - slope * np.arange(rows) - start
    found = measure_profile(means)
    assert found.slope == pytest.approx(slope * (rows - 1), abs=1e-6)
    assert [found.rms, found.maximum] == pytest.approx([left.std(), np.abs(left).max()], abs=1e-6)
    windows = np.array([left[y : y + SHIFT_ROWS].mean() for y in range(rows - SHIFT_ROWS + 1)])
    assert found.shift == pytest.approx(np.abs(windows[SHIFT_ROWS:] - windows[:-SHIFT_ROWS]).max(), abs=1e-6)


@pytest.mark.parametrize("jump", [10.0, -10.0])
def test_a_jump_is_told_without_its_sign_and_less_what_the_line_takes(jump):
    means = row_means()
    means[256:] += jump
    assert measure_profile(means).shift == pytest.approx(10 * (1 - 1.5 * SHIFT_ROWS / ROWS), abs=0.5)


def test_a_steady_rise_is_no_shift():
    assert measure_profile(row_means() + np.linspace(0, 20, ROWS)).shift < 1.0


def test_bands_are_no_slope():
    found = measure_profile(row_means() + 5 * np.sin(2 * np.pi * np.arange(ROWS) / 32))
    assert found.banding == pytest.approx(5.0, abs=0.2)
    assert abs(found.slope) < 1.5


def test_one_row_alone_is_the_maximum_and_hardly_anything_else():
    means = row_means()
    means[100] += 30
    found = measure_profile(means)
    assert found.maximum == pytest.approx(30, abs=3 * QUIET_ADU)
    assert found.shift < 2.0
    assert found.banding < 0.5


def test_rows_without_a_good_pixel_are_left_out():
    means = row_means() + np.linspace(0, 20, ROWS)
    whole = measure_profile(means)
    means[100:140] = np.nan
    found = measure_profile(means)
    assert found.slope == pytest.approx(whole.slope, abs=0.3)
    assert found.rms == pytest.approx(whole.rms, rel=0.1)


@pytest.mark.parametrize("rows", [0, 1, FEWEST_ROWS - 1])
def test_too_few_rows_have_no_profile(rows):
    assert np.isnan(astuple(measure_profile(row_means(rows=rows)))).all()


def test_a_constant_overscan_is_level():
    assert astuple(measure_profile(np.full(ROWS, 1_000.0))) == (0.0, 0.0, 0.0, 0.0, 0.0)
