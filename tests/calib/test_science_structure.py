"""Planes, stripes and corners of an image against NumPy, with and without pixels that must not matter."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from calib.science.distribution import distribution
from calib.science.structure import Structure, _sums, corner_mean, measure_structure

LEVEL_ADU, NOISE_ADU, SHAPE = 25_000.0, 4.0, (512, 128)
integers = st.sampled_from(["int16", "uint16", "int32"]).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=2, max_dims=2, max_side=12), elements=st.integers(0, 300))
)


def image(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(LEVEL_ADU, NOISE_ADU, SHAPE)


def structure_of(pixels: np.ndarray, dtype: str = "int32") -> Structure:
    read = pixels.round().astype(dtype)
    found = measure_structure(read, distribution(read))
    assert found is not None
    return found


@given(integers, st.integers(0, 150), st.integers(150, 300))
@settings(deadline=None)
def test_the_kernel_agrees_with_numpy(pixels, lowest, highest):
    above = np.clip(pixels.astype(int), lowest, highest) - lowest
    rows, columns = _sums(pixels, lowest, highest)
    assert (rows == above.sum(axis=1)).all()
    assert (columns == above.sum(axis=0)).all()


@given(st.integers(0, 2**32 - 1), st.floats(-30, 30), st.floats(-30, 30))
@settings(max_examples=20, deadline=None)
def test_the_plane_is_that_of_least_squares(seed, down, across):
    y, x = np.mgrid[0:1:512j, 0:1:128j]
    pixels = (image(seed) + down * y + across * x).round()
    design = np.stack([y.ravel(), x.ravel(), np.ones(y.size)], axis=1)
    (fitted_down, fitted_across, _), *_ = np.linalg.lstsq(design, pixels.ravel(), rcond=None)
    assert structure_of(pixels).gradient == pytest.approx(abs(fitted_down) + abs(fitted_across), abs=0.05)


def test_noise_has_no_structure():
    found = [structure_of(image(seed)) for seed in range(20)]
    assert max(each.row_structure for each in found) < 0.2
    assert max(each.column_structure for each in found) < 0.1
    assert max(each.gradient for each in found) < 0.5


def test_the_scatter_of_rows_and_columns_is_told_without_that_of_the_pixels():
    rng = np.random.default_rng(2)
    rows, columns = rng.normal(0, 2.0, 512), rng.normal(0, 1.0, 128)
    found = structure_of(image() + rows[:, None] + columns)
    assert found.row_structure == pytest.approx(rows.std(), rel=0.05)
    assert found.column_structure == pytest.approx(columns.std(), rel=0.05)


def test_a_plane_is_no_structure():
    y, x = np.mgrid[0:1:512j, 0:1:128j]
    found = structure_of(image() + 10 * y - 10 * x)
    assert max(found.row_structure, found.column_structure) < 0.2


def test_hot_pixels_and_cosmic_rays_hardly_matter():
    struck = image()
    struck[::61, ::31] += 100_000
    struck[200:230, 50:53] += 3_000
    found, clean = structure_of(struck), structure_of(image())
    assert found.gradient == pytest.approx(clean.gradient, abs=0.2)
    assert max(found.row_structure, found.column_structure) < 0.6
    assert corner_mean(struck.round().astype(int), found) == pytest.approx(LEVEL_ADU, abs=0.2)


def test_the_corner_is_the_one_that_is_read_first():
    brighter = image()
    brighter[:200] += 8
    pixels = brighter.round().astype(int)
    assert corner_mean(pixels, structure_of(brighter)) == pytest.approx(LEVEL_ADU + 8, abs=0.2)
    assert corner_mean(pixels[::-1], structure_of(brighter)) == pytest.approx(LEVEL_ADU, abs=0.2)


def test_real_numbers_are_measured_as_integers_are_and_those_that_are_none_left_out():
    whole, real = structure_of(image()), structure_of(image(), "float32")
    assert real.rows == pytest.approx(whole.rows, abs=0.1)
    holed = image().round().astype("float32")
    holed[10:12, 5:100] = np.nan
    found = measure_structure(holed, distribution(holed))
    assert found is not None
    assert found.row_structure < 0.3


def test_an_image_of_nan_has_no_structure():
    nothing = np.full(SHAPE, np.nan)
    assert measure_structure(nothing, distribution(nothing)) is None


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1)])
def test_a_single_row_or_column_does_not_scatter(shape):
    found = structure_of(np.full(shape, 7.0))
    assert found.gradient == 0.0
    assert np.isnan([found.row_structure, found.column_structure][int(np.argmin(shape))])
