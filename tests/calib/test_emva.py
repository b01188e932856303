"""Photon transfer of a real 12-bit CCD against the published analysis of the same images (EMVA 1288 data set 001)."""

import numpy as np
import pytest
from PIL import Image

from calib.science.photon_transfer import PhotonTransfer, pair_moments, photon_transfer
from tests.real_data import needs_real_data, real_file

pytestmark = [pytest.mark.real_data, needs_real_data]

LEVELS = range(0, 50, 2)  # every second of the published fifty
REFERENCE_K, REFERENCE_DARK_NOISE = 0.280, 3.08  # DN/e⁻ and DN, of all levels


def image(name: str) -> np.ndarray:
    with Image.open(real_file("emva1288_001", "images", f"{name}.png")) as opened:
        return np.asarray(opened)


def moments(kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Means and variances of all pairs: `kind` b for bright, d for dark."""
    pairs = [pair_moments(*(image(f"{kind}_{level:03}_snap_00{shot}") for shot in (1, 2))) for level in LEVELS]
    return np.array([pair.mean for pair in pairs]), np.array([pair.variance for pair in pairs])


@pytest.fixture(scope="module")
def transfer() -> PhotonTransfer:
    return photon_transfer(*moments("b"), *moments("d"))


def test_the_published_gain_is_found_within_a_percent(transfer):
    assert transfer.gain == pytest.approx(REFERENCE_K, rel=0.01)
    assert transfer.gain_error < 0.01 * REFERENCE_K
    assert transfer.levels == 13


def test_the_published_dark_noise_is_found_within_a_percent(transfer):
    assert transfer.dark_noise == pytest.approx(REFERENCE_DARK_NOISE, rel=0.01)


def test_a_stack_of_ten_darks_has_the_same_noise(transfer):
    stack = np.stack([image(f"d_s_000_snap_{shot:03}") for shot in range(10)]).astype(float)
    assert np.sqrt(stack.var(axis=0, ddof=1).mean()) == pytest.approx(transfer.dark_noise, rel=0.01)


def test_the_fit_ends_before_the_converter_does(transfer):
    assert 3_500 < transfer.saturation < 4_095
