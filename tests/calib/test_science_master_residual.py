"""Frames against their masters: patch medians against NumPy, and what light, defects and broken pixels do to them."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.science.master_residual import PATCH, largest_residual, ratio_map, residual_map

SHAPE, LEVEL, NOISE = (512, 128), 25_000.0, 4.0


def bias(seed: int = 1, shape: tuple[int, int] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).normal(LEVEL, NOISE, shape).round().astype(np.int32)


def flat(seed: int = 1) -> np.ndarray:
    electrons = np.random.default_rng(seed).poisson(20_000 * illumination())
    return (LEVEL + electrons).astype(np.int32)


def illumination() -> np.ndarray:
    return np.asarray(np.linspace(0.9, 1.1, SHAPE[1]) * np.ones(SHAPE), dtype=np.float32)


def zero(shape: tuple[int, int] = SHAPE) -> np.ndarray:
    return np.zeros(shape, dtype=np.float32)


def patches_in_numpy(values: np.ndarray, median: Callable[[np.ndarray], float]) -> np.ndarray:
    rows, columns = (range(0, length, PATCH) for length in values.shape)
    return np.array([[median(values[y : y + PATCH, x : x + PATCH]) for x in columns] for y in rows])


def finite_median(patch: np.ndarray) -> float:
    finite = patch[np.isfinite(patch)]
    return float(np.median(finite)) if finite.size else np.nan


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(["int32", "uint16", "float32"]),
    st.tuples(st.integers(1, 80), st.integers(1, 80)),
)
@settings(max_examples=40, deadline=None)
def test_the_maps_agree_with_numpy(seed, dtype, shape):
    rng = np.random.default_rng(seed)
    frame, master = bias(seed, shape).astype(dtype), rng.normal(5.0, 3.0, shape).astype(np.float32)
    if dtype == "float32":
        frame[rng.random(shape) < 0.2] = np.nan
    residual = frame.astype(float) - LEVEL - 1.5 * master.astype(float)
    np.testing.assert_allclose(
        residual_map(frame, LEVEL, master, 1.5), patches_in_numpy(residual, finite_median), atol=1e-9
    )
    ratios = patches_in_numpy((frame.astype(float) - 20_000) / np.where(master > 0, master, np.nan), finite_median)
    np.testing.assert_allclose(ratio_map(frame, 20_000.0, master), ratios / finite_median(ratios), rtol=1e-9)


def test_a_bias_that_its_master_fits_leaves_a_tenth_of_its_noise():
    assert largest_residual(residual_map(bias(), LEVEL, zero())) < 0.2 * NOISE


def test_light_on_a_corner_is_seen_there():
    frame = bias()
    frame[480:, 96:] += 3
    patches = residual_map(frame, LEVEL, zero())
    assert divmod(int(np.argmax(patches)), 4) == (15, 3)
    assert largest_residual(patches) == pytest.approx(3, abs=0.6)


def test_a_level_below_the_master_counts_as_much_as_one_above():
    assert largest_residual(residual_map(bias() - 5, LEVEL, zero())) == pytest.approx(5, abs=0.7)


def test_noise_hot_pixels_and_cosmic_rays_do_not_count():
    frame = bias()
    frame[::7, ::5] += 20_000
    assert largest_residual(residual_map(frame, LEVEL, zero())) < 0.3 * NOISE


def test_a_dark_of_one_second_is_scaled_to_the_time():
    dark = np.full(SHAPE, 0.5, dtype=np.float32)
    assert largest_residual(residual_map(bias() + 30, LEVEL, dark, scale=60.0)) < 0.2 * NOISE


def test_a_flat_like_its_master_has_the_ratio_one_everywhere():
    assert ratio_map(flat(), LEVEL, illumination()) == pytest.approx(1.0, abs=0.002)


def test_a_brighter_lamp_does_not_change_the_ratio():
    brighter = (LEVEL + (flat() - LEVEL) * 1.3).astype(np.int32)
    assert ratio_map(brighter, LEVEL, illumination()) == pytest.approx(1.0, abs=0.002)


def test_a_shadow_is_seen_where_it_falls():
    frame = flat()
    frame[64:96, 32:64] -= 400  # 2 %
    patches = ratio_map(frame, LEVEL, illumination())
    assert patches[2, 1] == pytest.approx(0.979, abs=0.003)
    assert np.delete(patches.ravel(), 2 * 4 + 1) == pytest.approx(1.0, abs=0.002)


def test_pixels_at_which_the_master_has_no_light_are_left_out():
    master = illumination()
    master[:40] = 0.0
    patches = ratio_map(flat(), LEVEL, master)
    assert np.isnan(patches[0]).all()
    assert patches[1:] == pytest.approx(1.0, abs=0.003)


def test_a_frame_without_light_has_no_ratio():
    assert np.isnan(ratio_map(bias(), LEVEL + 10.0, illumination())).all()


def test_a_frame_of_nan_has_no_residual():
    patches = residual_map(np.full(SHAPE, np.nan, dtype=np.float32), LEVEL, zero())
    assert patches.shape == (16, 4)
    assert np.isnan(largest_residual(patches))


def test_the_last_patches_hold_what_is_left():
    assert residual_map(bias(shape=(33, 65)), LEVEL, zero((33, 65))).shape == (2, 3)


@pytest.mark.parametrize("compared", [residual_map, ratio_map])
def test_a_master_of_another_amplifier_is_refused(compared):
    with pytest.raises(ValueError, match=r"the frame is \(512, 128\), the master \(512, 127\)"):
        compared(bias(), LEVEL, zero()[:, 1:])
