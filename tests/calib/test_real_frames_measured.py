"""Real raw frames of three cameras, measured: known values for every file, and NumPy's reading of the same pixels."""

import numpy as np
import pytest
from astropy.io import fits

from calib.science.amplifier import DetectorStatistics, measure_detector
from calib.science.bright_pixels import bright_pixels
from calib.science.distribution import distribution
from calib.science.flat_pair import flat_pair
from calib.science.master_residual import largest_residual, residual_map
from dayops.camera.headers import FrameDescription, describe
from dayops.images import read_headers, read_segments
from tests.real_data import needs_real_data, real_file

pytestmark = [pytest.mark.real_data, needs_real_data]

SPRAT = [f"v_e_20180810_12_{number}_0_0.fits.gz" for number in range(1, 6)]
LAMP = ["coj2m002-en12-20200321-0023-w00.fits.fz", "coj2m002-en12-20210126-0004-w00.fits.fz"]
KNOWN = {
    # file: mean and median above the overscan if there is any, robust sigma (ADU), saturated share
    "a8280271.fits": (85.7, 86.0, 7.62, 0.0),
    "coj2m002-en12-20200321-0022-a00.fits.fz": (741.7, 586.1, 8.16, 0.0005),
    LAMP[0]: (4_102.8, 803.5, 246.8, 0.0007),
    LAMP[1]: (8_053.4, 1_052.8, 515.6, 0.0960),
    "coj2m002-en12-20210126-0005-a00.fits.fz": (604.8, 583.7, 2.60, 0.0),
    "v_dark_1.fits.gz": (11.8, 11.2, 3.31, np.nan),
    "v_w_20180803_7_1_0_1.fits.gz": (5_694.8, 3_564.0, 5_252.7, 0.0),
    SPRAT[0]: (920.7, 917.4, 3.18, 0.0),
    SPRAT[1]: (920.6, 917.4, 3.18, 0.0),
    SPRAT[2]: (920.6, 917.4, 3.18, 0.0),
    SPRAT[3]: (920.4, 917.2, 3.18, 0.0),
    SPRAT[4]: (920.5, 917.2, 3.19, 0.0),
}


def read(name: str) -> tuple[FrameDescription, np.ndarray]:
    """What a file's header says, and the pixels of its only amplifier."""
    path = real_file("raw_frames", name)
    frame = describe(*read_headers(path), path.name)
    (segment,) = read_segments(path, frame.detector)
    return frame, segment


def measured(name: str) -> DetectorStatistics:
    frame, segment = read(name)
    return measure_detector([segment], frame.detector, frame.exposure_s, frame.image_type)


@pytest.mark.parametrize("name", KNOWN)
def test_levels_and_scatter_of_a_real_frame_are_the_known_ones(name):
    found, (mean, median, sigma, saturated) = measured(name), KNOWN[name]
    assert found.of("mean")[0] == pytest.approx(mean, abs=0.1)
    assert found.of("median")[0] == pytest.approx(median, abs=0.1)
    assert found.of("robust_sigma")[0] == pytest.approx(sigma, rel=0.002)
    assert found.of("saturated_fraction")[0] == pytest.approx(saturated, abs=5e-5, nan_ok=True)
    assert found.of("invalid_fraction")[0] == 0.0


@pytest.mark.parametrize("name", KNOWN)
def test_levels_of_a_real_frame_agree_with_another_librarys_pixels(name):
    with fits.open(real_file("raw_frames", name)) as file:
        pixels = next(hdu.data for hdu in file if hdu.data is not None)
    box, found = read(name)[0].detector.amplifiers[0].image, measured(name)
    image, level = pixels[box.slices].astype(float), np.nan_to_num(found.of("overscan_level")[0])
    assert found.of("mean")[0] + level == pytest.approx(image.mean(), rel=1e-6)
    assert found.of("median")[0] + level == pytest.approx(np.median(image), abs=0.5)


def test_the_only_real_frame_with_overscan_has_the_noise_of_its_camera():
    found = measured("a8280271.fits")
    assert found.of("overscan_level")[0] == pytest.approx(214.2, abs=0.1)
    assert found.of("read_noise_adu")[0] == pytest.approx(3.01, abs=0.02)
    assert found.of("read_noise_e")[0] == pytest.approx(5.0, rel=0.2)  # as its header has it


@pytest.mark.parametrize("name", [name for name in KNOWN if name != "a8280271.fits"])
def test_without_overscan_neither_level_nor_read_noise_is_known(name):
    found = measured(name)
    assert np.isnan([found.of("overscan_level")[0], found.of("read_noise_adu")[0]]).all()


def test_five_exposures_in_a_row_agree_to_a_third_of_an_adu():
    medians = [measured(name).of("median")[0] for name in SPRAT]
    sigmas = [measured(name).of("robust_sigma")[0] for name in SPRAT]
    assert np.ptp(medians) < 0.33
    assert np.ptp(sigmas) < 0.02


def test_an_exposure_fits_the_one_before_it_as_its_master():
    (_, before), (_, now) = read(SPRAT[0]), read(SPRAT[1])
    assert largest_residual(residual_map(now, 0.0, before.astype(np.float32))) < 2.0
    assert largest_residual(residual_map(now + 5, 0.0, before.astype(np.float32))) > 4.0


def test_a_long_real_dark_holds_hot_pixels_and_tracks():
    _, pixels = read("v_dark_1.fits.gz")
    spread = distribution(pixels)
    found = bright_pixels(pixels, spread.median + 8 * spread.robust_sigma)
    assert 500 < found.hot_pixels < 800
    assert found.hot_columns == 0
    assert 5 < found.tracks < 25


def test_a_real_spectrum_is_too_bright_to_look_for_tracks_in():
    _, pixels = read(SPRAT[0])
    spread = distribution(pixels)
    assert np.isnan(bright_pixels(pixels, spread.median + 8 * spread.robust_sigma).tracks)


def test_lamp_flats_of_two_years_are_no_pair():
    (_, first), (_, second) = (read(name) for name in LAMP)
    assert flat_pair(first, second, (580.0, 580.0), (2.0, 2.0)).problem.startswith("The flats are no pair")
