"""Amplifiers on the focal plane, and the grid that draws them."""

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from calib.focal_plane import Footprint, footprints, grid, outline
from dayops.camera import Box, Detector, load
from dayops.camera.sections import parse
from dayops.camera.toml import names
from tests.real_data import needs_real_data, real_file


def areas(rectangles: tuple[Footprint, ...]) -> np.ndarray:
    """The area of the cells of each footprint, mm²."""
    drawn = grid(rectangles)
    cells = np.outer(np.diff(drawn.y_edges), np.diff(drawn.x_edges))
    owned = drawn.owner >= 0
    return np.bincount(drawn.owner[owned], weights=cells[owned], minlength=len(rectangles))


@pytest.mark.parametrize("camera", names())
def test_every_amplifier_of_a_camera_is_drawn_once_with_its_own_area(camera: str):
    rectangles = footprints(load(camera).detectors)
    assert len(rectangles) == sum(len(detector.amplifiers) for detector in load(camera).detectors)
    np.testing.assert_allclose(areas(rectangles), [each.area for each in rectangles], rtol=1e-9)


@pytest.mark.parametrize("camera", names())
def test_the_cells_of_an_amplifier_surround_its_centre(camera: str):
    rectangles = footprints(load(camera).detectors)
    drawn = grid(rectangles)
    for index, each in enumerate(rectangles):
        x, y = each.centre
        row, column = np.searchsorted(drawn.y_edges, y) - 1, np.searchsorted(drawn.x_edges, x) - 1
        assert drawn.owner[row, column] == index


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=12, unique=True),
    st.integers(1, 7),
    st.integers(1, 9),
)
def test_rectangles_that_do_not_overlap_keep_their_areas(places: list[tuple[int, int]], width: int, height: int):
    detector = load("latiss").detectors[0]
    rectangles = tuple(
        Footprint(detector, detector.amplifiers[0], 7.0 * x, 9.0 * y, 7.0 * x + width, 9.0 * y + height)
        for x, y in places
    )
    np.testing.assert_allclose(areas(rectangles), width * height)


def test_gaps_are_painted_as_nothing():
    rectangles = footprints(load("minicam").detectors)
    painted = grid(rectangles).painted(np.ones(len(rectangles)))
    assert np.isnan(painted).any()
    assert np.nanmin(painted) == np.nanmax(painted) == 1.0


def test_a_focal_plane_without_amplifiers_is_an_empty_grid():
    drawn = grid(())
    assert drawn.painted(np.zeros(0)).size == 0


def rotated(rotation_deg: int) -> Detector:
    sensor = load("minicam").detectors[4]
    return replace(sensor, rotation_deg=rotation_deg)


@pytest.mark.parametrize(
    ("rotation_deg", "centre"),
    [(0, (-4.48, -2.56)), (90, (2.56, -4.48)), (180, (4.48, 2.56)), (270, (-2.56, 4.48))],
)
def test_a_detector_is_turned_counter_clockwise_about_its_centre(rotation_deg: int, centre: tuple[float, float]):
    first = footprints([rotated(rotation_deg)])[0]
    assert first.amplifier.place == Box(0, 0, 128, 512)
    assert first.centre == pytest.approx(centre)


def test_an_outline_holds_all_amplifiers():
    for detector in load("lsstcam").detectors[::17]:
        x0, y0, x1, y1 = outline(detector)
        assert sum(each.area for each in footprints([detector])) == pytest.approx((x1 - x0) * (y1 - y0))


def centre_in_header(header: fits.Header) -> tuple[float, float]:
    """The centre of DATASEC by the FOCAL_PLANE WCS, in mm from the centre of its five rafts of 127 mm."""
    section = parse(header["DATASEC"])
    assert section is not None
    column, row = (section.box.x0 + 1 + section.box.x1) / 2, (section.box.y0 + 1 + section.box.y1) / 2
    x = header["CRVAL1F"] + header["PC1_1F"] * column + header["PC1_2F"] * row
    y = header["CRVAL2F"] + header["PC2_1F"] * column + header["PC2_2F"] * row
    return (x - 31_750) / 100, (y - 31_750) / 100


@needs_real_data
@pytest.mark.parametrize(
    ("file_name", "detector"),
    [
        ("3019031900001-R10-S02-det029.fits", "R10_S02"),
        ("3019032200002-R10-S22-det035.fits", "R10_S22"),
        ("30211212000310-R22-S22-det098.fits", "R22_S22"),
        ("e2v_spot.fits.gz", "R22_S11"),
    ],
)
def test_every_amplifier_is_drawn_where_real_headers_put_it(file_name: str, detector: str):
    drawn = {one.amplifier.extension: one.centre for one in footprints([load("lsstcam").by_name[detector]])}
    with fits.open(real_file("lsst_headers", file_name)) as hdus:
        said = {hdu.name.title(): centre_in_header(hdu.header) for hdu in hdus if "DATASEC" in hdu.header}
    assert drawn.keys() == said.keys()
    for extension, centre in drawn.items():
        assert centre == pytest.approx(said[extension], abs=0.06)  # an amplifier is 5 mm wide
