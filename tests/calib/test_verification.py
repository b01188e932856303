"""Verification: healthy frames pass, and each thing that can be wrong with a product fails the test that is for it."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calib.science import verification
from calib.science.mask_planes import Plane
from calib.science.verification import (
    BY_NAME,
    LIMITS,
    TESTS,
    clipped,
    expected_noise_e,
    judged,
    largest_patches,
    no_worse,
    patch_chance,
    verify_crosstalk,
    verify_curves,
    verify_dark_frame,
    verify_defects,
    verify_exposure,
    verify_flat,
    verify_linearity,
)
from dayops import camera
from dayops.camera.geometry import Box, Detector

NOISE_E, LIGHT_E = 6.0, 20_000.0
NAMES = ["C10", "C11"]


@cache
def detector() -> Detector:
    """Two amplifiers of minicam side by side."""
    whole = camera.load("minicam").detectors[0]
    amplifiers = tuple(
        replace(a, place=Box(128 * i, 0, 128 * (i + 1), 512)) for i, a in enumerate(whole.amplifiers[:2])
    )
    return replace(whole, width=256, height=512, amplifiers=amplifiers)


SHAPE = (512, 256)
FIRST = np.s_[:, :128]


def no_mask() -> np.ndarray:
    return np.zeros(SHAPE, dtype=np.int32)


def bias(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, NOISE_E, SHAPE).astype(np.float32)


def flat(seed: int = 1, light_e: float = LIGHT_E) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.poisson(light_e, SHAPE) + rng.normal(0, NOISE_E, SHAPE)).astype(np.float32)


def each(value: float) -> np.ndarray:
    return np.full(2, value)


def failed_by_bias(
    image: np.ndarray, mask: np.ndarray | None = None, expected: float = NOISE_E
) -> dict[str, list[bool]]:
    found = verify_dark_frame("bias", image, no_mask() if mask is None else mask, detector(), each(expected))
    return {value.test: (~value.passed).tolist() for value in found if not value.passed.all()}


def failed_by_flat(image: np.ndarray, mask: np.ndarray | None = None) -> dict[str, list[bool]]:
    found = verify_flat(image, no_mask() if mask is None else mask, detector(), each(NOISE_E))
    return {value.test: (~value.passed).tolist() for value in found if not value.passed.all()}


@given(st.integers(0, 2**32 - 1), st.floats(0, 0.2))
@settings(max_examples=40, deadline=None)
def test_clipped_moments_agree_with_numpy(seed, spoilt):
    rng = np.random.default_rng(seed)
    image = rng.normal(100, 5, (30, 40)).astype(np.float32)
    mask = rng.choice([0, 0, 0, int(Plane.BAD), int(Plane.INTRP)], image.shape).astype(np.int32)
    image[rng.random(image.shape) < spoilt] = rng.choice([np.nan, np.inf, 1e4, -50.0])
    kept = image[np.isfinite(image) & ((mask & Plane.BAD) == 0)].astype(float)
    for _ in range(20):
        kept = kept[np.abs(kept - kept.mean()) <= 5 * kept.std()]
    assert clipped(image, mask) == pytest.approx((kept.mean(), kept.std()), rel=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_a_healthy_bias_and_a_healthy_flat_pass(seed):
    assert failed_by_bias(bias(seed)) == {}
    assert failed_by_flat(flat(seed)) == {}


def test_noise_counts_on_both_sides():
    assert failed_by_bias(bias() * np.float32(1.08)) == {"bias_noise": [True, True]}
    assert failed_by_bias(bias() * np.float32(0.92)) == {"bias_noise": [True, True]}


def test_a_dead_amplifier_fails_and_the_other_one_does_not():
    image = bias()
    image[FIRST] *= 0.01
    assert failed_by_bias(image)["bias_noise"] == [True, False]


def test_an_amplifier_that_reads_one_number_fails():
    image = bias()
    image[FIRST] = 0.0
    assert failed_by_bias(image) == {
        "bias_mean": [True, False],
        "bias_noise": [True, False],
        "bias_cr_noise": [True, False],
        "bias_residual": [True, False],
    }


def test_a_patch_of_few_good_pixels_says_nothing():
    image, mask = bias(), no_mask()
    image[:32, :32] += 20
    mask[:32, :25] = Plane.BAD
    assert "bias_residual" not in failed_by_bias(image, mask)
    mask[:32, 23:25] = 0
    assert failed_by_bias(image, mask)["bias_residual"] == [True, False]


def test_light_that_is_far_below_the_noise_is_seen_in_patches():
    image = bias()
    image[480:, :32] += 3
    assert failed_by_bias(image) == {"bias_residual": [True, False]}


def test_a_level_that_is_off_fails_by_its_mean():
    assert "bias_mean" in failed_by_bias(bias() - 7)
    assert "bias_mean" not in failed_by_bias(bias() - 5)


def test_a_shower_of_faint_tracks_fails_by_the_noise_that_they_make():
    image, rng = bias(), np.random.default_rng(2)
    for y, x in zip(rng.integers(0, 500, 180), rng.integers(0, 128, 180), strict=True):
        image[y : y + 8, x] = 45
    assert failed_by_bias(image)["bias_cr_noise"] == [True, False]


def test_hot_pixels_that_the_mask_knows_do_not_count():
    image, mask = bias(), no_mask()
    image[::10, ::10] += 25  # too faint to be clipped
    assert failed_by_bias(image) != {}
    mask[::10, ::10] = Plane.BAD | Plane.HOT
    assert failed_by_bias(image, mask) == {}


def test_an_amplifier_without_a_good_pixel_fails():
    mask = no_mask()
    mask[FIRST] = Plane.NO_DATA
    found = failed_by_bias(bias(), mask)
    assert all(found[name] == [True, False] for name in ("bias_mean", "bias_noise", "bias_cr_noise", "bias_residual"))


def test_a_dark_has_the_shot_noise_of_its_current():
    rng = np.random.default_rng(3)
    image = (bias() + rng.poisson(10.0, SHAPE) - 10).astype(np.float32)
    shot = expected_noise_e(each(NOISE_E), 10.0)
    assert all(value.passed.all() for value in verify_dark_frame("dark", image, no_mask(), detector(), shot))
    without = verify_dark_frame("dark", image, no_mask(), detector(), each(NOISE_E))
    assert [value.test for value in without if not value.passed.all()] == ["dark_noise"]


def test_the_noise_of_a_master_of_few_frames_is_expected():
    image = bias(1) - (bias(2) + bias(3)) / 2
    assert failed_by_bias(image) == {"bias_noise": [True, True]}
    assert failed_by_bias(image, expected=expected_noise_e(each(NOISE_E), 0.0, NOISE_E / np.sqrt(2))[0]) == {}


def test_noise_of_a_flat_counts_on_both_sides():
    around = np.float32(LIGHT_E)
    assert failed_by_flat(around + (flat() - around) * np.float32(1.1)) == {"flat_noise": [True, True]}
    assert failed_by_flat(around + (flat() - around) * np.float32(0.8)) == {"flat_noise": [True, True]}


def test_charge_that_repels_charge_makes_no_flat_fail():
    around, a00 = np.float32(60_000), -2.6e-6
    quieter = np.float32(np.sqrt(1 + a00 * around))
    assert failed_by_flat(around + (flat(light_e=60_000) - around) * quieter) == {}


def test_a_gain_that_is_a_fifth_off_fails_by_noise_scatter_and_ratio():
    image = flat()
    image[FIRST] *= 1.2
    assert set(failed_by_flat(image)) == {"flat_noise", "flat_amplifier_scatter", "flat_ratio"}


def test_a_faint_shadow_fails_where_it_falls():
    image = flat()
    image[64:96, 160:192] *= 0.985
    assert failed_by_flat(image) == {"flat_ratio": [False, True]}


def test_a_flat_without_light_fails():
    assert set(failed_by_flat(np.zeros(SHAPE, dtype=np.float32))) == {
        "flat_noise",
        "flat_amplifier_scatter",
        "flat_ratio",
    }


def test_the_noise_of_a_master_flat_is_expected_too():
    image = flat(1) / flat(2) * np.float32(LIGHT_E)
    own = np.sqrt(LIGHT_E + NOISE_E**2) / LIGHT_E
    without, known = (
        verify_flat(image, no_mask(), detector(), each(NOISE_E), own_noise)[0] for own_noise in (0.0, own)
    )
    assert not without.passed.any()
    assert known.passed.all()


def test_detectors_of_one_exposure_must_have_one_level():
    assert verify_exposure(np.array([1.0, 1.02, 0.98])).passed.all()
    assert not verify_exposure(np.array([1.0, 1.15, 0.98])).passed.any()
    assert not verify_exposure(np.array([1.0, np.nan, 0.98])).passed.any()


def curves(**changed: np.ndarray) -> dict[str, list[bool]]:
    healthy = {
        "gain": each(1.6),
        "read_noise_e": each(6.0),
        "overscan_noise_e": each(6.1),
        "turnoff_e": np.array([150_000.0, np.nan]),
        "a00": each(-1e-6),
        "reduced_chi2": each(1.1),
        "incumbent_gain": each(1.605),
    }
    found = verify_curves(detector(), freedom=np.array([20, 21]), **(healthy | changed))
    return {value.test: (~value.passed).tolist() for value in found if not value.passed.all()}


def test_healthy_curves_pass_whether_or_not_they_reach_the_turnoff():
    assert curves() == {}
    assert curves(turnoff_e=each(np.nan), a00=each(np.nan)) == {}


@pytest.mark.parametrize(
    ("changed", "value", "fails"),
    [
        ("gain", 2.2, ["ptc_gain", "ptc_gain_change"]),
        ("gain", 1.0, ["ptc_gain", "ptc_gain_change"]),
        ("gain", 1.65, ["ptc_gain_change"]),
        ("gain", 1.56, ["ptc_gain_change"]),
        ("gain", np.nan, ["ptc_gain"]),
        ("read_noise_e", 6.5, ["ptc_noise"]),
        ("read_noise_e", 5.7, ["ptc_noise"]),
        ("turnoff_e", 80_000.0, ["ptc_turnoff"]),
        ("a00", -6e-6, ["ptc_a00"]),
        ("a00", 2e-6, ["ptc_a00"]),
        ("reduced_chi2", 5.0, ["ptc_chi2"]),
        ("reduced_chi2", 0.05, ["ptc_chi2"]),
    ],
)
def test_each_number_of_a_curve_has_its_test(changed, value, fails):
    found = curves(**{changed: np.array([value, {"turnoff_e": np.nan}.get(changed, each_healthy(changed))])})
    assert found == {name: [True, False] for name in fails}


def each_healthy(name: str) -> float:
    return {"gain": 1.6, "read_noise_e": 6.0, "a00": -1e-6, "reduced_chi2": 1.1}.get(name, np.nan)


def test_a_first_gain_has_nothing_to_differ_from():
    assert curves(incumbent_gain=each(np.nan)) == {}


def test_a00_of_an_e2v_sensor_lies_in_a_range_of_its_own_and_its_errors_widen_that():
    e2v = replace(detector(), vendor="E2V")
    numbers = (each(1.6), each(6.0), each(6.0), each(np.nan), each(-1e-6), each(1.0), np.array([20, 20]))
    assert not verify_curves(e2v, *numbers)[4].passed.any()
    assert verify_curves(detector(), *numbers)[4].passed.all()
    assert verify_curves(e2v, *numbers, a00_error=each(4e-7))[4].passed.all()


@pytest.mark.parametrize("freedom", [1, 5, 20, 100])
def test_chance_makes_hardly_any_healthy_curve_fail(freedom):
    reduced = np.random.default_rng(freedom).chisquare(freedom, 200_000) / freedom
    nothing = np.full(200_000, np.nan)
    degrees = np.full(200_000, freedom)
    many = replace(detector(), amplifiers=detector().amplifiers[:1])
    chi2 = verify_curves(many, nothing, nothing, nothing, nothing, nothing, reduced, degrees)[5]
    assert (~chi2.passed).sum() <= 1
    assert chi2.upper is not None
    assert chi2.upper < 1.25 * (1 + 25 / freedom + 8 / np.sqrt(freedom))


def test_linearity_may_leave_a_percent_of_either_sign():
    assert verify_linearity(np.array([0.009, -0.009, 0.011, -0.011, np.nan])).passed.tolist() == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_mask_of_too_much_fails():
    mask = no_mask()
    mask[:4] = Plane.BAD | Plane.COLUMN  # 0.8 %
    fraction, masked = verify_defects(bias(), mask, detector())
    assert fraction.values == pytest.approx([4 / 512])
    assert not fraction.passed.any()
    assert masked.passed.all()


def test_edges_are_no_defects():
    mask = no_mask()
    mask[:10] = Plane.EDGE
    assert verify_defects(bias(), mask, detector())[0].values == pytest.approx([0.0])


def test_a_mask_takes_the_scatter_of_hot_pixels_away_or_fails():
    image, mask = bias(), no_mask()
    image[5::64, 5::64] += 3_000
    mask[5::64, 5::64] = Plane.BAD | Plane.HOT
    assert verify_defects(image, mask, detector())[1].values < 0.2
    elsewhere = no_mask()
    elsewhere[7::64, 7::64] = Plane.BAD | Plane.HOT  # the mask of another detector
    assert not verify_defects(image, elsewhere, detector())[1].passed.any()


def test_cold_pixels_and_a_detector_without_hot_ones_make_no_dark_worse():
    image, mask = bias(), no_mask()
    image[5::64, 5::64] += 3_000  # cosmic rays
    assert verify_defects(image, mask, detector())[1].values == 1.0
    mask[:300, 30] = Plane.BAD | Plane.COLD | Plane.COLUMN
    assert verify_defects(image, mask, detector())[1].values == 1.0


def test_crosstalk_that_its_error_explains_is_none():
    errors = np.full((2, 2), 3e-5)
    assert verify_crosstalk(np.array([[np.nan, 1.4e-4], [-1.4e-4, np.nan]]), errors).passed.all()
    left = verify_crosstalk(np.array([[np.nan, 1.8e-4], [1e-5, np.nan]]), errors)
    assert left.passed.tolist() == [False, True]
    assert left.values == pytest.approx([3e-5, 0.0])


@pytest.mark.parametrize(
    ("candidate", "incumbent", "passes"),
    [
        (1.0, 1.0, True),
        (1.1, 1.0, True),
        (1.2, 1.0, False),
        (0.2, 9.0, True),
        (5.0, np.nan, True),
        (np.nan, 1.0, False),
    ],
)
def test_a_candidate_may_be_no_worse_than_the_incumbent_but_for_chance(candidate, incumbent, passes):
    assert no_worse(candidate, incumbent, tolerance=0.15) is passes


def test_the_chance_of_a_patch_is_the_scatter_of_medians():
    patches = np.random.default_rng(5).normal(0, NOISE_E, (2_000, 1_024))
    assert patch_chance(NOISE_E) == pytest.approx(np.median(patches, axis=1).std(), rel=0.05)


def test_the_largest_patch_is_that_of_each_amplifier():
    image, mask = bias(), no_mask()
    image[:32, 128:160] -= 9
    image[32:64, :32] += 50
    mask[32:64, :32] = Plane.BAD
    assert largest_patches(image, mask, detector()) == pytest.approx([0.8, 9.0], abs=0.5)


def test_a_value_on_its_limit_passes():
    assert judged("bias_noise", [-0.05, 0.05, 0.0500001, -0.0500001]).passed.tolist() == [True, True, False, False]


def test_a_failure_says_where_how_much_and_what_to_do():
    failed = judged("ptc_turnoff", [80_000.0, 120_000.0])
    assert failed.sentence(NAMES) == (
        "Faintest signal at which the variance has fallen: C10 80,000 e⁻; expected at least 90,000. "
        "A falling full well: look at the voltages of the sensor."
    )
    assert "C11 not measured; expected -0.05 to 0.05" in judged("bias_noise", [0.0, np.nan]).sentence(NAMES)
    assert "the detector 0.02; expected at most 0.005" in judged("defects_fraction", [0.02]).sentence(NAMES)
    assert judged("bias_noise", [0.0, 0.0]).sentence(NAMES) == ""


def test_images_of_another_detector_are_refused():
    with pytest.raises(ValueError, match=r"not of R22_S00: \(512, 128\) and \(512, 256\) came, expected \(512, 256\)"):
        verify_dark_frame("bias", bias()[FIRST], no_mask(), detector(), each(NOISE_E))


def test_every_test_says_what_it_is_whence_its_limit_is_and_what_to_do():
    assert len(BY_NAME) == len(TESTS) == len(LIMITS)
    for test in TESTS:
        assert len(test.name) <= 40
        assert test.name.startswith(test.product)
        assert all((test.title, test.remedy, test.limit.source))
        is_open = (test.limit.lower, test.limit.upper) == (None, None)
        assert is_open == test.name.endswith("_no_worse"), "the incumbent sets the limit, frame by frame"
    assert set(verification.__all__) <= set(dir(verification))
