"""Tiles rendered from an array."""

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from dayops.web.image_tiles import RANGES, STRETCHES, TILE, Pyramid, Range, Stretch, halved


def ramp(height: int = 600, width: int = 1100) -> Pyramid:
    """Values grow along x; row 0 is all black."""
    pixels = np.broadcast_to(np.arange(width, dtype=np.float32), (height, width)).copy()
    pixels[0] = 0.0
    return Pyramid(pixels)


def tile(of: Pyramid, z: int, x: int, y: int, stretch: Stretch = "linear", limits: Range = "minmax") -> np.ndarray:
    png = of.tile(z, x, y, stretch, limits)
    assert png is not None
    return np.asarray(Image.open(io.BytesIO(png)))


def test_the_first_line_of_a_tile_is_its_lowest_row():
    assert (tile(ramp(), 0, 0, 0)[0] == 0).all()
    assert tile(ramp(), 0, 0, 0)[1, 500] > 0


def test_a_tile_at_the_edge_is_only_as_large_as_the_image():
    assert tile(ramp(), 0, 0, 0).shape == (TILE, TILE)
    assert tile(ramp(), 0, 2, 1).shape == (600 - TILE, 1100 - 2 * TILE)


def test_linear_grey_follows_the_value():
    greys = tile(ramp(width=256), 0, 0, 0)[5]
    np.testing.assert_array_equal(greys, np.arange(256))


def test_the_last_level_fits_into_one_tile():
    image = ramp()
    assert image.levels == 3
    assert tile(image, 2, 0, 0).shape == (150, 275)


@pytest.mark.parametrize("place", [(0, 3, 0), (0, 0, 2), (3, 0, 0), (99, 0, 0), (0, -1, 0), (-1, 0, 0), (0, 10**9, 0)])
def test_there_is_no_tile_outside(place: tuple[int, int, int]):
    assert ramp().tile(*place, "linear", "zscale") is None


@pytest.mark.parametrize("stretch", STRETCHES)
@pytest.mark.parametrize("limits", RANGES)
def test_every_stretch_keeps_the_order_of_values(stretch: Stretch, limits: Range):
    greys = tile(ramp(), 0, 0, 0, stretch, limits)[5].astype(int)
    assert (np.diff(greys) >= 0).all()
    assert greys[-1] > greys[0]


@pytest.mark.parametrize("stretch", STRETCHES)
@pytest.mark.parametrize("limits", RANGES)
@pytest.mark.parametrize("value", [np.nan, np.inf, 7.0])
def test_images_without_contrast_or_pixels_are_drawn(stretch: Stretch, limits: Range, value: float):
    image = Pyramid(np.full((10, 12), value, dtype=np.float32))
    assert tile(image, 0, 0, 0, stretch, limits).shape == (10, 12)


def test_pixels_that_are_not_there_are_black():
    pixels = np.full((4, 4), 9.0, dtype=np.float32)
    pixels[2, 2], pixels[0, 0] = np.nan, 0.0
    assert tile(Pyramid(pixels), 0, 0, 0)[2, 2] == 0


@given(
    arrays.arrays(np.float32, st.tuples(st.integers(1, 9), st.integers(1, 9)), elements=st.floats(-1e3, 1e3, width=32))
)
def test_halving_averages_blocks_of_four(pixels: np.ndarray):
    small = halved(pixels)
    for row, column in np.ndindex(small.shape):
        block = pixels[2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        assert small[row, column] == pytest.approx(block.mean(), abs=1e-3)


def test_halving_ignores_pixels_that_are_not_there():
    block = np.array([[1.0, np.nan], [np.nan, 3.0]], dtype=np.float32)
    assert halved(block) == pytest.approx(np.array([[2.0]]))
    assert np.isnan(halved(np.full((2, 2), np.nan, dtype=np.float32))).all()
